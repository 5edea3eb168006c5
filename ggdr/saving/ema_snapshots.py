"""Snapshots of power-function means in a run's folder, and any other mean of the same training made of them.

Each is a folder RUN/ema/STEP: weights by width and network, and snapshot.json with when and of what; written aside and
renamed, with hashes, as checkpoints are. Nothing removes them but going back to an earlier step.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ggdr import __version__
from ggdr.documents import one_line, read_object, read_tensors
from ggdr.errors import UserError
from ggdr.formatting import significant
from ggdr.networks.base.module import Network
from ggdr.ops.power_function import WIDEST, Combination, Profile, combine, exponent_of
from ggdr.saving import checkpoint
from ggdr.saving.model import SavedNetwork, describe

FOLDER, ABOUT = "ema", "snapshot.json"
TRIED = 60
"""widths that are tried to say which can be reconstructed"""


class Snapshot(NamedTuple):
    """Means of a training at one moment, on disk."""

    folder: Path
    images_seen: int
    began: int
    """images that had been seen when the means began"""
    widths: tuple[float, ...]
    """sigma_rel of each mean"""
    networks: dict[str, Any]
    """description of each network, by name"""

    @property
    def kimg(self) -> float:
        """When it was made, thousands of reals."""
        return self.images_seen / 1000

    def profiles(self) -> list[Profile]:
        """The profile of each mean, in images since they began."""
        return [Profile(self.images_seen - self.began, exponent_of(width)) for width in self.widths]

    def file(self, width: float, network: str) -> Path:
        """Where the mean of a network lies."""
        return self.folder / f"{stem(width, network)}.safetensors"


class Reconstruction(NamedTuple):
    """A mean that was not stored, as a sum of those that were."""

    snapshots: list[Snapshot]
    """the last of them is of its moment"""
    combination: Combination

    def networks(self) -> dict[str, Network]:
        """The networks with these weights, in eval mode; UserError if a file is damaged, or not as it should be.

        What is no weight, such as running statistics, is as it was at that moment.
        """
        for snapshot in self.snapshots:
            if why := checkpoint.corruption(snapshot.folder):
                raise UserError(
                    f"{snapshot.folder} is damaged: {why}; remove it and type the same command: those that are left may"
                    " do."
                )
        return {name: self.network(name) for name in self.snapshots[-1].networks}

    def network(self, name: str) -> Network:
        """The network of this name, whose weights are the combination of those of all snapshots, in eval mode."""
        last, coefficients = self.snapshots[-1], iter(self.combination.coefficients)
        network = SavedNetwork(last.networks[name], last.file(last.widths[0], name)).load()
        weights = dict(network.named_parameters())
        sums = {key: torch.zeros(weight.shape, dtype=torch.float64) for key, weight in weights.items()}
        for file in (each.file(width, name) for each in self.snapshots for width in each.widths):
            add_scaled(sums, file, next(coefficients))
        with torch.no_grad():
            for key, weight in weights.items():
                weight.copy_(sums[key])
        return network


def add_scaled(sums: Mapping[str, Tensor], file: Path, factor: float) -> None:
    """Add the weights of a file, times a factor; UserError if it does not hold them."""
    try:
        found = read_tensors(file)
    except (OSError, UserError) as error:
        raise UserError(f"cannot read {file}: {one_line(error)}; remove {file.parent}.") from error
    for key, total in sums.items():
        if key not in found or found[key].shape != total.shape or not found[key].isfinite().all():
            raise UserError(f"{file} does not hold the weights {key!r} of this network; remove {file.parent}.")
        total.add_(found[key].double(), alpha=factor)


def stem(width: float, network: str) -> str:
    """Name of the file of a mean, without its ending."""
    return f"{network}-{width:g}"


def write(out: Path, step: int, images_seen: int, began: int, means: Mapping[float, Mapping[str, Network]]) -> Path:
    """Write a snapshot of means, by width and name, whole or not at all; OSError if the disk refuses."""
    tensors = {
        stem(width, name): network.state_dict()
        for width, networks in means.items()
        for name, network in networks.items()
    }
    described = {name: describe(network) for networks in means.values() for name, network in networks.items()}
    about = {"step": step, "images_seen": images_seen, "began": began, "sigma_rel": [*means], "ggdr": __version__}
    folder = out / FOLDER / f"{step:08d}"
    checkpoint.write_folder(folder, tensors, {ABOUT: about | {"networks": described}}, sums=True)
    return folder


def folders(out: Path) -> list[Path]:
    """The folders of a run's snapshots, oldest first."""
    return sorted(path for path in (out / FOLDER).glob("[0-9]*") if path.name.isdigit() and path.is_dir())


def remove_after(out: Path, step: int) -> None:
    """Remove the snapshots of steps that the run has yet to make again, and what a crash left of others."""
    for path in reversed([path for path in folders(out) if int(path.name) > step]):
        checkpoint.remove_folder(path)
    for left in (out / FOLDER).glob(".*ing-*"):
        shutil.rmtree(left, ignore_errors=True)


def set_aside(out: Path) -> Path | None:
    """Give the snapshots of a run that went before in this folder another name, which is returned; None: no such."""
    if not folders(out):
        return None
    taken = len([*out.glob(f"earlier-{FOLDER}-*")])
    return (out / FOLDER).rename(out / f"earlier-{FOLDER}-{taken + 1}")


def all_snapshots(out: Path) -> list[Snapshot]:
    """A run's snapshots, oldest first; UserError if there is none, or one cannot be read."""
    found = [read(folder) for folder in folders(out)]
    if not found:
        raise UserError(
            f"{out} has no snapshots of power-function means; train with --callbacks.ema power_ema"
            " --callbacks.ema.every-kimg KIMG, which can be added when a run goes on."
        )
    return found


def read(folder: Path) -> Snapshot:
    """A snapshot's description; UserError if it is torn, or none."""
    try:
        about = read_object(folder / ABOUT)
        seen, began, widths, networks = (about[key] for key in ("images_seen", "began", "sigma_rel", "networks"))
        assert isinstance(networks, dict) and networks and 0 <= int(began) < int(seen)
        assert widths and all(0 < float(width) <= WIDEST for width in widths)
    except (OSError, UserError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise UserError(
            f"{folder} is no whole snapshot: {ABOUT}: {one_line(error) or 'it says what cannot be'}; remove {folder}."
        ) from error
    return Snapshot(folder, int(seen), int(began), tuple(map(float, widths)), networks)


def reconstruct(out: Path, sigma_rel: float, kimg: float | None, max_error: float) -> Reconstruction:
    """The mean of width `sigma_rel` after `kimg` thousand reals, None: at the last snapshot, of a run's snapshots.

    `max_error`: what may be lacking of its profile, as a share. UserError if there are too few snapshots for it.
    """
    found = all_snapshots(out)
    last = found[-1] if kimg is None else next((each for each in found if each.kimg == kimg), None)
    if last is None:
        raise UserError(
            f"{out} has no snapshot of {kimg:g} kimg; it has some of {listed(each.kimg for each in found)}."
        )
    # Means that began later know nothing of what those saw that began before: profiles of one beginning are summed.
    used = [each for each in found if each.began == last.began and each.images_seen <= last.images_seen]
    known = [profile for each in used for profile in each.profiles()]
    combination = combine(wanted(last, sigma_rel), known)
    if combination.error > max_error:
        raise UserError(
            f"sigma_rel {sigma_rel:g} cannot be had of the {len(used)} snapshot{'s' * (len(used) > 1)} until"
            f" {last.kimg:g} kimg: {combination.error:.0%} of its profile would be lacking, and --max-error is"
            f" {max_error:g}; {possible(last, known, max_error)}, or train with a smaller --callbacks.NAME.every-kimg."
        )
    return Reconstruction(used, combination)


def wanted(last: Snapshot, sigma_rel: float) -> Profile:
    """The profile of this width at the moment of a snapshot."""
    return Profile(last.images_seen - last.began, exponent_of(sigma_rel))


def possible(last: Snapshot, known: Sequence[Profile], max_error: float) -> str:
    """Say which widths can be had."""
    tried = [min(0.002 * (WIDEST / 0.002) ** (place / (TRIED - 1)), WIDEST) for place in range(TRIED)]
    fit = [width for width in tried if combine(wanted(last, width), known).error <= max_error]
    stored = ", ".join(f"{width:g}" for width in last.widths)
    return f"give {stored}" + (f", or from {significant(min(fit), 3)} to {significant(max(fit), 3)}" if fit else "")


def listed(kimgs: Iterable[float]) -> str:
    """Moments, the newest of them, in words."""
    numbers = [f"{kimg:g}" for kimg in kimgs]
    return f"{'..., ' * (len(numbers) > 8)}{', '.join(numbers[-8:])} kimg"
