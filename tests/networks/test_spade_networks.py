"""SPADE's and OASIS's generators: sizes, what the map and the codes reach, and what is refused."""

from __future__ import annotations

import pytest
import torch

from ggdr.errors import UserError
from ggdr.layers.spectral import spectral_norms
from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISTranslatorConfig
from ggdr.networks.spade import SPADETranslatorConfig

PHOTO = ImageSpec(256, 256)
MAP = ImageSpec(16, 16, 5, classes=5)


def small(config=OASISTranslatorConfig, **settings):
    torch.manual_seed(0)
    tiny = {"channels": 4, "z_dim": 3, "doublings": 2, "hidden": 8} | settings
    return config(**tiny).build(ImageSpec(16, 16), MAP)


def label_map(n: int = 2, side: int = 16) -> torch.Tensor:
    draws = torch.randint(0, 5, (n, side, side), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.one_hot(draws, 5).movedim(-1, 1).float()


def test_the_papers_blocks_are_as_wide_as_they_say():
    with torch.device("meta"):
        spade = SPADETranslatorConfig().build(PHOTO, PHOTO._replace(channels=151))
        oasis = OASISTranslatorConfig().build(PHOTO, PHOTO._replace(channels=151))
    assert spade.feature_channels == {4: 1024, 8: 1024, 16: 1024, 32: 512, 64: 256, 128: 128, 256: 64}
    assert oasis.feature_channels == {8: 1024, 16: 1024, 32: 512, 64: 256, 128: 128, 256: 64}
    assert spade.first.in_features == 256 and oasis.first.in_channels == 64 + 151


def test_wide_images_begin_wide_and_small_ones_with_fewer_doublings():
    with torch.device("meta"):
        wide = SPADETranslatorConfig().build(ImageSpec(256, 512), ImageSpec(256, 512, 35))
        few = SPADETranslatorConfig(channels=4).build(ImageSpec(24, 24), ImageSpec(24, 24, 5))
    assert wide.first.out_features == 1024 * 4 * 8 and min(few.feature_channels) == 3
    with pytest.raises(UserError, match=r"doubles its maps, and 15 x 15 px are odd: resize them, --data.size 14 14"):
        SPADETranslatorConfig().build(ImageSpec(15, 15), ImageSpec(15, 15, 5))
    with pytest.raises(UserError, match="makes images of the size that it takes"):
        SPADETranslatorConfig().build(ImageSpec(32, 32), MAP)


def test_convolutions_of_blocks_are_spectrally_normalized_and_what_reads_the_map_is_not():
    net = small(spectral=True)
    normed = {id(part) for part, _ in spectral_norms(net)}
    assert len(normed) == sum(len(block.convolutions) for block in net.blocks) == 8
    assert not [*spectral_norms(net.blocks[0].norm0)] and not [*spectral_norms(net.toimage)]
    assert not [*spectral_norms(small(spectral=False))]


@pytest.mark.parametrize("config", [SPADETranslatorConfig, OASISTranslatorConfig])
def test_all_layers_are_spectrally_normalized_where_all_are_to_be(config):
    net = small(config, spectral_all=True)
    layers = [each for each in net.modules() if isinstance(each, torch.nn.Conv2d | torch.nn.Linear)]
    assert len([*spectral_norms(net)]) == len(layers) > 20
    assert {each.weight.isfinite().all().item() for each in layers} == {True}
    with pytest.raises(UserError, match="spectral_all goes with spectral: set both, or neither"):
        small(config, spectral_all=True, spectral=False)


def test_weights_are_glorots_and_biases_zero():
    torch.manual_seed(0)
    net = SPADETranslatorConfig(channels=32, doublings=1, spectral=False).build(ImageSpec(16, 16), MAP)
    assert all((bias == 0).all() for name, bias in net.named_parameters() if name.endswith("bias"))
    for layer in (net.first, net.blocks[0].conv1, net.blocks[0].norm0.scale):
        ins, outs = layer.weight[0].numel(), layer.weight[:, 0].numel()
        assert layer.weight.std().item() == pytest.approx((2 / (ins + outs)) ** 0.5, rel=0.03)


def test_maps_are_halved_as_often_as_settings_and_size_allow():
    every = small(SPADETranslatorConfig, doublings=6)
    assert sorted(every.feature_channels) == [2, 4, 8, 16] and every.doublings == 3


def test_labels_join_the_map_as_planes_and_are_seen_everywhere():
    torch.manual_seed(0)
    net = SPADETranslatorConfig(channels=4, z_dim=0, doublings=2, hidden=8).build(ImageSpec(16, 16, 3, labels=2), MAP)
    net.eval()
    one, other = (net(label_map(), torch.eye(2)[[place] * 2]).image for place in (0, 1))
    assert (one - other).abs().amin() > 0


def test_maps_that_are_read_are_handed_over_in_float32_and_no_others():
    net, z = small(SPADETranslatorConfig).eval(), torch.ones(2, 3)
    for autocast in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            made = net(label_map(), z=z, resolutions=(8,))
        assert {side: (maps.dtype, maps.shape[1:]) for side, maps in made.features.items()} == {
            8: (torch.float32, (8, 8, 8))
        }
        assert made.image.dtype == torch.float32 and made.image.abs().max() <= 1
    assert not net(label_map(), z=z).features
    with pytest.raises(ValueError, match="12"):
        net(label_map(), z=z, resolutions=(12,))


@pytest.mark.parametrize("z_dim", [0, 3])
def test_spade_takes_a_code_of_the_image_or_none(z_dim):
    net = small(SPADETranslatorConfig, z_dim=z_dim).eval()
    assert (net.z_dim, net.size_divisor) == (z_dim, 0 if z_dim else 4)
    if z_dim:
        with pytest.raises(ValueError, match=r"pass z \[N, 3\]"):
            net(label_map())
        assert not torch.allclose(
            net(label_map(), z=torch.ones(2, 3)).image, net(label_map(), z=torch.zeros(2, 3)).image
        )
    else:
        assert net(label_map(2, 24)).image.shape == (2, 3, 24, 24), "any size"


def test_a_code_of_places_changes_those_places_and_what_is_near():
    net = small(norm="batch").eval()
    z = torch.randn(2, 3, 1, 1).expand(-1, -1, 64, 64).clone()
    shown = label_map(2, 64)
    made = net(shown, z=z).image
    torch.testing.assert_close(made, net(shown, z=z[:, :, 0, 0]).image)
    z[:, :, 56:, 56:] += 3
    changed = (net(shown, z=z).image - made).abs().amax((0, 1))
    assert changed[60:, 60:].min() > 1e-4 and changed[:8, :8].max() == 0
    with pytest.raises(ValueError, match="takes codes"):
        net(shown)


def test_refused_settings_are_named():
    with pytest.raises(UserError, match="z_dim is 0"):
        OASISTranslatorConfig(z_dim=0)
    with pytest.raises(UserError, match="hidden is 0"):
        SPADETranslatorConfig(hidden=0)
