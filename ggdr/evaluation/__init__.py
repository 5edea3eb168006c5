"""Evaluation: metrics of a model's images, or of images in files, against real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.evaluation.inputs import STANDARD, check_ranges, check_source, data_of_run, find_data, find_metrics
from ggdr.metrics.base import Metric
from ggdr.registry import discover

if TYPE_CHECKING:
    from ggdr.evaluation.result import EvalResult


def evaluate(
    source: str | Path | ImageFiles,
    data: str | Path | DataSet | None = None,
    metrics: Sequence[str | Metric] = (),
    *,
    images: int | None = None,
    reals: int | None = None,
    extractor: str = "",
    seed: int = 0,
    repeats: int | None = None,
    psi: float | None = None,
    cutoff: int | None = None,
    noise: Literal["random", "const", "none"] = "random",
    steps: int | None = None,
    batch_size: int = 16,
    device: str = "",
    cache: bool = True,
    revision: str | None = None,
    progress: bool = False,
) -> EvalResult:
    """Measure a source of images against real ones: `ggdr.evaluate("runs/digits", metrics=["fid"])["fid"].mean`.

    Writes nothing but the cache of features, and prints nothing unless `progress`. Equal arguments give equal values.

    `source`: a run's folder, a checkpoint, a saved model, a Hub repository, a pipeline of diffusers, or images (a
    folder, .zip, .npz, ...); `ImageFiles(...)` says how images are read. `data`: the real images, a registered name
    such as "digits", a place or a data set; None: those a run was trained on. `metrics`: registered names, or metrics
    with settings of their own such as `KID(subsets=10)`; none: fid, kid, precision_recall and swd, as far as their
    networks are at hand. `images`, `reals`, `extractor`: how many generated and real images metrics given by name
    look at, and the feature extractor they read.

    `seed` (0 to 2**31 - 1) of the images; each of `repeats` (None: 3) makes others, for intervals. `psi`, `cutoff`,
    `noise`: truncation and noise of generators. `steps`: of diffusion pipelines. `batch_size`: images made at once, 1
    to 64. `device`: "cpu", "cuda", "mps"; empty: the accelerator if there is one. `cache`: keep features of images in
    files on disk. `revision`: branch, tag or commit of a Hub repository. UserError if it cannot be measured.
    """
    from ggdr.evaluation.evaluator import Evaluator  # torch is imported once something is measured
    from ggdr.evaluation.progress import Progress
    from ggdr.evaluation.sources import SamplingSettings
    from ggdr.ops.device import device_of
    from ggdr.processes import Processes
    from ggdr.sampling import View

    discover()
    files = source if isinstance(source, ImageFiles) else ImageFiles(source=str(source))
    check_source(files.source)
    check_ranges({"seed": seed, "repeats": repeats, "steps": steps, "batch_size": batch_size})
    if not isinstance(data, DataSet):
        data = data_of_run(files.source) if data is None else find_data(str(data))
    chosen = find_metrics(metrics or STANDARD, data, images, reals, extractor)
    processes, shown = Processes(device=device_of(device)), Progress(progress)
    sampling = SamplingSettings(processes.device, View(psi, cutoff, noise), steps)
    evaluator = Evaluator(
        files, data, chosen, sampling, processes, shown, cache=cache, revision=revision, skip_missing=not metrics
    )
    return evaluator.run(seed, repeats, batch_size)
