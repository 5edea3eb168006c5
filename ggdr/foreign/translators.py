"""State dicts of the published CycleGAN and pix2pix: generators (residual or U-Net) and patch discriminators.

Names and shapes of weights say the settings: the order of layers is ours, so that they go by it. Normalization that
keeps no weights may still hold running statistics, which old files of these programs do and which nothing reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import FoundNetwork, Reading, build_filled
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.ops.shapes import shapes_only

PREFIX = "module."
"""Beginning of all names where the network was saved inside of torch's DataParallel."""
RESIDUAL = re.compile(r"model\.(\d{1,3})\.conv_block\.\d{1,2}\.weight")
NESTED = re.compile(r"model(\.model\.\d)+\.weight")
PATCH = re.compile(r"model\.\d{1,2}\.weight")
SIDE = 256
"""Height and width of the images, pixels, where a file does not say it: those of the published models."""
UNREAD = frozenset({"num_batches_tracked", "filt"})
"""Last parts of names of what ours counts or has built in."""
INFERRED = ("channels", "blocks", "halvings", "norm", "antialias")
"""Settings that are read off the weights, as far as a network has them."""
MOST_BLOCKS, MOST_HALVINGS = 100, 12


def is_one(content: Mapping[Any, Any]) -> bool:
    """Whether a file's content is the state dict of such a network, by its names."""
    names = [name.removeprefix(PREFIX) for name in content if type(name) is str]
    if len(names) != len(content) or not all(isinstance(value, Stored) for value in content.values()):
        return False
    return any(RESIDUAL.fullmatch(name) or NESTED.fullmatch(name) for name in names) or (
        "model.0.weight" in names and all(name.startswith("model.") for name in names)
    )


def read(content: Mapping[str, Stored], size: int) -> Reading:
    """Return the network of such a file; UserError, one clause, if it is none of ours. `size`: bytes of the file."""
    stored = {name.removeprefix(PREFIX): value for name, value in content.items()}
    notes = []
    if any(RESIDUAL.fullmatch(name) for name in stored):
        role, network = "generator", residual(stored, size)
    elif any(NESTED.fullmatch(name) for name in stored):
        role, network = "generator", nested(stored, size)
    else:
        role, network = "discriminator", patches(stored, size)
    spec = network.spec
    if not isinstance(network.config, UNetTranslatorConfig):
        notes.append(f"the file does not say how large its images are: taken to be {spec.height} x {spec.width} px")
    settings = {name: value for name, value in vars(network.config).items() if name in INFERRED}
    notes.append(
        f"inferred for {network.config.name!r}: {', '.join(f'{name} {value}' for name, value in settings.items())}"
    )
    return Reading("translator", {role: FoundNetwork(network, "the file", network.config.name)}, {}, notes)


def residual(stored: Mapping[str, Stored], size: int) -> Network:
    """Convert CycleGAN's generator, whose layers are numbered in one sequence."""
    blocks = sorted({int(found[1]) for name in stored if (found := RESIDUAL.fullmatch(name))})
    convs = sorted(
        {
            int(found[1])
            for name in stored
            if (found := re.fullmatch(r"model\.(\d{1,3})\.weight", name)) and len(stored[name].shape) == 4
        }
    )
    first, last = (stored.get(f"model.{convs[end]}.weight") if convs else None for end in (0, -1))
    halvings = sum(place < blocks[0] for place in convs) - 1
    if first is None or last is None or not 0 <= halvings <= MOST_HALVINGS or len(blocks) > MOST_BLOCKS:
        raise UserError("its layers are not those of CycleGAN's generator")
    config = ResnetTranslatorConfig(
        channels=first.shape[0],
        blocks=len(blocks),
        halvings=halvings,
        norm=norm_of(stored),
        antialias=any(name.endswith(".filt") for name in stored),
    )
    doublings = sum(place > blocks[-1] for place in convs) - 1
    spec = ImageSpec(SIDE << max(doublings - halvings, 0), SIDE << max(doublings - halvings, 0), last.shape[0])
    return filled(config.build, (spec, ImageSpec(SIDE, SIDE, first.shape[1])), stored, size)


def nested(stored: Mapping[str, Stored], size: int) -> Network:
    """Convert pix2pix's generator, each of whose blocks holds the next."""
    first, last = stored.get("model.model.0.weight"), stored.get("model.model.3.weight")
    depth = max(name.count(".model") for name in stored)
    if first is None or last is None or len(first.shape) != 4 or len(last.shape) != 4 or depth > MOST_HALVINGS:
        raise UserError("its layers are not those of pix2pix's generator")
    config = UNetTranslatorConfig(channels=first.shape[0], halvings=depth, norm=norm_of(stored))
    side = 1 << depth  # down to a single pixel, as all published ones
    return filled(
        config.build, (ImageSpec(side, side, last.shape[1]), ImageSpec(side, side, first.shape[1])), stored, size
    )


def patches(stored: Mapping[str, Stored], size: int) -> Network:
    """Convert the discriminator of patches."""
    convs = [name for name in stored if PATCH.fullmatch(name) and len(stored[name].shape) == 4]
    first = stored["model.0.weight"]
    if len(convs) < 4 or first.shape[2:] != (4, 4):
        raise UserError("its layers are not those of a discriminator of patches")
    config = PatchDiscriminatorConfig(
        channels=first.shape[0],
        halvings=len(convs) - 2,
        norm=norm_of(stored) if "model.3.weight" in stored or "model.2.bias" in stored else "none",
        antialias=any(name.endswith(".filt") for name in stored),
    )
    return filled(config.build, (ImageSpec(SIDE, SIDE, first.shape[1]),), stored, size)


def norm_of(stored: Mapping[str, Stored]) -> Any:
    """Return what is normalized: the batch where normalization has weights, else each image by itself."""
    return (
        "batch"
        if any(name.endswith(".weight") and len(value.shape) == 1 for name, value in stored.items())
        else "instance"
    )


def filled(build: Any, specs: tuple[ImageSpec, ...], stored: Mapping[str, Stored], size: int) -> Network:
    """Return the network of settings with these weights, which go by the order of layers."""
    with shapes_only():
        wanted = build(*specs).state_dict()
    return build_filled(partial(build, *specs), renamed(stored, wanted), size)


def renamed(given: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Return what is given by the names of a sequential network of the same layers, under the names wanted.

    Running statistics and filters that the other has no place for are left out; UserError if layers are not as many.
    """
    ours = by_layer(wanted)
    kept = {leaf for leaves in ours.values() for leaf in leaves} - UNREAD
    theirs = {
        layer: [leaf for leaf in leaves if leaf in kept]
        for layer, leaves in sorted(by_layer(given).items(), key=lambda item: natural(item[0]))
    }
    theirs = {layer: leaves for layer, leaves in theirs.items() if {"weight"} & {*leaves}}
    if len(theirs) != len(ours):
        raise UserError(f"it has {len(theirs)} layers with weights, where its settings ask for {len(ours)}")
    found: dict[str, Any] = {}
    for (layer, leaves), (own, own_leaves) in zip(theirs.items(), ours.items(), strict=True):
        found |= {f"{own}.{leaf}": given[f"{layer}.{leaf}"] for leaf in leaves if leaf in own_leaves or leaf == "bias"}
    return found


def by_layer(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the last parts of dotted names, by what precedes them."""
    found: dict[str, list[str]] = {}
    for name in names:
        layer, _, leaf = name.rpartition(".")
        found.setdefault(layer, []).append(leaf)
    return found


def natural(layer: str) -> list[tuple[int, str]]:
    """Return what sorts names with numbers in them in the order of the numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in layer.split(".")]
