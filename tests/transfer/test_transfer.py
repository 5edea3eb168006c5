"""Weights from another network: what is taken, that it does what it did, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ggdr.layers.spectral import update_spectral_norms
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.fir import upsample2
from ggdr.saving.model import save_model, saved_network
from ggdr.transfer.start import Move, apply, plan, start_networks

GENERATORS = {"stylegan2": StyleGAN2GeneratorConfig.tiny(), "dcgan": DCGANGeneratorConfig.tiny()}
RESNET = StyleGAN2DiscriminatorConfig.tiny()
DISCRIMINATORS = {
    "stylegan2": RESNET,
    "orig": dataclasses.replace(RESNET, architecture="orig"),
    "skip": dataclasses.replace(RESNET, architecture="skip"),
    "dcgan": DCGANDiscriminatorConfig(channels=8, channel_max=8, norm="none"),
    "unet": UNetDiscriminatorConfig(encoder=RESNET),
}
every_generator = pytest.mark.parametrize("config", GENERATORS.values(), ids=GENERATORS)
every_discriminator = pytest.mark.parametrize("config", DISCRIMINATORS.values(), ids=DISCRIMINATORS)


def built(config, seed: int = 0, targets: dict[int, int] | None = None, **spec):
    """A network in evaluation, none of whose weights has no effect or is the same in all networks."""
    torch.manual_seed(seed)
    extra = [] if targets is None else [ExtraOutputs(targets)]
    network = config.build(ImageSpec(**{"height": 16, "width": 16, **spec}), *extra).eval()
    for parameter in network.parameters():
        if parameter.numel() == 1 or parameter.std() < 0.1:  # biases, strength of noise, all of DCGAN
            torch.nn.init.normal_(parameter, std=0.2)
    return network


def moved(source, network) -> dict[str, Move]:
    """What was done to make a network start from another, by the tensor's name."""
    moves = plan(source.state_dict(), source, network)
    apply(tuple(moves), network)
    return {move.name: move for move in moves}


def by_kind(moves: dict[str, Move], how: str) -> set[str]:
    return {name for name, move in moves.items() if move.how == how}


def images(network, labels=None):
    """Eight images of the same latents and noise."""
    torch.manual_seed(5)
    z = torch.randn(8, network.z_dim)
    return network(z, labels).image


def verdict(network, image, labels=None):
    return network(image, labels).logits


def one_hot(label: int, labels: int, n: int = 8) -> torch.Tensor:
    return torch.eye(labels)[[label] * n]


def pictures(channels: int) -> torch.Tensor:
    torch.manual_seed(6)
    return torch.rand(8, channels, 16, 16) * 2 - 1


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    assert a.abs().max() > 1e-3 and a.std() > 1e-4, "nothing that could differ"
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [*GENERATORS.values(), *DISCRIMINATORS.values()], ids=[*GENERATORS, *DISCRIMINATORS])
@pytest.mark.parametrize("labels", [0, 3])
def test_the_same_settings_take_everything(config, labels):
    source, network = (built(config, seed, labels=labels) for seed in (0, 1))
    moves = moved(source, network)
    assert {move.how for move in moves.values()} == {"loaded"}
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in source.state_dict().items())


def test_a_plan_changes_nothing_and_needs_no_weights_of_the_sources_network():
    source, network = built(RESNET, 0, channels=1), built(RESNET, 1, channels=3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.device("meta"):
        shapes = RESNET.build(source.spec)
    moves = plan(source.state_dict(), shapes, network)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    apply(tuple(moves), network)
    assert not torch.equal(before["b16.fromrgb.weight"], network.b16.fromrgb.weight)


# --- image channels ---------------------------------------------------------------------------------------------------


@every_discriminator
def test_a_discriminator_of_gray_images_judges_them_the_same_when_they_are_shown_as_rgb(config):
    gray, rgb = built(config, 0, channels=1), built(config, 1, channels=3)
    moves = moved(gray, rgb)
    image = pictures(1)
    same(verdict(rgb, image.repeat(1, 3, 1, 1)), verdict(gray, image))
    assert by_kind(moves, "reshaped") and not by_kind(moves, "skipped") | by_kind(moves, "fresh")
    assert {move.note.partition(", ")[2] for move in moves.values() if move.how == "reshaped"} == {"gray to RGB"}


@every_discriminator
def test_a_discriminator_of_rgb_images_judges_gray_ones_the_same(config):
    rgb, gray = built(config, 0, channels=3), built(config, 1, channels=1)
    moved(rgb, gray)
    image = pictures(1)
    same(verdict(gray, image), verdict(rgb, image.repeat(1, 3, 1, 1)))


@every_discriminator
@pytest.mark.parametrize(("old", "new"), [(3, 4), (1, 4), (2, 5)])
def test_a_discriminator_ignores_channels_it_did_not_know(config, old, new):
    source, network = built(config, 0, channels=old), built(config, 1, channels=new)
    moved(source, network)
    known, unknown = pictures(old), torch.rand(8, 4, 16, 16)
    shown = known.repeat(1, 3, 1, 1) if old == 1 else known
    same(verdict(network, torch.cat([shown, unknown], 1)[:, :new]), verdict(source, known))


@every_generator
def test_a_generator_of_gray_images_makes_the_same_in_rgb(config):
    gray, rgb = built(config, 0, channels=1), built(config, 1, channels=3)
    moved(gray, rgb)
    same(images(rgb), images(gray).repeat(1, 3, 1, 1))


@every_generator
def test_a_generator_of_rgb_images_makes_their_mean_in_gray(config):
    rgb, gray = built(config, 0, channels=3), built(config, 1, channels=1)
    moved(rgb, gray)
    linear = torch.atanh if config == GENERATORS["dcgan"] else torch.clone  # the mean is taken before the tanh
    same(linear(images(gray)), linear(images(rgb)).mean(dim=1, keepdim=True))


@every_generator
def test_a_generator_of_rgb_images_makes_the_same_under_a_fresh_alpha_and_back(config):
    rgb, rgba, back = built(config, 0, channels=3), built(config, 1, channels=4), built(config, 2, channels=3)
    alpha = images(rgba)[:, 3]
    name = "toimage.bias" if config == GENERATORS["dcgan"] else "synthesis.b16.torgb.bias"
    own = rgba.state_dict()[name][3].clone()
    moved(rgb, rgba)
    same(images(rgba)[:, :3], images(rgb))
    assert rgba.state_dict()[name][3] == own and images(rgba)[:, 3].std() > 1e-4 and alpha.shape == (8, 16, 16)
    moved(rgba, back)
    same(images(back), images(rgb))


def test_spectral_normalization_is_estimated_anew():
    config = DCGANDiscriminatorConfig(channels=8, channel_max=8, norm="spectral")
    gray, rgb = built(config, 0, channels=1), built(config, 1, channels=3)
    moves = moved(gray, rgb)
    first = "b16.conv.parametrizations.weight"
    assert by_kind(moves, "reshaped") == {f"{first}.original"} and by_kind(moves, "skipped") == {f"{first}.0._v"}
    assert torch.linalg.matrix_norm(rgb.b16.conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
    for network in (gray, rgb):
        update_spectral_norms(network, 50)
    old, new = gray.eval().b16.conv.weight, rgb.eval().b16.conv.weight
    assert torch.linalg.matrix_norm(new.flatten(1), 2).item() == pytest.approx(1, abs=0.01)
    torch.testing.assert_close(new * 3**0.5, old.expand_as(new), rtol=0.05, atol=0.005)  # its scale is the norm's


# --- labels -----------------------------------------------------------------------------------------------------------


@every_generator
def test_a_generator_that_learns_labels_makes_the_same_images_under_any(config):
    plain, labelled = built(config), built(config, 1, labels=3)
    moves = moved(plain, labelled)
    same(images(labelled, one_hot(2, 3)), images(plain))
    assert [move.note.partition(", ")[2] for move in moves.values() if move.how == "reshaped"] == ["no to 3 labels"]


@every_generator
def test_the_labels_of_such_a_generator_learn(config):
    plain, labelled = built(config), built(config, 1, labels=3)
    moved(plain, labelled)
    images(labelled, one_hot(2, 3)).square().sum().backward()
    layer = labelled.b4.conv if config == GENERATORS["dcgan"] else labelled.mapping.fc0
    columns = layer.weight.grad[8:] if config == GENERATORS["dcgan"] else layer.weight.grad[:, 8:]
    assert columns.abs().sum() > 0


@every_generator
def test_a_generator_that_drops_labels_keeps_what_the_code_does(config):
    labelled, plain = built(config, 0, labels=3), built(config, 1)
    moved(labelled, plain)
    with torch.no_grad():  # without labels' part, the old one is the new one
        if config == GENERATORS["dcgan"]:
            labelled.b4.conv.weight[8:] = 0
        else:
            labelled.mapping.fc0.weight[:, 8:] = 0
    same(images(plain), images(labelled, one_hot(1, 3)))


@every_generator
def test_more_classes_keep_the_old_ones_and_new_ones_start_as_their_mean(config):
    three, five = built(config, 0, labels=3), built(config, 1, labels=5)
    moved(three, five)
    same(images(five, one_hot(1, 5)), images(three, one_hot(1, 3)))
    same(images(five, one_hot(4, 5)), images(three, torch.full([8, 3], 1 / 3)))


@pytest.mark.parametrize("name", ["stylegan2", "dcgan", "unet"])
def test_a_discriminator_of_more_classes_judges_old_ones_the_same_and_new_ones_as_their_mean(name):
    three, five = built(DISCRIMINATORS[name], 0, labels=3), built(DISCRIMINATORS[name], 1, labels=5)
    moved(three, five)
    image = pictures(3)
    same(verdict(five, image, one_hot(2, 5)), verdict(three, image, one_hot(2, 3)))
    same(verdict(five, image, one_hot(3, 5)), verdict(three, image, torch.full([8, 3], 1 / 3)))


@pytest.mark.parametrize("config", [GENERATORS["stylegan2"], GENERATORS["dcgan"], RESNET], ids=["g", "dcgan g", "d"])
def test_fewer_classes_keep_the_first(config):
    five, three = built(config, 0, labels=5), built(config, 1, labels=3)
    moved(five, three)
    result = [
        images(network, one_hot(2, labels))
        if config is not RESNET
        else verdict(network, pictures(3), one_hot(2, labels))
        for network, labels in ((five, 5), (three, 3))
    ]
    same(*result)


def test_a_judgement_that_has_another_width_is_skipped_with_its_shapes():
    moves = moved(built(RESNET), built(RESNET, 1, labels=3))
    skipped = {name: move.note for name, move in moves.items() if move.how == "skipped"}
    assert skipped == {"b4.out.weight": "1 x 8, here 8 x 8", "b4.out.bias": "1, here 8"}
    assert by_kind(moves, "fresh") and all(name.startswith("mapping.") for name in by_kind(moves, "fresh"))


# --- sizes and widths -------------------------------------------------------------------------------------------------


def test_a_generator_of_twice_the_side_makes_the_same_images_doubled_and_its_new_block_learns():
    config = dataclasses.replace(GENERATORS["stylegan2"], channel_base=128)
    small, large = built(config), built(config, 1, height=32, width=32)
    torch.nn.init.zeros_(large.synthesis.b32.torgb.bias)  # as it is when fresh
    moves = moved(small, large)
    torch.manual_seed(5)
    z = torch.randn(8, 8)
    made = large(z, noise="none").image
    same(made, upsample2(small(z, noise="none").image))
    assert by_kind(moves, "zero") == {"synthesis.b32.torgb.weight"} and not by_kind(moves, "surplus")
    assert all(name.startswith("synthesis.b32.") for name in by_kind(moves, "fresh"))
    made.square().sum().backward()
    assert large.synthesis.b32.torgb.weight.grad.abs().sum() > 0


def test_a_discriminator_of_twice_the_side_takes_the_blocks_below():
    moves = moved(built(RESNET), built(RESNET, 1, height=32, width=32))
    assert by_kind(moves, "surplus") == {"b16.fromrgb.weight", "b16.fromrgb.bias"}
    assert by_kind(moves, "fresh") and all(name.startswith("b32.") for name in by_kind(moves, "fresh"))
    assert not by_kind(moves, "skipped") | by_kind(moves, "reshaped")


def test_a_smaller_generator_leaves_the_highest_blocks():
    config = GENERATORS["stylegan2"]
    large, small = built(config, 0, height=32, width=32), built(config, 1)
    moves = moved(large, small)
    assert {name[:13] for name in by_kind(moves, "surplus")} == {"synthesis.b32"}
    assert by_kind(moves, "loaded") == set(small.state_dict())


def test_another_base_size_skips_what_has_its_shape():
    moves = moved(built(GENERATORS["stylegan2"]), built(GENERATORS["stylegan2"], 1, height=16, width=24))
    skipped = by_kind(moves, "skipped")
    assert "synthesis.b4.const" in skipped and moves["synthesis.b4.const"].note == "8 x 4 x 4, here 8 x 4 x 6"
    assert {name.rpartition(".")[2] for name in skipped} == {"const", "noise_const"}


def test_layers_of_other_widths_are_skipped_and_their_shares_start_at_zero():
    config = GENERATORS["stylegan2"]
    wide = dataclasses.replace(config, channel_base=128)  # 8, 8, 8 channels instead of 8, 8, 4
    source, network = built(config), built(wide, 1)
    moves = moved(source, network)
    assert moves["synthesis.b16.conv1.weight"].note == "4 x 4 x 3 x 3, here 8 x 8 x 3 x 3"
    assert moves["synthesis.b16.torgb.weight"].how == "zero"
    assert moves["synthesis.b16.torgb.weight"].note.startswith("3 x 4 x 1 x 1, here 3 x 8 x 1 x 1; adds nothing")
    assert not network.synthesis.b16.torgb.weight.any()
    assert "synthesis.b8.conv1.weight" in by_kind(moves, "loaded")


def test_a_bias_is_not_taken_without_its_layers_weights():
    narrow, wide = built(RESNET), built(dataclasses.replace(RESNET, channel_base=128), 1)
    own = wide.b16.conv1.bias.clone()
    moves = moved(narrow, wide)
    assert moves["b16.conv1.weight"].note == "8 x 4 x 3 x 3, here 8 x 8 x 3 x 3"
    assert moves["b16.conv1.bias"].note == "its layer's weights do not fit" and torch.equal(wide.b16.conv1.bias, own)
    assert {"b8.conv0.weight", "b8.conv0.bias"} <= by_kind(moves, "loaded")


# --- wrapped discriminators -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stylegan2", "skip", "dcgan"])
def test_a_plain_discriminator_goes_into_a_u_net_and_back(name):
    encoder, targets = DISCRIMINATORS[name], {8: 8}
    plain, wrapped, again = (
        built(encoder),
        built(UNetDiscriminatorConfig(encoder=encoder), 1, targets=targets),
        built(encoder, 2),
    )
    moves, image = moved(plain, wrapped), pictures(3)
    same(verdict(wrapped, image), verdict(plain, image))
    assert by_kind(moves, "fresh") == {"decoder.b8.weight", "decoder.b8.bias"}
    assert by_kind(moved(wrapped, again), "surplus") == {"decoder.b8.weight", "decoder.b8.bias"}
    same(verdict(again, image), verdict(plain, image))


def test_a_decoder_is_taken_as_far_as_its_sides_go():
    config = UNetDiscriminatorConfig(encoder=RESNET)
    source, network = built(config, 0, targets={8: 8}), built(config, 1, targets={8: 8, 16: 4})
    moves = moved(source, network)
    assert by_kind(moves, "fresh") == {"decoder.b16.weight", "decoder.b16.bias"}
    drawn = [each(pictures(3), resolutions=(8,)).features[8] for each in (source, network)]
    same(*drawn)


# --- what cannot be used ----------------------------------------------------------------------------------------------


def begin(folder: Path, network):
    return start_networks({"it": saved_network(folder)}, {"it": network})[0]


@pytest.mark.parametrize(
    ("config", "other"),
    [
        (GENERATORS["dcgan"], GENERATORS["stylegan2"]),
        (DISCRIMINATORS["dcgan"], UNetDiscriminatorConfig(encoder=RESNET)),
    ],
    ids=["g", "d"],
)
def test_another_family_is_refused_with_what_both_are(config, other, tmp_path):
    save_model(built(config), tmp_path)
    network = built(other, 1)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match=rf"\(dcgan, 16 x 16 px.*\) fits the it here \({other.name}, .*same family"):
        begin(tmp_path, network)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_family_of_other_widths_throughout_is_refused_with_an_example(tmp_path):
    save_model(built(RESNET), tmp_path)
    with pytest.raises(ValueError, match=r"b16.fromrgb.weight is 4 x 3 x 1 x 1, here 16 x 3 x 1 x 1: give a model"):
        begin(tmp_path, built(dataclasses.replace(RESNET, channel_base=1024, channel_max=16)))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(broken, tmp_path):
    source = built(RESNET)
    with torch.no_grad():
        source.b8.conv0.weight[0, 0, 0, 0] = broken
    save_model(source, tmp_path)
    with pytest.raises(ValueError, match=r"b8\.conv0\.weight in .*model\.safetensors.*not finite"):
        begin(tmp_path, built(RESNET, 1))


def test_half_precision_is_taken_and_whole_numbers_are_not(tmp_path):
    source, network = built(RESNET), built(RESNET, 1)
    save_model(source, tmp_path)
    file = tmp_path / "model.safetensors"
    halves = {name: tensor.half() for name, tensor in load_file(file).items()}
    save_file({**halves, "b8.conv0.bias": torch.ones(8, dtype=torch.int64)}, file)
    begun = begin(tmp_path, network)
    assert {m.name: m.note for m in begun.moves if m.how == "skipped"} == {
        "b8.conv0.bias": "torch.int64, here torch.float32"
    }
    assert network.b8.conv0.weight.dtype == torch.float32
    assert torch.equal(network.b8.conv0.weight, source.b8.conv0.weight.half().float())
