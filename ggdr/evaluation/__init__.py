"""Evaluation: metrics of a model's images, or of images in files, against real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError
from ggdr.evaluation.inputs import STANDARD, check_ranges, check_source, data_of_run, find_data, find_metrics
from ggdr.metrics.base import Metric
from ggdr.registry import discover

if TYPE_CHECKING:
    from ggdr.evaluation.result import EvalResult


def evaluate(
    source: str | Path | ImageFiles,
    data: str | Path | DataSet | None = None,
    metrics: str | Sequence[str | Metric] = (),
    *,
    images: int | None = None,
    reals: int | None = None,
    extractor: str = "",
    view: str = "",
    seed: int = 0,
    repeats: int | None = None,
    truncation_psi: float | None = None,
    truncation_cutoff: int | None = None,
    noise: Literal["random", "const", "none"] = "random",
    steps: int | None = None,
    batch_size: int = 16,
    device: str = "",
    cache: bool = True,
    revision: str | None = None,
    progress: bool = False,
) -> EvalResult:
    """Measure images against real ones: `ggdr.evaluate("runs/digits", metrics=["fid"])["fid"].mean`.

    Equal arguments give equal values. Nothing is printed unless `progress`, and nothing written but cached features.
    UserError, mostly before anything is measured, if it cannot be done.

    `source`: a run's folder, a checkpoint, a saved model, a Hub repository, a pipeline of diffusers, or images (a
    folder, .zip, .npz, ...); `ImageFiles(...)` says how images are read.
    `data`: the real images: a registered name such as "digits", a place, or a data set; None: those of the run.
    `metrics`: registered names, or metrics with settings such as `KID(subsets=10)`; none: fid, kid, precision_recall
    and swd, those left out whose networks are not at hand.
    `images`, `reals`, `extractor`: for metrics given by name, how many generated and real images they look at, and
    the registered feature extractor they read.
    `view`: of a translator, such as "horse_to_zebra", or the domain that it makes; empty: all views, whose values are
    `result["fid/horse_to_zebra"]`. They are measured on what the data holds out, if it does.
    `seed`: of the images, 0 to 2**31 - 1. `repeats`: how often new images are made, for intervals; None: 3. Of
    files, and of a translator that draws nothing, images never change: they are measured once.
    `truncation_psi`, `truncation_cutoff`, `noise`: how a generator makes images, as in `ggdr.Pipeline`.
    `steps`: denoising steps of a diffusion pipeline; None: its default.
    `batch_size`: images made at once, 1 to 64. `device`: "cpu", "cuda", "mps"; empty: the accelerator if there is one.
    `cache`: keep features of images in files on disk. `revision`: branch, tag or commit of a Hub repository.
    """
    from ggdr.evaluation.evaluator import Evaluator  # torch is imported once something is measured
    from ggdr.evaluation.progress import Progress
    from ggdr.evaluation.sources import SamplingSettings
    from ggdr.ops.device import resolve_device
    from ggdr.processes import Processes
    from ggdr.sampling import SamplingOptions

    if not isinstance(source, str | Path | ImageFiles):
        raise UserError(
            f"source is a {type(source).__name__}; give where it lies: a folder (such as the `out` of what ggdr.train"
            " returned), a Hub repository, or ImageFiles(...)."
        )
    metrics = [metrics] if isinstance(metrics, str) else metrics
    discover()
    files = source if isinstance(source, ImageFiles) else ImageFiles(source=str(source))
    check_source(files.source, revision)
    check_ranges({"seed": seed, "repeats": repeats, "steps": steps, "batch_size": batch_size})
    if not isinstance(data, DataSet):
        data = data_of_run(files.source) if data is None else find_data(str(data))
    chosen = find_metrics(metrics or STANDARD, data, images, reals, extractor)
    processes, shown = Processes(device=resolve_device(device)), Progress(progress)
    sampling = SamplingSettings(processes.device, SamplingOptions(truncation_psi, truncation_cutoff, noise), steps)
    evaluator = Evaluator(
        files,
        data,
        chosen,
        sampling,
        processes,
        shown,
        view=view,
        cache=cache,
        revision=revision,
        skip_missing=not metrics,
    )
    return evaluator.run(seed, repeats, batch_size)
