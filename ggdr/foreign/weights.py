"""Foreign weights into networks of ours: every name and every shape must agree, or nothing is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

from ggdr.errors import UserError
from ggdr.foreign.torch_files import Stored
from ggdr.networks.base.module import Network
from ggdr.ops.shapes import shapes_only
from ggdr.play.game import Game

BINOMIAL = torch.tensor([1.0, 3.0, 3.0, 1.0])
"""Low-pass filter that our networks have built in."""


class FoundNetwork(NamedTuple):
    """A network of a foreign file, converted to ours."""

    network: Network
    origin: str
    """Name under which the file holds it."""
    class_name: str = ""
    """Class name in the program that wrote it."""
    arguments: Any = None
    """Constructor arguments there, as JSON can hold them."""


class Reading(NamedTuple):
    """All that was found in a foreign file."""

    kind: str
    """Name of the file's format."""
    networks: dict[str, FoundNetwork]
    """Networks by the names they are saved under."""
    facts: dict[str, Any]
    """Other facts that the file states, as JSON can hold them."""
    notes: list[str]
    """Notes that a person should know, a sentence each."""
    game: Game | None = None
    """Game that they play, between domains a and b; None: nothing says so, or one network is all."""


def build_filled(
    make: Callable[[], Network],
    stored: Mapping[str, Stored],
    size: int,
    later: Mapping[str, float] | None = None,
) -> Network:
    """Build the network with these weights by our names, in eval mode; UserError, naming one, if any is missing or
    unfit.

    `size`: bytes of the file, which weights cannot exceed unless they share memory in order to fill ours. `later`:
    names that the file has nothing for, and what fills them.
    """
    try:
        with shapes_only():  # what a file asks for takes no memory before the file is seen to fill it
            network = make()
    except (RuntimeError, OverflowError, TypeError) as error:
        raise UserError(f"its sizes make no network: {str(error).splitlines()[0]}") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: torch.full(wanted.pop(name), value) for name, value in (later or {}).items() if name in wanted}
    compare(wanted, stored)
    if sum(tensor.nbytes for tensor in stored.values()) > size:
        raise UserError("its weights are larger than the file itself")
    network = make()  # now with what no file holds, such as filters
    network.load_state_dict({name: tensor.tensor() for name, tensor in stored.items()} | given, assign=True)
    return network.eval()


def base_width(stored: Mapping[str, Stored], name: str, channels: int = 0) -> int:
    """Return the width of the 4 px high maps, pixels, from the constant [C, 4, W] of this name.

    `channels`: or, from a weight [C, channels * 4 * W]. For any other shape, 4: `build_filled` then says what is wrong.
    """
    shape = stored[name].shape if name in stored else ()
    wide = shape[-1] // (4 * channels) if channels and len(shape) == 2 else shape[-1] if len(shape) == 3 else 4
    return wide if wide in (2, 3) else 4


def compare(wanted: Mapping[str, tuple[int, ...]], stored: Mapping[str, Stored]) -> None:
    """Raise UserError, naming the first, if names or shapes are not the wanted ones."""
    if missing := [name for name in wanted if name not in stored]:
        raise UserError(f"it lacks {missing[0]}{and_more(missing)}")
    if surplus := [name for name in stored if name not in wanted]:
        raise UserError(f"it has {surplus[0]!r}{and_more(surplus)}, for which such a network has no place")
    for name, shape in wanted.items():
        if stored[name].shape != shape:
            raise UserError(f"its {name} is {[*stored[name].shape]} where its settings ask for {[*shape]}")


def and_more(names: list[str]) -> str:
    """Return how many names there are beside the first."""
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def check_filter(name: str, stored: Stored, gain: float = 1.0) -> None:
    """Raise UserError if a low-pass filter is not the binomial one, of the sum `gain`."""
    right = torch.outer(BINOMIAL, BINOMIAL) * (gain / 64)
    if stored.shape != right.shape or not torch.allclose(stored.tensor(), right, rtol=1e-3, atol=0):
        raise UserError(f"its filter {name} is not [1, 3, 3, 1], which is the only one here")
