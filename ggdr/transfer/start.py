"""Transfer: networks start from the weights of saved ones, as far as those fit (Wang et al. 2018, arXiv 1805.01677)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.formatting import colours
from ggdr.layers.spectral import WARM_UP, update_spectral_norms
from ggdr.networks.base.module import Network
from ggdr.ops.shapes import shapes_only
from ggdr.recipe.files import differences, to_json
from ggdr.saving.model import LIVE, SavedNetwork, find_saved
from ggdr.transfer.reshaping import Reshaper, layer_of


class Move(NamedTuple):
    """What becomes of one tensor of a network, or of one of the source that has no place in it."""

    name: str
    """Name of the tensor in the network; for a "surplus" one, in the source."""
    how: Literal["loaded", "reshaped", "zero", "skipped", "fresh", "surplus"]
    value: Tensor | None = None
    """New value of the tensor; None: it stays as it was initialized."""
    note: str = ""
    """Note on the shape it had and what was done, or on why nothing was."""

    @property
    def taken(self) -> bool:
        """Whether the value comes from the source."""
        return self.how in ("loaded", "reshaped")


class Start(NamedTuple):
    """What one network starts from."""

    name: str
    """Name under which the network is saved."""
    network: Network
    file: Path | None = None
    """File of the source's weights; None: the source has no such network, and this one starts fresh."""
    what: str = ""
    """Description of the source's network."""
    moves: tuple[Move, ...] = ()
    settings: tuple[str, ...] = ()
    """Settings in which the source differs, where both are of one kind."""

    @property
    def taken(self) -> set[str]:
        """Return the names of the tensors that come from the source."""
        return {move.name for move in self.moves if move.taken}


def sources(path: str, networks: Mapping[str, Network]) -> dict[str, SavedNetwork]:
    """Return the saved networks at `path`; UserError, one sentence, if there is none, or none by a name of
    `networks`."""
    found = find_saved(Path(path).expanduser())
    if not found.keys() & networks.keys():
        raise UserError(f"--init-from {path} holds {', '.join(found)}; this game plays with {', '.join(networks)}.")
    return found


def start_networks(
    found: Mapping[str, SavedNetwork], networks: Mapping[str, Network], *, mean: bool = False
) -> list[Start]:
    """Make each network start from the saved one of its name, where there is one, and return what was done.

    mean: take running means, rather than the weights that were training where both are there. UserError, one sentence,
    if nothing in a saved network fits.
    """
    starts = []
    for name, network in networks.items():
        saved = found.get(name if mean else name + LIVE, found.get(name))
        starts.append(start_network(name, network, saved) if saved else Start(name, network))
    return starts


def start_network(name: str, network: Network, saved: SavedNetwork) -> Start:
    """Make a network start from a saved one; UserError if none of its weight matrices fits."""
    try:
        with shapes_only():  # only its shapes and settings are read
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
    """Plan what becomes of each tensor of `network`, and which of the source's have no place; nothing is changed.

    tensors: the source's weights by name. source: its network, of which only shapes and settings are read. Names are
    compared as each network's core has them. Tensors of other shapes are taken where that keeps what the network does
    (`Reshaper`); layers of other widths are not: a part of a layer's channels, fed by other channels, does not do what
    the layer did, so nothing is known of it that would be better than fresh weights.
    """
    ours, theirs, fresh = comparable_names(network), comparable_names(source), network.state_dict()
    reshaper = Reshaper(source, network)
    moves = []
    for known, name in ours.items():
        there = theirs.get(known, "")
        moves.append(plan_move(reshaper, there, tensors.get(there), name, fresh[name]))
    placed = {there for known, there in theirs.items() if known in ours}
    surplus = [Move(name, "surplus") for name in tensors if name not in placed]
    return [*drop_lone_biases(zero_missing_rgb(moves, network), network), *surplus]


def comparable_names(network: Network) -> dict[str, str]:
    """Map the name by which each tensor is compared with another network's to its own name."""
    unwrap = network.unwrap()
    path = next(name for name, module in network.named_modules() if module is unwrap)
    head = f"{path}." if path else ""
    return {name.removeprefix(head): name for name in network.state_dict()}


def plan_move(reshaper: Reshaper, there: str, value: Tensor | None, name: str, fresh: Tensor) -> Move:
    """Plan what becomes of the tensor `name`, now `fresh`, given the source's `value`, called `there` (None: none)."""
    if value is None:
        return Move(name, "fresh")
    if value.dtype != fresh.dtype and not (value.is_floating_point() and fresh.is_floating_point()):
        return Move(name, "skipped", note=f"{value.dtype}, here {fresh.dtype}")
    if value.shape == fresh.shape:
        return Move(name, "loaded", value)
    if found := reshaper.reshape(there, value, name, fresh):
        return Move(name, "reshaped", found[0], f"{format_shape(value)} -> {format_shape(fresh)}, {found[1]}")
    return Move(name, "skipped", note=f"{format_shape(value)}, here {format_shape(fresh)}")


def zero_missing_rgb(moves: list[Move], network: Network) -> list[Move]:
    """Start to-image layers that the source lacks at zero, beside those it has, so that its image stays."""
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


def drop_lone_biases(moves: list[Move], network: Network) -> list[Move]:
    """Take no bias for a layer whose weights stay fresh: it was learnt for other weights."""
    matrices = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    fresh = {layer_of(move.name) for move in moves if move.how == "skipped" and move.name in matrices}
    alone = "its layer's weights do not fit"
    return [
        Move(move.name, "skipped", note=alone) if move.taken and layer_of(move.name) in fresh else move
        for move in moves
    ]


@torch.no_grad()
def apply(moves: tuple[Move, ...], network: Network) -> None:
    """Copy the planned values into the network, on its device and in its dtype."""
    tensors = network.state_dict()
    for move in moves:
        if move.value is not None:
            tensors[move.name].copy_(move.value)
    if any(move.how != "loaded" for move in moves):
        update_spectral_norms(network, WARM_UP)  # spectral norms, some of which were another's


def summary(network: Network) -> str:
    """Describe a network in a few words."""
    spec = network.spec
    labels = f"{spec.labels or 'no'} labels"
    return f"{network.config.name}, {spec.height} x {spec.width} px, {colours(spec.channels)}, {labels}"


def format_shape(tensor: Tensor) -> str:
    """Format a tensor's shape for a person, as "3 x 64 x 64"."""
    return " x ".join(map(str, tensor.shape)) or "one number"
