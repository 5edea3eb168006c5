"""`ggdr blend --from-resolution`: the coarse layers of one model and the fine layers of another."""

from __future__ import annotations

import json

import pytest
import torch
from tiny import moved

import ggdr
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.registry import Capability, discover, generators
from ggdr.saving.model import find_saved, save_new
from ggdr.verbs.blend import main

discover()
SPEC = ImageSpec(16, 16)
LAYERED = {
    name: config for name, config in generators.items() if Capability.RESOLUTION_LAYERS in config.tiny().provides
}


def model(folder, config=None, spec=SPEC, scale=1.0):
    """A saved generator whose weights are `scale` times those of one that all share, beside a discriminator."""
    network = moved((config or StyleGAN2GeneratorConfig.tiny()).build(spec))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(scale)
    save_new(folder, {"generator": network, "discriminator": StyleGAN2DiscriminatorConfig.tiny().build(spec)}, {})
    return folder


def weights(folder):
    return find_saved(folder)["generator"].weights()


@pytest.mark.parametrize("name", LAYERED)
def test_each_weight_but_those_of_the_mapping_is_of_one_resolution(name):
    network = LAYERED[name].tiny().build(SPEC)
    layers = network.resolution_layers()
    assert [*layers] == sorted(network.feature_channels)
    owners = {
        key: [rung for rung, names in layers.items() if key.startswith(tuple(f"{layer}." for layer in names))]
        for key, _ in network.named_parameters()
    }
    assert all(len(found) == (not key.startswith("mapping.")) for key, found in owners.items())


@pytest.mark.parametrize("name", LAYERED)
@torch.no_grad()
def test_maps_below_the_resolution_are_those_of_the_first_model(name, tmp_path):
    config, spec = LAYERED[name].tiny(), ImageSpec(64, 64)
    a, b = (model(tmp_path / place, config, spec, size) for place, size in (("a", 1), ("b", 1.3)))
    low, high = sorted(config.build(spec).feature_channels)[:2]
    ggdr.blend(a, b, tmp_path / "out", from_resolution=high)
    z, made = torch.randn(2, 8), {}
    for place in ("a", "out"):
        torch.manual_seed(0)  # noise
        made[place] = ggdr.Generator.from_pretrained(tmp_path / place)(z, resolutions=(low, high))
    assert torch.equal(made["a"].ws, made["out"].ws)
    assert torch.equal(made["a"].features[low], made["out"].features[low])
    assert not torch.allclose(made["a"].features[high], made["out"].features[high])


def test_layers_of_the_resolution_and_above_are_those_of_the_second_model(tmp_path):
    a, b = model(tmp_path / "a"), model(tmp_path / "b", scale=1.5)
    assert ggdr.blend(a, b, tmp_path / "out", from_resolution=16) == tmp_path / "out"
    one, other, made = (weights(folder) for folder in (a, b, tmp_path / "out"))
    for key, value in made.items():
        assert torch.equal(value, (other if ".b16." in key else one)[key]), key
    assert any(".b16." in key and not torch.equal(one[key], other[key]) for key in made)
    assert {*find_saved(tmp_path / "out")} == {"generator"}  # no discriminator knows both
    source = json.loads((tmp_path / "out" / "source.json").read_text())
    assert (source["from_resolution"], source["amount"]) == (16, 1.0)


def test_the_verb_takes_a_share_of_the_second_models_layers_and_the_blend_makes_images(tmp_path, capsys):
    a, b, out = model(tmp_path / "a"), model(tmp_path / "b", scale=1.5), tmp_path / "out"
    assert main([str(a), str(b), "--from-resolution", "8", "--amount", "0.25", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: {a}, with 0.25 of the layers of {b} from 8 px on\n"
    one, other, made = (weights(folder) for folder in (a, b, out))
    key = "synthesis.b8.conv0.weight"
    torch.testing.assert_close(made[key], 0.75 * one[key] + 0.25 * other[key])
    assert torch.equal(made["synthesis.b4.const"], one["synthesis.b4.const"])
    (image,) = ggdr.from_pretrained(out)(seeds=0).images
    assert image.size == (16, 16)


def test_a_model_without_labels_may_lend_its_layers_to_one_with_labels(tmp_path):
    a = model(tmp_path / "a", spec=ImageSpec(16, 16, 3, 2, ("cat", "dog")))
    ggdr.blend(a, model(tmp_path / "b", scale=1.5), tmp_path / "out", from_resolution=8)
    assert ggdr.Generator.from_pretrained(tmp_path / "out").spec.label_names == ("cat", "dog")


def test_what_has_no_such_layers_is_refused_with_what_to_type_and_nothing_is_made(tmp_path):
    style, other = model(tmp_path / "a"), model(tmp_path / "b", scale=1.5)
    wide = model(tmp_path / "c", StyleGAN2GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=2, channel_max=6))
    plain = model(tmp_path / "d", DCGANGeneratorConfig.tiny())
    save_new(tmp_path / "e", {"generator": RRDBTranslatorConfig.tiny().build(SPEC, ImageSpec(8, 8))}, {})
    for one, two, resolution, why in (
        (style, other, 32, "has no layers of resolution 32; give from_resolution 4, 8, 16"),
        (plain, plain, 8, "the layers of generator 'dcgan' of .*d' are not known by their resolution; leave"),
        (style, plain, 8, "cannot be blended: they are stylegan2 and dcgan"),
        (style, wide, 8, r"cannot be blended: 'synthesis.b8.conv0.weight' is \[8, 8, 3, 3\] in one and \[6, 6, 3, 3\]"),
        (tmp_path / "e", tmp_path / "e", 8, "makes images of images, not of noise"),
    ):
        with pytest.raises(UserError, match=why):
            ggdr.blend(one, two, tmp_path / "out", from_resolution=resolution)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError) as refused:
        main([str(style), str(other), "--from-resolution", "5", "--out", str(tmp_path / "out")])
    assert "give --from-resolution 4, 8, 16." in refused.value.in_flags()
