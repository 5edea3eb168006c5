"""A look inside: what G's feature maps hold at a point of an image, and what the discriminator makes of it."""

from __future__ import annotations

from typing import NamedTuple

import PIL.Image
import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.explorer.pictures import enlarged, rgb
from ggdr.explorer.studio import Look, Model
from ggdr.registry import Capability
from ggdr.sampling import asked
from ggdr.seeding import word
from ggdr.visualization.maps import fit_clusters, gather, judged, segmented, sides_of, similarity
from ggdr.visualization.sheets import palette

CLUSTERS, POOLED = 6, 16
"""clusters of a side, and images that they are fitted on"""
SIDE_PX = 256
"""what pictures are enlarged to at least, so that a cluster's edge is sharp"""
DIMMED = 0.25
"""what is left of the light outside of a cluster"""


class Point(NamedTuple):
    """A place in an image, from its upper left corner, as shares of its width and height, in [0, 1)."""

    across: float
    down: float


class Answer(NamedTuple):
    """What the discriminator says of one image."""

    logit: float
    """higher is more real; the mean of several heads"""
    real: float
    """the logit as a probability, sigmoid(logit)"""


class Held(NamedTuple):
    """What the networks held while one image was made and judged, on the host."""

    maps: dict[int, Tensor]
    """side -> the generator's maps [1, C, h, w], as unit vectors"""
    likeness: dict[int, Tensor]
    """side -> cosine similarity [h, w] of the decoder's map and the generator's"""
    answer: Answer | None
    """None without a discriminator"""


def sees(model: Model) -> bool:
    """Whether there is anything to see inside."""
    return Capability.G_FEATURES in model.generator.config.provides


def held(model: Model, look: Look) -> Held:
    """The maps and the answer of a look."""
    return model.once(("held", look), lambda: make_held(model, look))


@torch.no_grad()
def make_held(model: Model, look: Look) -> Held:
    """As `held`, made again."""
    generator, judge = model.generator, model.discriminator
    resolutions, labels, device = sides_of(generator, judge, ()), model.labels(look), generator.device
    labels = labels if labels is None else labels.to(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(word(look.seed))  # the noise that the image itself was made with
        z = latent(model, look).to(device)
        made = generator(z, labels, resolutions=resolutions["generator"], **asked(generator.config, look.view))
    maps = {resolution: F.normalize(each.float(), dim=1).cpu() for resolution, each in made.features.items()}
    if judge is None:
        return Held(maps, {}, None)
    drawn = judged(judge, made.image, labels, {"decoder": resolutions.get("decoder", ())})
    likeness = {
        resolution: similarity(each.float().cpu(), maps[resolution])[0] for (_, resolution), each in drawn.items()
    }
    logit = judge(made.image, labels).logits.float().mean()
    return Held(maps, likeness, Answer(float(logit), float(logit.sigmoid())))


def latent(model: Model, look: Look) -> Tensor:
    """The latent code [1, z_dim] of a look."""
    from ggdr.sampling import latents

    return latents([look.seed], model.generator.z_dim)


def centres(model: Model) -> dict[int, Tensor]:
    """Side -> the centres [K, C] of the clusters of the generator's maps, which all images share."""
    return model.once("centres", lambda: fit(model))


def fit(model: Model) -> dict[int, Tensor]:
    """As `centres`, made again."""
    resolutions = {"generator": sides_of(model.generator, None, ())["generator"]}
    gathered = gather(model.generator, None, resolutions, shown=1, pooled=POOLED, seed=0)
    return {
        resolution: fit_clusters(maps["generator"].rows, CLUSTERS, seed=0) for resolution, maps in gathered.maps.items()
    }


def clusters(model: Model, look: Look) -> dict[int, Tensor]:
    """Side -> the cluster [h, w] of each place of the image."""
    maps, middle = held(model, look).maps, centres(model)
    return {resolution: segmented(each, middle[resolution])[0] for resolution, each in maps.items()}


def at(segments: Tensor, point: Point) -> int:
    """The cluster at a point, of segments [h, w]."""
    height, width = segments.shape
    return int(segments[int(point.down * height), int(point.across * width)])


def marked(image: Tensor, segments: Tensor, chosen: int) -> PIL.Image.Image:
    """Image [C, H, W] uint8 with the light turned down outside of the chosen cluster of segments [h, w]."""
    shown = rgb(image, SIDE_PX)
    inside = spread(segments, shown) == chosen
    edge = inside & ~(-F.max_pool2d(-inside.float()[None], 5, 1, 2)[0]).bool()
    light = torch.where(inside, 1.0, DIMMED)
    lit = shown * light
    color = palette(CLUSTERS)[chosen][:, None, None] * 255
    return enlarged(torch.where(edge, color, lit).round().to(torch.uint8))


def painted(image: Tensor, segments: Tensor) -> PIL.Image.Image:
    """Image [C, H, W] uint8 under the colours of its clusters, segments [h, w]."""
    shown = rgb(image, SIDE_PX)
    color = palette(CLUSTERS)[spread(segments, shown)].permute(2, 0, 1) * 255
    return enlarged((0.35 * shown.mean(dim=0) + 0.65 * color).round().to(torch.uint8))


def heat(likeness: Tensor, image: Tensor) -> PIL.Image.Image:
    """Similarity [h, w] as colours, dark for 0 and below, bright for 1, as large as a picture of the image."""
    from matplotlib import colormaps

    spread_out = spread(likeness, rgb(image, SIDE_PX)).clamp(0, 1)
    colors = torch.from_numpy(colormaps["magma"](spread_out.numpy(), bytes=True)[..., :3].copy())
    return enlarged(colors.permute(2, 0, 1))


def spread(values: Tensor, shown: Tensor) -> Tensor:
    """Values [h, w] at the places of a larger picture [3, H, W], nearest neighbour."""
    height, width = shown.shape[1:]
    down = torch.arange(height) * values.shape[0] // height
    across = torch.arange(width) * values.shape[1] // width
    return values[down][:, across]


def gallery(model: Model, look: Look, point: Point | None) -> list[tuple[PIL.Image.Image, str]]:
    """A picture for each side: the cluster at the point, or all clusters; with the side and the share it takes."""
    image, found = model.image(look), clusters(model, look)
    if point is None:
        return [(painted(image, segments), f"{resolution} px") for resolution, segments in found.items()]
    shown = []
    for resolution, segments in found.items():
        chosen = at(segments, point)
        share = float((segments == chosen).float().mean())
        shown.append((marked(image, segments, chosen), f"{resolution} px: {share:.0%}"))
    return shown


def likenesses(model: Model, look: Look) -> list[tuple[PIL.Image.Image, str]]:
    """A picture for each side that the decoder draws: where its map is like the generator's."""
    image = model.image(look)
    return [
        (heat(each, image), f"{resolution} px: {float(each.mean()):.2f}")
        for resolution, each in held(model, look).likeness.items()
    ]


def verdict(model: Model, look: Look, point: Point | None) -> str:
    """What the discriminator says, in Markdown, and what to do next where no point is chosen."""
    answer = held(model, look).answer
    said = "No discriminator was saved with this model."
    if answer is not None:
        said = f"**D's logit** {answer.logit:+.2f} &nbsp; **P(real)** {answer.real:.0%}"
    return said + ("" if point else " &nbsp; Click a point in the image to see what belongs to it.")
