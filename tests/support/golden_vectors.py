"""The golden vectors, and networks that carry the published weights."""

from __future__ import annotations

import json
from functools import cache

import torch
from places import GOLDEN
from safetensors.torch import load_file

from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig


def settings(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


@cache
def tensors(name):
    return load_file(GOLDEN / f"{name}.safetensors")


def below(name, prefix):
    """The tensors under a prefix, by the rest of their names."""
    return {key.removeprefix(prefix): t.clone() for key, t in tensors(name).items() if key.startswith(prefix)}


def close(ours, theirs, tolerance):
    assert ours.shape == theirs.shape
    error = (ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12)
    assert error <= tolerance, f"off by {error:.2e} of the largest value"


def pair_of(case, given):
    """Generator and U-Net discriminator of a case's settings, with the published weights loaded."""
    resolution, top = case["resolution"], case["ggdr_decoder_resolution"]
    spec = ImageSpec(resolution, resolution, case["image_channels"], case["label_dim"])
    channels = {"channel_base": case["channel_base"], "channel_max": case["channel_max"]}
    dims = {"z_dim": case["z_dim"], "w_dim": case["w_dim"], "mapping_layers": case["mapping_layers"]}
    generator = StyleGAN2GeneratorConfig(**channels, **dims, style_mixing=0.0).build(spec)
    targets = {r: width for r, width in generator.feature_channels.items() if 8 <= r <= top}
    encoder = StyleGAN2DiscriminatorConfig(
        **channels,
        architecture=case["discriminator_architecture"],
        mbstd_group=case["minibatch_stddev_group_size"],
    )
    discriminator = UNetDiscriminatorConfig(encoder=encoder).build(spec, ExtraOutputs(targets))
    generator.load_state_dict({"mapping.w_avg": torch.zeros(case["w_dim"]), **published(given, "G/")})
    discriminator.load_state_dict({renamed(key): t for key, t in published(given, "D/").items()})
    return generator, discriminator


def published(given, player):
    """A player's weights; the filter they carry in every layer is a constant of ours."""
    weights = {key.removeprefix(player): t for key, t in given.items() if key.startswith(player)}
    return {key: t for key, t in weights.items() if not key.endswith("resample_filter")}


def renamed(key):
    """A published discriminator name in our U-Net."""
    block, _, rest = key.partition(".")
    return f"decoder.{block.removesuffix('_dec')}.{rest}" if block.endswith("_dec") else f"encoder.{key}"
