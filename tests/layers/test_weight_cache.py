"""What a styled layer keeps of a weight that does not learn: no image changes, and whatever changes it is noticed."""

import copy
import dataclasses
import pickle

import pytest
import torch
from tiny import STYLEGAN2, moved
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ggdr.networks.base import ImageSpec
from ggdr.pipeline import Pipeline

CHANGES = {
    "a running mean": lambda network, layer: get_ema_multi_avg_fn(0.5)(
        list(network.parameters()), [torch.ones_like(p) for p in network.parameters()], None
    ),
    "loading": lambda network, layer: network.load_state_dict({k: v * 1.1 for k, v in network.state_dict().items()}),
    "another tensor": lambda network, layer: setattr(layer, "weight", torch.nn.Parameter(layer.weight * 1.5, False)),
}


def network():
    """A generator whose every weight matters, and which does not learn."""
    return moved(STYLEGAN2.build(ImageSpec(16, 16))).eval().requires_grad_(False)


def images(generator):
    """With what is kept, and without: a weight that may learn rules it out."""
    z = torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(generator.dtype)
    kept = generator(z, noise="const").image
    plain = copy.deepcopy(generator).requires_grad_(True)(z, noise="const").image.detach()
    return kept, plain


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_kept_follows_the_weight(change):
    generator = network()
    layer = generator.synthesis.b8.conv0
    before, plain = images(generator)
    torch.testing.assert_close(before, plain, rtol=1e-5, atol=1e-5)
    assert layer.cache.value is not None
    with torch.no_grad():
        change(generator, layer)
    kept, plain = images(generator)
    torch.testing.assert_close(kept, plain, rtol=1e-5, atol=1e-5)
    assert not torch.equal(kept, before)


def test_nothing_is_kept_where_an_optimizer_may_come_by():
    """Fused Adam changes a weight without counting a version."""
    generator = network().requires_grad_(True)
    before, _ = images(generator)
    for parameter in generator.parameters():
        parameter.grad = torch.ones_like(parameter)
    torch.optim.Adam(generator.parameters(), lr=0.1, fused=True).step()
    kept, plain = images(generator)
    assert torch.equal(kept, plain) and not torch.equal(kept, before)
    assert generator.synthesis.b8.conv0.cache.value is None


def test_nothing_is_kept_in_training_where_weights_rest_on_the_other_players_turn():
    generator = network().train()
    generator(torch.randn(2, 8))
    assert generator.synthesis.b8.conv0.cache.value is None


def test_a_copy_keeps_nothing_and_a_pipeline_does():
    generator = STYLEGAN2.build(ImageSpec(16, 16))
    pipe = Pipeline(generator)
    pipe(seeds=[0], output_type="pt")
    assert pipe.generator.synthesis.b8.conv0.cache.value is not None
    assert copy.deepcopy(pipe.generator).synthesis.b8.conv0.cache.value is None


def test_bfloat16_and_float32_keep_their_own():
    generator, z = network(), torch.randn(2, 8)
    full = generator(z, noise="const").image
    with torch.autocast("cpu", torch.bfloat16):
        half = generator(z, noise="const").image
    assert generator.synthesis.b8.conv0.cache.value.weight.dtype == torch.bfloat16
    torch.testing.assert_close(half, full, rtol=0.1, atol=0.1)
    assert torch.equal(generator(z, noise="const").image, full) and not torch.equal(half, full)


def test_a_wide_layer_keeps_its_planes_and_draws_the_same():
    config = dataclasses.replace(STYLEGAN2, channel_base=256 * 16, channel_max=256)
    generator = moved(config.build(ImageSpec(16, 16))).eval().requires_grad_(False)
    kept, plain = images(generator)
    torch.testing.assert_close(kept, plain, rtol=1e-4, atol=1e-4)
    assert "planes" in vars(generator.synthesis.b16.conv1.cache.value.winograd)


def test_what_is_kept_in_inference_mode_serves_gradients_later():
    generator = network()
    codes = torch.randn(2, generator.z_dim)
    with torch.inference_mode():
        generator(codes, noise="const")
    assert generator.synthesis.b8.conv0.cache.value is not None
    codes.requires_grad_(True)
    generator(codes, noise="const").image.sum().backward()
    assert codes.grad.isfinite().all() and codes.grad.abs().sum() > 0


def test_nothing_of_it_is_pickled():
    layer = network().synthesis.b8.conv0
    layer(torch.randn(1, layer.weight.shape[1], 4, 4), torch.randn(1, 8), "const")
    assert layer.cache.value is not None and pickle.loads(pickle.dumps(layer)).cache.value is None
