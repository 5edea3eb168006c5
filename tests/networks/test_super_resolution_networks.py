"""Networks of SRGAN and ESRGAN: their papers' sizes, any power of two, and what starts where."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.spectral import spectral_norms
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.networks.rrdb.translator import RRDB, DenseBlock
from ggdr.networks.srgan import SRGANDiscriminatorConfig
from ggdr.networks.srresnet import SRResNetTranslatorConfig
from ggdr.networks.srresnet.translator import SRResNetBlock
from ggdr.networks.unet import UNetDiscriminatorConfig

SMALL, LARGE = ImageSpec(24, 24), ImageSpec(96, 96)
TRANSLATORS = [SRResNetTranslatorConfig.tiny(), RRDBTranslatorConfig.tiny()]


@pytest.mark.parametrize(
    ("config", "specs", "weights"),
    [
        (SRResNetTranslatorConfig(), (LARGE, SMALL), 1_547_350),
        (RRDBTranslatorConfig(), (LARGE, SMALL), 16_697_987),  # as many as the published ESRGAN has
        (SRGANDiscriminatorConfig(), (LARGE,), 23_563_649),
    ],
)
def test_the_papers_networks_have_their_sizes(config, specs, weights):
    with torch.device("meta"):
        net = config.build(*specs)
    assert sum(weight.numel() for weight in net.parameters()) == weights


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("config", TRANSLATORS, ids=["srresnet", "rrdb"])
def test_images_become_a_power_of_two_larger_whatever_their_size(config, factor):
    net = config.build(ImageSpec(8 * factor, 12 * factor), ImageSpec(8, 12)).eval()
    assert net.size_divisor == 1 and [*net.feature_channels] == [8 << level for level in range(factor.bit_length())]
    for height, width in ((8, 12), (5, 7)):
        assert net(torch.randn(1, 3, height, width)).image.shape == (1, 3, factor * height, factor * width)


@pytest.mark.parametrize("config", TRANSLATORS, ids=["srresnet", "rrdb"])
def test_a_factor_that_is_no_power_of_two_is_refused(config):
    with pytest.raises(UserError, match="which never makes images of 24 x 24 px; let what it makes be as large as"):
        config.build(ImageSpec(24, 24), ImageSpec(8, 8))


@pytest.mark.parametrize("config", TRANSLATORS, ids=["srresnet", "rrdb"])
def test_images_have_no_bounds_in_training_and_are_clipped_at_test(config):
    net = config.build(ImageSpec(16, 16), ImageSpec(8, 8))
    last = [parameter for name, parameter in net.toimage.named_parameters() if name.endswith("bias")][-1]
    torch.nn.init.constant_(last, 3.0)
    x = torch.randn(1, 3, 8, 8)
    assert net(x).image.mean() > 2
    assert (net.eval()(x).image == 1).all()


def test_dense_blocks_start_near_doing_nothing():
    torch.manual_seed(0)
    block = DenseBlock(RRDBTranslatorConfig(channels=32, growth=16))
    x = torch.randn(2, 32, 8, 8)
    assert F.mse_loss(block(x), x).sqrt() < 0.02 * x.std()
    fan_in = [conv.weight[0].numel() for conv in block.convs]
    spread = [float(conv.weight.detach().std()) * n**0.5 for conv, n in zip(block.convs, fan_in, strict=True)]
    assert spread == pytest.approx([0.1 * 2**0.5] * 5, rel=0.05)
    assert fan_in == [9 * (32 + 16 * n) for n in range(5)] and not any(conv.bias.any() for conv in block.convs)


def test_a_dense_block_adds_a_fifth_of_what_its_last_convolution_sees_of_all_maps():
    block = DenseBlock(RRDBTranslatorConfig(channels=4, growth=2))
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(1, 4, 6, 6)
    maps = [x]
    for conv in block.convs[:4]:
        maps.append(F.leaky_relu(conv(torch.cat(maps, 1)), 0.2))
    torch.testing.assert_close(block(x), x + 0.2 * block.convs[4](torch.cat(maps, 1)))


def test_residual_blocks_add_to_what_they_read():
    x = torch.randn(1, 4, 6, 6)
    block = RRDB(RRDBTranslatorConfig(channels=4, growth=2))
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    torch.testing.assert_close(block(x), x + 0.2 * block.dense(x))
    block = SRResNetBlock(4).eval()
    torch.nn.init.normal_(block.norm1.bias)
    said = block.norm1(block.conv1(F.prelu(block.norm0(block.conv0(x)), block.act.weight)))
    torch.testing.assert_close(block(x), x + said)


@pytest.mark.parametrize("config", TRANSLATORS, ids=["srresnet", "rrdb"])
def test_what_all_blocks_make_is_added_to_the_first_maps(config):
    net = config.build(ImageSpec(16, 16), ImageSpec(8, 8)).eval()
    x = torch.randn(1, 3, 8, 8)
    expected = net.first(x) + net.last(net.blocks(net.first(x)))
    torch.testing.assert_close(net(x, resolutions=(8,)).features[8], expected)


def test_learned_slopes_keep_the_precision_of_the_maps():
    net = SRResNetTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        assert net.first(torch.randn(1, 3, 8, 8)).dtype == torch.bfloat16


def test_srgans_logit_is_that_of_two_dense_layers():
    net = SRGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16))
    x = torch.randn(2, 3, 16, 16)
    logits, maps = net.pyramid(x)
    code = F.leaky_relu(net.hidden(maps[min(maps)].flatten(1)), 0.2)
    torch.testing.assert_close(logits, net.out(code).flatten())


def test_doublings_of_srresnet_turn_four_channels_into_four_pixels():
    net = SRResNetTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(8, 8)).eval()
    x = torch.randn(1, 3, 8, 8)
    made = net(x, resolutions=(8, 16)).features
    up = net.up[0].conv(made[8]).view(1, 8, 2, 2, 8, 8)
    for row, column in ((0, 1), (1, 0)):
        expected = F.prelu(up[:, :, row, column], net.up[0].act.weight)
        torch.testing.assert_close(made[16][..., row::2, column::2], expected)


@pytest.mark.parametrize(("size", "halvings"), [((96, 96), 4), ((32, 48), 4), ((24, 24), 3), ((8, 8), 2), ((6, 6), 1)])
def test_srgans_discriminator_halves_as_often_as_leaves_two_pixels(size, halvings):
    net = SRGANDiscriminatorConfig(channels=4, hidden=8).build(ImageSpec(*size))
    assert sorted(net.map_channels) == sorted(size[0] >> (n + 1) for n in range(halvings))
    assert net(torch.randn(1, 3, *size)).logits.shape == (1,)
    assert len(net.stages()) == halvings + 2


def test_srgans_discriminator_normalizes_all_but_the_first_convolution():
    net = SRGANDiscriminatorConfig(channels=4, hidden=8).build(ImageSpec(32, 32))
    normed = [layer.norm is not None for pair in net.pairs for layer in pair]
    assert normed == [False] + [True] * 7 and [layer.conv.stride[0] for p in net.pairs for layer in p] == [1, 2] * 4
    plain = SRGANDiscriminatorConfig(channels=4, hidden=8, norm="none", spectral=True).build(
        ImageSpec(32, 32, labels=2)
    )
    assert not any(layer.norm for pair in plain.pairs for layer in pair)
    assert len([*spectral_norms(plain)]) == 10


def test_odd_images_are_refused():
    with pytest.raises(UserError, match="'srgan' halves its images, and 9 x 16 px cannot be halved to 2 px or more"):
        SRGANDiscriminatorConfig().build(ImageSpec(9, 16))


@pytest.mark.parametrize("config", TRANSLATORS, ids=["srresnet", "rrdb"])
def test_a_decoder_around_srgans_discriminator_draws_the_maps_of_a_translator(config):
    net = config.build(ImageSpec(32, 32), ImageSpec(8, 8))
    made = net(torch.randn(2, 3, 8, 8), resolutions=(8, 16))
    extra = ExtraOutputs({r: net.feature_channels[r] for r in (8, 16)})
    judge = UNetDiscriminatorConfig(encoder=SRGANDiscriminatorConfig.tiny()).build(ImageSpec(32, 32), extra)
    drawn = judge(made.image, resolutions=(8, 16)).features
    assert {r: x.shape for r, x in drawn.items()} == {r: x.shape for r, x in made.features.items()}
