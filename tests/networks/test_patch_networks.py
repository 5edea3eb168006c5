"""Networks of CycleGAN, pix2pix, NICE-GAN and U-GAT-IT: the papers' sizes, small images, scales, GGDR on top."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ggdr.layers.dropout import Dropout
from ggdr.layers.spectral import spectral_norms
from ggdr.networks.base import ExtraOutputs, Head, ImageSpec
from ggdr.networks.conditional import ConcatDiscriminatorConfig
from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.pixel import PixelDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.registry import Capability

PHOTO, PAIR = ImageSpec(256, 256), ImageSpec(256, 256, 6)
CODES = ImageSpec(64, 64, 128)


@pytest.mark.parametrize(
    ("config", "specs", "millions"),
    [
        (ResnetTranslatorConfig(), (PHOTO, PHOTO), 11.378),
        (ResnetTranslatorConfig(antialias=True), (PHOTO, PHOTO), 11.378),
        (ResnetTranslatorConfig(blocks=6), (ImageSpec(128, 128), ImageSpec(128, 128)), 7.838),
        (UNetTranslatorConfig(), (PHOTO, PHOTO), 54.414),
        (PatchDiscriminatorConfig(), (PHOTO,), 2.765),
        (PatchDiscriminatorConfig(norm="batch"), (PAIR,), 2.769),
        (NICEDiscriminatorConfig(), (PHOTO,), 46.874),
        (NICETranslatorConfig(), (PHOTO, CODES), 8.105),
        (UGATITTranslatorConfig(light=False), (PHOTO, PHOTO), 278.960),
        (UGATITTranslatorConfig(), (PHOTO, PHOTO), 10.590),
        (UGATITDiscriminatorConfig(), (PHOTO,), 56.421),
        (StarGANDiscriminatorConfig(), (ImageSpec(128, 128), ExtraOutputs(heads={"classes": Head(5)})), 44.762),
    ],
)
def test_the_papers_networks_have_as_many_weights_as_the_published_ones(config, specs, millions):
    with torch.device("meta"):
        net = config.build(*specs)
    assert sum(weight.numel() for weight in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.001)


@pytest.mark.parametrize(("halvings", "patch"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_logit_sees_the_papers_patch_and_no_more(halvings, patch):
    net = PatchDiscriminatorConfig(channels=1, halvings=halvings, norm="none").build(ImageSpec(320, 320, 1))
    x = torch.randn(1, 1, 320, 320, requires_grad=True)
    logits = net(x).logits
    side = int(logits.shape[1] ** 0.5)
    (slope,) = torch.autograd.grad(logits[0, (side // 2) * side + side // 2], x)
    rows = slope[0, 0].abs().sum(dim=1).nonzero()
    assert rows.max() - rows.min() + 1 == patch
    assert halvings != 3 or PatchDiscriminatorConfig().build(PHOTO)(torch.randn(1, 3, 256, 256)).logits.shape == (
        1,
        900,
    )


def test_without_a_layer_that_keeps_the_size_four_halvings_and_a_convolution_are_all():
    config = PatchDiscriminatorConfig(halvings=4, unstrided=0, norm="none", scales=3)
    with torch.device("meta"):
        net = config.build(PHOTO)
    for scale in net.scales:
        plan = [(layer.conv.out_channels, layer.conv.stride[0], layer.norm) for layer in scale.layers]
        assert plan == [(64, 2, None), (128, 2, None), (256, 2, None), (512, 2, None)]
    assert net(torch.empty(1, 3, 256, 256, device="meta")).logits.shape == (1, 15 * 15)
    assert sorted(net.map_channels.items()) == [(16, 512), (32, 256), (64, 128), (128, 64)]
    assert PatchDiscriminatorConfig(unstrided=0).build(ImageSpec(4, 4))(torch.randn(1, 3, 4, 4)).logits.shape == (1, 1)


def test_further_scales_judge_smaller_images_by_weights_of_their_own():
    net = PatchDiscriminatorConfig(channels=4, halvings=2, scales=3).build(ImageSpec(64, 64, labels=3))
    x, labels = torch.randn(2, 3, 64, 64), torch.eye(3)[:2]
    said = net(x, labels)
    assert said.logits.shape == (2, 14**2) and [each.shape for each in said.more_logits] == [(2, 6**2), (2, 2**2)]
    half = nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    torch.testing.assert_close(said.more_logits[0], net.nets[1](half, labels)[0])
    small = PatchDiscriminatorConfig(channels=4, scales=2).build(ImageSpec(32, 32))
    assert [len(net.layers) for net in small.nets] == [4, 3]  # the second sees 16 px, which leave no patch after three
    assert sum(len([*stage.parameters()]) for stage in small.stages()) == len([*small.parameters()])
    assert max(said.maps) == 32 and not torch.equal(net.nets[0].out.weight, net.nets[1].out.weight)
    staged = [weight for stage in net.stages() for weight in stage.parameters()]
    assert len({*map(id, staged)}) == len(staged) == sum(1 for _ in net.parameters()) - 3  # without the labels' three


def test_spectral_norm_goes_beside_any_norm_and_not_on_the_labels():
    net = PatchDiscriminatorConfig.tiny().build(ImageSpec(16, 16))
    assert not [*spectral_norms(net)]
    net = PatchDiscriminatorConfig(channels=4, halvings=2, spectral=True).build(ImageSpec(16, 16, labels=2))
    assert len([*spectral_norms(net)]) == 4 and net.nets[0].embed.weight.shape == (16, 2)


@pytest.mark.parametrize(
    ("config", "size", "words"),
    [
        (
            PatchDiscriminatorConfig(),
            (250, 250),
            "halves its maps 3 times, and images of 250 x 250 px are no multiples of",
        ),
        (PatchDiscriminatorConfig(), (4, 4), "'patch' finds no patch in 4 x 4 px; it needs 6 px a side"),
        (PatchDiscriminatorConfig(scales=3), (16, 16), "finds no patch in 4 x 4 px at 3 scales"),
        (UGATITDiscriminatorConfig(), (5, 4), "'ugatit' finds no patch in 5 x 4 px; it needs 6 px a side"),
        (UGATITDiscriminatorConfig(), (250, 250), "no multiples of 32 px; resize them: --data.size 256 256"),
        (NICEDiscriminatorConfig(), (4, 4), "'nice' finds no patch in 4 x 4 px; it needs 8 px a side"),
        (NICEDiscriminatorConfig(), (250, 250), "no multiples of 32 px; resize them: --data.size 256 256"),
    ],
)
def test_images_that_leave_no_patch_are_refused_with_what_to_type(config, size, words):
    with pytest.raises(ValueError, match=words):
        config.build(ImageSpec(*size))


@pytest.mark.parametrize(
    ("config", "spec", "source", "words"),
    [
        (ResnetTranslatorConfig(), (64, 64), (30, 30), "no multiples of 4 px; resize them: --data.size 32 32"),
        (ResnetTranslatorConfig(), (64, 96), (64, 64), "never makes images of 64 x 96 px"),
        (
            UNetTranslatorConfig(),
            (64, 64),
            (32, 32),
            "makes images of the size that it takes, not 64 x 64 px of 32 x 32",
        ),
        (UNetTranslatorConfig(), (33, 32), (33, 32), "33 x 32 px are odd"),
        (NICETranslatorConfig(), (64, 64), (24, 24), "never makes images of 64 x 64 px"),
        (UGATITTranslatorConfig(), (64, 64), (30, 30), "no multiples of 4 px; resize them: --data.size 32 32"),
        (UGATITTranslatorConfig(), (64, 96), (64, 64), "never makes images of 64 x 96 px"),
    ],
)
def test_sizes_that_a_translator_cannot_make_are_refused_with_what_to_do(config, spec, source, words):
    with pytest.raises(ValueError, match=words):
        config.build(ImageSpec(*spec), ImageSpec(*source))


@pytest.mark.parametrize(
    "config", [ResnetTranslatorConfig(channels=4, blocks=1), NICETranslatorConfig.tiny(), UGATITTranslatorConfig.tiny()]
)
def test_what_is_made_may_be_larger_than_what_is_taken(config):
    net = config.build(ImageSpec(64, 32), ImageSpec(16, 8, 5))
    made = net(torch.randn(2, 5, 16, 8), resolutions=(16, 64))
    assert made.image.shape == (2, 3, 64, 32) and made.features[64].shape[2:] == (64, 32)


def test_a_u_net_halves_as_often_as_its_images_allow():
    net = UNetTranslatorConfig(channels=2).build(PHOTO, PHOTO)
    assert [layer.dropout is not None for layer in net.up] == [False, True, True, True, False, False, False]
    assert net.feature_channels == {2: 16, 4: 16, 8: 16, 16: 16, 32: 8, 64: 4, 128: 2}
    small = UNetTranslatorConfig(channels=2).build(ImageSpec(24, 16), ImageSpec(24, 16))
    assert len(small.down) == 3 and small(torch.randn(1, 3, 24, 16)).image.shape == (1, 3, 24, 16)


def test_pix2pix_at_test_runs_as_in_training_unless_it_is_told_otherwise():
    x = torch.randn(2, 3, 64, 64)
    net = UNetTranslatorConfig(channels=2).build(ImageSpec(64, 64), ImageSpec(64, 64)).eval()
    assert not torch.equal(net(x).image, net(x).image)
    still = UNetTranslatorConfig(channels=2, dropout_at_test=False).build(ImageSpec(64, 64), ImageSpec(64, 64)).eval()
    assert torch.equal(still(x).image, still(x).image)
    torch.testing.assert_close(still(x).image[:1], still(x[:1]).image, rtol=1e-4, atol=1e-5)  # whatever is beside it
    shown = still(x[:1]).image
    for module in still.train().modules():
        if isinstance(module, Dropout):
            module.eval()
    torch.testing.assert_close(shown, still(x[:1]).image, rtol=1e-4, atol=1e-5)  # as in training, of one image
    running = UNetTranslatorConfig(channels=2, dropout_at_test=False, batch_at_test=False)
    running = running.build(ImageSpec(64, 64), ImageSpec(64, 64)).eval()
    running.load_state_dict(still.state_dict())
    assert not torch.allclose(running(x[:1]).image, shown, atol=1e-4)


def test_batch_statistics_of_a_translator_follow_its_steps():
    net = UNetTranslatorConfig(channels=2).build(ImageSpec(16, 16), ImageSpec(16, 16))
    net(torch.randn(4, 3, 16, 16))
    seen = net.measure()
    assert seen and all(name.startswith("moments/") for name in seen)
    net.after_step(seen)
    assert net.up[0].norm.running_mean.abs().sum() > 0


@pytest.mark.parametrize(
    "config", [PatchDiscriminatorConfig.tiny(), NICEDiscriminatorConfig.tiny(), UGATITDiscriminatorConfig.tiny()]
)
def test_ggdrs_decoder_goes_on_top_and_all_heads_pass_through(config):
    spec = ImageSpec(32, 32)
    G = ResnetTranslatorConfig(channels=4, blocks=1).build(spec, spec)
    made = G(torch.randn(2, 3, 32, 32), resolutions=(8, 16, 32))
    net = UNetDiscriminatorConfig(encoder=config).build(spec, ExtraOutputs(G.feature_channels))
    said = net(made.image, resolutions=(8, 16, 32))
    assert {r: x.shape for r, x in said.features.items()} == {r: x.shape for r, x in made.features.items()}
    assert len(said.more_logits) == len(net.encoder(made.image).more_logits)
    sum(x.square().sum() for x in said.features.values()).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.encoder.parameters())


def test_nices_encoder_is_the_first_half_of_its_judgement():
    net = NICEDiscriminatorConfig.tiny().build(ImageSpec(32, 32))
    x = torch.randn(2, 3, 32, 32)
    codes, said = net.encode(x), net(x)
    assert codes.shape == (2, net.code_spec.channels, net.code_spec.height, net.code_spec.width) == (2, 8, 8, 8)
    torch.testing.assert_close(said.maps[8], codes)
    torch.testing.assert_close(said.codes, codes)
    assert [logits.shape for logits in (said.logits, *said.more_logits)] == [(2, 4), (2, 4), (2, 1)]
    wrapped = UNetDiscriminatorConfig(encoder=NICEDiscriminatorConfig.tiny())
    assert Capability.ENCODE in wrapped.provides
    assert wrapped.build(ImageSpec(32, 32)).code_spec == net.code_spec
    for hiding in (ConcatDiscriminatorConfig, PAGANDiscriminatorConfig):  # whose encoder sees another image
        assert Capability.ENCODE not in hiding(encoder=NICEDiscriminatorConfig.tiny()).provides


def test_ugatits_networks_of_patches_are_two_and_each_has_classifiers():
    net = UGATITDiscriminatorConfig(channels=4, halvings=3, local_halvings=2).build(ImageSpec(64, 64, labels=3))
    x, labels = torch.randn(2, 3, 64, 64), torch.eye(3)[:2]
    said = net(x, labels)
    assert [x.shape for x in (said.logits, *said.more_logits)] == [(2, 6**2), (2, 2), (2, 14**2), (2, 2)]
    assert {r: maps.shape[1] for r, maps in said.maps.items()} == {32: 4, 16: 8, 8: 16} == net.map_channels
    torch.testing.assert_close(net.pyramid(x, labels)[0], said.logits)
    staged = [weight for stage in net.stages() for weight in stage.parameters()]
    assert len({*map(id, staged)}) == len(staged) == sum(1 for _ in net.parameters()) - 2  # without the labels' two
    assert len([*spectral_norms(net)]) == 4 + 3 + 2 * (2 + 1), "layers, and each network's classifiers and last layer"
    small = UGATITDiscriminatorConfig(channels=4).build(ImageSpec(16, 16))
    assert [len(each.layers) for each in (small.global_net, small.local_net)] == [3, 3]


def test_ugatits_shares_of_normalization_are_clipped_after_an_update():
    net = UGATITTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(16, 16))
    shares = [weight for name, weight in net.named_parameters() if name.endswith("shares")]
    assert len(shares) == 3
    for weight in shares:
        torch.nn.init.constant_(weight, 1.25)
    net.after_update(0.0)
    assert all((weight == 1).all() for weight in shares)


def test_ugatit_takes_images_of_any_size_only_where_it_is_light():
    spec = ImageSpec(32, 32)
    light = UGATITTranslatorConfig(channels=4, blocks=1).build(spec, spec)
    assert light.size_divisor == 4 and light(torch.randn(1, 3, 16, 40)).image.shape == (1, 3, 16, 40)
    whole = UGATITTranslatorConfig(channels=4, blocks=1, light=False).build(spec, spec)
    assert whole.size_divisor == 0 and whole.style.fc0.weight.shape == (16, 16 * 8 * 8)


def test_a_pixels_logit_sees_that_pixel_alone():
    net = PixelDiscriminatorConfig(channels=4, norm="none").build(ImageSpec(8, 8))
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    said = net(x)
    (slope,) = torch.autograd.grad(said.pixel_logits[0, 0, 2, 5], x)
    assert (slope != 0).any(dim=1)[0].nonzero().tolist() == [[2, 5]]
    assert torch.equal(said.pixel_logits.flatten(1), said.logits)


def test_weights_start_small_as_the_paper_has_them():
    net = ResnetTranslatorConfig(channels=16, blocks=2).build(ImageSpec(64, 64), ImageSpec(64, 64))
    assert float(net.blocks[0].conv.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert all((p == 0).all() for name, p in net.named_parameters() if name.endswith("bias"))
    judge = PatchDiscriminatorConfig(channels=16, norm="batch").build(ImageSpec(64, 64))
    scale = judge.nets[0].layers[3].norm.weight.detach()
    assert float(scale.mean()) == pytest.approx(1.0, abs=0.01) and float(scale.std()) == pytest.approx(0.02, rel=0.3)


def test_an_encoder_of_one_halving_keeps_codes_of_half_the_image():
    from ggdr.networks.nice import NICEDiscriminatorConfig

    judge = NICEDiscriminatorConfig(channels=4, halvings=1).build(ImageSpec(32, 32, 3))
    assert judge.code_spec == ImageSpec(16, 16, 4)
    assert judge.encode(torch.zeros(1, 3, 32, 32)).shape == (1, 4, 16, 16)
    assert judge(torch.zeros(1, 3, 32, 32)).codes.shape == (1, 4, 16, 16)


def test_heads_of_stargans_discriminator_read_all_of_the_last_maps_also_inside_a_unet():
    spec, heads = ImageSpec(16, 32), ExtraOutputs({4: 3}, {"classes": Head(5), "deep": Head(2, hidden=4)})
    net = UNetDiscriminatorConfig(encoder=StarGANDiscriminatorConfig.tiny()).build(spec, heads)
    assert not net.heads and net.encoder.heads["classes"].weight.shape == (5, 8 * 4 * 8)
    said = net(torch.randn(2, 3, 16, 32), resolutions=(4,))
    assert {name: tuple(each.shape) for name, each in said.head_outputs.items()} == {"classes": (2, 5), "deep": (2, 2)}
    assert said.features[4].shape == (2, 3, 4, 8) and said.logits.shape == (2, 4 * 8)
