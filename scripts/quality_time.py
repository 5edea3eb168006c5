"""Draw quality against seconds of training and against seconds an image, from records of `ggdr evaluate`.

    ggdr evaluate runs/stylegan2 --metrics fid --extractor emoji
    ggdr evaluate runs/ddpm/pipeline --data openmoji --data.size 32 --metrics fid --extractor emoji --steps 50
    python scripts/quality_time.py runs/stylegan2 DDPM=runs/ddpm --out docs/quality-time.png

A run is a folder of `ggdr train` or of scripts/train_diffusion.py, and may have a name before it; runs of one name
(seeds) have a line each, of the same colour. Every record below it is a point: one of each checkpoint, or of each
pipeline that `--keep-minutes` left, makes a curve over time, and one of each number of denoising steps a curve over
seconds an image. Where one model was measured several times in the same way, the last one counts.

Seconds of training are those of the run's own log; a GAN's have its grids and metrics in them, a diffusion model's do
not. Seconds an image are timed here, on this machine, by the code that evaluated it, with as many steps and images at a
time as the record says: leave the machine idle. OUT.json beside the picture has all numbers, OUT.md a table. Records
that were measured in different ways, or against other images, are refused.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import torch
import tyro

from ggdr.cli import guarded
from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.documents import read_object
from ggdr.errors import UserError, not_negative
from ggdr.evaluation.sources import SamplingSettings, find_model, find_source
from ggdr.formatting import format_interval, significant
from ggdr.hub.markdown import markdown_table
from ggdr.ops.device import resolve_device
from ggdr.recipe.files import from_json
from ggdr.registry import discover
from ggdr.saving.log_file import read_rows
from ggdr.visualization.plots import COLORS, Panel, save, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN = (4.5, 3.6)
"""of a panel"""
DPI = 160


@dataclass(frozen=True)
class Figure:
    """What is drawn, and where to."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """folders of runs, each with a name before it if it is to have another than its own: DDPM=runs/ddpm"""
    out: Path = Path("quality-time.png")
    """the picture, a PNG; numbers and a table lie beside it"""
    metric: str = "fid"
    """which metric of the records; its chief value is drawn"""
    timed: int = 32
    """images that are made to time one, after as many as are made at once; 0: nothing is timed"""
    device: str = ""
    """where that is: cpu, cuda; empty: the accelerator if there is one"""

    def __post_init__(self) -> None:
        not_negative(self, "timed")


class Point(NamedTuple):
    """A model of a run that was measured."""

    run: str
    """the run's name"""
    folder: str
    value: float
    """of the metric"""
    interval: tuple[float, float] | None
    """ends of its 95 % interval; None: measured once"""
    training: float | None
    """seconds of training; None: not known"""
    image: float | None
    """seconds to make one; None: not timed"""
    steps: int | None
    """denoising steps; None: it takes none"""
    record: dict[str, Any]
    """what was written when it was measured"""


def main(argv: list[str]) -> int:
    """Read the records, time what can be timed, draw, and write numbers and table."""
    discover()
    asked = tyro.cli(Figure, args=argv, prog="quality_time.py", description=__doc__)
    points = [point for run in asked.runs for point in points_of(*named(run), asked)]
    check_alike(points, asked.metric)
    draw(points, asked)
    asked.out.with_suffix(".json").write_text(json.dumps(numbers(points, asked), indent=1) + "\n", encoding="utf-8")
    text = table(points, asked.metric)
    asked.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


def named(run: str) -> tuple[str, Path]:
    """Return a run's name and folder; UserError if there is no such folder."""
    name, equals, folder = run.rpartition("=")
    place = Path(folder)
    if not place.is_dir():
        raise UserError(
            f"{run!r} names no folder; give runs of ggdr train or of train_diffusion.py, as DDPM=runs/ddpm."
        )
    return name if equals else place.name, place


def points_of(name: str, folder: Path, asked: Figure) -> Iterator[Point]:
    """Yield the measured models of a run; UserError if there are none."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for file in sorted(folder.rglob("metrics/*.json")):
        record = read_object(file)
        if asked.metric in record.get("metrics", {}):
            source = record["source"]
            found[source["weights"], source.get("steps"), str(source.get("truncation"))] = record
    if not found:
        raise UserError(
            f"{folder} has no record of {asked.metric}; measure it: ggdr evaluate {folder} --metrics {asked.metric}"
        )
    for record in sorted(found.values(), key=lambda record: record["date"]):
        (chief, *_) = record["metrics"][asked.metric]["values"].values()
        interval = chief["interval"] and tuple(chief["interval"])
        training, image = seconds_of_training(folder, record["source"]), seconds_of_image(record, asked)
        steps = record["source"].get("steps")
        yield Point(name, str(folder), chief["mean"], interval, training, image, steps, record)


def seconds_of_training(folder: Path, source: dict[str, Any]) -> float | None:
    """Return how long a model was trained: a pipeline's by its note, a generator's by the log up to its step."""
    note = Path(source["name"]) / "training.json"
    if source["kind"] == "pipeline":
        return read_object(note)["seconds"] if note.is_file() else None
    step = (source.get("progress") or {}).get("step")
    passed = [row["seconds"] for row in read_rows(folder / "metrics.jsonl") if step is None or row["step"] <= step]
    return passed[-1] if passed else None


def seconds_of_image(record: dict[str, Any], asked: Figure) -> float | None:
    """Return how long an image takes here, of the model and in the way that were measured; None: the model is gone."""
    source = record["source"]
    place = Path(source["name"] if source["kind"] == "pipeline" else Path(source.get("file", "")).parent)
    if not asked.timed or source["kind"] not in ("pipeline", "generator") or not place.is_dir():
        return None
    sampling = SamplingSettings(resolve_device(asked.device), steps=source.get("steps"))
    reals = from_json(DataSet, record["data"]["settings"]).open()
    makes = find_source(ImageFiles(source=str(place)), sampling, reals, find_model(str(place)))
    batch = source["batch_size"]
    makes.make(range(batch), 0, 0, batch)  # the first one takes longer
    began = time.monotonic()
    for first in range(0, asked.timed, batch):
        makes.make(range(first, first + batch), 1, 0, batch)
    return (time.monotonic() - began) / (batch * -(-asked.timed // batch))


def check_alike(points: Sequence[Point], metric: str) -> None:
    """Raise UserError if the values are not of one metric against the same images."""
    first = points[0]
    for point in points[1:]:
        for what in ("settings", "real", "features"):
            own, other = (each.record["metrics"][metric].get(what) for each in (point, first))
            if own != other:
                raise UserError(
                    f"{metric} of {point.folder} and of {first.folder} cannot be compared: their records differ in"
                    f" {what}; measure both in the same way."
                )


def draw(points: Sequence[Point], asked: Figure) -> None:
    """Draw both panels."""
    from matplotlib.figure import Figure as Canvas

    titles = {"training": "seconds of training", "image": "seconds an image"}
    shown = [what for what in titles if any(vars_of(point)[what] for point in points)]
    if not shown:
        raise UserError("neither seconds of training nor seconds an image are known of any run; keep their folders.")
    canvas = Canvas(figsize=(SIZE_IN[0] * len(shown), SIZE_IN[1]), dpi=DPI, layout="constrained")
    better = points[0].record["metrics"][asked.metric]["better"]
    for place, what in enumerate(shown, 1):
        axes = canvas.add_subplot(1, len(shown), place)
        names = draw_lines(axes, points, what)
        axes.set_xscale("log")
        axes.set_yscale("log" if all(point.value > 0 for point in points) else "linear")
        style_axes(axes, Panel(f"{asked.metric} ({better} is better) against {titles[what]}", ("runs/",)), names)
    save(canvas, asked.out)


def draw_lines(axes: Axes, points: Sequence[Point], what: str) -> list[str]:
    """Draw a line for each run, over its seconds of training or an image, and return the runs' names."""
    names = list(dict.fromkeys(point.run for point in points))
    labelled: set[str] = set()
    for name, folder in dict.fromkeys((point.run, point.folder) for point in points):
        own = [each for each in points if (each.run, each.folder) == (name, folder) and vars_of(each)[what]]
        line = sorted(own, key=lambda point: vars_of(point)[what])
        across, up = [vars_of(point)[what] for point in line], [point.value for point in line]
        label = "_" if name in labelled else name  # a legend leaves out what begins with _
        labelled.add(name)
        color = COLORS[names.index(name) % len(COLORS)]
        axes.errorbar(across, up, margins(line), color=color, fmt="o-", ms=3.5, label=label)
    return names


def vars_of(point: Point) -> dict[str, Any]:
    """Return what a point is made of, by name."""
    return point._asdict()


def margins(points: Sequence[Point]) -> list[list[float]]:
    """Return how far intervals reach below and above each value."""
    ends = [point.interval or (point.value, point.value) for point in points]
    below = [point.value - low for point, (low, _) in zip(points, ends, strict=True)]
    return [below, [high - point.value for point, (_, high) in zip(points, ends, strict=True)]]


def numbers(points: Sequence[Point], asked: Figure) -> dict[str, Any]:
    """Return all that the picture shows, as JSON can hold it."""
    kept = [
        {name: value for name, value in point._asdict().items() if name != "record"}
        | {"weights": point.record["source"]["weights"], "measured": point.record["date"]}
        for point in points
    ]
    machine = {"device": str(resolve_device(asked.device)), "machine": platform.machine()}
    return {"metric": asked.metric, "timed": machine | {"threads": torch.get_num_threads()}, "points": kept}


def table(points: Sequence[Point], metric: str) -> str:
    """Return the points as a table in Markdown, by run and seconds of training."""
    head = ("run", "seconds of training", "denoising steps", metric, "95 % interval", "seconds an image")
    rows = [
        (
            point.run,
            "-" if point.training is None else significant(point.training),
            "-" if point.steps is None else str(point.steps),
            significant(point.value),
            "-" if point.interval is None else format_interval(*point.interval),
            "-" if point.image is None else significant(point.image, 2),
        )
        for point in points
    ]
    return markdown_table(head, rows)


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
