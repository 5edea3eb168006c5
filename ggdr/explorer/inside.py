"""Inspection of one image: what G's feature maps hold at a point of it, and how the discriminator scores it."""

from __future__ import annotations

from typing import NamedTuple

import PIL.Image
import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.explorer.pictures import rgb, rgb_to_pil
from ggdr.explorer.studio import ImageSettings, Model
from ggdr.registry import Capability
from ggdr.sampling import forward_arguments
from ggdr.seeding import word
from ggdr.visualization.maps import cosine_similarity, discriminator_maps, fit_clusters, gather, resolutions_of, segment
from ggdr.visualization.sheets import palette

CLUSTERS, POOLED = 6, 16
"""clusters of a resolution, and images that they are fitted on"""
SIDE_PX = 256
"""Size that pictures are enlarged to at least, pixels, so that a cluster's edge is sharp."""
DIMMED = 0.25
"""Share of the brightness that is left outside of a cluster."""


class ImagePoint(NamedTuple):
    """A point in an image, from its upper left corner, as shares of its width and height, in [0, 1)."""

    across: float
    down: float


class DiscriminatorScore(NamedTuple):
    """The discriminator's score of one image."""

    logit: float
    """Logit, higher is more real; the mean where there are several heads."""
    real: float
    """Probability that the image is real, sigmoid(logit)."""


class Inspection(NamedTuple):
    """The feature maps and the score of one image, on the host."""

    maps: dict[int, Tensor]
    """The generator's maps [1, C, h, w] by resolution, as unit vectors."""
    similarity: dict[int, Tensor]
    """Cosine similarity [h, w] of the decoder's map and the generator's, by resolution."""
    score: DiscriminatorScore | None
    """Score of the image; None without a discriminator."""


def can_inspect(model: Model) -> bool:
    """Whether the model has feature maps or a discriminator to show."""
    return Capability.G_FEATURES in model.generator.config.provides


def inspect_image(model: Model, settings: ImageSettings) -> Inspection:
    """Return the maps and the score of an image, computed at the first call."""
    return model.get_or_make(("held", settings), lambda: compute_inspection(model, settings))


@torch.no_grad()
def compute_inspection(model: Model, settings: ImageSettings) -> Inspection:
    """Compute the maps and the score of an image; UserError if it was pulled towards the mean of its class."""
    if settings.mean == "class" and settings.psi not in (None, 1):
        raise UserError("the inside is that of images which psi pulls towards the mean of all; choose all, or psi 1.")
    generator, judge = model.generator, model.discriminator
    resolutions, labels, device = resolutions_of(generator, judge, ()), model.labels(settings), generator.device
    labels = labels if labels is None else labels.to(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(word(settings.seed))  # the noise that the image itself was made with
        z = latent(model, settings).to(device)
        made = generator(
            z, labels, resolutions=resolutions["generator"], **forward_arguments(generator.config, settings.view)
        )
    maps = {resolution: F.normalize(each.float(), dim=1).cpu() for resolution, each in made.features.items()}
    if judge is None:
        return Inspection(maps, {}, None)
    drawn = discriminator_maps(judge, made.image, labels, {"decoder": resolutions.get("decoder", ())})
    likeness = {
        resolution: cosine_similarity(each.float().cpu(), maps[resolution])[0]
        for (_, resolution), each in drawn.items()
    }
    logit = judge(made.image, labels).logits.float().mean()
    return Inspection(maps, likeness, DiscriminatorScore(float(logit), float(logit.sigmoid())))


def latent(model: Model, settings: ImageSettings) -> Tensor:
    """Return the latent code [1, z_dim] of an image."""
    from ggdr.sampling import seeded_latents

    return seeded_latents([settings.seed], model.generator.z_dim)


def cluster_centres(model: Model) -> dict[int, Tensor]:
    """Return the centres [K, C] of clusters of the generator's maps, by resolution; all images share them."""
    return model.get_or_make("centres", lambda: fit_centres(model))


def fit_centres(model: Model) -> dict[int, Tensor]:
    """Fit the centres of clusters that `cluster_centres` returns."""
    resolutions = {"generator": resolutions_of(model.generator, None, ())["generator"]}
    gathered = gather(model.generator, None, resolutions, shown=1, pooled=POOLED, seed=0)
    return {
        resolution: fit_clusters(maps["generator"].rows, CLUSTERS, seed=0) for resolution, maps in gathered.maps.items()
    }


def clusters(model: Model, settings: ImageSettings) -> dict[int, Tensor]:
    """Return the cluster [h, w] of each position of the image, by resolution."""
    maps, middle = inspect_image(model, settings).maps, cluster_centres(model)
    return {resolution: segment(each, middle[resolution])[0] for resolution, each in maps.items()}


def cluster_at(segments: Tensor, point: ImagePoint) -> int:
    """Return the cluster at a point of segments [h, w]."""
    height, width = segments.shape
    return int(segments[int(point.down * height), int(point.across * width)])


def highlight_cluster(image: Tensor, segments: Tensor, chosen: int) -> PIL.Image.Image:
    """Dim image [C, H, W] uint8 outside of the chosen cluster of segments [h, w]."""
    shown = rgb(image, SIDE_PX)
    inside = enlarge_nearest(segments, shown) == chosen
    edge = inside & ~(-F.max_pool2d(-inside.float()[None], 5, 1, 2)[0]).bool()
    light = torch.where(inside, 1.0, DIMMED)
    lit = shown * light
    color = palette(CLUSTERS)[chosen][:, None, None] * 255
    return rgb_to_pil(torch.where(edge, color, lit).round().to(torch.uint8))


def paint_clusters(image: Tensor, segments: Tensor) -> PIL.Image.Image:
    """Paint image [C, H, W] uint8 in the colours of its clusters, segments [h, w]."""
    shown = rgb(image, SIDE_PX)
    color = palette(CLUSTERS)[enlarge_nearest(segments, shown)].permute(2, 0, 1) * 255
    return rgb_to_pil((0.35 * shown.mean(dim=0) + 0.65 * color).round().to(torch.uint8))


def heat(likeness: Tensor, image: Tensor) -> PIL.Image.Image:
    """Show similarity [h, w] as colours, dark for 0 and below, bright for 1, as large as a picture of the image."""
    from matplotlib import colormaps

    spread_out = enlarge_nearest(likeness, rgb(image, SIDE_PX)).clamp(0, 1)
    colors = torch.from_numpy(colormaps["magma"](spread_out.numpy(), bytes=True)[..., :3].copy())
    return rgb_to_pil(colors.permute(2, 0, 1))


def enlarge_nearest(values: Tensor, shown: Tensor) -> Tensor:
    """Enlarge values [h, w] to the size of a picture [3, H, W] by nearest neighbour."""
    height, width = shown.shape[1:]
    down = torch.arange(height) * values.shape[0] // height
    across = torch.arange(width) * values.shape[1] // width
    return values[down][:, across]


def gallery(model: Model, settings: ImageSettings, point: ImagePoint | None) -> list[tuple[PIL.Image.Image, str]]:
    """Return a picture for each resolution: the cluster at the point, or all clusters, with its share of the image."""
    image, found = model.image(settings), clusters(model, settings)
    if point is None:
        return [(paint_clusters(image, segments), f"{resolution} px") for resolution, segments in found.items()]
    shown = []
    for resolution, segments in found.items():
        chosen = cluster_at(segments, point)
        share = float((segments == chosen).float().mean())
        shown.append((highlight_cluster(image, segments, chosen), f"{resolution} px: {share:.0%}"))
    return shown


def similarity_gallery(model: Model, settings: ImageSettings) -> list[tuple[PIL.Image.Image, str]]:
    """Return a picture for each resolution that the decoder predicts: where its map is like the generator's."""
    image = model.image(settings)
    return [
        (heat(each, image), f"{resolution} px: {float(each.mean()):.2f}")
        for resolution, each in inspect_image(model, settings).similarity.items()
    ]


def describe_score(model: Model, settings: ImageSettings) -> str:
    """Describe the discriminator's score in Markdown, and what its words mean."""
    answer = inspect_image(model, settings).score
    if answer is None:
        return "No discriminator was saved with this model."
    return (
        f"**The discriminator's logit** {answer.logit:+.2f} &nbsp; **P(real)** {answer.real:.0%}\n\nThe discriminator"
        " learned to tell real images from generated ones: a logit above 0 says real, and P(real) is the same as a"
        " probability."
    )
