"""GAT: settings of its generator and discriminator, plain vision transformers (arXiv 2509.24935)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from ggdr.errors import UserError, above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


class Size(NamedTuple):
    """A published size of both networks."""

    depth: int
    """blocks"""
    width: int
    """channels of a token"""
    attention_heads: int
    """parts of a token that attend apart"""


SIZES: Mapping[str, Size] = {
    "s": Size(12, 384, 6),
    "b": Size(12, 768, 12),
    "l": Size(24, 1024, 16),
    "xl": Size(28, 1152, 16),
}
"""S, B, L and XL"""
LEARNING_RATE, OF_WIDTH, OF_BATCH = 2e-4, 768, 512
"""the learning rate of a network of this width, of both players, at this batch"""


def learning_rate(width: int, batch_size: int = OF_BATCH) -> float:
    """Return the learning rate of a network of this width: 2e-4 at 768, inversely as the width, as root of the batch.

    At another width's rate training diverges or is slow (arXiv 2509.24935).
    """
    return LEARNING_RATE * OF_WIDTH / width * float(batch_size / OF_BATCH) ** 0.5


def check_shape(depth: int, width: int, attention_heads: int) -> None:
    """UserError unless tokens of this width part into attention heads of a multiple of 4 channels."""
    if depth < 1 or attention_heads < 1 or width < 1 or width % (4 * attention_heads):
        raise UserError(
            f"depth is {depth}, width {width}, attention_heads {attention_heads}: give numbers from 1, and a width that"
            " is a multiple of 4 for each head."
        )


@generators.register("gat", paper="2509.24935")
@dataclass(frozen=True, kw_only=True)
class GATGeneratorConfig(GeneratorConfig):
    """A plain vision transformer whose blocks are scaled and gated by a style (GAT, Hyun et al. 2026).

    Tokens begin as fixed codes of their places; after each quarter of the blocks a head adds its share to the image.
    Discriminator `mng` is shown what all heads made, another the last one's alone. It is trained by the relativistic
    loss with `r1_approximate` and `r2_approximate`; nothing in it is differentiated twice, so that regularizers of the
    kind of `path_length` are refused. psi 1 is the full variety as everywhere here, and 0 the mean style of the image's
    class; in the published program it is the other way round.
    """

    depth: int = 12
    """blocks, as many in front of each image head"""
    width: int = 384
    """channels of a token, and of a style"""
    attention_heads: int = 6
    """parts of a token that attend apart"""
    patch: int = 2
    """side of what a token becomes, pixels"""
    image_heads: int = 4
    """heads, at equal distances in depth, whose sums are images"""
    z_dim: int = 64
    """width of the latent code"""
    label_dim: int = 64
    """width of the labels' embedding, which joins the latent code"""
    tap: int = 3
    """feature maps are the tokens before this image head, from 1 on; ours"""
    w_avg_beta: float = 0.995
    """decay of the running mean of styles, of each class its own, for truncation"""
    checkpointing: bool = False
    """compute each block again in the backward pass, which takes less memory and a third more time"""
    provides: ClassVar = frozenset(
        {
            Capability.G_FEATURES,
            Capability.INPUT_MATRICES,
            Capability.INTERMEDIATES,
            Capability.TRUNCATION,
            Capability.WS,
        }
    )

    def __post_init__(self) -> None:
        above_zero(self, "patch", "image_heads", "z_dim", "label_dim")
        check_shape(self.depth, self.width, self.attention_heads)
        if self.depth % self.image_heads or not 1 <= self.tap <= self.image_heads:
            raise UserError(
                f"depth is {self.depth}, image_heads {self.image_heads}, tap {self.tap}: give a depth that is a"
                " multiple of image_heads, and a tap from 1 to image_heads."
            )

    @property
    def outputs(self) -> int:
        """The number of its image heads."""
        return self.image_heads

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if a term would differentiate it twice."""
        for name, term in recipe.regularizers.items():
            if term.float32 and Capability.WS in term.requires:
                raise UserError(
                    f"regularizer {term.name!r} differentiates the generator twice, and the attention of {self.name!r}"
                    f" has one derivative: drop it, --regularizers.{name} none."
                )

    @classmethod
    def tiny(cls) -> Self:
        """Two blocks of 16 channels."""
        return cls(depth=2, width=16, attention_heads=2, image_heads=2, tap=1, z_dim=8, label_dim=8)


@discriminators.register("gat", paper="2509.24935")
@dataclass(frozen=True, kw_only=True)
class GATDiscriminatorConfig(DiscriminatorConfig):
    """A plain vision transformer whose class token becomes the logit (GAT, Hyun et al. 2026).

    With labels the logit is the product of that token and the label's embedding, and nothing else. Its maps are its
    tokens, of one resolution. Discriminator `mng` around it judges all that generator `gat` makes. Penalties by finite
    differences (`r1_approximate`, `r2_approximate`) run with torch's fused attention; under those that differentiate
    twice, such as `r1`, it is written out, and takes more time and memory.
    """

    depth: int = 12
    """blocks"""
    width: int = 384
    """channels of a token"""
    attention_heads: int = 6
    """parts of a token that attend apart"""
    patch: int = 2
    """side of what becomes a token, pixels"""
    label_dim: int = 2048
    """width of what images and labels are compared in"""
    checkpointing: bool = False
    """compute each block again in the backward pass, which takes less memory and a third more time"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS, Capability.TOKENS})

    def __post_init__(self) -> None:
        above_zero(self, "patch", "label_dim")
        check_shape(self.depth, self.width, self.attention_heads)

    @classmethod
    def tiny(cls) -> Self:
        """Two blocks of 16 channels."""
        return cls(depth=2, width=16, attention_heads=2, label_dim=8)
