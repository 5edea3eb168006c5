"""`ggdr convert` of CycleGAN's and pix2pix's files: settings are read off the weights, and images are the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from golden_games import FOLDER, below, close, tensors

import ggdr
from ggdr.foreign.reading import read
from ggdr.networks.base import ImageSpec
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.verbs.convert import main

CASE = json.loads((FOLDER / "translators.json").read_text())


def saved(folder: Path, name: str, changed=None) -> Path:
    """A file as the published program saves a network of the golden vectors."""
    weights = OrderedDict(below("translators", f"{name}/weights/"))
    if not weights:
        pytest.skip(f"GGDR_GOLDEN_GAMES names no folder whose translators.safetensors holds {name!r}")
    torch.save(changed(weights) if changed else weights, folder / "latest_net.pth")
    return folder / "latest_net.pth"


def in_data_parallel(weights):
    return OrderedDict((f"module.{name}", value) for name, value in weights.items())


def with_running_statistics(weights):
    """As old versions saved it: instance normalization kept statistics that nothing read."""
    old = OrderedDict(weights)
    for layer in (name.removesuffix(".weight") for name, value in weights.items() if name.endswith(".weight")):
        head, _, place = layer.rpartition(".")
        norm = f"{head}.{int(place) + 1}"
        old[f"{norm}.running_mean"] = torch.zeros(3)
        old[f"{norm}.running_var"] = torch.ones(3)
        old[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    return old


@pytest.mark.parametrize("changed", [None, in_data_parallel, with_running_statistics])
def test_cyclegans_generator_makes_the_published_images(tmp_path, capsys, changed):
    file = saved(tmp_path, "resnet", changed)
    assert main([str(file), str(tmp_path / "model")]) == 0
    said = capsys.readouterr().out
    settings = f"channels {CASE['ch']}, blocks {CASE['resnet_blocks']}, halvings 2, norm instance, antialias False"
    assert f"note: inferred for 'resnet_translator': {settings}." in said
    assert "note: the file does not say how large its images are: taken to be 256 x 256 px." in said
    net = ggdr.Translator.from_pretrained(tmp_path / "model")
    assert net.spec == net.source == ImageSpec(256, 256)
    found = below("translators", "resnet/")
    close(net(tensors("translators")["x"]).image, found["y"], 1e-5)


@pytest.mark.skipif(not (FOLDER / "latest_net_G.pth").is_file(), reason="GGDR_GOLDEN_GAMES has no latest_net_G.pth")
def test_a_published_file_is_read():
    found = read(FOLDER / "latest_net_G.pth").networks["generator"].network.train()
    assert isinstance(found.config, ResnetTranslatorConfig)
    close(found(tensors("translators")["x"]).image, below("translators", "resnet/")["y"], 1e-5)


def test_the_antialiased_generator_is_told_by_its_filters(tmp_path):
    net = read(saved(tmp_path, "resnet_antialiased")).networks["generator"].network
    assert net.config.antialias
    close(net(tensors("translators")["x"]).image, below("translators", "resnet_antialiased/")["y"], 1e-5)


def test_pix2pixs_generator_makes_the_published_images(tmp_path):
    net = read(saved(tmp_path, "unet")).networks["generator"].network
    assert isinstance(net.config, UNetTranslatorConfig) and net.config.norm == "batch"
    assert net.config.halvings == CASE["unet_downs"] and net.spec.height == 1 << CASE["unet_downs"]
    x = tensors("translators")["x"]
    close(net.train()(x).image, below("translators", "unet/")["y"], 1e-5)  # made in training, by the batch's statistics
    alone = torch.cat([net(each[None]).image for each in x])  # as the published program translates: batches of one
    close(net.eval()(x).image, alone, 1e-5)


@pytest.mark.parametrize(
    ("name", "norm"), [("patch", "instance"), ("patch_pair", "batch"), ("patch_antialiased", "instance")]
)
def test_discriminators_of_patches_say_what_the_published_ones_do(tmp_path, name, norm):
    net = read(saved(tmp_path, name)).networks["discriminator"].network
    x = tensors("translators")["x"]
    x = torch.cat([x, x.flip(3)], dim=1) if name == "patch_pair" else x
    assert isinstance(net.config, PatchDiscriminatorConfig)
    assert (net.config.norm, net.config.halvings, net.spec.channels) == (norm, CASE["patch_layers"], x.shape[1])
    found = below("translators", f"{name}/")
    close(net(x).logits.view_as(found["y"]), found["y"], 1e-5)


def without(*names):
    return lambda weights: OrderedDict((name, value) for name, value in weights.items() if name not in names)


def reshaped(name, *shape):
    return lambda weights: OrderedDict(weights, **{name: torch.zeros(*shape)})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (without("model.1.weight"), r"its down.0.conv.weight is \[4, 2, 3, 3\] where"),
        (without("model.4.bias"), "it lacks down.1.conv.bias"),
        (without("model.4.weight", "model.4.bias"), "its up.0.conv.weight is|it has|its down"),
        (
            reshaped("model.1.weight", 2, 3, 5, 5),
            r"its down.0.conv.weight is \[2, 3, 5, 5\] where its settings ask for",
        ),
        (reshaped("model.1.weight", 4), "it has .. layers with weights, where its settings ask for"),
        (reshaped("model.1.weight", 0, 3, 7, 7), "."),
        (reshaped("model.900.weight", 2, 2, 3, 3), "."),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, changed, words):
    file = saved(tmp_path, "resnet", changed)
    with pytest.raises(ValueError, match=words) as refused:
        read(file)
    said = str(refused.value)
    assert said.startswith(f"cannot convert {str(file)!r}: ") and said.endswith(".") and "\n" not in said
