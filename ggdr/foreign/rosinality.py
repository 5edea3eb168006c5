"""State dicts of the widespread StyleGAN2 in PyTorch by rosinality: weights under g, d and g_ema.

It rests on that format as it is documented by its users: names, shapes and the paper's arithmetic; no real file was at
hand. An unknown name, a missing one or a shape that does not fit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from reprlib import repr as shown
from typing import Any

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.foreign.facts import as_json
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import FoundNetwork, Reading, base_width, build_filled, check_filter
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.stylegan2.generator import StyleGAN2Generator

MARK = "input.input"
"""Name of a weight that every generator of this format has."""
STYLES = 1 << 14
"""Number of styles whose mean stands in for the one that a file lacks."""

Axes = tuple[int, ...]
AFFINE: dict[str, tuple[str, Axes]] = {
    "conv.modulation.weight": ("affine.weight", ()),
    "conv.modulation.bias": ("affine.bias", ()),
}
STYLED = AFFINE | {
    "conv.weight": ("weight", (0,)),
    "noise.weight": ("noise_strength", (0,)),
    "activate.bias": ("bias", ()),
}
"""Names within a styled convolution -> ours, and the axes of size 1 that it has there and not here."""
TO_IMAGE = AFFINE | {"conv.weight": ("weight", (0,)), "bias": ("bias", (0, 2, 3))}
BLOCK = {
    "conv1.0.weight": "conv0.weight",
    "conv1.1.bias": "conv0.bias",
    "conv2.1.weight": "conv1.weight",
    "conv2.2.bias": "conv1.bias",
    "skip.1.weight": "skip.weight",
}
EPILOGUE = {
    "final_conv.0.weight": "conv.weight",
    "final_conv.1.bias": "conv.bias",
    "final_linear.0.weight": "fc.weight",
    "final_linear.0.bias": "fc.bias",
    "final_linear.1.weight": "out.weight",
    "final_linear.1.bias": "out.bias",
}


def read(content: Mapping[str, Any], size: int) -> Reading:
    """Return the networks of such a file, and what else it states; UserError, one clause, if they are not ours."""
    mean, notes, networks = content.get("latent_avg"), [], {}
    origins = [name for name in ("g_ema", "g") if content.get(name) is not None]
    for name, origin in zip(("generator", "generator_live"), origins, strict=False):
        kept = mean if name == "generator" and isinstance(mean, Stored) else None
        networks[name] = FoundNetwork(generator(weights(content[origin], 4.0), kept, size), origin, "Generator")
        if kept is None:
            notes.append(f"it has no mean style for {origin}: taken over {STYLES:,} styles of fixed latent codes")
    if origins == ["g"]:
        notes.append("it has no g_ema: `generator` is g, as the optimizer left it")
    if content.get("d") is not None:
        networks["discriminator"] = FoundNetwork(discriminator(weights(content["d"], 1.0), size), "d", "Discriminator")
    if not networks:
        raise UserError("its g, d and g_ema are all empty")
    facts = {name: as_json(content[name]) for name in ("args", "ada_aug_p") if name in content}
    return Reading("rosinality", networks, facts, notes)


def weights(state: Any, gain: float) -> dict[str, Stored]:
    """Return the weights of a network by name; its filters, of the sum `gain`, are checked and left out."""
    if not isinstance(state, dict) or not all(type(name) is str for name in state):
        raise UserError("one of its networks is no dict of weights")
    if strange := [name for name, value in state.items() if not isinstance(value, Stored)]:
        raise UserError(f"its {strange[0]!a} is no tensor")
    for name in [name for name in state if name.endswith(".kernel")]:
        check_filter(name, state[name], gain)
    return {name: value for name, value in state.items() if not name.endswith(".kernel")}


def generator(state: Mapping[str, Stored], mean: Stored | None, size: int) -> StyleGAN2Generator:
    """Convert the generator; `mean`: its mean style, if the file holds it. `size`: bytes of the file."""
    stored = dict(generator_weight(name, value) for name, value in state.items())
    depth = sum(name.startswith("mapping.") and name.endswith(".weight") for name in stored)
    width = {
        resolution: rows(stored, f"synthesis.b{resolution}.torgb.weight", 1)
        for resolution in resolutions(stored, "torgb.weight")
    }
    if 4 not in width:
        raise UserError("it lacks to_rgb1.conv.weight")
    total, limit = table(width)
    base = base_width(stored, "synthesis.b4.const")
    config = StyleGAN2GeneratorConfig(
        z_dim=rows(stored, "mapping.fc0.weight", 1),
        w_dim=rows(stored, "mapping.fc0.weight"),
        mapping_layers=depth,
        channel_base=total,
        channel_max=limit,
        smallest=base,
    )
    spec = ImageSpec(max(width), max(width) * base // 4, rows(stored, "synthesis.b4.torgb.weight"))
    if mean is not None:
        stored["mapping.w_avg"] = squeeze_axes(mean, (0,) if len(mean.shape) == 2 else ())
    network = build_filled(partial(config.build, spec), stored, size, later={} if mean else {"mapping.w_avg": 0.0})
    assert isinstance(network, StyleGAN2Generator)
    if mean is None:
        network.mapping.w_avg.copy_(mean_style(network))
    return network


@torch.no_grad()
def mean_style(network: StyleGAN2Generator) -> Tensor:
    """Return the mean style [w_dim] over latent codes that are the same each time."""
    codes = torch.randn(STYLES, network.z_dim, generator=torch.Generator().manual_seed(0))
    return network.mapping(codes).mean(dim=0)


def generator_weight(name: str, value: Stored) -> tuple[str, Stored]:
    """Return our name and shape of a generator's weight; UserError if it is not one of StyleGAN2's."""
    if name == MARK:
        return "synthesis.b4.const", squeeze_axes(value, (0,))
    if found := re.fullmatch(r"style\.(\d{1,2})\.(weight|bias)", name):  # the first of them has no weights
        return f"mapping.fc{int(found[1]) - 1}.{found[2]}", value
    if found := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"{layer(int(found[1]))}.noise_const", squeeze_axes(value, (0, 1))
    if (found := re.fullmatch(r"(conv1|convs\.(\d{1,2}))\.(.+)", name)) and found[3] in STYLED:
        ours, axes = STYLED[found[3]]
        return f"{layer(0 if found[2] is None else int(found[2]) + 1)}.{ours}", squeeze_axes(value, axes)
    if (found := re.fullmatch(r"(to_rgb1|to_rgbs\.(\d{1,2}))\.(.+)", name)) and found[3] in TO_IMAGE:
        ours, axes = TO_IMAGE[found[3]]
        return f"synthesis.b{4 if found[2] is None else 8 << int(found[2])}.torgb.{ours}", squeeze_axes(value, axes)
    raise UserError(f"its {name!a} is no weight of StyleGAN2's generator")


def layer(index: int) -> str:
    """Return our name of a styled convolution: one at 4 px, then two a resolution, the first of which upsamples."""
    return f"synthesis.b{4 << (index + 1) // 2}.conv{(index + 1) % 2}"


def discriminator(state: Mapping[str, Stored], size: int) -> Network:
    """Convert the discriminator; `size`: bytes of the file."""
    blocks = {int(found[1]) for name in state if (found := re.match(r"convs\.(\d{1,2})\.conv1\.", name))}
    resolution = 4 << max(blocks, default=0)
    stored = dict(discriminator_weight(name, value, resolution) for name, value in state.items())
    width = {r // 2: rows(stored, f"b{r}.conv1.weight") for r in resolutions(stored, "conv1.weight")}
    width[resolution] = rows(stored, f"b{resolution}.fromrgb.weight")
    total, limit = table(width)
    base = base_width(stored, "b4.fc.weight", rows(stored, "b4.conv.weight"))
    config = StyleGAN2DiscriminatorConfig(channel_base=total, channel_max=limit, smallest=base)
    spec = ImageSpec(resolution, resolution * base // 4, rows(stored, f"b{resolution}.fromrgb.weight", 1))
    return build_filled(partial(config.build, spec), stored, size)


def discriminator_weight(name: str, value: Stored, resolution: int) -> tuple[str, Stored]:
    """Return our name of a discriminator's weight; UserError if it is not StyleGAN2's.

    `resolution`: of the images, pixels.
    """
    if name in EPILOGUE:
        return f"b4.{EPILOGUE[name]}", value
    if name in ("convs.0.0.weight", "convs.0.1.bias"):
        return f"b{resolution}.fromrgb.{name.rpartition('.')[2]}", value
    if (found := re.fullmatch(r"convs\.(\d{1,2})\.(.+)", name)) and found[2] in BLOCK and int(found[1]):
        return f"b{resolution >> (int(found[1]) - 1)}.{BLOCK[found[2]]}", value
    raise UserError(f"its {name!a} is no weight of StyleGAN2's discriminator")


def resolutions(stored: Mapping[str, Stored], leaf: str) -> list[int]:
    """Return the resolutions of the blocks that have a weight of this name, pixels."""
    return [int(found[1]) for name in stored if (found := re.fullmatch(rf"(?:synthesis\.)?b(\d+)\.{leaf}", name))]


def rows(stored: Mapping[str, Stored], name: str, axis: int = 0) -> int:
    """Return the size of a weight along an axis; UserError if it is not there."""
    if name not in stored or len(stored[name].shape) <= axis:
        raise UserError(f"it lacks {name}")
    return stored[name].shape[axis]


def squeeze_axes(value: Stored, axes: Axes) -> Stored:
    """Remove axes of size 1 from the tensor; UserError if they are not of size 1."""
    if any(axis >= len(value.shape) or value.shape[axis] != 1 for axis in axes):
        raise UserError(f"it has {value!r} where axes {[*axes]} should be of size 1")
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    shape, stride = (tuple(each[axis] for axis in kept) for each in (value.shape, value.stride))
    return replace(value, shape=shape, stride=stride)


def table(width: Mapping[int, int]) -> tuple[int, int]:
    """Return `channel_base` and `channel_max` of channels by resolution; UserError if there are none that give them."""
    base, limit = max(resolution * channels for resolution, channels in width.items()), max(width.values())
    if any(min(base // resolution, limit) != channels for resolution, channels in width.items()):
        raise UserError(f"its layers have {shown(dict(width))} channels by side, which is not min(base / side, most)")
    return base, limit
