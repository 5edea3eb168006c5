"""How well what is made of label maps keeps to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.metrics.paired import PairedMetric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.features.cache import FeatureCache
    from ggdr.features.segmenter import Segmenter
    from ggdr.metrics.data import EvalData


@metrics.register("mean_iou", paper="1903.07291")
@dataclass(frozen=True, kw_only=True)
class MeanIoU(PairedMetric):
    """Whether what is made of label maps shows them: mean intersection over union of classes (Park et al. 2019, 4).

    A small segmenter, trained once on the training pairs (a minute and a half), tells the class of each pixel of what
    was made, which is held against the map that it was made of: `mean` over the classes that occur in the maps, and
    `accuracy`, the share of pixels; ignored pixels are left out. `ceiling` and `ceiling_accuracy` are the same numbers
    of the real images of these maps: no more can be expected. The papers use large segmenters, so that their numbers
    compare with none of these.
    """

    better: ClassVar = "higher"
    baselines: ClassVar = frozenset({"ceiling", "ceiling_accuracy"})

    def prepare(self, data: EvalData) -> None:
        """Train the segmenter, if it is not kept; UserError if the images are made of no label maps."""
        super().prepare(data)
        self.segmenter(data)

    def segmenter(self, data: EvalData) -> Segmenter:
        """Return the segmenter of the training pairs; UserError if the images are made of no label maps."""
        if data.segmenter is None:
            raise UserError(
                f"{self.name} holds images against the label maps that they are made of, and these are made of none;"
                " measure a translator of label maps, such as one of --data openmoji --data.task label_map, or leave it"
                " out."
            )
        return data.segmenter()

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return mean IoU and accuracy of the fakes, and of the true images at their places."""
        from ggdr.ops.segmentation import mean_iou, pixel_accuracy

        fakes, reals = (self.counts(data, images) for images in (data.fake, self.partners(data)))
        return {
            "mean": mean_iou(fakes),
            "accuracy": pixel_accuracy(fakes),
            "ceiling": mean_iou(reals),
            "ceiling_accuracy": pixel_accuracy(reals),
        }

    def counts(self, data: EvalData, images: FeatureCache) -> Tensor:
        """Return the pixels of each class that were found to be of each class [K, K], over all images."""
        from ggdr.features.cache import cut
        from ggdr.ops.precision import without_tf32
        from ggdr.ops.segmentation import confusion

        segmenter, processes = self.segmenter(data), data.fake.processes
        assert data.maps is not None
        found = torch.zeros(segmenter.classes, segmenter.classes, dtype=torch.int64)
        with without_tf32():
            for chunk in processes.shard(cut(0, self.numbers(data).fake)):
                found += confusion(segmenter(images.chunk(chunk)), data.maps(chunk), segmenter.classes)
        return torch.stack(processes.all_gather(found)).sum(dim=0)

    def describe(self, data: EvalData) -> dict[str, Any]:
        return {"segmenter": self.segmenter(data).protocol}
