"""The discriminator of vectors: what it computes, how it takes labels, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPEncoderConfig, MLPGeneratorConfig
from ggdr.play.codes import as_images, code_spec
from ggdr.saving.model import load_model, save_model


def test_it_is_three_fully_connected_layers_of_64_and_a_last_one():
    net = MLPDiscriminatorConfig().build(code_spec(16))
    assert sum(p.numel() for p in net.parameters()) == 17 * 64 + 2 * 65 * 64 + 65
    codes = torch.randn(5, 16)
    x = codes
    for layer in (*(layer.conv for layer in net.layers), net.out):
        x = F.linear(x, layer.weight.flatten(1), layer.bias)
        x = F.leaky_relu(x, 0.2) if layer is not net.out else x
    torch.testing.assert_close(net(as_images(codes)).logits, x)


def test_a_larger_image_is_a_vector_of_all_its_pixels():
    net = MLPDiscriminatorConfig.tiny().build(ImageSpec(2, 3, 4))
    images = torch.randn(5, 4, 2, 3)
    wanted = nn.functional.linear(images.flatten(1), net.layers[0].conv.weight.flatten(1), net.layers[0].conv.bias)
    torch.testing.assert_close(net.layers[0](images).flatten(1), F.leaky_relu(wanted, 0.2))


def test_it_normalizes_over_the_batch_and_refuses_one_vector():
    net = MLPDiscriminatorConfig(channels=8, norm="batch").build(code_spec(4))
    layer, codes = net.layers[0], as_images(torch.randn(64, 4))
    x = layer.conv(codes)
    wanted = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(layer(codes), F.leaky_relu(wanted, 0.2))
    with pytest.raises(UserError, match=r"shown one vector at a time: set --micro-batch-size to 2 or more, or .* none"):
        net(codes[:1])
    MLPDiscriminatorConfig(channels=8).build(code_spec(4))(codes[:1])


@pytest.mark.parametrize("way", ["projection", "concat"])
def test_labels_are_projected_or_stand_beside_the_code(way):
    spec = code_spec(4, of=ImageSpec(32, 32, 3, labels=3))
    assert spec == ImageSpec(1, 1, 4, labels=3)
    net = MLPDiscriminatorConfig(channels=8, labels=way).build(spec)
    codes, labels = as_images(torch.randn(6, 4)), torch.eye(3).repeat(2, 1)
    said, plain = net(codes, labels).logits, net(codes, torch.zeros(6, 3)).logits
    if way == "projection":
        last = net.layers[2](net.layers[1](net.layers[0](codes))).flatten(1)
        torch.testing.assert_close(said - plain, (net.embed(labels) * last).sum(1, keepdim=True))
    else:
        assert net.layers[0].conv.in_channels == 7 and not torch.allclose(said, plain)
    with pytest.raises(ValueError, match="labels"):
        net(codes)


def test_a_network_of_codes_is_saved_and_loaded(tmp_path):
    net = MLPDiscriminatorConfig.tiny().build(code_spec(4)).eval()
    save_model(net, tmp_path)
    codes = as_images(torch.randn(3, 4))
    assert torch.equal(load_model(tmp_path)(codes).logits, net(codes).logits)


@pytest.mark.parametrize("settings", [{"channels": 0}, {"layers": 0}])
def test_widths_and_layers_are_above_zero(settings):
    with pytest.raises(UserError, match=f"{[*settings][0]} is 0"):
        MLPDiscriminatorConfig(**settings)


LABELLED = ImageSpec(1, 1, 6, labels=5)


def test_labels_pass_a_layer_of_their_own_where_it_has_a_width():
    net = MLPGeneratorConfig(z_dim=3, channels=8, layers=1, norm="none", label_channels=4).build(LABELLED)
    z, labels = torch.randn(2, 3), torch.randn(2, 5)
    told = F.linear(labels, net.embed.weight, net.embed.bias)
    (layer,) = net.layers
    x = F.relu(F.linear(torch.cat([z, told], 1), layer.conv.weight.flatten(1), layer.conv.bias))
    wanted = F.linear(x, net.out.weight.flatten(1), net.out.bias)
    torch.testing.assert_close(net(z, labels).image.flatten(1), wanted)
    plain = MLPGeneratorConfig(z_dim=3, channels=8, layers=1, label_channels=4).build(ImageSpec(1, 1, 6))
    assert plain.embed is None and plain(z).image.shape == (2, 6, 1, 1)
    with pytest.raises(UserError, match="label_channels"):
        MLPGeneratorConfig(label_channels=-1)


def test_a_leaky_relu_lets_a_fifth_of_what_is_below_zero_through():
    for activation, slope in (("relu", 0.0), ("leaky_relu", 0.2)):
        net = MLPGeneratorConfig(z_dim=3, channels=8, layers=1, norm="none", activation=activation).build(code_spec(4))
        (layer,) = net.layers
        x = torch.randn(5, 3, 1, 1)
        torch.testing.assert_close(layer(x), F.leaky_relu(layer.conv(x), slope))


def test_a_discriminator_may_be_blind_to_labels():
    net = MLPDiscriminatorConfig(channels=8, labels="none").build(LABELLED)
    vectors = torch.randn(3, 6, 1, 1)
    assert torch.equal(net(vectors, torch.zeros(3, 5)).logits, net(vectors, torch.ones(3, 5)).logits)
    for labels in ("projection", "concat"):
        other = MLPDiscriminatorConfig(channels=8, labels=labels).build(LABELLED)
        assert not torch.equal(other(vectors, torch.zeros(3, 5)).logits, other(vectors, torch.ones(3, 5)).logits)


def test_the_generator_of_vectors_is_exported_for_any_number_of_them():
    net = MLPGeneratorConfig.tiny().build(ImageSpec(1, 1, 7, continuous=True)).eval()
    images = Images(net)
    program = torch.export.export(images, (torch.randn(2, 4),), dynamic_shapes=({0: torch.export.Dim("n")},))
    z = torch.randn(5, 4)
    torch.testing.assert_close(program.module()(z), images(z))


class Images(nn.Module):
    """What a generator makes, alone."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, z):
        return self.net(z).image


def test_the_encoder_is_fully_connected_layers_from_a_vector_to_its_code():
    net = MLPEncoderConfig(channels=8, layers=2, norm="none", code_dim=3).build(ImageSpec(1, 1, 7, continuous=True))
    vectors = torch.randn(5, 7)
    x = vectors
    for layer in net.layers:
        x = F.leaky_relu(F.linear(x, layer.conv.weight.flatten(1), layer.conv.bias), 0.2)
    code = net(as_images(vectors))
    torch.testing.assert_close(code.mean, net.mean(x))
    assert code.log_variance is None and code.mean.shape == (5, 3) and x.shape == (5, 8)
    drawn = MLPEncoderConfig(channels=8, code_dim=3, stochastic=True).build(ImageSpec(1, 1, 7))(as_images(vectors))
    assert drawn.log_variance.shape == (5, 3) and not torch.equal(drawn.log_variance, drawn.mean)


def test_the_encoder_normalizes_over_the_batch_in_training_and_by_what_it_saw_after():
    net = MLPEncoderConfig(channels=8, layers=1).build(ImageSpec(1, 1, 7))
    (layer,), vectors = net.layers, as_images(torch.randn(64, 7))
    x = layer.conv(vectors)
    wanted = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(layer(vectors), F.leaky_relu(wanted, 0.2))
    assert layer.conv.bias is None
    alone = net.eval()(vectors[:1]).mean
    torch.testing.assert_close(net(vectors).mean[:1], alone)


def test_the_encoder_reads_all_pixels_of_a_small_image_at_once_and_the_mean_of_a_larger_ones_places():
    net = MLPEncoderConfig.tiny().build(ImageSpec(2, 3, 4)).eval()
    images = torch.randn(5, 4, 2, 3)
    wanted = F.linear(images.flatten(1), net.layers[0].conv.weight.flatten(1))
    torch.testing.assert_close(net.layers[0].conv(images).flatten(1), wanted)
    wide = torch.cat([images, images], dim=3)
    x = wide
    for layer in net.layers:
        x = layer(x)
    assert x.shape == (5, 8, 1, 4)
    torch.testing.assert_close(net(wide).mean, net.mean(x.mean((2, 3))))
