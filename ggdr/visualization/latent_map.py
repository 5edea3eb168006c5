"""A map of codes: where images lie, coloured by their classes, and what a decoder makes of the plane."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ggdr.latent.encoding import Encodings
from ggdr.networks.base.module import Generator
from ggdr.sampling.grid import to_uint8

SIDE = 16
"""images a side of the plane"""
SHARE = 0.01
"""codes at each edge that the plane leaves out, as a share"""
SHOWN = 10
"""most classes that have a colour each and a place in the legend"""


def draw_map(found: Encodings, generator: Generator | None, title: str, file: Path) -> None:
    """Draw codes in the plane, of more numbers by their two main directions; of two, also what the decoder makes."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    planar = found.codes.shape[1] == 2 and generator is not None
    points = in_plane(found.codes)
    figure = Figure(figsize=(11 if planar else 5.6, 5.2), layout="constrained")
    axes = figure.subplots(1, 2 if planar else 1, squeeze=False)[0]
    colours, groups = colormaps["tab10"], found.labels or found.classes
    names = sorted(set(groups), key=lambda name: (len(name), name))
    for place, name in enumerate(names[:SHOWN]):
        of_it = torch.tensor([group == name for group in groups])
        axes[0].scatter(*points[of_it].T.tolist(), s=10, color=colours(place), label=name)
    if not names or len(names) > SHOWN:
        axes[0].scatter(*points.T.tolist(), s=10, color="0.4")
    elif names:
        axes[0].legend(markerscale=2, fontsize=8)
    axes[0].set_aspect("equal")
    axes[0].set_title(f"{len(points)} images" + ("" if found.codes.shape[1] == 2 else ", two main directions"))
    if planar and generator is not None:
        low, high = points.quantile(SHARE, dim=0), points.quantile(1 - SHARE, dim=0)
        sheet = plane(generator, low, high)
        extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
        axes[1].imshow(sheet.numpy(), cmap="gray", extent=extent)
        axes[1].set_title("what the decoder makes of each place")
    figure.suptitle(title)
    figure.savefig(file, dpi=120, bbox_inches="tight")


def in_plane(codes: Tensor) -> Tensor:
    """Codes [N, 2] as they are, others by their two main directions; one number has a second of 0."""
    if codes.shape[1] == 2:
        return codes
    if codes.shape[1] == 1:
        return torch.cat([codes, torch.zeros_like(codes)], dim=1)
    centred = (codes - codes.mean(dim=0)).double()
    return (centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T).float()


@torch.no_grad()
def plane(generator: Generator, low: Tensor, high: Tensor) -> Tensor:
    """What a generator makes of codes on a grid between two corners [2], as one picture [H, W] or [H, W, C], uint8.

    Where it is told labels, they are those of the first class.
    """
    across, down = (torch.linspace(float(low[i]), float(high[i]), SIDE) for i in (0, 1))
    codes = torch.stack(torch.meshgrid(down.flip(0), across, indexing="ij")[::-1], dim=-1).reshape(-1, 2)
    labels = torch.eye(generator.spec.labels)[:1].expand(len(codes), -1) if generator.spec.labels else None
    device = generator.device
    images = generator.decode(codes.to(device), None if labels is None else labels.to(device)).image
    rows = to_uint8(images).cpu().unflatten(0, (SIDE, SIDE))
    picture = rows.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
    return picture[..., 0] if picture.shape[2] == 1 else picture[..., :3]
