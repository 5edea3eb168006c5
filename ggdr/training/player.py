"""A Player: the networks that learn together, and their optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ggdr.networks.base.module import Network
from ggdr.play.optimizer import Adam
from ggdr.training.averaging import Averaging


class Player:
    """One side of the game: it learns on its turn and stands still on the other's."""

    def __init__(self, networks: Mapping[str, Network], adam: Adam, lazy: Sequence[int], processes: int = 1):
        """`networks` by the name under which they are saved; `lazy`: the intervals of its lazy phases.

        Weights that take no gradient now are frozen: they never learn.
        """
        self.networks = networks
        self.parameters = [p for network in networks.values() for p in network.parameters() if p.requires_grad]
        self.adam, self.optimizer = adam, adam.build(self.parameters, lazy)
        self.rate = self.optimizer.param_groups[0]["lr"]  # with the correction for lazy phases
        self.lr_scale = 1.0  # factor of the rate after the run went back
        self.averaging = Averaging(self.parameters, processes) if processes > 1 else None
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    @contextmanager
    def learning(self, passes: int) -> Iterator[None]:
        """Within it, this player's weights take gradient, but for frozen ones; `passes` go backward through them."""
        if self.averaging is not None:
            self.averaging.expect(passes)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        yield
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    def average_gradients(self) -> None:
        """Make each gradient its mean over all processes; nothing to do where there is one."""
        if self.averaging is not None:
            self.averaging.finish()

    def clip_gradients(self) -> Tensor:
        """Scale all gradients down together where their norm is above the optimizer's `max_grad_norm`, if it has one.

        Returns the norm before that, a scalar on the device; it is not finite if one of the gradients is not.
        """
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if self.adam.max_grad_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.adam.max_grad_norm, norm)
        return norm

    def set_learning_rate(self, kimg: float) -> None:
        """Set the learning rate for an update after `kimg` thousand reals."""
        self.optimizer.param_groups[0]["lr"] = self.lr_scale * self.rate * self.adam.schedule(kimg)

    def step(self, skip: Tensor) -> None:
        """Take one optimizer step and drop the gradients; weights and moments stay as they are where `skip` is true.

        `skip`: a boolean scalar on the device. Weights that the phase's losses do not reach count the update too, with
        a gradient of zero, as published.
        """
        # Fused Adam skips its step on the device where this is not 0: no wait for the host to look.
        self.optimizer.found_inf, self.optimizer.grad_scale = skip.float(), None  # type: ignore[attr-defined]
        touch([p for p in self.parameters if p.grad is None])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def restart(self) -> None:
        """Forget the gradients of all updates so far."""
        self.optimizer.state.clear()


def touch(parameters: Sequence[nn.Parameter]) -> None:
    """Give parameters a gradient of zero: of one type all share the memory of the largest one, which nobody writes."""
    for dtype in {parameter.dtype for parameter in parameters}:
        alike = [parameter for parameter in parameters if parameter.dtype == dtype]
        zeros = alike[0].new_zeros(max(parameter.numel() for parameter in alike))
        for parameter in alike:
            parameter.grad = zeros[: parameter.numel()].as_strided(parameter.shape, parameter.stride())
