"""Transfer: networks start from the weights of saved ones, as far as those fit (Wang et al. 2018, arXiv 1805.01677)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.layers.spectral import WARM_UP, follow
from ggdr.networks.base.module import Network
from ggdr.recipe.files import differences, to_json
from ggdr.saving.model import LIVE, Saved, find_saved
from ggdr.transfer.reshaping import Reshaper, layer_of, mode


class Move(NamedTuple):
    """What becomes of one tensor of a network, or of one of the source that has no place in it."""

    name: str
    """in the network; of a "surplus" one, in the source"""
    how: Literal["loaded", "reshaped", "zero", "skipped", "fresh", "surplus"]
    value: Tensor | None = None
    """what it becomes; None: it stays as it was drawn"""
    note: str = ""
    """of what shape it was, and what was done; or why nothing was"""

    @property
    def taken(self) -> bool:
        """Whether it comes from the source."""
        return self.how in ("loaded", "reshaped")


class Start(NamedTuple):
    """Where one network starts."""

    name: str
    """under which it is saved"""
    network: Network
    file: Path | None = None
    """the source's weights; None: the source has no such network, and this one starts fresh"""
    what: str = ""
    """what the source's network is"""
    moves: tuple[Move, ...] = ()
    settings: tuple[str, ...] = ()
    """in what the source's settings differ, where they are of one kind"""

    @property
    def taken(self) -> set[str]:
        """Names of the tensors that come from the source."""
        return {move.name for move in self.moves if move.taken}


def sources(path: str, networks: Mapping[str, Network]) -> dict[str, Saved]:
    """The saved networks at `path`; UserError, one sentence, if there is none, or none by a name of `networks`."""
    found = find_saved(Path(path).expanduser())
    if not found.keys() & networks.keys():
        raise UserError(f"--init-from {path} holds {', '.join(found)}; this game plays with {', '.join(networks)}.")
    return found


def start(found: Mapping[str, Saved], networks: Mapping[str, Network], *, mean: bool = False) -> list[Start]:
    """Make each network start from the saved one of its name, where there is one, and say what was done.

    mean: take running means, rather than the weights that were training where both are there. UserError, one
    sentence, if nothing in a saved network fits.
    """
    starts = []
    for name, network in networks.items():
        saved = found.get(name if mean else name + LIVE, found.get(name))
        starts.append(started(name, network, saved) if saved else Start(name, network))
    return starts


def started(name: str, network: Network, saved: Saved) -> Start:
    """Make a network start from a saved one; UserError if none of its weight matrices fits."""
    try:
        with torch.device("meta"):  # only its shapes and settings are read
            source = saved.fresh()
        weights = saved.weights()
    except UserError as error:
        raise UserError(f"--init-from: {error}") from error
    moves = tuple(plan(weights, source, network))
    there, here = (to_json(each.unwrap().config.described()) for each in (source, network))
    settings = differences(there, here).values() if there["type"] == here["type"] else ()
    begun = Start(name, network, saved.file, summary(source), moves, tuple(settings))
    if not begun.taken & {key for key, parameter in network.named_parameters() if parameter.ndim > 1}:
        odd = next((f"; {move.name} is {move.note}" for move in begun.moves if move.how == "skipped"), "")
        raise UserError(
            f"--init-from: nothing in {saved.file} ({summary(source)}) fits the {name} here ({summary(network)}){odd}:"
            " give a model of the same family and widths."
        )
    apply(begun.moves, network)
    return begun


def plan(tensors: Mapping[str, Tensor], source: Network, network: Network) -> list[Move]:
    """What becomes of each tensor of `network`, and which of the source's have no place; nothing is changed.

    tensors: the source's weights by name. source: its network, of which only shapes and settings are read. Names are
    compared as each network's core has them. Tensors of other shapes are taken where that keeps what the network does
    (`Reshaper`); layers of other widths are not: a part of a layer's channels, fed by other channels, does not do what
    the layer did, so that nothing is known of it that would be better than fresh weights.
    """
    ours, theirs, fresh = compared(network), compared(source), network.state_dict()
    reshaper = Reshaper(source, network)
    moves = []
    for known, name in ours.items():
        there = theirs.get(known, "")
        moves.append(move(reshaper, there, tensors.get(there), name, fresh[name]))
    placed = {there for known, there in theirs.items() if known in ours}
    surplus = [Move(name, "surplus") for name in tensors if name not in placed]
    return [*whole_layers(shares_at_zero(moves, network), network), *surplus]


def compared(network: Network) -> dict[str, str]:
    """The name by which each tensor is compared with another network's -> its own name."""
    unwrap = network.unwrap()
    path = next(name for name, module in network.named_modules() if module is unwrap)
    head = f"{path}." if path else ""
    return {name.removeprefix(head): name for name in network.state_dict()}


def move(reshaper: Reshaper, there: str, value: Tensor | None, name: str, fresh: Tensor) -> Move:
    """What becomes of the tensor `name`, now `fresh`, given the source's `value`, called `there` (None: none)."""
    if value is None:
        return Move(name, "fresh")
    if value.dtype != fresh.dtype and not (value.is_floating_point() and fresh.is_floating_point()):
        return Move(name, "skipped", note=f"{value.dtype}, here {fresh.dtype}")
    if value.shape == fresh.shape:
        return Move(name, "loaded", value)
    if found := reshaper.reshaped(there, value, name, fresh):
        return Move(name, "reshaped", found[0], f"{size(value)} -> {size(fresh)}, {found[1]}")
    return Move(name, "skipped", note=f"{size(value)}, here {size(fresh)}")


def shares_at_zero(moves: list[Move], network: Network) -> list[Move]:
    """The moves, but shares of an image that the source lacks start at zero beside those it has: its image stays."""
    rgb_weights, tensors = set(network.rgb_weights()), network.state_dict()
    if not any(move.taken and move.name in rgb_weights for move in moves):
        return moves
    begun = []
    for move in moves:
        if move.name in rgb_weights and not move.taken:
            why = f"{move.note or 'not in the source'}; adds nothing to the image at first"
            move = Move(move.name, "zero", torch.zeros_like(tensors[move.name]), why)
        begun.append(move)
    return begun


def whole_layers(moves: list[Move], network: Network) -> list[Move]:
    """The moves, but a layer whose weights stay fresh takes no bias either: it was learnt for other weights."""
    matrices = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    fresh = {layer_of(move.name) for move in moves if move.how == "skipped" and move.name in matrices}
    alone = "its layer's weights do not fit"
    return [
        Move(move.name, "skipped", note=alone) if move.taken and layer_of(move.name) in fresh else move
        for move in moves
    ]


@torch.no_grad()
def apply(moves: tuple[Move, ...], network: Network) -> None:
    """Copy what a plan says into the network, on its device and in its type."""
    tensors = network.state_dict()
    for move in moves:
        if move.value is not None:
            tensors[move.name].copy_(move.value)
    if any(move.how != "loaded" for move in moves):
        follow(network, WARM_UP)  # spectral norms, some of which were another's


def summary(network: Network) -> str:
    """What a network is, in a few words."""
    spec = network.spec
    labels = f"{spec.labels or 'no'} labels"
    return f"{network.config.name}, {spec.height} x {spec.width} px, {mode(spec.channels)}, {labels}"


def size(tensor: Tensor) -> str:
    """A shape as a person writes it."""
    return " x ".join(map(str, tensor.shape)) or "one number"
