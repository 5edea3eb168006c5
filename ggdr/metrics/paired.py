"""What metrics of pairs share: each generated image is compared with the one that should be at its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.metrics.base import Metric, Numbers
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.features.cache import FeatureCache
    from ggdr.metrics.data import EvalData

Compare = Callable[[Tensor, Tensor], Tensor]
"""images and their truths, each [n, C, H, W] uint8, to a value of each pair [n]"""


@dataclass(frozen=True, kw_only=True)
class PairedMetric(Metric):
    """The mean over pairs of how far, or how near, an image is to the truth."""

    reliable_images: ClassVar = 100
    requires: ClassVar = frozenset({Capability.TRUTH})
    against: ClassVar = frozenset[str]()

    def partners(self, data: EvalData) -> FeatureCache:
        """Return the images that each is compared with: those that should be; UserError if nothing tells them."""
        if data.truth is None:
            raise UserError(
                f"{self.name} compares each image with the truth at its place, and these images have none; measure a"
                " translator on pairs, such as --data pairs or --data openmoji --data.task lines_to_colour, or leave it"
                " out."
            )
        return data.truth

    def numbers(self, data: EvalData) -> Numbers:
        """Return how many of the available images it looks at, each with its truth, which is not counted again."""
        truth = self.images if data.truth is None else data.truth.size(self.images)
        return Numbers(0, data.fake.size(truth))

    def prepare(self, data: EvalData) -> None:
        """Load the network it reads; UserError if that fails, nothing tells the truth, or it has another shape."""
        super().prepare(data)
        fake, truth = data.fake.make(range(1)), self.partners(data).make(range(1))
        if fake.shape != truth.shape:
            raise UserError(
                f"{self.name} compares images of one shape: these are {list(fake.shape[1:])}, and their truths"
                f" {list(truth.shape[1:])} (channels, height, width); leave it out."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return the `mean` over all pairs."""
        from ggdr.features.cache import cut
        from ggdr.ops.precision import without_tf32

        truth, compare, processes = self.partners(data), self.comparison(data), data.fake.processes
        chunks = cut(0, self.numbers(data).fake)
        with torch.no_grad(), without_tf32():
            found = {
                chunk: compare(data.fake.chunk(chunk).cpu(), truth.chunk(chunk).cpu()).double()
                for chunk in processes.shard(chunks)
            }
        return {"mean": float(processes.gather(found, chunks).mean())}

    def comparison(self, data: EvalData) -> Compare:
        """Return the function that compares images [n, C, H, W] uint8 with their truths, both on the host."""
        raise NotImplementedError
