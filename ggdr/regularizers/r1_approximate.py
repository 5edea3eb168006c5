"""R1 by a finite difference: a further pass of D instead of a gradient of a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.duel import Duel
from ggdr.registry import Capability, regularizers
from ggdr.regularizers.r1 import R1


@regularizers.register("r1_approximate", paper="2501.08316")
@dataclass(frozen=True, kw_only=True)
class R1Approximate(R1):
    """R1 without a second derivative: noise on reals must not change D's logits (Lin et al. 2025, arXiv 2501.08316).

    As `sigma` goes to 0 its mean over noise is that of `r1`, and `weight` is R1's gamma: the paper's term lambda times
    (D(x) - D(x + n))^2 is a gamma of 2 * lambda * sigma^2. Noise joins the image before it is augmented, and both
    passes are augmented alike. Nothing is differentiated twice, so that it runs under autocast, where it needs a larger
    sigma, and `--compile`; docs/performance.md has its time, and its value by sigma.
    """

    every: int = 1
    """run at each N-th step, N times as strong"""
    sigma: float = 0.01
    """standard deviation of the noise, where images are in [-1, 1]; in bfloat16 0.1, or rounding outweighs the slope"""
    share: float = 1.0
    """part of a micro-batch that is compared, its first images, above 0, at most 1"""
    requires: ClassVar = frozenset({Capability.REPLAY})
    float32: ClassVar = False

    def __post_init__(self) -> None:
        above_zero(self, "sigma")
        check_share(self.share)

    def d_loss(self, duel: Duel) -> Tensor:
        return squared_slope(duel, duel.real, duel.on_real, self.sigma, self.share)


def check_share(share: float) -> None:
    """UserError unless it is a part of a batch."""
    if not 0 < share <= 1:
        raise UserError(f"share is {share}; give a number above 0, at most 1.")


def squared_slope(
    duel: Duel,
    image: Tensor,
    output: DiscriminatorOutput,
    sigma: float,
    share: float,
    scales: Mapping[int, Tensor] | None = None,
    intermediates: Sequence[Tensor] = (),
) -> Tensor:
    """Half the mean of ((D(x) - D(x + sigma n)) / sigma)^2, n ~ N(0, 1), over the first `share` of image [N, C, H, W].

    `output`: what D said of all of them. A part of a batch is judged for itself, since draws and whatever compares
    batch-mates belong to a whole one. `scales`: the images at smaller sizes, where D judges them too; they stay.
    `intermediates`: those of earlier heads, with other noise each.
    """
    count = max(1, round(share * len(image)))
    if count < len(image):
        image, scales = image[:count], {r: each[:count] for r, each in (scales or {}).items()}
        intermediates = [each[:count] for each in intermediates]
        output = duel.judge(image, scales=scales, intermediates=intermediates)
    moved, *others = [each + sigma * torch.randn_like(each) for each in (image, *intermediates)]
    near = duel.judge_again(moved, output, scales, others)
    slope = (output.logits - near.logits).reshape(len(image), -1) / sigma
    return slope.sum(dim=1).square().mean() / 2  # of several logits the sum, as r1 differentiates it
