"""A Player: the networks that learn together, and their optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ggdr.networks.base.module import Network
from ggdr.play.optimizer import Adam
from ggdr.play.schedule import ramp
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
        self.rate = self.optimizer.param_groups[0]["lr"]
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

    def update(self, kimg: float) -> dict[str, Tensor]:
        """One optimizer step with the gradients averaged over processes; none if they are not finite.

        Weights that the phase's losses do not reach count the update too, with a gradient of zero, as published.
        Returns the norm of the gradients and whether they were not finite (0 or 1), scalars on the device.
        """
        if self.averaging is not None:
            self.averaging.finish()
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        broken = (~norm.isfinite()).float()
        # Fused Adam skips its step on the device where this is not 0: no wait for the host to look.
        self.optimizer.found_inf, self.optimizer.grad_scale = broken, None  # type: ignore[attr-defined]
        self.optimizer.param_groups[0]["lr"] = self.lr_scale * self.rate * ramp(kimg, 0.0, self.adam.warmup_kimg)
        touch([p for p in self.parameters if p.grad is None])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"grad": norm.nan_to_num(0.0, 0.0, 0.0), "nonfinite": broken}

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
