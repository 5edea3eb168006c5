"""`ggdr ema RUN --sigma-rel 0.05`: another running mean of a run that has been trained, of any width, as a model.

ggdr ema runs/digits --sigma-rel 0.15 --out models/digits-wide

ggdr evaluate models/digits-wide --data digits

The run keeps snapshots of means where its recipe has `callbacks={"ema": PowerEMA()}`, or its command says
--callbacks.ema power_ema; the mean is made of those (Karras et al. 2024, arXiv 2312.02696, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ggdr import __version__
from ggdr.errors import UserError, not_negative
from ggdr.flags.command_line import parsed
from ggdr.ops.power_function import check_sigma_rel
from ggdr.progress import Bar, say_loading
from ggdr.verbs.outputs import check_model_folder

if TYPE_CHECKING:
    from ggdr.saving.ema_snapshots import Reconstruction


@dataclass(frozen=True)
class Ema:
    """Which mean of which run, and where to."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """folder of the run"""
    sigma_rel: float
    """width of the mean, the standard deviation of its profile as a share of the run, above 0, at most 0.2886"""
    kimg: float | None = None
    """the moment of the mean, that of a snapshot, thousands of reals; None: the last"""
    out: Path | None = None
    """folder to make: generator and source.json; None: RUN/ema/sigma_rel-WIDTH"""
    max_error: float = 0.1
    """share of the profile, in L2, that may be lacking; a mean that would lack more is refused"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""

    def __post_init__(self) -> None:
        check_sigma_rel("sigma_rel", self.sigma_rel)
        not_negative(self, "max_error")

    @property
    def place(self) -> Path:
        """Where the model goes."""
        moment = "" if self.kimg is None else f"-{self.kimg:g}kimg"
        return self.out or self.run / "ema" / f"sigma_rel-{self.sigma_rel:g}{moment}"


def main(argv: list[str]) -> int:
    """Reconstruct what `argv` asks for and say how exact it is; UserError if it cannot be, and then nothing is made."""
    command = parsed(Ema, argv, "ggdr ema", __doc__)
    if not command.run.is_dir():
        raise UserError(f"there is no folder {str(command.run)!r}; give that of a run.")
    check_model_folder(command.place)
    say_loading(f"snapshots of {command.run}")
    from ggdr.registry import use
    from ggdr.saving.ema_snapshots import reconstruct
    from ggdr.saving.model import describe, save_new
    from ggdr.saving.pretrained import Hub, open_model, takes_images, translator_index

    for file in command.use:
        use(file)
    with Bar("adding up snapshots"):
        found = reconstruct(command.run, command.sigma_rel, command.kimg, command.max_error)
        networks = found.networks()
    described = {name: describe(each) for name, each in networks.items()}
    index = ""
    if takes_images(described.values()):
        index = translator_index(described, *open_model(command.run, Hub()).played())
    save_new(command.place, networks, source_document(command, found), index)
    print(
        f"{command.place}: sigma_rel {command.sigma_rel:g} at {found.snapshots[-1].kimg:g} kimg, of"
        f" {len(found.snapshots)} snapshot{'s' * (len(found.snapshots) > 1)}; {found.combination.error:.2%} of its"
        " profile is lacking"
    )
    return 0


def source_document(command: Ema, found: Reconstruction) -> dict[str, Any]:
    """Where the model comes from, as JSON can hold it."""
    last = found.snapshots[-1]
    return {
        "format": "power-function mean of a run of ggdr",
        "sigma_rel": command.sigma_rel,
        "images_seen": last.images_seen,
        "began": last.began,
        "snapshots": [each.folder.name for each in found.snapshots],
        "stored_sigma_rel": list(last.widths),
        "lacking": found.combination.error,
        "ggdr": __version__,
    }
