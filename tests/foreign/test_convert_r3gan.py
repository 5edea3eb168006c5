"""R3GAN's snapshots, whose networks are pickled whole: read as data, whatever classes hold the published weights.

The pickles are written here, by classes of our making under the names of the published modules, with the published
program's own weights; those that its authors share were not at hand.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import contextmanager
from types import ModuleType

import pytest
import torch
from foreign_files import said
from places import OWN_GOLDEN
from safetensors.torch import load_file
from torch import nn

from ggdr.foreign.reading import read
from ggdr.networks.base.module import Generator
from ggdr.verbs.convert import main

FOUND = load_file(OWN_GOLDEN / "2026" / "r3gan.safetensors")
NAMES = {"R3GAN.Networks": ("Network", "Block"), "training.networks": ("Generator", "Discriminator")}


@contextmanager
def published_modules():
    """Modules of the published names, each with classes of its own, for as long as a pickle is written."""
    made = {name: ModuleType(name) for name in ("R3GAN", "training", *NAMES)}
    for module, classes in NAMES.items():
        for name in classes:
            setattr(made[module], name, type(name, (nn.Module,), {"__module__": module}))
    sys.modules.update(made)
    try:
        yield {name: kind for module in made.values() for name, kind in vars(module).items() if name[0] != "_"}
    finally:
        for name in made:
            del sys.modules[name]


def below(prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in FOUND.items() if name.startswith(prefix)}


def planted(weights: dict[str, torch.Tensor], classes, wrapper: str) -> nn.Module:
    """A network of these weights, in modules that are pickled whole; within a wrapper, if one is named."""
    root = classes["Network"]()
    root.dtype, root.names = torch.bfloat16, {"a set"}
    for name, value in weights.items():
        *path, leaf = name.split(".")
        module = root
        for step, inner in zip(path, [*path[1:], leaf], strict=False):
            if step not in module._modules:
                module.add_module(step, nn.ModuleList() if inner.isdigit() else classes["Block"]())
            module = module._modules[step]
        if leaf == "Kernel":
            module.register_buffer(leaf, value)
        else:
            module.register_parameter(leaf, nn.Parameter(value))
    if not wrapper:
        return root
    outer = classes[wrapper]()
    outer.Model = root
    return outer


@pytest.fixture(params=["", "wrapped"])
def snapshot(request, tmp_path):
    """Kind of networks -> path of a snapshot of them."""

    def write(kind: str, drop: str = "", alone: bool = False, **changed: torch.Tensor):
        with published_modules() as classes:
            wrapper = {"G": "Generator", "D": "Discriminator"} if request.param else {}
            weights = {side: below(f"{kind}/{side}/") for side in "GD"}
            weights["G"] = {name: value for name, value in weights["G"].items() if name != drop} | changed
            networks = {side: planted(weights[side], classes, wrapper.get(side, "")) for side in "GD"}
            content = {"G": None, "D": networks["D"], "G_ema": networks["G"], "training_set_kwargs": {"path": "x"}}
            (tmp_path / "r3gan.pkl").write_bytes(pickle.dumps(networks["G"] if alone else content, 4))
        return tmp_path / "r3gan.pkl"

    return write


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


@torch.no_grad()
@pytest.mark.parametrize("kind", ["plain", "classes"])
def test_images_and_logits_are_those_of_the_published_program(kind, snapshot, tmp_path):
    found = below(f"{kind}/")
    path = snapshot(kind)
    assert "R3GAN" not in sys.modules
    reading = read(path)
    assert reading.kind == "R3GAN" and {*reading.networks} == {"generator", "discriminator"} and not reading.notes
    generator, discriminator = (reading.networks[name].network for name in ("generator", "discriminator"))
    close(generator(found["z"], found.get("c")).image, found["fakes"])
    close(discriminator(found["reals"], found.get("c")).logits, found["logits"])
    assert generator.config.blocks == (2, 1, 1) and generator.config.widths == (32, 16, 16)
    assert main([str(path), str(tmp_path / "out")]) == 0
    close(Generator.from_pretrained(tmp_path / "out")(found["z"], found.get("c")).image, found["fakes"])


def test_a_generator_that_is_pickled_alone_is_read_too(snapshot):
    reading = read(snapshot("plain", alone=True))
    assert [*reading.networks] == ["generator"] and "does not say whether it is a running mean" in reading.notes[0]


@pytest.mark.parametrize(
    ("drop", "changed", "words"),
    [
        ("MainLayers.1.Layers.1.NonLinearity2.Bias", {}, "it lacks b8.0.conv1.bias"),
        ("", {"Extra": torch.ones(2)}, "Extra"),
        ("", {"MainLayers.1.Layers.0.Resampler.Kernel": torch.ones(4, 4)}, "is not [1, 3, 3, 1]"),
        ("", {"MainLayers.1.Layers.1.LinearLayer9.Layer.weight": torch.ones(4)}, "has no place"),
        ("AggregationLayer.Layer.weight", {}, "its AggregationLayer.Layer.weight is missing"),
        ("", {"MainLayers.2.Layers.1.LinearLayer1.Layer.weight": torch.ones(64, 16, 1, 1)}, "times as wide inside"),
    ],
)
def test_a_network_that_is_not_quite_r3gans_is_refused_by_what_differs(drop, changed, words, snapshot):
    assert words in said(snapshot("plain", drop, **changed))


def test_layers_of_others_are_no_network_of_r3gan(tmp_path):
    with published_modules() as classes:
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({"G_ema": classes["Network"]()}, 2))
    assert "a layer of the class 'Network': only StyleGAN2, StyleGAN3 and R3GAN can" in said(tmp_path / "x.pkl")
