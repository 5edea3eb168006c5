"""Duels over pairs of an image and its code, of BiGAN and ALI (arXiv 1605.09782, 1606.00704)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.decoded import Encoded
from ggdr.play.duel import Duel
from ggdr.registry import Capability


@dataclass
class JointDuel(Duel):
    """A generator and an encoder against a discriminator of pairs: reals beside their codes, fakes beside theirs.

    D is told the code as it is told labels. An image that is no fake of the duel is judged beside the reals' codes.
    """

    encoded: Encoded = field(kw_only=True)
    """what the encoder says of the reals"""
    # what moves images, or judges others, would put them beside codes of these
    provides: ClassVar = Duel.provides - {Capability.IMAGES, Capability.REPLAY, Capability.MOVED_REAL}

    def labels_beside(self, image: Tensor) -> Tensor | None:
        """Labels, if there are any, and the code that an image is judged beside [N, L + K]."""
        fakes = "fake" in vars(self) and image is self.fake.image
        codes = self.G.codes(self.z, self.labels) if fakes else self.encoded.codes[: len(image)]
        labels = self.labels_of(len(image))
        return codes if labels is None else torch.cat([labels, codes], dim=1)


@dataclass
class EncoderDuel(Duel):
    """A joint duel as the encoder sees it, which is to make reals beside their codes pass for fakes: signs turn round.

    Losses alone take part in it, symmetric ones, on the turn of generator and encoder.
    """

    joint: JointDuel = field(kw_only=True)
    """the duel that it turns round"""
    provides: ClassVar = frozenset[Capability]()

    @property
    def offers(self) -> frozenset[Capability]:
        """Nothing: further terms are of the joint duel."""
        return frozenset()

    @cached_property
    def on_real(self) -> DiscriminatorOutput:
        """What D says of fakes, with signs turned round."""
        return turned(self.joint.on_fake)

    @cached_property
    def on_fake(self) -> DiscriminatorOutput:
        """What D says of reals, with signs turned round."""
        return turned(self.joint.on_real)


def turned(said: DiscriminatorOutput) -> DiscriminatorOutput:
    """What D said, with the signs of its logits turned round."""
    return said._replace(logits=-said.logits, more_logits=tuple(-each for each in said.more_logits))
