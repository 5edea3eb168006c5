"""torch.compile in a run: networks compiled in place, and phases in which they run as they were written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import torch
from torch import nn


def compile_networks(networks: Iterable[nn.Module]) -> None:
    """Compile each network in place: names of weights stay, and so does every draw. RuntimeError without a compiler."""
    for network in networks:
        network.compile(options={"fallback_random": True})


def as_written() -> AbstractContextManager:
    """Context in which compiled networks run uncompiled: their gradient cannot be differentiated again otherwise."""
    return torch.compiler.set_stance("force_eager")
