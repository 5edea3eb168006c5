"""What every registered translator must do, on every kind of image; a new one gets the tests."""

from __future__ import annotations

import pytest
import torch
from image_specs import SPECS, every_spec, images_of, labels_of, sized
from registered import own

from ggdr.networks.base import ImageSpec, TranslatorConfig
from ggdr.ops.gradient import input_gradient
from ggdr.registry import Capability
from ggdr.saving.model import load_model, save_model

generators = own("generator")
TRANSLATORS = sorted(name for name, part in generators.items() if issubclass(part, TranslatorConfig))
every_translator = pytest.mark.parametrize("name", TRANSLATORS)


def source_of(spec: ImageSpec, channels: int = 2) -> ImageSpec:
    """Images of the same size, of other channels."""
    return ImageSpec(spec.height, spec.width, channels)


ALIKE = {name for name in TRANSLATORS if Capability.FROZEN_ENCODER in generators[name].provides}
"""those whose encoder sees what they take and what they make, which have as many channels"""


def network(name: str, spec: ImageSpec):
    torch.manual_seed(0)
    return generators[name].tiny().build(spec, source_of(spec, spec.channels if name in ALIKE else 2))


def codes_of(net, n: int) -> torch.Tensor | None:
    """n codes [n, z_dim] for one that takes some."""
    return torch.randn(n, net.z_dim) if net.z_dim else None


@every_spec
@every_translator
def test_a_translator_hands_over_images_and_maps_of_the_promised_shapes(name, spec):
    net = network(name, spec)
    x, z = images_of(net.source, 3), codes_of(net, 3)
    made = net(x, labels_of(spec, 3), z=z)
    assert made.image.shape == images_of(spec, 3).shape and made.image.dtype == torch.float32
    assert made.features == {} and made.ws is None
    resolutions = tuple(net.feature_channels)
    assert (Capability.G_FEATURES in net.config.provides) == bool(resolutions)
    assert list(resolutions) == sorted(resolutions) and max(resolutions) <= spec.height
    made = net(x, labels_of(spec, 3), z=z, resolutions=resolutions)
    assert {r: tuple(each.shape) for r, each in made.features.items()} == sized(spec, net.feature_channels, 3)
    with pytest.raises(ValueError, match="11"):
        net(x, labels_of(spec, 3), z=z, resolutions=(11,))
    with pytest.raises(ValueError, match="labels") if spec.labels else torch.no_grad():
        net(x, z=z)
    assert net.eval()(x, labels_of(spec, 3), z=z).image.abs().max() <= 1  # in training some have no bounds


@every_spec
@every_translator
def test_encoder_maps_have_the_promised_channels_and_their_places_are_places_of_the_image(name, spec):
    net = network(name, spec)
    assert (Capability.ENCODER_MAPS in net.config.provides) == bool(net.encoder_channels)
    if not net.encoder_channels:
        return
    maps = net.encoder_maps(images_of(source_of(spec), 3), labels_of(spec, 3))
    assert tuple(each.shape[1] for each in maps) == net.encoder_channels and {len(each) for each in maps} == {3}
    assert all(each.shape[2] * spec.width == each.shape[3] * spec.height for each in maps[1:])
    assert maps[0].shape[2] - spec.height == maps[0].shape[3] - spec.width, "the image, with or without edges"


@every_translator
def test_image_and_labels_matter(name):
    spec = SPECS["square, labels"]
    net = network(name, spec).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, labels, z = images_of(net.source, 2), labels_of(spec, 2), codes_of(net, 2)
    made = net(x, labels, z=z).image
    others = [net(x, labels.flip(1), z=z), net(x.flip(3), labels, z=z)]
    others += [] if z is None else [net(x, labels, z=-z)]
    # by more than rounding, of which normalization may make much
    assert all((made - other.image).abs().max() > 0.1 for other in others)


@pytest.mark.parametrize("spec", [SPECS["square, labels"], SPECS["tall RGBA"]], ids=["labels", "tall RGBA"])
@every_translator
def test_save_and_load_are_exact(name, spec, tmp_path):
    net = network(name, spec).eval()
    save_model(net, tmp_path)
    again = load_model(tmp_path)
    assert (again.config, again.spec, again.source) == (net.config, spec, net.source)
    x, labels, z = images_of(net.source, 2), labels_of(spec, 2), codes_of(net, 2)
    assert torch.equal(again(x, labels, z=z).image, net(x, labels, z=z).image)


@every_translator
def test_translators_can_be_differentiated_twice(name):
    net = network(name, SPECS["square"])
    x = images_of(net.source, 2).requires_grad_()
    input_gradient(net(x, z=codes_of(net, 2)).image.square(), x).square().sum().backward()
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert grads and all(grad.isfinite().all() for grad in grads) and any(grad.abs().sum() > 0 for grad in grads)


@every_translator
def test_batch_mates_do_not_leak_in_eval(name):
    net = network(name, SPECS["square"]).eval()
    torch.manual_seed(3)
    x, other, z = images_of(net.source, 1), images_of(net.source, 1) * 9, codes_of(net, 1)
    both = net(torch.cat([x, other]), z=None if z is None else torch.cat([z, -z])).image
    torch.testing.assert_close(both[:1], net(x, z=z).image, rtol=1e-3, atol=1e-4)


@every_translator
def test_defaults_are_built_for_the_papers_images_within_their_sizes(name):
    with torch.device("meta"):
        net = generators[name]().build(ImageSpec(256, 256), ImageSpec(256, 256))
    assert sum(p.numel() for p in net.parameters()) < 300e6
