"""Heads: what terms ask of a discriminator beside its logit, computed by small networks from its last maps."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear
from ggdr.networks.base import Head


class UNetHeads(nn.ModuleDict):
    """Networks of one or two layers by name, on the mean of the encoder's smallest maps."""

    def __init__(self, encoder: dict[int, int], heads: dict[str, Head]):
        """Build a network for each head; `encoder`: resolution -> channels of its maps."""
        super().__init__()
        self.detached = {name for name, head in heads.items() if head.detached}
        self.resolution = min(encoder, default=0)
        for name, head in heads.items():
            self[name] = make_head(encoder[self.resolution], head)

    def forward(self, maps: dict[int, Tensor]) -> dict[str, Tensor]:
        """Return each head's result [N, outputs] float32 for the encoder's maps; nothing where there is no head."""
        if not self:
            return {}
        code = maps[self.resolution].float().mean(dim=(2, 3))
        return {name: head(self.head_input(name, head, code)) for name, head in self.items()}

    def head_input(self, name: str, head: nn.Module, code: Tensor) -> Tensor:
        """Return the code [N, C], detached for a detached head that learns now."""
        learns = any(parameter.requires_grad for parameter in head.parameters())
        return code.detach() if name in self.detached and learns else code


def make_head(in_channels: int, head: Head) -> nn.Module:
    """Return one linear layer, or two with a leaky ReLU between."""
    if not head.hidden:
        return EqualizedLinear(in_channels, head.outputs)
    return nn.Sequential(
        EqualizedLinear(in_channels, head.hidden, activation="lrelu"), EqualizedLinear(head.hidden, head.outputs)
    )
