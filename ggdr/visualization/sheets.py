"""Sheets of feature maps: a row for each source and kind of picture, a column for each image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ggdr.lazy import Tensor, torch
from ggdr.sampling.grid import display_channels
from ggdr.visualization.maps import (
    Maps,
    Source,
    colorize,
    cosine_similarity,
    fit_basis,
    fit_clusters,
    match_clusters,
    segment,
)
from ggdr.visualization.plots import COLORS, DPI, INK, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILE_IN, LABEL_IN, TITLE_IN, NOTE_IN, NUMBER_IN, SCALE_IN = 1.0, 1.55, 0.45, 0.52, 0.18, 0.5
"""a tile's longer side, the labels' column, the lines above and below, the numbers under tiles, the scale's column"""
GAP = 0.06
"""Gap between tiles, as a share of a tile."""
NAMES = {"generator": "generator", "encoder": "D's encoder", "decoder": "D's decoder"}


class Row(NamedTuple):
    """One row of a sheet."""

    label: str
    tiles: Tensor
    """Tiles [S, h, w, 1, 3 or 4] in [0, 1], or [S, h, w], which get a colour scale from 0 to 1."""


def palette(clusters: int) -> Tensor:
    """Return colours [clusters, 3] in [0, 1]; beyond the fixed ones, hues in steps that keep neighbours apart."""
    from matplotlib.colors import hsv_to_rgb, to_rgb

    if clusters <= len(COLORS):
        return torch.tensor([to_rgb(color) for color in COLORS[:clusters]])
    golden = (math.sqrt(5) - 1) / 2
    return torch.tensor([hsv_to_rgb((i * golden % 1, 0.65, (0.9, 0.65)[i % 2])).tolist() for i in range(clusters)])


def rows_of(images: Tensor, maps: dict[Source, Maps], clusters: int, seed: int) -> list[Row]:
    """Return the rows of one resolution: images [S, C, H, W] uint8, segments and components of each source, similarity.

    The decoder is to predict the generator's maps, so it is shown by the generator's clusters and components; the
    encoder has its own clusters, in the colours that agree best.
    """
    rows = [Row("images", to_pixels(images))]
    centres = centres_of(maps, clusters, seed)
    bases = {source: fit_basis(each.rows) for source, each in maps.items() if source != "decoder"}
    colors, true = palette(clusters), segment(maps["generator"].shown, centres["generator"])
    for source, each in maps.items():
        segments = segment(each.shown, centres[source])
        segments = match_clusters(segments, true, clusters) if source == "encoder" else segments
        rows.append(Row(f"{NAMES[source]}\nk-means", colors[segments]))
    for source, each in maps.items():
        rows.append(Row(f"{NAMES[source]}\nPCA", colorize(each.shown, bases[basis_source(source)])))
    if "decoder" in maps:
        rows.append(
            Row(
                "cosine similarity\ndecoder, generator",
                cosine_similarity(maps["decoder"].shown, maps["generator"].shown),
            )
        )
    return rows


def centres_of(maps: dict[Source, Maps], clusters: int, seed: int) -> dict[Source, Tensor]:
    """Return the clusters' centres [K, C] by which each source is segmented: the decoder by the generator's."""
    own = {source: fit_clusters(each.rows, clusters, seed) for source, each in maps.items() if source != "decoder"}
    return {source: own[basis_source(source)] for source in maps}


def fit_all(maps: dict[int, dict[Source, Maps]], clusters: int, seed: int) -> dict[int, dict[Source, Tensor]]:
    """Return the centres by which each source is segmented, at each resolution."""
    return {resolution: centres_of(each, clusters, seed) for resolution, each in maps.items()}


def basis_source(source: Source) -> Source:
    """Return the source whose clusters and components a source is shown by."""
    return "generator" if source == "decoder" else source


def to_pixels(images: Tensor) -> Tensor:
    """Convert images uint8 [S, C, H, W] to [S, H, W, 1, 3 or 4] in [0, 1]."""
    return images[:, : display_channels(images.shape[1])].permute(0, 2, 3, 1) / 255


def draw_sheet(rows: Sequence[Row], title: str, note: str, png: Path) -> None:
    """Draw the rows into `png`, a tile for each image, the mean under each tile that has a scale."""
    from matplotlib.figure import Figure

    count, height, width = rows[0].tiles.shape[:3]
    tile_w, tile_h = (TILE_IN * resolution / max(height, width) for resolution in (width, height))
    wide = LABEL_IN + count * tile_w * (1 + GAP) + SCALE_IN
    below = NOTE_IN + NUMBER_IN * (rows[-1].tiles.ndim == 3)
    high = TITLE_IN + len(rows) * tile_h * (1 + GAP) + below
    figure = Figure(figsize=(wide, high), dpi=DPI)
    box = {"left": LABEL_IN / wide, "right": 1 - SCALE_IN / wide, "top": 1 - TITLE_IN / high, "bottom": below / high}
    cells = figure.subplots(len(rows), count, squeeze=False, gridspec_kw={**box, "wspace": GAP, "hspace": GAP})
    for row, line in zip(rows, cells, strict=True):
        draw_row(figure, row, list(line))
    figure.text(0.1 / wide, 1 - 0.26 / high, title, fontsize=10.5, fontweight="bold", color=INK, va="center")
    figure.text(0.1 / wide, 0.08 / high, note, fontsize=7, color=INK, va="bottom", linespacing=1.35)
    save(figure, png)


def draw_row(figure: Figure, row: Row, cells: list[Axes]) -> None:
    """Draw the tiles of a row, its label at the left, and its colour scale, if it has one, at the right."""
    scaled = row.tiles.ndim == 3
    for tile, axes in zip(row.tiles, cells, strict=True):
        pixels = tile.squeeze(-1) if tile.ndim == 3 else tile
        shown = axes.imshow(
            pixels.numpy(), cmap="magma" if scaled else "gray", vmin=0.0, vmax=1.0, interpolation="nearest"
        )
        axes.set_axis_off()
        if scaled:
            axes.text(
                0.5, -0.04, f"{tile.mean():.2f}", transform=axes.transAxes, ha="center", va="top", fontsize=7, color=INK
            )
    cells[0].text(-0.08, 0.5, row.label, transform=cells[0].transAxes, ha="right", va="center", fontsize=8, color=INK)
    if scaled:
        place = cells[-1].inset_axes((1.08, 0, 0.09, 1))
        scale = figure.colorbar(shown, cax=place, ticks=(0, 0.5, 1))
        scale.ax.set_yticklabels(["≤ 0", "0.5", "1"])
        scale.ax.tick_params(labelsize=7, colors=INK, length=0)
        scale.outline.set_visible(False)
