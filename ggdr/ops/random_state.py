"""Torch's random state: taken before a computation, so that it can be done again with the very same draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ggdr.lazy import Tensor, torch


class RandomState(NamedTuple):
    """The states of torch's global generators of the host and of one device."""

    host: Tensor
    device: torch.device
    on_device: Tensor | None
    """None where the device is the host"""


def random_state(device: torch.device) -> RandomState:
    """The present state; reading it waits for no computation of the device."""
    has_own = device.type not in ("cpu", "meta")  # nothing is drawn on the meta device
    own = torch.get_device_module(device).get_rng_state(device) if has_own else None
    return RandomState(torch.get_rng_state(), device, own)


def restore(state: RandomState) -> None:
    """Draws go on from this state."""
    torch.set_rng_state(state.host)
    if state.on_device is not None:
        torch.get_device_module(state.device).set_rng_state(state.on_device, state.device)


@contextmanager
def replayed(state: RandomState) -> Iterator[None]:
    """A context whose draws begin at `state`; after it draws go on as if it had not been."""
    before = random_state(state.device)
    restore(state)
    try:
        yield
    finally:
        restore(before)
