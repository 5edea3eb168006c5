"""What a run leaves behind, for whoever called `ggdr.train`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ggdr.pipeline import Pipeline
from ggdr.pipeline.opening import open_pipeline
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving import log_file


class Trained(NamedTuple):
    """A run's folder, whether the run came to its end, and what lies there: numbers and the model."""

    out: Path
    """the run's folder"""
    done: bool
    """whether it came to its end; if not, it was asked to stop, and the same call goes on"""

    def log(self) -> list[dict[str, float | None]]:
        """The lines of the log, each its numbers by name: `step`, `kimg`, `loss/g/NAME` and so on; None: not finite."""
        return [*log_file.read_rows(self.out / "metrics.jsonl")]

    def metrics(self) -> dict[str, float | None]:
        """The last value of each metric that was measured, by METRIC/VALUE, such as "fid/distance"."""
        rows = ({**row} for row in self.log())
        return {key.removeprefix("metric/"): v for row in rows for key, v in row.items() if key.startswith("metric/")}

    def pipeline(self) -> Pipeline | TranslationPipeline:
        """The model: `trained.pipeline()(seeds=[0, 1]).images`, or of a translator `(images).images`."""
        return open_pipeline(self.out)
