"""The trackers that Accelerate knows: each is opened, fed and ended through its interface."""

from __future__ import annotations

import importlib.util
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.registry import trackers
from ggdr.trackers.base import Tracker

if TYPE_CHECKING:
    import numpy as np
    from accelerate.tracking import GeneralTracker

SWANLAB_ID_LENGTH = 21
"""characters of an experiment id that every version of SwanLab takes"""


def run_id(out: Path) -> str:
    """The id of the run in folder `out`, 32 hexadecimal digits: made once and kept there, so that a resume finds it."""
    file = out / "run_id.txt"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(uuid.uuid4().hex, encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


@dataclass(kw_only=True)
class AccelerateTracker(Tracker):
    """A tracker of `accelerate.tracking`; a subclass writes `open`, and `images` where its service has its own way."""

    package: ClassVar[str] = ""
    """what to import, and what to install"""

    def open(self, out: Path, step: int) -> GeneralTracker:
        """Accelerate's tracker, not started yet."""
        raise NotImplementedError

    def configure(self, config: dict[str, str | int | float]) -> None:
        """Record the run's settings."""
        self.run.store_init_configuration(config)

    def start(self, out: Path, config: dict[str, str | int | float], step: int = 0) -> None:
        """Open the service's run; UserError if its package is missing."""
        if importlib.util.find_spec(self.package) is None:
            raise UserError(f"tracker {self.name!r} needs a package: pip install {self.package}, or drop the tracker.")
        from accelerate import PartialState

        PartialState()  # the state that Accelerate's trackers ask for their rank; the trainer has made it already
        self.run = self.open(out, step)
        self.run.start()
        self.configure(config)

    def log(self, stats: dict[str, float], kimg: float, step: int) -> None:
        self.run.log({**stats, "kimg": kimg}, step=step)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.log_images({name: [image]}, step=step)

    def close(self) -> None:
        self.run.finish()


@trackers.register("tensorboard")
@dataclass(kw_only=True)
class TensorBoard(AccelerateTracker):
    """TensorBoard: event files in OUT/tensorboard; look with `tensorboard --logdir OUT`."""

    package = "tensorboard"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import TensorBoardTracker

        # What a crashed run wrote after its last checkpoint is hidden: the resumed run writes it again.
        return TensorBoardTracker("tensorboard", logging_dir=out, purge_step=step + 1)

    def configure(self, config: dict[str, str | int | float]) -> None:
        # Accelerate's own way leaves a sub-run and a folder at each start.
        rows = "\n".join(f"| {key} | {value} |" for key, value in config.items())
        self.run.tracker.add_text("recipe", f"| setting | value |\n|---|---|\n{rows}")

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.tracker.add_image(name, image, step, dataformats="HWC")


@dataclass(kw_only=True)
class Service(AccelerateTracker):
    """A tracker that files its runs by project."""

    project: str = "ggdr"
    """project that the run is filed under"""


@trackers.register("wandb")
@dataclass(kw_only=True)
class WandB(Service):
    """Weights & Biases; a resumed run goes on in the same W&B run (WANDB_MODE=offline: nothing is sent)."""

    package = "wandb"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import WandBTracker

        return WandBTracker(self.project, name=out.name, id=run_id(out), resume="allow", dir=str(out))


@trackers.register("trackio")
@dataclass(kw_only=True)
class Trackio(Service):
    """Trackio: on this machine by default, on a Space of the Hub if one is named; look with `trackio show`."""

    space_id: str | None = None
    """Space of the Hub to log to, "user/name"; None: a local file"""

    package = "trackio"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import TrackioTracker

        return TrackioTracker(self.project, name=out.name, resume="allow", space_id=self.space_id)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        import trackio

        self.run.log({name: trackio.Image(image)}, step=step)


@trackers.register("aim")
@dataclass(kw_only=True)
class Aim(Service):
    """Aim, in a local repository; look with `aim up`."""

    repo: str = "."
    """folder of the Aim repository"""

    package = "aim"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import AimTracker

        return AimTracker(out.name, logging_dir=self.repo, experiment=self.project)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.log_images({name: image}, step=step)


@trackers.register("comet_ml")
@dataclass(kw_only=True)
class Comet(Service):
    """Comet; a resumed run goes on in the same experiment."""

    package = "comet_ml"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import CometMLTracker

        return CometMLTracker(self.project, experiment_key=run_id(out))

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.tracker.log_image(image, name=name, step=step)


@trackers.register("mlflow")
@dataclass(kw_only=True)
class MLflow(Service):
    """MLflow: the server of MLFLOW_TRACKING_URI, or local files."""

    package = "mlflow"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import MLflowTracker

        return MLflowTracker(self.project, run_name=out.name)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        import mlflow

        mlflow.log_image(image, f"samples/{name}-{step:08d}.png")


@trackers.register("clearml")
@dataclass(kw_only=True)
class ClearML(Service):
    """ClearML, as a task named after the run's folder."""

    package = "clearml"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import ClearMLTracker

        return ClearMLTracker(self.project, task_name=out.name)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.log_images({name: image}, step=step)


@trackers.register("swanlab")
@dataclass(kw_only=True)
class SwanLab(Service):
    """SwanLab; a resumed run goes on in the same experiment."""

    package = "swanlab"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import SwanLabTracker

        return SwanLabTracker(
            self.project, experiment_name=out.name, id=run_id(out)[:SWANLAB_ID_LENGTH], resume="allow"
        )


@trackers.register("dvclive")
@dataclass(kw_only=True)
class DVCLive(AccelerateTracker):
    """DVCLive: files in OUT/dvclive, of which DVC makes plots and experiments."""

    package = "dvclive"

    def open(self, out: Path, step: int) -> GeneralTracker:
        from accelerate.tracking import DVCLiveTracker

        return DVCLiveTracker(dir=str(out / "dvclive"), resume=step > 0)

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        self.run.tracker.log_image(f"{name}.png", image)
