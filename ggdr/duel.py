"""A Duel: all that one generator and one discriminator show each other on one micro-batch.

Every product is computed at first use and kept: a pass nobody reads never runs, and two terms that read
the same pass share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import Redrawn, Sample, Verdict
from ggdr.term import Turn

if TYPE_CHECKING:
    from ggdr.augment.base import Augmentation
    from ggdr.network import Discriminator, Generator


class Scene(NamedTuple):
    """What a phase asks of its duels."""

    turn: Turn
    asks: frozenset[str] = frozenset()
    """the needs of the phase's terms"""
    sides: tuple[int, ...] = ()
    """sides of the feature maps that the phase's terms read, pixels"""
    kimg: float = 0.0
    """thousands of reals shown before this step"""
    augment: Augmentation | None = None
    """done to whatever the discriminator sees"""
    around: Callable[[], AbstractContextManager] = nullcontext
    """networks run in it (autocast); what they hand over is float32"""


@dataclass
class Duel:
    """One generator against one discriminator, on as many fakes as there are reals, under the same labels."""

    G: Generator
    D: Discriminator
    reals: Tensor
    """[N, C, H, W] in [-1, 1]"""
    labels: Tensor | None
    """[N, L], the reals' labels; fakes are made for them too, so that theirs follow the data's distribution"""
    scene: Scene
    notes: dict[str, Tensor] = field(default_factory=dict)
    """scalars that a term leaves for the step's statistics"""
    gives: ClassVar = frozenset({"real_grad", "fake_grad", "real_features"})
    """what terms may need of the duel itself; the rest must come from the networks"""

    @property
    def turn(self) -> Turn:
        """Whose weights learn."""
        return self.scene.turn

    @cached_property
    def real(self) -> Tensor:
        """The reals [N, C, H, W]; a leaf that takes gradient if a term needs "real_grad"."""
        return self.reals.detach().requires_grad_("real_grad" in self.scene.asks)

    @cached_property
    def fake(self) -> Sample:
        """N fakes; on D's turn a leaf that takes gradient if a term needs "fake_grad"."""
        sample = self.generate(self.z)
        if self.turn == "d" and "fake_grad" in self.scene.asks:
            sample = sample._replace(image=sample.image.detach().requires_grad_())
        return sample

    @cached_property
    def on_real(self) -> Verdict:
        """What D says of the reals, with its drawings if a term needs "real_features"."""
        return self.judge(self.real, sides=self.scene.sides if "real_features" in self.scene.asks else ())

    @cached_property
    def on_fake(self) -> Verdict:
        """What D says of the fakes, with its drawings of their feature maps if a term needs "d_features"."""
        sides = self.scene.sides if "d_features" in self.scene.asks else ()
        return self.judge(self.fake.image, self.fake.features, sides, self.fake.scales)

    @cached_property
    def redrawn(self) -> dict[str, Redrawn]:
        """Pictures that D draws from its maps of the reals as it saw them, if a term needs "reconstruction"."""
        if "reconstruction" not in self.scene.asks:
            return {}
        assert self.on_real.image is not None
        with self.scene.around():
            return self.D.redraw(self.on_real.maps, self.on_real.image)

    @cached_property
    def z(self) -> Tensor:
        """Latent codes [N, z_dim] of the fakes."""
        return self.codes(len(self.reals))

    def codes(self, n: int) -> Tensor:
        """n fresh latent codes [n, z_dim]."""
        return torch.randn(n, self.G.z_dim, device=self.reals.device)

    def sample(self, n: int) -> Sample:
        """A further pass of G: n fresh images, for the first n labels."""
        return self.generate(self.codes(n))

    def generate(self, z: Tensor) -> Sample:
        """A further pass of G: the images of z [n, z_dim], for the first n labels."""
        sides = self.scene.sides if "g_features" in self.scene.asks else ()
        with self.scene.around():
            made = self.G(z, self.labels_of(len(z)), sides=sides)
        return Sample(made.image.float(), made.ws, in_float32(made.features), in_float32(made.scales))

    def judge(
        self,
        image: Tensor,
        maps: Mapping[int, Tensor] | None = None,
        sides: tuple[int, ...] = (),
        scales: Mapping[int, Tensor] | None = None,
    ) -> Verdict:
        """A further pass of D over `image`, freshly augmented; `maps` move along, `sides` are drawn by its decoder.

        `scales`: the images at smaller sizes, for a D that gives "scales"; they cannot be augmented: ValueError.
        """
        guide, whole = dict(maps or {}), image
        if self.scene.augment is not None:
            image, guide = self.scene.augment(image, guide)
        seen = self.with_scales(image, scales, moved=image is not whole) if scales else image
        with self.scene.around():
            verdict = self.D(seen, self.labels_of(len(image)), sides=sides)
        pyramid = in_float32(verdict.maps) if "pyramid" in self.scene.asks else {}
        heads = verdict.answers if "heads" in self.scene.asks else {}
        answers = {name: answer.float() for name, answer in heads.items()}
        dense = verdict.dense if "d_pixels" in self.scene.asks else None
        drawn = in_float32(verdict.features)
        return Verdict(verdict.logits.float(), drawn, guide, pyramid, answers, dense, image)

    def continued(self, maps: Tensor, side: int, w: Tensor) -> Tensor:
        """What G makes of maps of a side and a style w [N, w_dim], if it gives "g_continues": images [N, C, H, W]."""
        with self.scene.around():
            return self.G.continued(maps, side, w).float()

    def with_scales(self, image: Tensor, scales: Mapping[int, Tensor], *, moved: bool) -> Tensor | dict[int, Tensor]:
        """What D is to see: the image, or it and its smaller sizes, by side, where D takes those."""
        judge = self.D.config
        if "scales" not in judge.gives:
            return image
        if moved:
            raise ValueError(
                f"discriminator {judge.name!r} judges the fakes at smaller sizes too, which the augmentation leaves as"
                " they are; drop it: --augment none."
            )
        return {**scales, image.shape[2]: image}

    def labels_of(self, n: int) -> Tensor | None:
        """The first n labels."""
        return None if self.labels is None else self.labels[:n]


def in_float32(maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The maps, as float32."""
    return {side: each.float() for side, each in maps.items()}
