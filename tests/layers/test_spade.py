"""Spatially adaptive normalization: a map scales and shifts each place of what was normalized without weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d, moments, update_statistics
from ggdr.layers.spade import SPADE, SPADEBlock


def one_hot(*shape: int, classes: int = 3) -> torch.Tensor:
    return F.one_hot(torch.randint(0, classes, shape), classes).movedim(-1, 1).float()


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_what_is_normalized_is_scaled_and_shifted_place_by_place(norm):
    layer, x, condition = SPADE(4, 3, 8, norm), torch.randn(2, 4, 6, 6) * 3 + 1, one_hot(2, 6, 6)
    dims = (0, 2, 3) if norm == "batch" else (2, 3)
    mean, var = x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)
    hidden = layer.shared(condition).clamp(min=0)
    wanted = (x - mean) / (var + 1e-5).sqrt() * (1 + layer.scale(hidden)) + layer.shift(hidden)
    torch.testing.assert_close(layer(x, condition), wanted, rtol=1e-4, atol=1e-4)


def test_places_of_one_class_differ_from_others_and_zeros_of_ignored_pixels_are_a_condition_too():
    layer, x = SPADE(4, 3, 8, "batch"), torch.randn(2, 4, 8, 8)
    condition = torch.zeros(2, 3, 8, 8)
    condition[:, 0, :, :4] = condition[:, 2, :, 4:] = 1
    made = layer(x, condition)
    other = condition.clone()
    other[:, :, :, 4:] = 0
    changed = (layer(x, other) - made).abs().amax((0, 1, 2))
    assert changed[:2].max() == 0 and changed[4:].min() > 0


def test_normalization_has_no_weights_and_statistics_that_move_once_a_step():
    block, condition = SPADEBlock(4, 2, 3, 8, "batch"), one_hot(2, 6, 6)
    norms = [norm for norm in block.modules() if isinstance(norm, BatchNorm2d)]
    assert len(norms) == 3 and not [p for norm in norms for p in norm.parameters()]
    x = torch.randn(2, 4, 6, 6) + 5
    block(x, condition), block(x, condition)
    assert all(norm.running_mean.abs().max() == 0 for norm in norms)
    seen = moments(block)
    assert seen.keys() == {f"moments/{name}.norm" for name in ("norm0", "norm1", "norm_skip")}
    update_statistics(block, seen)
    torch.testing.assert_close(block.norm0.norm.running_mean, 0.1 * x.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_the_shortcut_is_a_layer_where_channels_change_alone():
    same, condition, x = SPADEBlock(4, 4, 3, 8, "instance"), one_hot(2, 6, 6), torch.randn(2, 4, 6, 6)
    assert same.skip is None and len(same.convolutions) == 2
    torch.nn.init.zeros_(same.conv1.weight), torch.nn.init.zeros_(same.conv1.bias)
    torch.testing.assert_close(same(x, condition), x)
    wider = SPADEBlock(4, 6, 3, 8, "instance")
    assert wider.conv0.out_channels == 4 and wider.skip is not None and wider.skip.bias is None
    torch.nn.init.zeros_(wider.conv1.weight), torch.nn.init.zeros_(wider.conv1.bias)
    torch.testing.assert_close(wider(x, condition), wider.skip(wider.norm_skip(x, condition)))
