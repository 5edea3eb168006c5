"""A Player: the networks that learn together, and their optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ggdr.networks.base.module import Network
from ggdr.play.optimizer import Optimizer
from ggdr.training.averaging import Averaging
from ggdr.training.eager import step_eagerly, without_compiler


class Player:
    """One side of the game: it learns on its turn and stands still on the other's."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        settings: Optimizer,
        lazy: Sequence[int],
        processes: int = 1,
        frozen: Set[nn.Parameter] | None = None,
    ):
        """`networks` by the name under which they are saved; `lazy`: the intervals of its lazy phases.

        `frozen`: weights that never learn, None: those that take no gradient now. Others may be another player's too,
        which learns on its turn.
        """
        self.networks = networks
        every = [parameter for network in networks.values() for parameter in network.parameters()]
        frozen = {p for p in every if not p.requires_grad} if frozen is None else frozen
        self.parameters = [parameter for parameter in every if parameter not in frozen]
        self.settings, self.lazy = settings, lazy
        without_compiler()
        self.optimizer = settings.build(self.parameters, lazy)
        self.lr_scale = 1.0  # factor of the rate after the run went back
        for parameter in self.parameters:
            parameter.requires_grad_(True)  # hooks are for what takes gradient; another player may have it, and rest
        self.awake = self.parameters  # those that learn now
        self.averaging = Averaging(self.parameters, processes) if processes > 1 else None
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    @contextmanager
    def learning(self, passes: int, kimg: float) -> Iterator[None]:
        """Within it, this player's weights take gradient; `passes` go backward through them.

        Not those that are frozen, nor those that rest after `kimg` thousand reals.
        """
        resting = {parameter for network in self.networks.values() for parameter in network.resting(kimg)}
        self.awake = [parameter for parameter in self.parameters if parameter not in resting]
        if self.averaging is not None:
            self.averaging.expect(passes)
        for parameter in self.awake:
            parameter.requires_grad_(True)
        yield
        for parameter in self.awake:
            parameter.requires_grad_(False)

    def average_gradients(self) -> None:
        """Make each gradient its mean over all processes; nothing to do where there is one."""
        if self.averaging is not None:
            self.averaging.finish()

    def clip_gradients(self) -> Tensor:
        """Cut gradients to the optimizer's `clip_value`, then scale them all down to its `clip_norm`, if any.

        Returns the norm before both, a scalar on the device; it is not finite if one of the gradients is not.
        """
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        cut, limit = norm, self.settings.clip_norm
        if self.settings.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.parameters, self.settings.clip_value)
            cut = torch.nn.utils.get_total_norm(gradients)
        if limit is not None:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, limit, cut)
        return norm

    def set_hyperparameters(self, kimg: float) -> None:
        """Set the learning rate, and whatever else is scheduled, for an update after `kimg` thousand reals."""
        group = self.settings.at(kimg, self.lazy)
        self.optimizer.param_groups[0].update(group | {"lr": self.lr_scale * group["lr"]})

    def step(self, skip: Tensor) -> None:
        """Take one optimizer step and drop the gradients; weights and moments stay as they are where `skip` is true.

        `skip`: a boolean scalar on the device. Weights that the phase's losses do not reach count the update too, with
        a gradient of zero, as published; those that rest do not.
        """
        untouched = [p for p in self.awake if p.grad is None]
        if self.settings.skips_on_device:
            # Fused Adam skips its step on the device where this is not 0: no wait for the host to look.
            self.optimizer.found_inf, self.optimizer.grad_scale = skip.float(), None  # type: ignore[attr-defined]
            touch(untouched)
            step_eagerly(self.optimizer)
        elif not bool(skip):
            for parameter in untouched:  # memory of each one's own: optimizers may write to gradients
                parameter.grad = torch.zeros_like(parameter)
            step_eagerly(self.optimizer)
        for parameter in self.parameters:
            parameter.grad = None

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
