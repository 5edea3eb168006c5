"""Generators of the published StyleGAN3 code, T and R (arXiv 2106.12423), as ours.

The file holds each layer's filters and sizes; they must be those that our network has for the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from reprlib import repr as shown
from typing import Any, Literal

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.foreign.facts import as_json
from ggdr.foreign.published import (
    GENERATOR,
    NetworkTree,
    arguments,
    check_arguments,
    expect,
    integer_argument,
    mapping_layers,
    mean_beta,
    pop_group,
    positive_argument,
    read_clamp,
)
from ggdr.foreign.stand_ins import Array, Module
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import FoundNetwork, build_filled
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.networks.stylegan3.generator import StyleGAN3Generator
from ggdr.networks.stylegan3.layers import StyleGAN3Layer

LAYER = r"synthesis\.L(\d{1,3})_\d{1,6}_\d{1,6}"
"""Pattern of a layer's name: its index, the resolution of its maps with margins, its channels."""
FILTERS = "up_filter", "down_filter"
PLAIN = {"freqs": "frequencies", "transform": "reads", "magnitude_ema": "magnitude"}
"""Names of tensors there -> here, where they differ."""
KINDS: Mapping[Literal["T", "R"], tuple[int, bool]] = {"T": (3, False), "R": (1, True)}
"""Width of the kernels, and whether filters are radial, by `config`."""
MOST_TAPS = 64
"""Largest number of a filter's taps, for each step of up- or downsampling."""
SEEN = 1e6
"""Images that mean squares in a file stand for: enough for their half-life alone to determine how they continue."""
# Constructor arguments -> the values that can be honoured; None: read elsewhere, or of no effect on what is computed.
SYNTHESIS = dict.fromkeys(
    "channel_base channel_max num_layers num_critical first_cutoff first_stopband last_stopband_rel margin_size"
    " output_scale num_fp16_res conv_clamp conv_kernel use_radial_filters filter_size magnitude_ema_beta".split()
)
SYNTHESIS |= {"lrelu_upsampling": (2,)}


def generator(module: Module, origin: str, tree: NetworkTree, size: int) -> FoundNetwork:
    """Convert a published generator; `tree`: the flattened network. `size`: bytes of the file."""
    given = arguments(module, GENERATOR)
    facts = as_json(given)
    mapping, synthesis = pop_group(given, "mapping_kwargs"), pop_group(given, "synthesis_kwargs")
    square = given.pop("square", True)  # StyleGAN-Human's images may be half as wide, and so are its maps with margins
    expect(origin, "square", square, (True, False))
    synthesis |= {name: given.pop(name) for name in list(given) if name not in GENERATOR}
    check_arguments(f"{origin}.synthesis", synthesis, SYNTHESIS)
    resolution = integer_argument(given, "img_resolution")
    config = settings(origin, tree, given, mapping, synthesis)
    config = config if square else replace(config, margin_width=config.margin // 2)
    names = layer_names(tree, config.layers)
    filters = {name: tree.stored.pop(name) for name in list(tree.stored) if name.rpartition(".")[2] in FILTERS}
    stored = {new_name(name, names): tensor for name, tensor in tree.stored.items()}
    stored["synthesis.input.reads"] = affine_rows(stored.get("synthesis.input.reads"))
    later = {f"{path}.images": SEEN for path in names.values()}
    spec = ImageSpec(
        resolution,
        resolution if square else resolution // 2,
        integer_argument(given, "img_channels"),
        integer_argument(given, "c_dim"),
    )
    network = build_filled(partial(config.build, spec), stored, size, later)
    assert isinstance(network, StyleGAN3Generator)
    check_layers(tree, names, filters, network, config)
    return FoundNetwork(network, origin, module.class_name, facts)


def settings(
    origin: str, tree: NetworkTree, given: Mapping[str, Any], mapping: Mapping[str, Any], synthesis: Mapping[str, Any]
) -> StyleGAN3GeneratorConfig:
    """Return the settings for the arguments in the file; UserError if ours cannot have them."""
    form = synthesis.get("conv_kernel", 3), synthesis.get("use_radial_filters", False)
    kind = next((kind for kind, wanted in KINDS.items() if form == wanted), None)
    if kind is None:
        raise UserError(
            f"its conv_kernel={shown(form[0])} with use_radial_filters={shown(form[1])} is neither"
            " StyleGAN3-T (3, False) nor StyleGAN3-R (1, True)"
        )
    ours = StyleGAN3GeneratorConfig
    w_dim, layers = integer_argument(given, "w_dim"), integer_argument(synthesis, "num_layers", ours.layers)
    return StyleGAN3GeneratorConfig(
        config=kind,
        z_dim=integer_argument(given, "z_dim"),
        w_dim=w_dim,
        mapping_layers=mapping_layers(origin, tree, mapping, w_dim, ours.mapping_layers),
        channel_base=integer_argument(synthesis, "channel_base", ours.channel_base),
        channel_max=integer_argument(synthesis, "channel_max", ours.channel_max),
        layers=min(layers, len(tree.modules)),  # no more than there could be
        critical=integer_argument(synthesis, "num_critical", ours.critical),
        first_cutoff=positive_argument(synthesis, "first_cutoff", ours.first_cutoff),
        first_stopband=positive_argument(synthesis, "first_stopband", ours.first_stopband),
        last_stopband=positive_argument(synthesis, "last_stopband_rel", ours.last_stopband),
        taps=integer_argument(synthesis, "filter_size", ours.taps, MOST_TAPS),
        margin=integer_argument(synthesis, "margin_size", ours.margin),
        output_scale=positive_argument(synthesis, "output_scale", ours.output_scale),
        w_avg_beta=mean_beta(tree, ours.w_avg_beta),
        clamp=read_clamp(tree.attribute("conv_clamp", tree.paths_of("SynthesisLayer"))),
    )


def layer_names(tree: NetworkTree, layers: int) -> dict[str, str]:
    """Return the published names of the layers -> ours; UserError if there is not one for each place."""
    places = {path: int(found[1]) for path in tree.modules if (found := re.fullmatch(LAYER, path))}
    if sorted(places.values()) != [*range(layers + 1)]:
        raise UserError(f"it has {len(places)} layers where its settings ask for {layers} and one to the image")
    return {path: f"synthesis.l{place}" if place < layers else "synthesis.toimage" for path, place in places.items()}


def new_name(name: str, names: Mapping[str, str]) -> str:
    """Return our name of a published tensor."""
    path, _, leaf = name.rpartition(".")
    for old, new in names.items():
        if path == old or path.startswith(f"{old}."):
            path = new + path[len(old) :]
            break
    return f"{path}.{PLAIN.get(leaf, leaf)}"


def affine_rows(transform: Stored | None) -> Stored:
    """Return the first two rows [2, 3] of a plane transform [3, 3]; UserError if it is none, or not affine."""
    if transform is None or transform.shape != (3, 3) or transform.tensor()[2].tolist() != [0, 0, 1]:
        raise UserError("its synthesis.input.transform is no affine transform of the plane")
    return replace(transform, shape=(2, 3))


def check_layers(
    tree: NetworkTree,
    names: Mapping[str, str],
    filters: Mapping[str, Stored],
    network: StyleGAN3Generator,
    config: StyleGAN3GeneratorConfig,
) -> None:
    """Raise UserError, naming it, if a layer does anything else than ours in its place."""
    waves, scale = network.synthesis.input, config.output_scale
    expect_near("synthesis", "output_scale", tree.modules["synthesis"].state.get("output_scale", scale), scale)
    state = tree.modules["synthesis.input"].state
    expect("synthesis.input", "size", resolutions(state.get("size")), ([*reversed(waves.size)],))
    expect_near("synthesis.input", "sampling_rate", state.get("sampling_rate"), waves.band.rate)
    expect_near("synthesis.input", "bandwidth", state.get("bandwidth"), waves.band.cutoff)
    for path, ours in names.items():
        layer, state = network.get_submodule(ours), tree.modules[path].state
        if not isinstance(layer, StyleGAN3Layer):
            expect(path, "is_torgb", state.get("is_torgb"), (True,))
            continue
        expect(path, "up_factor", state.get("up_factor"), (layer.how.up,))
        expect(path, "down_factor", state.get("down_factor"), (layer.how.down,))
        last = ours == f"synthesis.l{config.layers - 1}"  # there it leaves the margins out already
        size = [network.spec.width, network.spec.height] if last else [*reversed(layer.how.size)]
        expect(path, "out_size", resolutions(state.get("out_size")), (size,))
        wanted = torch.tensor(layer.how.down_taps) if layer.kernel is None else layer.kernel
        check_taps(f"{path}.up_filter", filters, torch.tensor(layer.how.up_taps))
        check_taps(f"{path}.down_filter", filters, wanted)


def check_taps(name: str, filters: Mapping[str, Stored], wanted: Tensor) -> None:
    """Raise UserError if a low-pass filter is not the one that ours is made with."""
    if name not in filters:
        raise UserError(f"it lacks {name}")
    if filters[name].shape != wanted.shape:
        raise UserError(f"its {name} is {[*filters[name].shape]} where its settings ask for {[*wanted.shape]}")
    if (filters[name].tensor() - wanted).abs().max() > 1e-4 * wanted.abs().max():
        raise UserError(f"its filter {name} is not the one that its settings ask for")


def expect_near(where: str, name: str, value: Any, wanted: float) -> None:
    """Raise UserError, naming it, if a number is not this one."""
    if type(value) not in (int, float) or abs(value - wanted) > 1e-6 * abs(wanted):
        expect(where, name, value, (wanted,))


def resolutions(value: Any) -> Any:
    """Return a size that a layer states, width first, as a list where it is an array."""
    return value.numbers() if isinstance(value, Array) else value
