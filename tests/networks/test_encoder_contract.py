"""What every registered encoder must do, on every kind of image; a new one gets the tests."""

from __future__ import annotations

import pytest
import torch
from image_specs import SPECS, every_spec, images_of, labels_of
from registered import own

from ggdr.networks.base import ImageSpec
from ggdr.ops.gradient import input_gradient
from ggdr.saving.model import load_model, save_model

encoders = own("encoder")
every_encoder = pytest.mark.parametrize("name", sorted(encoders))


def network(name: str, spec: ImageSpec):
    torch.manual_seed(0)
    return encoders[name].tiny().build(spec)


@every_spec
@every_encoder
def test_an_encoder_hands_over_codes_of_the_promised_width(name, spec):
    net = network(name, spec)
    code = net(images_of(spec, 3), labels_of(spec, 3))
    for each in filter(lambda said: said is not None, code):
        assert each.shape == (3, net.config.code_dim) and each.dtype == torch.float32 and each.isfinite().all()
    assert code.sample().shape == (3, net.config.code_dim)
    with pytest.raises(ValueError, match="labels") if spec.labels else torch.no_grad():
        net(images_of(spec, 3))


@every_encoder
def test_images_of_other_sizes_have_codes_too(name):
    net = network(name, SPECS["square"]).eval()
    for size in ((16, 16), (17, 23), (64, 32)):
        assert net(torch.randn(2, 3, *size)).mean.shape == (2, net.config.code_dim)


@every_encoder
def test_image_and_labels_matter(name):
    spec = SPECS["square, labels"]
    net = network(name, spec).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, labels = images_of(spec, 2), labels_of(spec, 2)
    code = net(x, labels).mean
    assert not torch.allclose(code, net(x, labels.flip(1)).mean)
    assert not torch.allclose(code, net(-x, labels).mean)


@pytest.mark.parametrize("spec", [SPECS["square, labels"], SPECS["tall RGBA"]], ids=["labels", "tall RGBA"])
@every_encoder
def test_save_and_load_are_exact(name, spec, tmp_path):
    net = network(name, spec).eval()
    save_model(net, tmp_path)
    again = load_model(tmp_path)
    assert (again.config, again.spec) == (net.config, spec)
    x = images_of(spec, 2)
    assert torch.equal(again(x, labels_of(spec, 2)).mean, net(x, labels_of(spec, 2)).mean)


@every_encoder
def test_encoders_can_be_differentiated_twice(name):
    net = network(name, SPECS["square"])
    x = images_of(net.spec, 2).requires_grad_()
    input_gradient(net(x).mean.square(), x).square().sum().backward()
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert grads and all(grad.isfinite().all() for grad in grads) and any(grad.abs().sum() > 0 for grad in grads)


@every_encoder
def test_batch_mates_do_not_leak_in_eval(name):
    net = network(name, SPECS["square"]).eval()
    x, other = images_of(net.spec, 1), images_of(net.spec, 1) * 9
    torch.testing.assert_close(net(torch.cat([x, other])).mean[:1], net(x).mean, rtol=1e-3, atol=1e-4)
