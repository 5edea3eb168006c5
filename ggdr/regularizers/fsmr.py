"""Feature statistics mixing regularization: D is to look at content, not at style."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.ops.moments import adain
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator


@regularizers.register("fsmr", paper="2112.04120")
@dataclass(frozen=True, kw_only=True)
class FSMR(Regularizer):
    """Feature statistics mixing: D says the same when its maps take on a batch-mate's statistics (Kim et al. 2022).

    At the end of each of D's blocks but the last, a map is mixed, by a share drawn evenly from 0 to 1, with itself
    under the mean and standard deviation of another sample's. Beside an augmentation, each pass draws it again.
    """

    # Unlike the paper: after D's blocks, not after each convolution; the other sample's maps are those of the same
    # pass, mixed themselves, which saves one. The weight is ours.
    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True
    least: ClassVar = 2

    def check_networks(self, discriminators: Sequence[Discriminator]) -> None:
        for network in discriminators:
            between(network)

    def d_loss(self, duel: Duel) -> Tensor:
        real = self.inconsistency(duel, duel.real, duel.on_real.logits)
        return real + self.inconsistency(duel, duel.fake.image, duel.on_fake.logits)

    def inconsistency(self, duel: Duel, image: Tensor, logits: Tensor) -> Tensor:
        """Mean squared change of the logits of image [N, C, H, W] under mixed statistics."""
        with mixing(duel.D, torch.randperm(len(image), device=image.device)):
            other = duel.judge(image).logits
        return (logits - other).square().mean()


@contextmanager
def mixing(network: Discriminator, mates: Tensor) -> Iterator[None]:
    """Within it, each stage's maps but the last one's are mixed with the style of `mates` [N], places in the batch.

    UserError if the network has no stages.
    """

    def mix(module: torch.nn.Module, inputs: Any, output: Any) -> Any:
        """The stage's output, whose maps come first, with these mixed."""
        if isinstance(output, tuple):
            return mix(module, inputs, output[0]), *output[1:]
        share = torch.rand(len(output), 1, 1, 1, device=output.device, dtype=output.dtype)
        return adain(output, output[mates]).lerp(output, share)

    hooks = [stage.register_forward_hook(mix) for stage in between(network)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def between(network: Discriminator) -> list[torch.nn.Module]:
    """The network's stages but the last; UserError if there are none."""
    stages = network.stages()[:-1]
    if not stages:
        raise UserError(
            f"fsmr mixes the maps between a discriminator's blocks; {network.config.name!r} has none: drop it:"
            " --regularizers.fsmr none, or take another discriminator."
        )
    return stages
