"""Layers of networks from images to images, against what their papers define."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ggdr.layers.adaptive_norm import AdaLIN, InstanceLayerNorm2d, clip_shares
from ggdr.layers.cam import Attention, ResidualAttention
from ggdr.layers.dropout import Dropout, without_dropout
from ggdr.layers.norm import BatchNorm2d, InstanceNorm2d
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.ops.blur_pool import blur_down, blur_up


def maps(*shape: int, dtype=torch.float64) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(shape, dtype=dtype) * 2 + 3


def test_instance_norm_is_torchs():
    x = maps(2, 3, 5, 4)
    torch.testing.assert_close(InstanceNorm2d()(x), F.instance_norm(x))
    assert (InstanceNorm2d()(maps(2, 3, 1, 1)) == 0).all()


def mixture(x: torch.Tensor, share: float) -> torch.Tensor:
    """Instance and layer normalization, by their definitions, with unbiased variances."""
    own = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()
    every = (x - x.mean((1, 2, 3), keepdim=True)) / (x.var((1, 2, 3), keepdim=True) + 1e-5).sqrt()
    return share * own + (1 - share) * every


@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_adalin_starts_as_nine_tenths_instance_norm(offset):
    norm, x = AdaLIN(3, "softmax").double(), maps(2, 3, 5, 4) + offset * torch.arange(3)[:, None, None]
    scale, shift = maps(2, 3), maps(2, 3) - 9
    share = float(torch.tensor([3.2, 1.0]).softmax(0)[0])
    assert share == pytest.approx(0.9, abs=0.001)
    wanted = mixture(x, share) * scale[:, :, None, None] + shift[:, :, None, None]
    torch.testing.assert_close(norm(x, scale, shift), wanted, rtol=1e-4, atol=1e-5)


def test_instance_layer_norm_starts_as_nine_tenths_layer_norm():
    norm, x = InstanceLayerNorm2d(3, "softmax").double(), maps(2, 3, 5, 4)
    torch.testing.assert_close(norm(x), mixture(x, float(torch.tensor([1.0, 3.2]).softmax(0)[0])), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        norm.weight.fill_(2.0)
        norm.bias.fill_(-1.0)
    wanted = 2 * mixture(x, float(torch.tensor([1.0, 3.2]).softmax(0)[0])) - 1
    torch.testing.assert_close(norm(x), wanted, rtol=1e-4, atol=1e-5)


def test_clipped_shares_are_rho_of_instance_norm_and_the_rest_of_layer_norm():
    adaptive, layer = AdaLIN(3, "clipped").double(), InstanceLayerNorm2d(3, "clipped").double()
    x, ones, zeros = maps(2, 3, 5, 4), torch.ones(2, 3), torch.zeros(2, 3)
    torch.testing.assert_close(adaptive(x, ones, zeros), mixture(x, 0.9), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer(x), mixture(x, 0.0), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        adaptive.shares.copy_(torch.tensor([[1.5], [-0.2], [0.3]]))
    soft = AdaLIN(3, "softmax")
    before = soft.shares.clone()
    clip_shares(torch.nn.ModuleList([adaptive, soft]))
    assert adaptive.shares.flatten().tolist() == pytest.approx([1.0, 0.0, 0.3])
    assert torch.equal(soft.shares, before) and soft.shares.max() > 1
    wanted = torch.cat([mixture(x, share)[:, [c]] for c, share in enumerate((1.0, 0.0, 0.3))], dim=1)
    torch.testing.assert_close(adaptive(x, ones, zeros), wanted, rtol=1e-4, atol=1e-5)


def test_what_the_mean_loses_in_bfloat16_is_put_back():
    """Rounded to bfloat16, a mean of 50 is off by up to an eighth, which is more than what the maps differ by."""
    x = (50.06 + 0.25 * maps(2, 3, 16, 16, dtype=torch.float32) / 2).bfloat16()
    exact, ones, zeros = x.double(), torch.ones(2, 3), torch.zeros(2, 3)
    for ours, wanted in [
        (InstanceNorm2d()(x), F.instance_norm(exact)),
        (AdaLIN(3, "softmax")(x, ones, zeros), mixture(exact, 0.9)),
    ]:
        assert ours.dtype == torch.bfloat16
        assert (ours.double() - wanted).mean(dim=(2, 3)).abs().max() < 0.02


def test_attention_adds_nothing_at_first_and_weighs_maps_by_the_classifier_afterwards():
    layer, x = ResidualAttention(3), maps(2, 3, 5, 4, dtype=torch.float32)
    y, logits = layer(x)
    torch.testing.assert_close(y, F.leaky_relu(x, 0.2))
    pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
    torch.testing.assert_close(logits, F.linear(pooled, layer.judge.weight))
    torch.nn.init.constant_(layer.share, 0.5)
    bare = layer.judge.parametrizations.weight.original[0]
    seen = layer.conv(torch.cat([x, x], dim=1) * bare[:, None, None])
    torch.testing.assert_close(layer(x)[0], F.leaky_relu(x + 0.5 * seen, 0.2))


def test_attention_weighs_maps_by_the_classifiers_of_their_means_and_of_their_maxima():
    layer, x = Attention(3), maps(2, 3, 5, 4, dtype=torch.float32)
    y, logits = layer(x)
    mean, maximum = layer.of_mean.weight[0], layer.of_maximum.weight[0]
    torch.testing.assert_close(logits, torch.stack([x.mean((2, 3)) @ mean, x.amax((2, 3)) @ maximum], dim=1))
    seen = torch.cat([x * mean[:, None, None], x * maximum[:, None, None]], dim=1)
    torch.testing.assert_close(y, layer.conv(seen))
    apply_spectral_norm(layer, exclude=[layer.conv])
    again, normed = layer(x)
    torch.testing.assert_close(again, y)  # the weights that weigh stay bare
    assert not torch.allclose(normed, logits)


def test_blurs_keep_a_flat_image_flat_up_to_its_edges():
    flat = torch.full((1, 2, 6, 8), 3.0)
    torch.testing.assert_close(blur_down(flat), torch.full((1, 2, 3, 4), 3.0))
    torch.testing.assert_close(blur_up(flat), torch.full((1, 2, 12, 16), 3.0))
    assert blur_down(torch.zeros(1, 1, 7, 7)).shape == (1, 1, 4, 4)
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert blur_down(checks[None, None]).abs().max() < 1e-6


def test_dropout_stays_on_at_test_where_it_should_until_it_is_taken_out():
    x = torch.ones(1000)
    assert torch.equal(Dropout(0.5, at_test=False).eval()(x), x)
    layer = Dropout(0.5, at_test=True).eval()
    assert 0.4 < float((layer(x) == 0).float().mean()) < 0.6
    without_dropout(layer)
    assert torch.equal(layer(x), x) and not torch.equal(layer.train()(x), x)


def test_batch_norm_at_test_takes_each_image_for_a_batch_of_one_where_it_should():
    norm, x = BatchNorm2d(3, batch_at_test=True).eval(), maps(4, 3, 5, 4, dtype=torch.float32)
    norm.weight.data, norm.bias.data = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([0.0, 3.0, -2.0])
    alone = [F.batch_norm(each[None], None, None, norm.weight, norm.bias, training=True) for each in x]
    torch.testing.assert_close(norm(x), torch.cat(alone))
    plain = BatchNorm2d(3, affine=False, batch_at_test=True).eval()
    torch.testing.assert_close(plain(x), F.instance_norm(x))
    assert norm.measure() is None
    assert torch.equal(norm.running_mean, torch.zeros(3))
    torch.testing.assert_close(BatchNorm2d(3).eval()(x), x, rtol=1e-4, atol=1e-4)
