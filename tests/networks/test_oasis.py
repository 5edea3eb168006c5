"""OASIS's discriminator: its widths, logits of each pixel's class, and what becomes of them (2012.04781)."""

from __future__ import annotations

import pytest
import torch
from image_specs import SPECS, every_spec, images_of, labels_of

from ggdr.layers.spectral import spectral_norms
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.oasis import OASISDiscriminatorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.timestep import TimestepDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.saving.model import build, describe, load_model, save_model

TINY, EXTRA = OASISDiscriminatorConfig.tiny(), ExtraOutputs({8: 6}, {}, 5)
INSIDE = UNetDiscriminatorConfig.tiny()
AROUND = {
    "oasis": TINY,
    "unet around oasis": UNetDiscriminatorConfig(encoder=TINY),
    "unet": INSIDE,
    "pa_gan around unet": PAGANDiscriminatorConfig(encoder=INSIDE),
    "timestep around unet": TimestepDiscriminatorConfig(encoder=INSIDE, frequencies=2),
}


def test_at_256_px_it_has_six_blocks_down_and_six_up_of_the_widths_noted():
    with torch.device("meta"):
        net = OASISDiscriminatorConfig().build(ImageSpec(256, 256, 3), ExtraOutputs(class_logits=152))
    assert [block.conv0.out_channels for block in net.encoder] == [128, 128, 256, 256, 512, 512]
    ups = [(block.conv0.in_channels, block.conv0.out_channels) for block in net.decoder]
    assert ups == [(512, 512), (1024, 256), (512, 256), (512, 128), (256, 128), (256, 64)]
    assert net.classes.out_channels == 152 and net.map_channels == {4: 512, 8: 512, 16: 256, 32: 256, 64: 128, 128: 128}
    layers = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(list(spectral_norms(net))) == len(layers) == 2 * 18 + 1


@every_spec
@pytest.mark.parametrize("name", AROUND)
def test_every_pixel_gets_a_logit_of_each_class_and_one_of_being_a_fake(name, spec):
    torch.manual_seed(0)
    net = AROUND[name].build(spec, ExtraOutputs({}, {}, 5))
    said = net(images_of(spec, 2), labels_of(spec, 2))
    told = net.class_logits(said)
    assert told.shape == (2, 5, spec.height, spec.width) and told.dtype == torch.float32
    if "oasis" in name:
        odds = told[:, :4].exp().sum(1).log() - told[:, 4]
        torch.testing.assert_close(said.logits.view_as(odds), odds, atol=1e-4, rtol=1e-4)


def test_without_a_term_that_asks_for_classes_it_judges_pixels():
    net = TINY.build(SPECS["square"])
    assert net.classes.out_channels == 2 and net(torch.zeros(2, 3, 16, 16)).logits.shape == (2, 256)


@pytest.mark.parametrize("name", AROUND)
def test_what_it_was_built_to_tell_is_saved_with_it(name, tmp_path):
    torch.manual_seed(0)
    net = AROUND[name].build(SPECS["square"], EXTRA).eval()
    save_model(net, tmp_path)
    again, image = load_model(tmp_path), images_of(SPECS["square"], 2)
    assert again.extra == EXTRA
    assert torch.equal(again.class_logits(again(image)), net.class_logits(net(image)))


@pytest.mark.parametrize("classes", [-1, 2.5, "5", True])
def test_a_description_with_a_strange_number_of_classes_is_refused(classes, tmp_path):
    found = describe(TINY.build(SPECS["square"], EXTRA))
    found["extra"]["class_logits"] = classes
    with pytest.raises(ValueError, match="target_channels, heads and class_logits, in whole numbers"):
        build(found, tmp_path)


def test_a_decoder_that_draws_no_classes_is_what_it_was():
    """Nothing is added to networks of runs that go on."""
    torch.manual_seed(0)
    plain = INSIDE.build(SPECS["square"], ExtraOutputs({8: 6}))
    torch.manual_seed(0)
    classes = INSIDE.build(SPECS["square"], EXTRA)
    added = classes.state_dict().keys() - plain.state_dict().keys()
    assert added == {f"decoder.{each}" for each in ("b16.weight", "b16.bias", "classes.weight", "classes.bias")}
    assert "class_logits" not in describe(plain)["extra"]
    image = images_of(SPECS["square"], 2)
    ours, theirs = (net(image, resolutions=(8,)).features[8] for net in (plain, classes))
    assert torch.equal(ours, theirs)
