"""Checkpoints as other programs write them, made of networks of ours."""

from __future__ import annotations

import pickle
import re
import sys
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ggdr.foreign.reading import read
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.module import Network
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig

BUFFERS = ("noise_const", "w_avg", "resample_filter")
FILTER = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64


class EasyDict(dict):
    """The published code's dict; pickled under its own name while `written` lasts."""


class Layer:
    """A layer as the published code pickles it: a call of a function of its own, with a record of the layer."""

    def __init__(self, class_name: str, **state: Any):
        self.class_name = class_name
        held = {"_parameters": {}, "_buffers": {}, "_modules": {}, "_non_persistent_buffers_set": set()}
        self.state = {"training": False, **held, "_forward_hooks": OrderedDict(), "_init_args": (), **state}
        self.state.setdefault("_init_kwargs", {})

    def __reduce__(self):
        meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": self.class_name}
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, ({**meta, "state": self.state},)

    def at(self, path: str) -> Layer:
        """A layer within, by its dotted name."""
        layer = self
        for name in path.split("."):
            layer = layer.state["_modules"][name]
        return layer


@contextmanager
def published_modules():
    """The modules whose names are in the published pickles, for as long as one is written."""
    torch_utils, persistence = ModuleType("torch_utils"), ModuleType("torch_utils.persistence")
    dnnlib, util = ModuleType("dnnlib"), ModuleType("dnnlib.util")

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("the published code was called")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj
    util.EasyDict, EasyDict.__module__ = EasyDict, "dnnlib.util"
    made = {module.__name__: module for module in (torch_utils, persistence, dnnlib, util)}
    sys.modules.update(made)
    try:
        yield
    finally:
        EasyDict.__module__ = __name__
        for name in made:
            del sys.modules[name]


def write(path: Path, content: Any, protocol: int = 4) -> Path:
    """Pickle it as the published code does."""
    with published_modules():
        path.write_bytes(pickle.dumps(content, protocol))
    return path


def save(path: Path, content: Any) -> Path:
    """Save it as programs do that hand such networks to torch.save."""
    with published_modules():
        torch.save(content, path)
    return path


def activation(leaf: str) -> dict[str, Any]:
    """What a layer says of its activation."""
    linear = leaf in ("skip", "affine", "embed", "out")
    return {"activation": "linear" if linear else "lrelu", "weight_gain": np.float64(0.25)}


def published_generator(network: Network, flat: bool = False) -> Layer:
    """A generator of ours as a published one; `flat`: with the arguments that the StyleGAN3 code hands on."""
    config, spec = network.config, network.spec
    synthesis = {"channel_base": config.channel_base, "channel_max": config.channel_max}
    clamp = config.clamp
    synthesis |= {"num_fp16_res": 4, "conv_clamp": clamp} if clamp else {}
    mapping = {"num_layers": config.mapping_layers}
    args = (config.z_dim, spec.labels, config.w_dim, spec.height, spec.channels)
    kwargs: dict[str, Any] = EasyDict(mapping_kwargs=EasyDict(mapping), synthesis_kwargs=EasyDict(synthesis))
    if flat:
        names = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
        fused = {"fused_modconv_default": "inference_only"}
        kwargs, args = {**dict(zip(names, args, strict=True)), "mapping_kwargs": mapping, **synthesis, **fused}, ()
    if spec.width != spec.height:  # as StyleGAN-Human says it
        kwargs["square"] = False
    root = Layer("Generator", _init_args=args, _init_kwargs=kwargs)

    def made(path: str) -> Layer:
        leaf = path.rpartition(".")[2]
        if leaf in ("synthesis", "mapping"):
            said = {"w_avg_beta": config.w_avg_beta} if leaf == "mapping" else {}
            return Layer({"synthesis": "SynthesisNetwork", "mapping": "MappingNetwork"}[leaf], **said)
        if re.fullmatch(r"b\d+", leaf):
            return Layer("SynthesisBlock", architecture="skip")
        if leaf in ("conv0", "conv1"):
            return Layer("SynthesisLayer", use_noise=True, conv_clamp=clamp, **activation(leaf))
        if leaf == "torgb":
            return Layer("ToRGBLayer", conv_clamp=clamp)
        lr = 0.01 if leaf.startswith("fc") else 1
        return Layer("FullyConnectedLayer", bias_gain=lr, **activation(leaf))

    return planted(root, network.state_dict(), made)


def published_discriminator(network: Network) -> Layer:
    """A discriminator of ours, with or without a decoder, as a published one."""
    encoder = network.encoder if network.config.name == "unet" else network
    config, spec = encoder.config, encoder.spec
    kwargs = {
        "architecture": config.architecture,
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
        "conv_clamp": config.clamp,
        "block_kwargs": {"freeze_layers": 0},
        "mapping_kwargs": {"num_layers": config.mapping_layers},
        "epilogue_kwargs": {"mbstd_group_size": config.mbstd_group, "mbstd_num_channels": config.mbstd_channels},
    }
    if network.extra.target_channels:
        kwargs["decoder_res"] = max(network.extra.target_channels)
    if spec.width != spec.height:
        kwargs["square"] = False
    root = Layer("Discriminator", _init_args=(spec.labels, spec.height, spec.channels), _init_kwargs=kwargs)

    def made(path: str) -> Layer:
        leaf = path.rpartition(".")[2]
        if leaf == "mapping":
            return Layer("MappingNetwork", w_avg_beta=None)
        if re.fullmatch(r"b\d+", leaf):
            kind = "DiscriminatorEpilogue" if leaf == "b4" else "DiscriminatorBlock"
            return Layer(kind, architecture=config.architecture)
        if leaf.endswith("_dec"):
            return Layer("Conv2dLayer", activation=network.config.activation, conv_clamp=None)
        if leaf.startswith("fc") or leaf in ("embed", "out"):
            lr = 0.01 if leaf[2:].isdigit() else 1
            return Layer("FullyConnectedLayer", bias_gain=lr, **activation(leaf))
        clamp = None if leaf == "skip" or path == "b4.fromrgb" else config.clamp
        return Layer("Conv2dLayer", conv_clamp=clamp, **activation(leaf))

    state = {name.removeprefix("encoder."): value for name, value in network.state_dict().items()}
    state = {re.sub(r"^decoder\.(b\d+)", r"\1_dec", name): value for name, value in state.items()}
    planted(root, state, made)
    if config.mbstd_channels:
        said = {"group_size": config.mbstd_group, "num_channels": config.mbstd_channels}
        root.at("b4").state["_modules"]["mbstd"] = Layer("MinibatchStdLayer", **said)
    return root


def planted(root: Layer, state: dict[str, Tensor], made) -> Layer:
    """The tree of layers whose weights these are, each with the filter that the published ones carry."""
    for name, value in state.items():
        layer, path = root, ""
        *parents, leaf = name.split(".")
        for parent in parents:
            path = f"{path}.{parent}".lstrip(".")
            inner = layer.state["_modules"]
            inner.setdefault(parent, None)
            inner[parent] = layer = inner[parent] or made(path)
            if layer.class_name in ("SynthesisBlock", "SynthesisLayer", "Conv2dLayer", "DiscriminatorBlock"):
                layer.state["_buffers"].setdefault("resample_filter", FILTER.clone())
        kind = "_buffers" if leaf in BUFFERS else "_parameters"
        layer.state[kind][leaf] = value.clone() if kind == "_buffers" else torch.nn.Parameter(value.clone())
    return root


TINY = StyleGAN2GeneratorConfig.tiny()


RESNET = StyleGAN2DiscriminatorConfig.tiny()


def built(config, spec=ImageSpec(16, 16), *extra):  # noqa: B008 a tuple
    """A network with nothing at zero, so that each weight shows in what it gives."""
    torch.manual_seed(0)
    network = config.build(spec, *extra).eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith(("noise_strength", "w_avg")) or name.endswith("bias") and "affine" not in name:
                tensor.normal_()
    return network


def labels(spec, count=4):
    return torch.eye(spec.labels)[torch.arange(count) % spec.labels] if spec.labels else None


@torch.no_grad()
def pictures(generator):
    z = torch.randn(4, generator.z_dim, generator=torch.Generator().manual_seed(1))
    return generator(z, labels(generator.spec), psi=0.7, noise="const").image


@torch.no_grad()
def verdict(discriminator):
    spec = discriminator.spec
    images = torch.randn(4, spec.channels, spec.height, spec.width, generator=torch.Generator().manual_seed(1))
    found = discriminator(images, labels(spec), resolutions=tuple(discriminator.extra.target_channels))
    return torch.cat([found.logits, *(drawn.flatten() for drawn in found.features.values())])


def said(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(ValueError) as raised:
        read(path)
    text = str(raised.value)
    assert str(path) in text and "\n" not in text and text.endswith(".")
    return text
