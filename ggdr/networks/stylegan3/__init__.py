"""StyleGAN3: settings of its generator (Karras et al. 2021, arXiv 2106.12423); it plays against stylegan2's D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.networks.base import GeneratorConfig
from ggdr.registry import Capability, generators


@generators.register("stylegan3", paper="2106.12423")
@dataclass(frozen=True, kw_only=True)
class StyleGAN3GeneratorConfig(GeneratorConfig):
    """Alias-free generator: what it draws moves, and in R turns, with its input (Karras et al. 2021, sec. 3).

    Its smallest feature maps have 16 px or more. The blur of what D sees at the start of a run of R is left out.
    """

    config: Literal["T", "R"] = "T"
    """T: 3x3 convolutions; R: 1x1 and radial filters, for which the paper has twice the channels of T"""
    z_dim: int = 512
    """width of the latent code"""
    w_dim: int = 512
    """width of a style code"""
    mapping_layers: int = 2
    """depth of the mapping network"""
    channel_base: int = 32768
    """channels x twice the cutoff of the wide layers; R: 65536"""
    channel_max: int = 512
    """most channels of a layer; R: 1024"""
    layers: int = 14
    """filtered layers, whatever the image's size"""
    critical: int = 2
    """how many of them, the last ones, are critical: their cutoff is half of the image's sampling rate"""
    first_cutoff: float = 2.0
    """cutoff of the input, cycles per image height; it grows geometrically to that of the critical layers"""
    first_stopband: float = 2**2.1
    """where the first layer's transition ends at the latest, cycles per image height"""
    last_stopband: float = 2**0.3
    """where that of the last ends, relative to half of the image's sampling rate"""
    taps: int = 6
    """taps of a filter, for each step of up- or downsampling; even"""
    margin: int = 10
    """pixels that maps reach beyond the image on each side"""
    margin_width: int | None = None
    """those on the left and on the right, where they are others; StyleGAN-Human: 5"""
    magnitude_kimg: float = 20.0
    """half-life of the mean square by which a layer's input is divided, thousands of images; ours"""
    w_avg_beta: float = 0.995
    """share of the mean style, which truncation pulls towards, that a batch leaves as it was; as in StyleGAN2"""
    output_scale: float = 0.25
    """factor of the image that the last layer makes, as in published networks"""
    clamp: float | None = 256.0
    """bound of what a layer hands on"""
    provides: ClassVar = frozenset(
        {
            Capability.G_FEATURES,
            Capability.WS,
            Capability.TRUNCATION,
            Capability.INPUT_MATRICES,
            Capability.RESOLUTION_LAYERS,
        }
    )

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max", "layers", "taps", "clamp")
        above_zero(self, "output_scale")
        above_zero(self, "first_cutoff", "first_stopband", "last_stopband", "magnitude_kimg")
        not_negative(self, "margin", "margin_width", "critical")
        if self.critical >= self.layers or self.taps % 2:
            raise UserError(
                f"critical is {self.critical} of {self.layers} layers, taps {self.taps}; give fewer critical layers"
                f" than layers, and an even number of taps."
            )

    @classmethod
    def tiny(cls) -> Self:
        """Four layers of four to eight channels."""
        return cls(z_dim=8, w_dim=8, channel_base=64, channel_max=8, layers=4, margin=4)
