"""SNGAN, SAGAN, BigGAN and what wraps a discriminator: what their papers say of layers, widths, weights and codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ggdr.layers.attention import SelfAttention, nearest_resolution
from ggdr.layers.norm import ConditionalBatchNorm2d
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.biggan import (
    BigGANDeepDiscriminatorConfig,
    BigGANDeepGeneratorConfig,
    BigGANDiscriminatorConfig,
    BigGANGeneratorConfig,
)
from ggdr.networks.biggan.bottleneck import DownBottleneck, UpBottleneck
from ggdr.networks.conditional import ConcatDiscriminatorConfig, UnconditionalDiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminatorConfig, SAGANGeneratorConfig
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.orthogonal import Orthogonal, filters
from ggdr.sampling import SamplingOptions, draw

BRIEF = ImageSpec(16, 16, 3, 4)
WIDE = ImageSpec(24, 48, 1, 4)
GENERATORS = [
    SNGANGeneratorConfig.tiny(),
    SAGANGeneratorConfig.tiny(),
    BigGANGeneratorConfig.tiny(),
    BigGANDeepGeneratorConfig.tiny(),
]
DISCRIMINATORS = [
    SNGANDiscriminatorConfig.tiny(),
    replace(SNGANDiscriminatorConfig.tiny(), norm="layer"),
    SAGANDiscriminatorConfig.tiny(),
    BigGANDiscriminatorConfig.tiny(),
    BigGANDeepDiscriminatorConfig.tiny(),
    ConcatDiscriminatorConfig(encoder=SNGANDiscriminatorConfig.tiny()),
    UnconditionalDiscriminatorConfig(encoder=SNGANDiscriminatorConfig.tiny()),
]


def named(config) -> str:
    return f"{config.name}-{vars(config).get('norm', '')}".strip("-")


def weights(network: nn.Module, *kinds: type[nn.Module]) -> dict[str, torch.Tensor]:
    """The weights that layers of these kinds use, as matrices, by name."""
    return {name: m.weight.flatten(1) for name, m in network.named_modules() if isinstance(m, kinds)}


def size(config, spec: ImageSpec) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in config.build(spec).parameters())


@pytest.mark.parametrize("config", GENERATORS, ids=named)
def test_generator_makes_oblong_images_in_bfloat16_and_hands_over_float32(config):
    torch.manual_seed(0)
    network = config.build(WIDE)
    resolutions = tuple(network.feature_channels)
    with torch.autocast("cpu", torch.bfloat16):
        made = network(torch.randn(3, network.z_dim), torch.eye(4)[:3], resolutions=resolutions)
    assert made.image.shape == (3, 1, 24, 48) and made.image.dtype == torch.float32
    assert resolutions == (6, 12, 24)
    for resolution, maps in made.features.items():
        assert (
            maps.shape == (3, network.feature_channels[resolution], resolution, 2 * resolution)
            and maps.dtype == torch.float32
        )
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        network(torch.randn(3, network.z_dim))
    with pytest.raises(ValueError, match="11"):
        network(torch.randn(3, network.z_dim), torch.eye(4)[:3], resolutions=(11,))


@pytest.mark.parametrize("config", DISCRIMINATORS, ids=named)
def test_discriminator_carries_a_decoder_and_judges_each_image_by_itself(config):
    torch.manual_seed(0)
    network = UNetDiscriminatorConfig(encoder=config).build(WIDE, ExtraOutputs({6: 5, 24: 7})).eval()
    image, labels = torch.randn(3, 1, 24, 48), torch.eye(4)[:3]
    said = network(image, labels, resolutions=(6, 24))
    assert {resolution: tuple(drawn.shape[1:]) for resolution, drawn in said.features.items()} == {
        6: (5, 6, 12),
        24: (7, 24, 48),
    }
    assert {resolution: tuple(maps.shape[1:]) for resolution, maps in said.maps.items()} == {
        resolution: (channels, resolution, 2 * resolution) for resolution, channels in network.map_channels.items()
    }
    torch.testing.assert_close(network(image[:1], labels[:1]).logits, said.logits[:1], rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert network.train()(image, labels).logits.dtype == torch.float32


class TestSpectral:
    @pytest.mark.parametrize(
        "config", [SNGANDiscriminatorConfig.tiny(), BigGANDeepDiscriminatorConfig.tiny()], ids=named
    )
    def test_every_weight_of_the_discriminator_has_norm_one(self, config):
        torch.manual_seed(0)
        network = config.build(BRIEF)
        for _ in range(8):
            network(torch.randn(2, 3, 16, 16), torch.eye(4)[:2])
        found = weights(network.eval(), nn.Conv2d, nn.Linear)
        norms = torch.stack([torch.linalg.matrix_norm(matrix, 2) for matrix in found.values()])
        assert "embed" in found and len(found) > 8
        torch.testing.assert_close(norms, torch.ones(len(norms)), rtol=0.05, atol=0)

    def test_sagan_s_generator_has_it_but_not_in_what_labels_do(self):
        found = dict(SAGANGeneratorConfig.tiny().build(BRIEF).named_parameters())
        assert "b16.conv0.parametrizations.weight.original" in found and "b16.norm0.scale.weight" in found
        assert not any("original" in name for name, _ in SNGANGeneratorConfig.tiny().build(BRIEF).named_parameters())

    def test_a_critic_without_it_has_plain_weights(self):
        for norm in ("none", "layer"):
            network = SNGANDiscriminatorConfig(channels=4, norm=norm).build(BRIEF)
            assert not any("original" in name for name, _ in network.named_parameters())
            assert (norm == "layer") == any(isinstance(module, nn.GroupNorm) for module in network.modules())


class TestAttention:
    def test_it_starts_as_nothing_and_follows_the_paper_s_equations(self):
        torch.manual_seed(0)
        layer, x = SelfAttention(16), torch.randn(2, 16, 3, 4)
        assert torch.equal(layer(x), x)
        layer.gamma.data.fill_(0.7)
        columns = x.flatten(2)
        f, g, h, v = (m.weight.flatten(1) for m in (layer.key, layer.query, layer.value, layer.out))
        assert f.shape == (2, 16)
        scores = torch.einsum("nci,ncj->nij", f @ columns, g @ columns)
        beta = scores.exp() / scores.exp().sum(dim=1, keepdim=True)  # how much place j attends to place i
        expected = 0.7 * (v @ torch.einsum("nij,nci->ncj", beta, h @ columns)) + columns
        torch.testing.assert_close(layer(x).flatten(2), expected)

    def test_it_sits_at_the_side_nearest_to_the_wanted_one(self):
        assert (
            nearest_resolution(64, [4, 8, 16]) == 16
            and nearest_resolution(9, [4, 8, 16]) == 8
            and nearest_resolution(0, [4, 8]) == 0
        )

        def places(config):
            modules = config.build(ImageSpec(32, 32)).named_modules()
            return [name.split(".")[0] for name, module in modules if isinstance(module, SelfAttention)]

        assert places(replace(SAGANGeneratorConfig.tiny(), attention=16)) == ["b16"]
        assert places(replace(SAGANDiscriminatorConfig.tiny(), attention=16)) == ["b32"]  # which ends at side 16
        assert places(replace(BigGANDeepDiscriminatorConfig.tiny(), attention=16)) == [
            "b16"
        ]  # which starts from side 16
        assert places(replace(BigGANGeneratorConfig.tiny(), attention=0)) == []


class TestWidths:
    def test_those_of_sngan_are_the_papers_for_128_and_32_px(self):
        with torch.device("meta"):
            large = SNGANGeneratorConfig().build(ImageSpec(128, 128))
            small = SNGANGeneratorConfig(channels=256, channel_max=256).build(ImageSpec(32, 32))
            judge = SNGANDiscriminatorConfig().build(ImageSpec(128, 128))
        assert [*large.feature_channels.values()] == [1024, 1024, 512, 256, 128, 64]
        assert set(small.feature_channels.values()) == {256}
        assert judge.map_channels == {4: 1024, 8: 512, 16: 256, 32: 128, 64: 64}

    def test_biggan_has_as_many_weights_as_the_paper_says(self):
        """70.4 and 88.0 million for 128 px and ImageNet's classes (Brock et al. 2019, app. B)."""
        spec = ImageSpec(128, 128, 3, 1000)
        assert round(size(BigGANGeneratorConfig(), spec) / 1e6, 1) == 70.4
        assert round(size(BigGANDiscriminatorConfig(), spec) / 1e6, 1) == 88.0

    def test_biggan_deep_has_about_as_many_as_the_paper_says(self):
        """50.4 and 34.6 million."""
        spec = ImageSpec(128, 128, 3, 1000)
        assert size(BigGANDeepGeneratorConfig(), spec) / 1e6 == pytest.approx(50.4, rel=0.005)
        assert size(BigGANDeepDiscriminatorConfig(), spec) / 1e6 == pytest.approx(34.6, rel=0.005)


class TestBigGAN:
    def test_weights_start_orthogonal(self):
        network = BigGANGeneratorConfig.tiny().build(BRIEF)
        weight = network.b16.conv1.parametrizations.weight.original.flatten(1)
        torch.testing.assert_close(weight @ weight.T, torch.eye(len(weight)), rtol=0, atol=1e-5)

    def test_each_block_hears_its_own_part_of_z(self):
        torch.manual_seed(0)
        network = BigGANGeneratorConfig.tiny().build(BRIEF).eval()
        z, labels = torch.randn(1, network.z_dim), torch.eye(4)[:1]
        assert network.z_dim == 3 * 4 and network.styles(z, labels).shape == (1, 3, 4 + 4)
        changed = z.clone()
        changed[:, -4:] += 1  # the part of the last block
        a, b = (network(each, labels, resolutions=(4, 8, 16)).features for each in (z, changed))
        assert torch.equal(a[4], b[4]) and torch.equal(a[8], b[8]) and not torch.allclose(a[16], b[16])

    def test_each_block_of_the_deep_one_hears_all_of_z_and_the_class(self):
        network = BigGANDeepGeneratorConfig.tiny().build(BRIEF)
        ws = network.styles(torch.randn(2, 8), torch.eye(4)[:2])
        assert ws.shape == (2, 3, 8 + 4) and torch.equal(ws, ws[:, :1].expand(-1, 3, -1))

    @pytest.mark.parametrize("config", [BigGANGeneratorConfig.tiny(), BigGANDeepGeneratorConfig.tiny()], ids=named)
    def test_psi_scales_z_and_leaves_the_class(self, config):
        torch.manual_seed(0)
        network = config.build(BRIEF).eval()
        z, labels = torch.randn(2, network.z_dim), torch.eye(4)[:2]
        full, half = network.styles(z, labels), network.styles(z, labels, psi=0.5, cutoff=2)
        share = full.shape[2] - 4
        torch.testing.assert_close(half[:, :2, :share], full[:, :2, :share] / 2)
        assert torch.equal(half[:, 2], full[:, 2]) and torch.equal(half[..., share:], full[..., share:])
        assert torch.equal(network.synthesize(full), network(z, labels).image)
        mean = [torch.cat([*draw(network, [seed], labels[:1], SamplingOptions(truncation_psi=0.0))]) for seed in (0, 1)]
        torch.testing.assert_close(*mean)

    @pytest.mark.parametrize("config", [BigGANGeneratorConfig.tiny(), BigGANDeepGeneratorConfig.tiny()], ids=named)
    def test_style_codes_enter_by_the_matrices_it_names(self, config):
        network = config.build(BRIEF).eval()
        input_matrices, ws = network.input_matrices(), network.styles(torch.randn(2, network.z_dim), torch.eye(4)[:2])
        assert [matrix.shape[1] for matrix in input_matrices] == [ws.shape[2]] * ws.shape[1]
        layer = next(module for module in network.b8.modules() if isinstance(module, ConditionalBatchNorm2d))
        channels = layer.scale.out_features
        torch.testing.assert_close(ws[:, 1] @ input_matrices[1][:channels].T, layer.scale(ws[:, 1]))
        first = network.fc(ws[:, 0, : network.fc.in_features]) - network.fc.bias
        torch.testing.assert_close(ws[:, 0] @ input_matrices[0].T, first)

    def test_shortcuts_of_the_deep_one_hand_channels_on_as_they_are(self):
        up, down = UpBottleneck(8, 4, 3, True), DownBottleneck(4, 8, "none", False)
        for layer in (up.conv3, down.conv3):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        x = torch.randn(2, 8, 3, 3)
        assert torch.equal(up(x, torch.randn(2, 3))[:, :, ::2, ::2], x[:, :4])
        assert torch.equal(down(x[:, :4])[:, :4], x[:, :4])
        assert up.conv1.weight.shape[:2] == (2, 2)


def test_conditional_normalization_is_one_and_a_scale_and_a_shift():
    torch.manual_seed(0)
    layer, x, code = ConditionalBatchNorm2d(3, 2), torch.randn(4, 3, 5, 5), torch.randn(4, 2)
    normal = (x - x.mean((0, 2, 3), keepdim=True)) / x.var((0, 2, 3), unbiased=False, keepdim=True).add(1e-5).sqrt()
    scale, shift = ((code @ m.T)[:, :, None, None] for m in layer.input_matrices())
    torch.testing.assert_close(layer(x, code), normal * (1 + scale) + shift)
    assert "weight" not in layer.state_dict()


def test_sngan_starts_blind_to_labels_and_learns_them():
    torch.manual_seed(0)
    network = SNGANGeneratorConfig.tiny().build(BRIEF).eval()
    z = torch.randn(1, 8).expand(2, -1)
    made = network(z, torch.eye(4)[:2]).image
    assert torch.equal(made[0], made[1])
    made[0].square().sum().backward()
    assert network.b16.norm0.scale.weight.grad.abs().sum() > 0


class TestOrthogonal:
    def test_it_is_the_paper_s_equation(self):
        torch.manual_seed(0)
        g = DCGANGeneratorConfig.tiny().build(BRIEF)
        duel = Duel(g, DCGANDiscriminatorConfig.tiny().build(BRIEF), torch.zeros(2, 3, 16, 16), None, StepContext("g"))
        expected = 0.0
        for layer in g.modules():
            if isinstance(layer, nn.ConvTranspose2d):
                w = layer.weight.permute(0, 2, 3, 1).flatten(0, 2)  # a filter a column
                expected += (w.T @ w * (1 - torch.eye(w.shape[1]))).square().sum()
        torch.testing.assert_close(Orthogonal().g_loss(duel), expected)

    def test_it_is_nothing_at_the_start_of_biggan_whose_filters_are_orthogonal(self):
        config = BigGANGeneratorConfig(z_part=16, embedding=16, channels=8, channel_max=8, attention=0)
        found = {tuple(matrix.shape): matrix @ matrix.T for matrix in filters(config.build(BRIEF))}
        square = found[8, 72]
        assert (square - torch.diag(square.diagonal())).abs().max() < 1e-5

    def test_embeddings_are_left_out_and_normalised_weights_are_not(self):
        network = BigGANGeneratorConfig.tiny().build(BRIEF)
        seen = sum(matrix.numel() for matrix in filters(network))
        every = sum(p.numel() for p in network.parameters() if p.ndim > 1)
        assert seen == every - network.embed.weight.numel()


class TestConditional:
    def test_concat_shows_a_plane_a_class_and_unconditional_shows_none(self):
        encoder = DCGANDiscriminatorConfig.tiny()
        concat, unconditional = (
            kind(encoder=encoder).build(BRIEF) for kind in (ConcatDiscriminatorConfig, UnconditionalDiscriminatorConfig)
        )
        image, labels = torch.randn(2, 3, 16, 16), torch.eye(4)[1:3]
        shown = concat.encoder_input(image, labels)
        assert torch.equal(shown[:, :3], image) and torch.equal(shown[:, 3:].mean((2, 3)), labels)
        assert concat.encoder.spec.channels == 7 and unconditional.encoder.spec == BRIEF._replace(labels=0)
        assert torch.equal(unconditional(image, labels).logits, unconditional(image, labels.flip(0)).logits)
        with pytest.raises(ValueError, match=r"\[N, 4\]"):
            concat(image)

    def test_an_encoder_without_a_pyramid_is_refused(self, monkeypatch):
        monkeypatch.setattr(DCGANDiscriminatorConfig, "provides", frozenset())
        with pytest.raises(ValueError, match="'dcgan' provides no pyramid.*'concat'"):
            ConcatDiscriminatorConfig().build(BRIEF)
