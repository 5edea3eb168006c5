"""Heads: what terms ask of a discriminator beside its logit, computed by small networks from a code of the image."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear
from ggdr.networks.base import Head
from ggdr.ops.activation import SLOPE
from ggdr.ops.precision import at_least_float32, without_autocast


class Heads(nn.ModuleDict):
    """Networks of one or two layers by name, which read the same code."""

    def __init__(self, width: int, heads: dict[str, Head], equalized: bool = True):
        """Build a network for each head; `width`: of the code. `equalized`: with equalized learning rates."""
        super().__init__()
        self.detached = {name for name, head in heads.items() if head.detached}
        for name, head in heads.items():
            self[name] = make_head(width, head) if equalized else make_plain_head(width, head)

    def forward(self, code: Tensor) -> dict[str, Tensor]:
        """Return each head's result [N, outputs] float32 for the code [N, width]; nothing where there is no head."""
        with without_autocast(code):
            code = at_least_float32(code)
            return {name: head(self.head_input(name, head, code)) for name, head in self.items()}

    def head_input(self, name: str, head: nn.Module, code: Tensor) -> Tensor:
        """Return the code [N, width], detached for a detached head that learns now."""
        learns = any(parameter.requires_grad for parameter in head.parameters())
        return code.detach() if name in self.detached and learns else code


def make_head(in_channels: int, head: Head) -> nn.Module:
    """Return one linear layer, or two with a leaky ReLU between."""
    if not head.hidden:
        return EqualizedLinear(in_channels, head.outputs)
    return nn.Sequential(
        EqualizedLinear(in_channels, head.hidden, activation="lrelu"), EqualizedLinear(head.hidden, head.outputs)
    )


def make_plain_head(in_channels: int, head: Head) -> nn.Module:
    """Return the same layers, of torch's own kind."""
    if not head.hidden:
        return nn.Linear(in_channels, head.outputs)
    return nn.Sequential(nn.Linear(in_channels, head.hidden), nn.LeakyReLU(SLOPE), nn.Linear(head.hidden, head.outputs))
