"""The diffusion models that scripts/train_diffusion.py trains: network, objective and pipeline, all of diffusers."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, Protocol

import torch
from diffusers import (
    DDIMPipeline,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    DiffusionPipeline,
    ScoreSdeVePipeline,
    ScoreSdeVeScheduler,
    UNet2DModel,
)
from torch import Tensor

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec

ATTENTION_PX = 16
"""side of the maps that attend to themselves, in both papers"""
LEAST_PX = 4
"""side of the smallest maps"""


class Sizes(NamedTuple):
    """How large a network is."""

    channels: int = 64
    """of the maps of the image's size, a multiple of 4, of 32 for ncsnpp; all smaller maps have twice as many"""
    layers: int = 2
    """residual blocks at each size"""
    dropout: float = 0.0
    """share of activations that are dropped, 0 to 1"""


class Kind(Protocol):
    """A diffusion model: what is learned, and what makes images with it."""

    def network(self, spec: ImageSpec, sizes: Sizes) -> UNet2DModel:
        """Build the network for images; UserError if there can be none."""

    def loss(self, network: torch.nn.Module, images: Tensor) -> Tensor:
        """Return the mean squared error on images [N, C, H, W] in [-1, 1]; what is drawn is torch's global stream's."""

    def pipeline(self, network: UNet2DModel) -> DiffusionPipeline:
        """Return the pipeline that makes images with a trained network."""


class DDPM:
    """Denoising diffusion: a U-Net tells the noise in an image (Ho et al. 2020, arXiv 2006.11239, eq. 14)."""

    def __init__(self, sampler: Literal["ddim", "ddpm"] = "ddim"):
        """`sampler`: ddim makes images in 50 steps (Song et al. 2021, arXiv 2010.02502), ddpm in 1,000."""
        self.sampler, self.scheduler = sampler, DDPMScheduler()

    def network(self, spec: ImageSpec, sizes: Sizes) -> UNet2DModel:
        blocks = block_types(spec, "{}DownBlock2D"), block_types(spec, "{}UpBlock2D")[::-1]
        return UNet2DModel(
            **common(spec, sizes, 4, *blocks),
            norm_num_groups=math.gcd(32, sizes.channels),
            flip_sin_to_cos=False,
            freq_shift=1,
        )

    def loss(self, network: torch.nn.Module, images: Tensor) -> Tensor:
        noise = torch.randn_like(images)
        times = torch.randint(self.scheduler.config.num_train_timesteps, [len(images)], device=images.device)
        told = network(self.scheduler.add_noise(images, noise, times), times).sample
        return (told - noise).square().mean()

    def pipeline(self, network: UNet2DModel) -> DiffusionPipeline:
        if self.sampler == "ddpm":
            return DDPMPipeline(network, self.scheduler)
        return DDIMPipeline(network, DDIMScheduler.from_config(self.scheduler.config))


class NCSNpp:
    """NCSN++: a U-Net tells the score of images under noise of any strength (Song et al. 2021, arXiv 2011.13456)."""

    def __init__(self, side: int):
        """`side`: px; the paper's strongest noise, 50 for 32 px and about as much more for larger images."""
        self.scheduler = ScoreSdeVeScheduler(sigma_min=0.01, sigma_max=50.0 * side / 32, snr=0.16)

    def network(self, spec: ImageSpec, sizes: Sizes) -> UNet2DModel:
        if (spec.channels, spec.height) != (3, spec.width):
            raise UserError(
                f"diffusers' ScoreSdeVePipeline makes square images of 3 channels, and these are {spec.height} x"
                f" {spec.width} px with {spec.channels}: type --data.channels 3 where the data have it, or --kind ddpm."
            )
        blocks = block_types(spec, "{}SkipDownBlock2D"), block_types(spec, "{}SkipUpBlock2D")[::-1]
        return UNet2DModel(
            **common(spec, sizes, 32, *blocks),  # its maps that attend are normalized in 32 groups
            time_embedding_type="fourier",
            norm_num_groups=None,
            mid_block_scale_factor=math.sqrt(2),
        )

    def loss(self, network: torch.nn.Module, images: Tensor) -> Tensor:
        low, high = self.scheduler.config.sigma_min, self.scheduler.config.sigma_max
        times = torch.rand([len(images)], device=images.device).clamp(min=self.scheduler.config.sampling_eps)
        sigma, noise = low * (high / low) ** times, torch.randn_like(images)
        strength = sigma[:, None, None, None]
        score = network((images + 1) / 2 + strength * noise, sigma).sample  # its pipeline makes images in [0, 1]
        return (strength * score + noise).square().mean()  # eq. 7, weighed by the variance of the noise

    def pipeline(self, network: UNet2DModel) -> DiffusionPipeline:
        return ScoreSdeVePipeline(network, self.scheduler)


def levels(spec: ImageSpec) -> list[int]:
    """Return the sides of the maps, px, from the image's on; UserError if halving does not lead to 4 px or more."""
    shorter, found = min(spec.height, spec.width), []
    while shorter >= LEAST_PX and not (spec.height % 2 ** len(found) or spec.width % 2 ** len(found)):
        found.append(shorter)
        shorter //= 2
    if len(found) < 2 or found[-1] >= 2 * LEAST_PX:
        raise UserError(
            f"images of {spec.height} x {spec.width} px cannot be halved down to maps of {LEAST_PX} px: choose a power"
            " of two, --data.size 32."
        )
    return found


def block_types(spec: ImageSpec, name: str) -> tuple[str, ...]:
    """Return the kind of block at each level, from the image's on; `name` has a place for `Attn`."""
    return tuple(name.format("Attn" if side == ATTENTION_PX else "") for side in levels(spec))


def common(spec: ImageSpec, sizes: Sizes, groups: int, down: tuple[str, ...], up: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings that both networks share; UserError if channels are no multiple of `groups`."""
    if sizes.channels % groups:
        raise UserError(f"--channels {sizes.channels} is no multiple of {groups}; give 64.")
    size = spec.height if spec.height == spec.width else (spec.height, spec.width)
    return {
        "sample_size": size,
        "in_channels": spec.channels,
        "out_channels": spec.channels,
        "down_block_types": down,
        "up_block_types": up,
        "block_out_channels": (sizes.channels, *[2 * sizes.channels] * (len(down) - 1)),
        "layers_per_block": sizes.layers,
        "dropout": sizes.dropout,
        "attention_head_dim": None,
        "norm_eps": 1e-6,
    }
