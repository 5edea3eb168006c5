"""What feature maps know of label maps: linear read-outs of each resolution, as in Linear Semantics in GANs.

A read-out is one linear 1x1 map from the feature maps of one resolution to class logits, which are enlarged to the
image (Xu and Zheng 2021, arXiv 2104.00487, with one layer at a time). What it cannot tell, the maps do not hold openly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.data.base import DataSet, Images
from ggdr.data.reading.labelled import labelled_images, map_domain
from ggdr.errors import UserError, at, setting
from ggdr.features.segmenter import Segmenter, find_segmenter
from ggdr.features.trained import reproducible
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.ops.pixels import IGNORED, network_input
from ggdr.ops.segmentation import adjusted_rand_index, confusion, mean_iou, pixel_accuracy
from ggdr.recipe.files import to_json
from ggdr.sampling import BATCH_SIZE
from ggdr.sampling.grid import to_uint8
from ggdr.seeding import word
from ggdr.visualization.maps import Source, discriminator_maps, generate_maps, segment

ROWS = 32768
"""feature vectors that a read-out learns from, drawn over all its images"""
ITERATIONS, RIDGE = 200, 1e-4
"""iterations of L-BFGS, and the weight of half the squared length of the weights, which makes the best ones unique"""
MOST = 256
"""classes, and clusters, that counts have room for"""
PIXELS, LOGITS = "pixels", "class logits"
"""sources beside the networks' maps: the image itself, reduced; and what D says of each pixel, which needs no probe"""
ORDER = ("generator", "encoder", "decoder", LOGITS, PIXELS)

Key = tuple[Source, int]
"""source and resolution of feature maps"""


class Described(NamedTuple):
    """Images as the networks describe them, and what is known of their pixels."""

    maps: dict[Key, Tensor]
    """feature maps [N, C, h, w] float32"""
    labels: Tensor
    """class numbers [N, H, W] uint8, 255 where ignored"""
    classes: Tensor | None = None
    """the classes [N, H, W] by D's own logits of pixels; None: it has none"""


Describe = Callable[[range], Described]
"""function from places to the images there"""


class ReadOut(NamedTuple):
    """What was read from the maps of one source at one resolution."""

    source: Source
    resolution: int
    channels: int
    """number of channels of the maps; 0: nothing was learned, D says it itself"""
    generated_miou: float
    generated_accuracy: float
    """share of pixels of generated images, by the segmenter's maps"""
    real_miou: float | None
    real_accuracy: float | None
    """share of pixels of held-out real images, by their known maps; None: maps are of generated images alone"""
    rand_index: float | None
    """adjusted Rand index of the k-means segments against the maps of generated images; None: there are none"""


class Probed(NamedTuple):
    """All that was read, and what it depends on."""

    rows: list[ReadOut]
    ceiling: dict[str, float]
    """mean IoU and accuracy of the segmenter itself on the held-out real images"""
    protocol: dict[str, Any]


class Subject(NamedTuple):
    """What is probed."""

    generator: Generator
    discriminator: Discriminator | None
    resolutions: Mapping[Source, tuple[int, ...]]
    """heights of the maps of each source, pixels"""
    seed: int


@torch.no_grad()
def probe(
    subject: Subject,
    data: DataSet,
    centres: Mapping[int, Mapping[Source, Tensor]],
    count: int,
    say: Callable[[str], None],
) -> Probed:
    """Train a read-out for each source and resolution on `count` images, and test it on as many others.

    `data`: pairs of label maps and images. `centres`: unit vectors [K, C] of clusters by resolution and source.
    UserError about `probe` if the data hold no label maps, or images of another kind.
    """
    with at("probe"):
        images, held = data.open(), data.held_out()
        tested = held.open() if held else images
        pairs = labelled_images(images)
        check_spec(subject.generator.spec, images.spec)
    segmenter = find_segmenter(pairs, torch.device("cpu"), say)
    many = min(count, len(images) if held else len(images) // 2, len(tested))
    training, testing = range(many), range(many) if held else range(many, 2 * many)
    said = {"generated": read(fakes(subject, segmenter), range(count), range(count, 2 * count), centres)}
    if subject.discriminator is not None:
        said["real"] = read(reals(subject, images), training, testing, {}, reals(subject, tested))
    return Probed(
        [row_of(key, said) for key in sorted(said["generated"], key=lambda key: (ORDER.index(key[0]), key[1]))],
        ceiling_of(segmenter, tested, testing),
        {
            "data": to_json(data),
            "segmenter": segmenter.protocol,
            "generated_images": {"trained": count, "tested": count, "first_seed": subject.seed},
            "real_images": {"trained": many, "tested": many, "held_out": held is not None},
            "read_out": {"pixels": ROWS, "iterations": ITERATIONS, "ridge": RIDGE},
        },
    )


def check_spec(made: ImageSpec, real: ImageSpec) -> None:
    """UserError, with what to type, if real images differ from those that the generator makes."""
    if made[:2] != real[:2]:
        raise UserError(
            f"the generator makes images of {made.height} x {made.width} px, and the data have {real.height} x"
            f" {real.width}; set {setting('size')} to {made.height}{f' {made.width}' * (made.height != made.width)}."
        )
    if (made.channels, made.labels) != (real.channels, real.labels):
        raise UserError(
            f"the generator makes images of {made.channels} channels with labels of width {made.labels}, and the data"
            f" have {real.channels} and {real.labels}; give {setting()} as the model was trained on."
        )


class Counts(NamedTuple):
    """Pixels of each class, found to be of each, and in each cluster, over all images that are tested."""

    channels: int
    classes: Tensor
    clusters: Tensor | None = None


def row_of(key: Key, said: Mapping[str, Mapping[Key, Counts]]) -> ReadOut:
    """The numbers of a source at a resolution, on generated and on real images."""
    made, true = said["generated"][key], said.get("real", {}).get(key)
    return ReadOut(
        *key,
        made.channels,
        mean_iou(made.classes),
        pixel_accuracy(made.classes),
        None if true is None else mean_iou(true.classes),
        None if true is None else pixel_accuracy(true.classes),
        None if made.clusters is None else adjusted_rand_index(made.clusters),
    )


def fakes(subject: Subject, segmenter: Segmenter) -> Describe:
    """Generated images of the seeds from the subject's on, whose label maps are the segmenter's."""

    def describe(places: range) -> Described:
        sample, labels = generate_maps(subject.generator, places, subject.seed, subject.resolutions["generator"])
        own = {("generator", resolution): maps.float() for resolution, maps in sample.features.items()}
        maps, classes = judged(subject, sample.image, labels, segmenter.classes)
        return Described(own | maps, segmenter(to_uint8(sample.image)), classes)

    return describe


def reals(subject: Subject, images: Images) -> Describe:
    """Real images, in the order of seed 0, with their known label maps; of a subject with a discriminator."""
    source, last = map_domain(images), [*images.domains][-1]

    def describe(places: range) -> Described:
        batch = images.domain_batches(list(places), 0)
        labels = batch[last].labels if subject.generator.spec.labels else None
        maps, classes = judged(subject, network_input(batch[last].images), labels, images.domains[source].classes)
        return Described(maps, batch[source].images[:, 0], classes)

    return describe


def judged(
    subject: Subject, image: Tensor, labels: Tensor | None, classes: int
) -> tuple[dict[Key, Tensor], Tensor | None]:
    """Maps of the image itself, of D's encoder and of its decoder, and the classes that D gives to pixels."""
    height, width = image.shape[2:]
    sizes = {resolution: (resolution, resolution * width // height) for resolution in subject.resolutions["generator"]}
    found: dict[Key, Tensor] = {
        (PIXELS, resolution): F.interpolate(image.float(), size, mode="area") for resolution, size in sizes.items()
    }
    judge = subject.discriminator
    if judge is None:
        return found, None
    maps = discriminator_maps(judge, image, labels, subject.resolutions)
    found |= {key: value.float() for key, value in maps.items()}
    if judge.extra.class_logits != classes + 1:  # none, or those of other label maps
        return found, None
    return found, judge.class_logits(judge(image, labels))[:, :classes].argmax(dim=1)


def read(
    describe: Describe,
    training: range,
    testing: range,
    centres: Mapping[int, Mapping[Source, Tensor]],
    tested: Describe | None = None,
) -> dict[Key, Counts]:
    """Train read-outs on the images at some places, and count what they find at others, of `tested` if it is given."""
    rows, labels, classes = vectors(describe, training)
    layers = {key: linear_map(each, labels, classes) for key, each in rows.items()}
    found: dict[Key, Counts] = {}
    for batch in batches(tested or describe, testing):
        for key, counts in count(batch, layers, centres).items():
            before = found.get(key)
            found[key] = counts if before is None else joined(before, counts)
    return found


def batches(describe: Describe, places: range) -> Iterator[Described]:
    """The images at these places, a few at a time."""
    for first in range(places.start, places.stop, BATCH_SIZE):
        yield describe(range(first, min(first + BATCH_SIZE, places.stop)))


def vectors(describe: Describe, places: range) -> tuple[dict[Key, Tensor], Tensor, int]:
    """Feature vectors [M, C] of each source at the same random pixels, the pixels' classes [M], and their number."""
    dice, parts, labels = torch.Generator().manual_seed(word(places.start)), [], []
    for batch in batches(describe, places):
        many, height, width = batch.labels.shape
        each = min(height * width, max(1, ROWS // len(places)))
        picked = torch.stack([torch.randperm(height * width, generator=dice)[:each] for _ in range(many)])
        classes = batch.labels.flatten(1).gather(1, picked)
        parts.append(
            {key: at_pixels(maps, picked, height, width)[classes != IGNORED] for key, maps in batch.maps.items()}
        )
        labels.append(classes[classes != IGNORED])
    known = torch.cat(labels).long()
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}, known, int(known.max()) + 1


def at_pixels(maps: Tensor, picked: Tensor, height: int, width: int) -> Tensor:
    """Vectors [N, P, C] of maps [N, C, h, w], as they are when enlarged to height x width, at pixels picked [N, P]."""
    across, down = (picked % width + 0.5) / width, (picked // width + 0.5) / height
    grid = 2 * torch.stack([across, down], dim=2)[:, :, None] - 1
    return F.grid_sample(maps, grid, padding_mode="border", align_corners=False)[..., 0].transpose(1, 2)


def linear_map(rows: Tensor, labels: Tensor, classes: int) -> nn.Linear:
    """The linear map from rows [M, C] to the logits of their labels [M], by cross entropy; the same each time."""
    mean, std = rows.mean(dim=0), rows.std(dim=0).clamp(min=1e-6)
    seen = (rows - mean) / std
    with reproducible():
        layer = nn.Linear(rows.shape[1], classes)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        descent = torch.optim.LBFGS(layer.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

        def loss() -> float:
            """Cross entropy of all rows, and the ridge."""
            descent.zero_grad()
            value = F.cross_entropy(layer(seen), labels) + RIDGE / 2 * layer.weight.square().sum()
            value.backward()
            return float(value.detach())

        descent.step(loss)
    plain = layer.requires_grad_(False).weight / std
    layer.weight.copy_(plain)
    layer.bias.sub_(plain @ mean)
    return layer


def count(
    batch: Described, layers: Mapping[Key, nn.Linear], centres: Mapping[int, Mapping[Source, Tensor]]
) -> dict[Key, Counts]:
    """What the read-outs, D's own logits and the clusters say of a batch."""
    size, found = (batch.labels.shape[1], batch.labels.shape[2]), {}
    for key, layer in layers.items():
        logits = F.conv2d(batch.maps[key], layer.weight[:, :, None, None], layer.bias)
        told = F.interpolate(logits, size, mode="bilinear", align_corners=False).argmax(dim=1)
        cluster = centres.get(key[1], {}).get(key[0])
        clusters = None
        if cluster is not None:
            parts = segment(F.normalize(batch.maps[key], dim=1), cluster)
            parts = F.interpolate(parts[:, None].float(), size, mode="nearest-exact")[:, 0].long()
            clusters = confusion(parts, batch.labels, MOST)
        found[key] = Counts(layer.in_features, confusion(told, batch.labels, MOST), clusters)
    if batch.classes is not None:
        found[LOGITS, size[0]] = Counts(0, confusion(batch.classes, batch.labels, MOST))
    return found


def joined(one: Counts, other: Counts) -> Counts:
    """The counts of both batches."""
    clusters = None if one.clusters is None or other.clusters is None else one.clusters + other.clusters
    return Counts(one.channels, one.classes + other.classes, clusters)


def ceiling_of(segmenter: Segmenter, images: Images, places: range) -> dict[str, float]:
    """Mean IoU and accuracy of the segmenter on real images with known maps."""
    source, last = map_domain(images), [*images.domains][-1]
    found = torch.zeros(segmenter.classes, segmenter.classes, dtype=torch.int64)
    for first in range(places.start, places.stop, BATCH_SIZE):
        batch = images.domain_batches(list(range(first, min(first + BATCH_SIZE, places.stop))), 0)
        found += confusion(segmenter(batch[last].images), batch[source].images[:, 0], segmenter.classes)
    return {"miou": mean_iou(found), "accuracy": pixel_accuracy(found)}
