"""What every registered generator and discriminator must do, on every kind of image; a new one gets the tests."""

from __future__ import annotations

import pytest
import torch
from image_specs import SPECS, every_spec, images_of, labels_of, sized
from registered import own

from ggdr.networks.base import ExtraOutputs, GeneratorConfig, ImageSpec
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.gradient import input_gradient
from ggdr.registry import Capability
from ggdr.saving.model import load_model, save_model

discriminators, generators = own("discriminator"), own("generator")
OF_NOISE = sorted(name for name, part in generators.items() if issubclass(part, GeneratorConfig))
WITH_PYRAMID = sorted(name for name, part in discriminators.items() if Capability.PYRAMID in part.provides)
NETWORKS = [*(("g", name) for name in OF_NOISE), *(("d", name) for name in sorted(discriminators))]
KINDS = {"g": generators, "d": discriminators}
PLAIN, LABELLED = SPECS["square"], SPECS["square, labels"]
BLIND = ("unconditional", "stargan")
"""discriminators that are shown no labels: heads tell them"""
every_network = pytest.mark.parametrize(("turn", "name"), NETWORKS)


def network(turn: str, name: str, spec: ImageSpec = PLAIN):
    torch.manual_seed(0)
    return KINDS[turn][name].tiny().build(spec)


def call(net, n: int = 4):
    """A forward pass, and the input it came from."""
    torch.manual_seed(1)
    x = torch.randn(n, net.z_dim) if isinstance(net.config, GeneratorConfig) else images_of(net.spec, n)
    x.requires_grad_()
    return net(x, labels_of(net.spec, n)), x


@every_spec
@pytest.mark.parametrize("name", OF_NOISE)
def test_a_generator_hands_over_images_and_maps_of_the_promised_shapes(name, spec):
    net = network("g", name, spec)
    made, _ = call(net)
    assert made.image.shape == images_of(spec, 4).shape and made.image.dtype == torch.float32
    assert made.image.isfinite().all() and made.features == {}
    provides, resolutions = net.config.provides, tuple(net.feature_channels)
    assert (Capability.G_FEATURES in provides) == bool(resolutions)
    made = net(torch.randn(2, net.z_dim), labels_of(spec, 2), resolutions=resolutions)
    assert {r: tuple(x.shape) for r, x in made.features.items()} == sized(spec, net.feature_channels, 2)
    assert (Capability.WS in provides) == (made.ws is not None) == bool(net.w_dim)
    assert (Capability.SCALES in provides) == bool(made.scales)
    if made.ws is not None:
        codes = net.styles(torch.randn(2, net.z_dim), labels_of(spec, 2))
        assert codes.shape == made.ws.shape and made.ws.shape[::2] == (2, net.w_dim)
    with pytest.raises(ValueError, match="11"):
        net(torch.randn(2, net.z_dim), labels_of(spec, 2), resolutions=(11,))
    if Capability.INPUT_MATRICES in provides:
        assert all(matrix.ndim == 2 for matrix in net.input_matrices())


@every_spec
@pytest.mark.parametrize("name", sorted(discriminators))
def test_a_discriminator_hands_over_logits_and_a_pyramid_of_the_promised_shapes(name, spec):
    net = network("d", name, spec)
    said, _ = call(net)
    assert said.logits.shape[0] == 4 and said.logits.dtype == torch.float32 and said.logits.isfinite().all()
    assert (Capability.PYRAMID in net.config.provides) == bool(net.map_channels)
    logits, maps = net.pyramid(images_of(spec, 2), labels_of(spec, 2))
    assert logits.shape[0] == 2 and max(maps, default=spec.height // 2) == spec.height // 2
    assert {r: tuple(x.shape) for r, x in maps.items()} == sized(spec, net.map_channels, 2)
    staged = [id(parameter) for stage in net.stages() for parameter in stage.parameters()]
    assert len(staged) == len(set(staged))
    wanted = (4, 1, spec.height, spec.width) if Capability.PIXEL_LOGITS in net.config.provides else None
    assert (said.pixel_logits if wanted is None else tuple(said.pixel_logits.shape)) == wanted


@every_spec
@pytest.mark.parametrize("name", sorted({*WITH_PYRAMID} - {"unet"}))
def test_a_decoder_draws_on_every_discriminator_each_map_its_pyramid_leads_to(name, spec):
    encoder = discriminators[name].tiny()
    levels = encoder.build(spec).map_channels
    targets = dict.fromkeys([min(levels), *(2 * r for r in levels)], 5)
    net = UNetDiscriminatorConfig(encoder=encoder).build(spec, ExtraOutputs(targets))
    drawn = net(images_of(spec, 2), labels_of(spec, 2), resolutions=tuple(targets)).features
    assert {r: tuple(x.shape) for r, x in drawn.items()} == sized(spec, targets, 2)


@pytest.mark.parametrize(("turn", "name"), [each for each in NETWORKS if each[1] not in BLIND])
def test_labels_matter(turn, name):
    net = network(turn, name, LABELLED).eval()
    for parameter in net.parameters():  # some start at zero, and with them the labels' influence
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(4, net.z_dim) if turn == "g" else torch.randn(4, 3, 16, 16)
    torch.manual_seed(0)
    a = net(x, torch.eye(3)[[0, 0, 0, 0]])[0]
    torch.manual_seed(0)
    b = net(x, torch.eye(3)[[1, 1, 1, 1]])[0]
    assert not torch.allclose(a, b)


@pytest.mark.parametrize("spec", [SPECS["square, labels"], SPECS["tall RGBA"]], ids=["labels", "tall RGBA"])
@every_network
def test_save_and_load_are_exact(turn, name, spec, tmp_path):
    net = network(turn, name, spec).eval()
    save_model(net, tmp_path)
    again = load_model(tmp_path)
    assert again.config == net.config and again.spec == net.spec
    assert torch.equal(call(again)[0][0], call(net)[0][0])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


@every_network
def test_networks_can_be_differentiated_twice(turn, name):
    net = network(turn, name)
    made, x = call(net)
    input_gradient(made[0].square(), x).square().sum().backward()
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert grads and all(grad.isfinite().all() for grad in grads) and any(grad.abs().sum() > 0 for grad in grads)


@pytest.mark.parametrize("name", OF_NOISE)
def test_batch_mates_do_not_leak_in_eval(name):
    net = network("g", name).eval()
    torch.manual_seed(3)
    z = torch.randn(4, net.z_dim)
    torch.manual_seed(4)  # noise of the first sample is the first that is drawn
    alone = net(z[:1])[0]
    torch.manual_seed(4)
    other = net(torch.cat([z[:1], torch.randn(1, net.z_dim).mul(9)]))[0]
    plain = {key: value for key, value in net.named_parameters() if "noise" in key}
    assert all(value.abs().sum() == 0 for value in plain.values())
    # batches of one and of two may be summed in other orders; what a mate did would be far larger
    torch.testing.assert_close(other[:1], alone, rtol=1e-3, atol=1e-4)
