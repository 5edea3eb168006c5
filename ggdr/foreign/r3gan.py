"""R3GAN's networks, which its published program pickles whole; their settings come from their weights' shapes.

Names and shapes are those of the published networks; what classes hold the weights is of no importance here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ggdr.errors import UserError
from ggdr.foreign.facts import as_json
from ggdr.foreign.published import collect
from ggdr.foreign.stand_ins import Module
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import BINOMIAL, FoundNetwork, Reading, build_filled
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig

PLACE = re.compile(r"MainLayers\.(\d{1,2})\.Layers\.(\d{1,3})\.(.+)")
BLOCK = {
    "LinearLayer1.Layer.weight": "conv0.weight",
    "NonLinearity1.Bias": "conv0.bias",
    "LinearLayer2.Layer.weight": "conv1.weight",
    "NonLinearity2.Bias": "conv1.bias",
    "LinearLayer3.Layer.weight": "conv2.weight",
}
"""Weights of a residual block by their published names."""
OUTSIDE = {
    "EmbeddingLayer.weight": "embed.weight",
    "ExtractionLayer.Layer.weight": "fromimage.weight",
    "AggregationLayer.Layer.weight": "toimage.weight",
}
"""Weights outside of the stages by their published names."""
CHANGES, KERNEL = "LinearLayer.Layer.weight", "Resampler.Kernel"
"""What a change of resolution may hold: a convolution, and the low-pass filter that ours has built in."""


@dataclass(frozen=True)
class Side:
    """How the two networks differ."""

    name: str
    ends: Mapping[str, str]
    """Weights of the stage of the smallest maps by their published names."""
    change: str
    """Prefix of our names of what changes the resolution."""
    first_block: int
    """Place of a stage's first block."""


GENERATOR = Side("generator", {"Basis": "basis", "LinearLayer.weight": "enter.weight"}, "up", 1)
DISCRIMINATOR = Side("discriminator", {"Basis.weight": "gather.weight", "LinearLayer.weight": "out.weight"}, "down", 0)


def fits(content: Any) -> bool:
    """Whether a snapshot's network, or a network alone, has the layers of R3GAN's."""
    networks = content.values() if isinstance(content, dict) else [content]
    return any(
        isinstance(each, Module) and any(PLACE.search(name) for name in collect(each).stored) for each in networks
    )


def read(content: Any, size: int) -> Reading:
    """Return the networks of a snapshot, or the one that is pickled alone; `size`: bytes of the file.

    UserError, one clause whose subject is the file, if they are not R3GAN's.
    """
    alone = isinstance(content, Module)
    content = {"G_ema": content} if alone else content
    names = [name for name in ("G_ema", "G", "D") if content.get(name) is not None]
    if strange := [name for name in names if not isinstance(content[name], Module)]:
        raise UserError(f"its {strange[0]} is no network")
    networks: dict[str, FoundNetwork] = {}
    for name in names:
        origin = "the file itself" if alone else name
        found = network(content[name], origin, size)
        judges = isinstance(found.network.config, R3GANDiscriminatorConfig)
        place = "discriminator" if judges else "generator_live" if "generator" in networks else "generator"
        networks[place] = found
    notes = ["it has no G_ema: `generator` is G, as the optimizer left it"] if names[:1] == ["G"] else []
    if alone:
        notes = ["it holds one network, and does not say whether it is a running mean"]
    facts = {} if alone else {"training_set_kwargs": as_json(content.get("training_set_kwargs"))}
    return Reading("R3GAN", networks, facts, notes)


def network(module: Module, origin: str, size: int) -> FoundNetwork:
    """Convert one network; `size`: bytes of the file."""
    stored = without_wrapper(collect(module).stored)
    side = GENERATOR if "MainLayers.0.Layers.0.Basis" in stored else DISCRIMINATOR
    places = {name: found for name in stored if (found := PLACE.fullmatch(name))}
    stages = 1 + max((int(found[1]) for found in places.values()), default=0)
    resolutions = [4 * 2**level for level in range(stages)]
    shapes = Shapes(stored, resolutions if side is GENERATOR else resolutions[::-1])
    ours = {}
    for name, tensor in stored.items():
        if name.endswith(f".{KERNEL}"):
            check_kernel(name, tensor)
        elif name in OUTSIDE:
            ours[OUTSIDE[name]] = tensor
        elif found := places.get(name):
            ours[our_name(found, shapes.resolutions[int(found[1])], side)] = tensor
        else:
            raise UserError(f"it has {name!r}, for which an R3GAN network has no place")
    make = shapes.generator() if side is GENERATOR else shapes.discriminator()
    return FoundNetwork(build_filled(make, ours, size), origin, module.class_name)


def without_wrapper(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return weights by their names in the network itself, without the name under which a wrapper holds it."""
    heads = {name[: found.start()] for name in stored if (found := PLACE.search(name))}
    if len(heads) != 1:
        raise UserError("it has no layers of an R3GAN network, or those of several in one")
    (head,) = heads
    if strange := [name for name in stored if not name.startswith(head)]:
        raise UserError(f"it has {strange[0]!r} beside an R3GAN network")
    return {name.removeprefix(head): tensor for name, tensor in stored.items()}


def our_name(found: re.Match[str], resolution: int, side: Side) -> str:
    """Return our name of a weight in a stage; UserError if there is none."""
    place, rest = int(found[2]), found[3]
    if rest in BLOCK and place >= side.first_block:
        return f"b{resolution}.{place - side.first_block}.{BLOCK[rest]}"
    if rest == CHANGES:
        return f"{side.change}{resolution}.conv.weight"
    if rest in side.ends:
        return side.ends[rest]
    raise UserError(f"it has {found[0]!r}, for which an R3GAN {side.name} has no place")


def check_kernel(name: str, stored: Stored) -> None:
    """Raise UserError if a low-pass filter is not the binomial one."""
    right = torch.outer(BINOMIAL, BINOMIAL) / 64
    if stored.shape != right.shape or not torch.allclose(stored.tensor(), right, rtol=1e-3, atol=0):
        raise UserError(f"its filter {name} is not [1, 3, 3, 1], which is the only one here")


@dataclass(frozen=True)
class Shapes:
    """What the shapes of a network's weights say of its settings."""

    stored: Mapping[str, Stored]
    resolutions: list[int]
    """Height of the maps of each stage in the order in which the file has them."""

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of a weight; UserError if it is missing, or has another number of axes."""
        if name not in self.stored or len(self.stored[name].shape) != axes:
            raise UserError(f"its {name} is missing, or no weight of {axes} axes")
        return self.stored[name].shape

    def stages(self, first_block: int) -> dict[str, Any]:
        """Return the settings that both networks have."""
        widths, blocks, inside, groups = {}, {}, set(), set()
        for stage, resolution in enumerate(self.resolutions):
            head = f"MainLayers.{stage}.Layers."
            outer, width, *_ = self.shape(f"{head}{first_block}.LinearLayer1.Layer.weight", 4)
            widths[resolution] = width
            blocks[resolution] = sum(
                name.startswith(head) and name.endswith(".NonLinearity1.Bias") for name in self.stored
            )
            inside.add(outer // max(width, 1))
            groups.add(self.shape(f"{head}{first_block}.LinearLayer2.Layer.weight", 4)[1])
        order = sorted(self.resolutions)
        if len(inside) != 1:
            raise UserError(f"its blocks are {sorted(inside)} times as wide inside; here all are alike")
        return {
            "widths": tuple(widths[r] for r in order),
            "blocks": tuple(blocks[r] for r in order),
            "expansion": inside.pop(),
            "group_size": max(groups),
        }

    def labels(self) -> tuple[int, int]:
        """Return the width of the labels' embedding and the number of labels, (0, 0) without one."""
        if "EmbeddingLayer.weight" not in self.stored:
            return 0, 0
        embedded, labels = self.shape("EmbeddingLayer.weight", 2)
        return embedded, labels

    def spec(self, channels: int) -> ImageSpec:
        """Return the images that the network is for."""
        return ImageSpec(max(self.resolutions), max(self.resolutions), channels, self.labels()[1])

    def generator(self) -> Callable[[], Network]:
        """Return what builds a generator of these shapes."""
        embedded, _ = self.labels()
        entered = self.shape("MainLayers.0.Layers.0.LinearLayer.weight", 2)[1]
        channels = self.shape("AggregationLayer.Layer.weight", 4)[0]
        config = R3GANGeneratorConfig(z_dim=entered - embedded, label_dim=embedded or 64, **self.stages(1))
        return partial(config.build, self.spec(channels))

    def discriminator(self) -> Callable[[], Network]:
        """Return what builds a discriminator of these shapes."""
        embedded, _ = self.labels()
        channels = self.shape("ExtractionLayer.Layer.weight", 4)[1]
        config = R3GANDiscriminatorConfig(label_dim=embedded or None, **self.stages(0))
        return partial(config.build, self.spec(channels))
