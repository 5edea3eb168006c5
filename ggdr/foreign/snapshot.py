"""Snapshots of the published StyleGAN2-ADA code and its successors: a pickled dict with G, D and G_ema, or one.

Settings come from the constructor arguments in the file and from the attributes of each layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign import stylegan3
from ggdr.foreign.facts import as_json
from ggdr.foreign.published import (
    GENERATOR,
    NetworkTree,
    arguments,
    check_arguments,
    expect,
    flatten,
    integer_argument,
    mapping_layers,
    mean_beta,
    pop_group,
    read_clamp,
)
from ggdr.foreign.stand_ins import Module
from ggdr.foreign.weights import FoundNetwork, Reading, base_width, build_filled
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig

SMALLEST = "b4.fromrgb"
"""Name of the layer that takes in the smallest image, if there is one; like the skips it is never clamped."""
DECODER = r"b\d{1,5}_dec"
"""Pattern of the names of the decoder's steps."""
# Constructor arguments -> the values that can be honoured; None: read elsewhere, or of no effect on what is computed.
DISCRIMINATOR = tuple(
    "c_dim img_resolution img_channels architecture channel_base channel_max num_fp16_res conv_clamp cmap_dim"
    " block_kwargs mapping_kwargs epilogue_kwargs".split()
)
PRECISION = dict.fromkeys(("num_fp16_res", "use_fp16", "fp16_channels_last", "fused_modconv_default"))
LAYER = {"activation": ("lrelu",), "resample_filter": ([1, 3, 3, 1],), "conv_clamp": None}
SYNTHESIS = PRECISION | LAYER | dict.fromkeys(("channel_base", "channel_max"))
SYNTHESIS |= {"architecture": ("skip",), "use_noise": (True,), "kernel_size": (3,)}
EPILOGUE = {"mbstd_group_size": None, "mbstd_num_channels": None, "activation": ("lrelu",), "conv_clamp": None}
BLOCK = PRECISION | LAYER | {"freeze_layers": None}  # frozen layers compute the same


def read(snapshot: Mapping[str, Any], size: int) -> Reading:
    """Return the networks of an unpickled snapshot, and what else it states; UserError, one clause, if they are not
    ours."""
    modules = {name: snapshot[name] for name in ("G_ema", "G", "D") if snapshot.get(name) is not None}
    if strange := [name for name, module in modules.items() if not isinstance(module, Module)]:
        raise UserError(f"its {strange[0]} is no network")
    networks = {}
    if mean := next((name for name in ("G_ema", "G") if name in modules), None):
        networks["generator"] = generator(modules[mean], mean, size)
    if mean == "G_ema" and "G" in modules:
        networks["generator_live"] = generator(modules["G"], "G", size)
    if not modules:
        raise UserError("its G, D and G_ema are all empty")
    notes = ["it has no G_ema: `generator` is G, as the optimizer left it"] if mean == "G" else []
    if "D" in modules:
        try:
            networks["discriminator"] = discriminator(modules["D"], "D", size)
        except UserError as error:
            if not networks:
                raise
            notes.append(f"D is left out, it is none of ours: {error}")
    facts = {"training_set_kwargs": as_json(snapshot.get("training_set_kwargs"))}
    later = any(isinstance(each.network.config, StyleGAN3GeneratorConfig) for each in networks.values())
    return Reading(
        "StyleGAN3" if later else "StyleGAN2-ADA", networks, facts | augmentation(snapshot.get("augment_pipe")), notes
    )


def read_one(module: Module, size: int) -> Reading:
    """Convert a network that is pickled alone, as inversion programs save the generator that they tuned."""
    if module.class_name == "Discriminator":
        return read({"D": module}, size)
    found = read({"G": module}, size)
    note = "it holds one generator, and does not say whether it is a running mean"
    networks = {name: each._replace(origin="the file itself") for name, each in found.networks.items()}
    return found._replace(networks=networks, notes=[note])


def augmentation(pipe: Any) -> dict[str, Any]:
    """Return what the file states of the augmentation it was trained with."""
    if not isinstance(pipe, Module):
        return {"augment_pipe": None}
    said = {
        "class_name": pipe.class_name,
        "arguments": pipe.section("_init_kwargs"),
        "p": pipe.section("_buffers").get("p"),
    }
    return {"augment_pipe": as_json(said)}


def image_spec(given: Mapping[str, Any], tree: NetworkTree, block: str, base: int) -> ImageSpec:
    """Return the spec of a network; `block`: prefix of its blocks' names. `base`: width at 4 px height."""
    resolution = integer_argument(given, "img_resolution")
    if resolution < 8 or resolution & (resolution - 1) or f"{block}{resolution}" not in tree.modules:
        raise UserError(f"its img_resolution is {resolution}, but it has no blocks for that")
    return ImageSpec(
        resolution, resolution * base // 4, integer_argument(given, "img_channels"), integer_argument(given, "c_dim")
    )


def generator(module: Module, origin: str, size: int) -> FoundNetwork:
    """Convert a published generator; `size`: bytes of the file."""
    tree = flatten(module)
    expect(origin, "class", module.class_name, ("Generator",))
    if tree.paths_of("SynthesisInput"):
        return stylegan3.generator(module, origin, tree, size)
    given = arguments(module, GENERATOR)
    facts = as_json(given)
    mapping, synthesis = pop_group(given, "mapping_kwargs"), pop_group(given, "synthesis_kwargs")
    base = base_width(tree.stored, "synthesis.b4.const")
    expect(origin, "square", given.pop("square", base == 4), (base == 4,))  # StyleGAN-Human's images are half as wide
    # later code takes what is for the synthesis without a group
    synthesis |= {name: given.pop(name) for name in list(given) if name not in GENERATOR}
    check_arguments(f"{origin}.synthesis", synthesis, SYNTHESIS)
    w_dim = integer_argument(given, "w_dim")
    config = StyleGAN2GeneratorConfig(
        z_dim=integer_argument(given, "z_dim"),
        w_dim=w_dim,
        mapping_layers=mapping_layers(origin, tree, mapping, w_dim),
        channel_base=integer_argument(synthesis, "channel_base", 32768),
        channel_max=integer_argument(synthesis, "channel_max", 512),
        smallest=base,
        w_avg_beta=mean_beta(tree, StyleGAN2GeneratorConfig.w_avg_beta),
        clamp=read_clamp(tree.attribute("conv_clamp", tree.paths_of("SynthesisLayer", "ToRGBLayer"))),
    )
    network = build_filled(partial(config.build, image_spec(given, tree, "synthesis.b", base)), tree.stored, size)
    return FoundNetwork(network, origin, module.class_name, facts)


def discriminator(module: Module, origin: str, size: int) -> FoundNetwork:
    """Convert a published discriminator, with its decoder if it has one; `size`: bytes of the file."""
    tree, given = flatten(module), arguments(module, DISCRIMINATOR)
    expect(origin, "class", module.class_name, ("Discriminator",))
    facts = as_json(given)
    mapping = pop_group(given, "mapping_kwargs")
    check_arguments(f"{origin}'s epilogue", pop_group(given, "epilogue_kwargs"), EPILOGUE)
    check_arguments(f"{origin}'s blocks", pop_group(given, "block_kwargs"), BLOCK)
    total, limit = integer_argument(given, "channel_base", 32768), integer_argument(given, "channel_max", 512)
    width = min(total // 4, limit)
    base = base_width(tree.stored, "b4.fc.weight", width)
    expect(origin, "square", given.pop("square", base == 4), (base == 4,))
    known = {"cmap_dim": (None, 0, width) if given.get("c_dim") else None}  # of no effect without labels
    check_arguments(origin, given, dict.fromkeys((*DISCRIMINATOR, "decoder_res")) | known)
    compared, planes = minibatch(tree)
    drawing = [path for path in tree.modules if re.fullmatch(DECODER, path)]
    apart = [path for path in tree.paths_of("Conv2dLayer") if path.endswith("skip") or path == SMALLEST]
    expect(origin, "conv_clamp", tree.attribute("conv_clamp", apart), (None,))
    judging = [path for path in tree.paths_of("Conv2dLayer") if path not in (*drawing, *apart)]
    encoder = StyleGAN2DiscriminatorConfig(
        architecture=tree.attribute("architecture", tree.paths_of("DiscriminatorBlock", "DiscriminatorEpilogue")),
        channel_base=total,
        channel_max=limit,
        smallest=base,
        mbstd_group=compared,
        mbstd_channels=planes,
        mapping_layers=mapping_layers(origin, tree, mapping, width),
        clamp=read_clamp(tree.attribute("conv_clamp", judging)),
    )
    expect(origin, "architecture", encoder.architecture, ("resnet", "orig", "skip"))
    spec = image_spec(given, tree, "b", base)
    if not drawing:
        return FoundNetwork(
            build_filled(partial(encoder.build, spec), tree.stored, size), origin, module.class_name, facts
        )
    config, targets = decoder(encoder, tree, drawing)
    stored = {decoder_name(name): tensor for name, tensor in tree.stored.items()}
    return FoundNetwork(
        build_filled(partial(config.build, spec, ExtraOutputs(targets)), stored, size), origin, module.class_name, facts
    )


def minibatch(tree: NetworkTree) -> tuple[int | None, int]:
    """Return the group size (None: all) and the channels of the minibatch standard deviation."""
    layers = tree.paths_of("MinibatchStdLayer")
    if not layers:
        return StyleGAN2DiscriminatorConfig.mbstd_group, 0
    compared, planes = tree.attribute("group_size", layers), tree.attribute("num_channels", layers)
    if not (compared is None or type(compared) is int and compared > 0) or type(planes) is not int:
        raise UserError(f"its minibatch layer has group_size={shown(compared)}, num_channels={shown(planes)}")
    return compared, planes


def decoder(
    encoder: StyleGAN2DiscriminatorConfig, tree: NetworkTree, drawing: list[str]
) -> tuple[UNetDiscriminatorConfig, dict[int, int]]:
    """Return the decoder's settings and target channels: only its last step was trained to predict the generator's
    maps."""
    expect("decoder", "conv_clamp", tree.attribute("conv_clamp", drawing), (None,))
    activation = tree.attribute("activation", drawing)
    expect("decoder", "activation", activation, ("linear", "lrelu"))
    weights = {int(path[1:-4]): tree.stored.get(f"{path}.weight") for path in drawing}
    shapes = {
        resolution: weight.shape
        for resolution, weight in weights.items()
        if weight is not None and len(weight.shape) == 4
    }
    kernels = {shape[2] for shape in shapes.values()}
    if shapes.keys() != weights.keys() or len(kernels) != 1 or not kernels <= {1, 3}:
        raise UserError(f"its decoder has weights of the shapes {shown(shapes)}; they can be 1 or 3 px wide, all alike")
    last = max(shapes)
    return UNetDiscriminatorConfig(encoder=encoder, kernel=1 if kernels == {1} else 3, activation=activation), {
        last: shapes[last][0]
    }


def decoder_name(name: str) -> str:
    """Return the name in our U-Net of a weight of a published discriminator."""
    path, _, leaf = name.partition(".")
    return f"decoder.{path.removesuffix('_dec')}.{leaf}" if re.fullmatch(DECODER, path) else f"encoder.{name}"
