"""pix2pixHD's generator: coarse to fine, each stage from the one before."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from ggdr.data.pairs import Pairs
from ggdr.errors import UserError
from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.pix2pixhd import Pix2PixHDTranslatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.recipe import Recipe
from ggdr.saving.model import find_saved, save_model
from ggdr.transfer.start import start_networks

SMALL = Pix2PixHDTranslatorConfig(channels=8, halvings=2, blocks=2)
LABELS = ImageSpec(32, 64, 5, classes=4)


def built(config, height: int):
    torch.manual_seed(height)
    return config.build(ImageSpec(height, 2 * height), LABELS._replace(height=height, width=2 * height))


def test_the_papers_network_has_its_layers():
    with torch.device("meta"):
        net = Pix2PixHDTranslatorConfig(enhancers=1).build(ImageSpec(1024, 2048), ImageSpec(1024, 2048, 36))
    assert net.feature_channels == {32: 1024, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}
    assert len(net.blocks) == 9 and len(net.enhancers[0].blocks) == 3 and net.size_divisor == 32
    assert net.toimage.weight.shape == (3, 32, 7, 7) and net.enhancers[0].down[0].conv.weight.shape == (32, 36, 7, 7)


def test_without_enhancers_it_is_a_residual_network():
    torch.manual_seed(0)
    plain = ResnetTranslatorConfig(channels=8, halvings=2, blocks=2).build(ImageSpec(32, 64), LABELS)
    torch.manual_seed(0)
    net = SMALL.build(ImageSpec(32, 64), LABELS)
    x = torch.randn(1, 5, 32, 64)
    assert torch.equal(net(x).image, plain(x).image) and net.feature_channels == plain.feature_channels


@pytest.mark.parametrize("enhancers", [1, 2])
def test_an_enhancer_adds_what_the_stage_below_makes_of_the_halved_image(enhancers, tmp_path):
    """A stage starts from the one before, and then sees its last maps where those of the image's own size are zero."""
    plain = dataclasses.replace(SMALL, enhancer_blocks=0)
    below = built(dataclasses.replace(plain, enhancers=enhancers - 1), 32)
    save_model(below, tmp_path / "generator")
    net = built(dataclasses.replace(plain, enhancers=enhancers), 64)
    (start,) = start_networks(find_saved(tmp_path), {"generator": net})
    fresh = [name for name, _ in net.named_parameters() if name not in start.taken]
    assert {name.split(".")[0] for name in fresh} == {"enhancers", "toimage"}
    assert all(name.startswith((f"enhancers.{enhancers - 1}.", "toimage.")) for name in fresh)
    torch.nn.init.zeros_(net.enhancers[-1].down[1].conv.weight)
    x = torch.randn(1, 5, 64, 128)
    halved = F.avg_pool2d(x, 2)
    expected = below(halved, resolutions=(32,)).features[32]
    torch.testing.assert_close(net(x, resolutions=(32,)).features[32], expected)


@pytest.mark.parametrize("more", [{"z_dim": 3}, {"widenings": 1}])
def test_enhancers_go_around_a_generator_with_codes_or_other_widths(more):
    net = built(dataclasses.replace(SMALL, enhancers=1, **more), 64)
    z = torch.randn(1, 3) if "z_dim" in more else None
    x, resolutions = torch.randn(1, 5, 64, 128), tuple(net.feature_channels)
    made = net(x, z=z, resolutions=resolutions)
    assert made.image.shape == (1, 3, 64, 128)
    assert {r: maps.shape[1] for r, maps in made.features.items()} == net.feature_channels
    assert z is None or not torch.allclose(made.image, net(x, z=-z).image)


def test_all_but_the_last_enhancer_and_what_makes_its_image_rests_for_a_time():
    net = built(dataclasses.replace(SMALL, enhancers=2, freeze_global_kimg=3.0), 64)
    resting = {*net.resting(2.999)}
    still = {name.split(".")[0] for name, parameter in net.named_parameters() if parameter in resting}
    learning = {name for name, parameter in net.named_parameters() if parameter not in resting}
    assert still == {"down", "blocks", "up", "enhancers"}
    assert {".".join(name.split(".")[:2]) for name in learning} == {"enhancers.1", "toimage.weight", "toimage.bias"}
    assert net.resting(3.0) == [] and built(SMALL, 32).resting(0.0) == []


def test_a_network_that_nothing_has_trained_is_not_left_to_rest():
    config = dataclasses.replace(SMALL, enhancers=1, freeze_global_kimg=3.0)
    recipe = Recipe(
        data=Pairs(source="x"), game=PairedGame(), generator=config, discriminator=PatchDiscriminatorConfig()
    )
    with pytest.raises(UserError, match=r"rest for 3 kimg, and nothing has trained it: add --init-from RUN"):
        config.check_recipe(recipe)
    config.check_recipe(dataclasses.replace(recipe, init_from="runs/global"))
    with pytest.raises(UserError, match=r"without enhancers nothing would learn: give .* 1 or more"):
        dataclasses.replace(SMALL, freeze_global_kimg=3.0)


def test_sizes_that_cannot_be_made_are_refused_by_the_whole_images_size():
    with pytest.raises(UserError, match=r"halves its maps 3 times, and images of 36 x 64 px are no multiples of 8"):
        dataclasses.replace(SMALL, enhancers=1).build(ImageSpec(36, 64), ImageSpec(36, 64))
    with pytest.raises(UserError, match=r"'pix2pixhd' makes images of the size that it takes, not 64 x 64 px of 32 x"):
        SMALL.build(ImageSpec(64, 64), ImageSpec(32, 32))
