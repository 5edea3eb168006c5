"""AutoGAN: the cells that were found, and what reaches them."""

from __future__ import annotations

import pytest
import tiny
import torch
from torch.nn import functional as F

from ggdr.networks.autogan import AutoGANGeneratorConfig
from ggdr.networks.autogan.generator import AutoGANCell, CellChoice
from ggdr.networks.base import ImageSpec

CONFIG = AutoGANGeneratorConfig.tiny()


@pytest.mark.parametrize(("resolution", "cells"), [(8, 1), (32, 3), (64, 4)])
def test_there_are_three_cells_for_cifar_and_as_many_as_the_size_asks_for(resolution, cells):
    network = CONFIG.build(ImageSpec(resolution, resolution))
    blocks = [module for module in network.modules() if isinstance(module, AutoGANCell)]
    assert [len(block.skips) for block in blocks] == list(range(cells))
    assert [block.up for block in blocks] == ["nearest", "bilinear", "nearest", "nearest"][:cells]
    assert [block.shortcut is not None for block in blocks] == [True, True, False, False][:cells]


def test_cells_are_not_normalized_and_the_image_layer_is():
    network = CONFIG.build(ImageSpec(32, 32))
    assert [name for name, module in network.named_modules() if "Norm" in type(module).__name__] == ["norm"]


def test_a_cell_is_activated_beforehand_and_adds_its_shortcut():
    cell, x = AutoGANCell(4, CellChoice("nearest", True), 0), torch.randn(2, 4, 3, 5)
    up = F.interpolate(x, scale_factor=2)
    passed: list[torch.Tensor] = []
    y = cell(x, passed)
    torch.testing.assert_close(passed[0], cell.conv0(up.relu()))
    torch.testing.assert_close(y, cell.conv1(passed[0].relu()) + cell.shortcut(up))


def test_what_a_cell_passes_on_reaches_all_later_ones():
    network = tiny.moved(CONFIG.build(ImageSpec(32, 32))).eval()
    z = torch.randn(2, 8)
    whole = network(z, resolutions=(8, 16, 32)).features
    with torch.no_grad():
        network.b32.skips[0].weight.add_(1.0)  # from the first cell to the third
    changed = network(z, resolutions=(8, 16, 32)).features
    assert [resolution for resolution in whole if not torch.equal(whole[resolution], changed[resolution])] == [32]
