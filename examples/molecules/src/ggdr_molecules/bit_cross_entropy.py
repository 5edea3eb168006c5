"""Cross entropy of bits: a fingerprint can be made again of its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.play.decoded import DecodedDuel
from ggdr.play.term import Regularizer
from ggdr.recipe import Recipe
from ggdr.registry import Capability, regularizers

LEAST = 1e-6
"""probability below which it makes no difference: that of a bit which the decoder is sure of, in float32"""


@regularizers.register("bit_cross_entropy")
@dataclass(frozen=True, kw_only=True)
class BitCrossEntropy(Regularizer):
    """Cross entropy of each bit of a real with what the decoder makes of its code, in nats.

    Reals are -1 and 1, and what the decoder makes lies between, by a tanh (`--generator.bounded`): half of its distance
    to -1 is the probability of the bit. Encoder and decoder learn by it.
    """

    requires: ClassVar = frozenset({Capability.DECODED})

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the decoder's numbers can be no probabilities."""
        if vars(recipe.generator).get("bounded") is False:
            raise UserError(
                f"{self.name} reads probabilities, and the generator's numbers have no bounds: set --generator.bounded,"
                " or take regularizer image_reconstruction."
            )

    def e_loss(self, duel: DecodedDuel) -> Tensor:  # type: ignore[override]
        return -(1 + duel.reals * duel.fake.image).div(2).clamp(min=LEAST).log().mean()
