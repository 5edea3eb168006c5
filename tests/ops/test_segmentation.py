"""Numbers of label maps, held against scikit-learn's."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import adjusted_rand_score, confusion_matrix, jaccard_score

from ggdr.ops.segmentation import adjusted_rand_index, confusion, mean_iou, pixel_accuracy


def maps(seed: int, most: int) -> torch.Tensor:
    """Maps [3, 9, 7] of classes below `most`."""
    return torch.randint(0, most, (3, 9, 7), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_counts_iou_and_accuracy_are_scikit_learns_over_the_classes_that_occur():
    true, found = maps(0, 4), maps(1, 6)  # two classes are found that do not occur, and count as misses alone
    counts = confusion(found, true, 7)
    assert counts.tolist() == confusion_matrix(true.flatten(), found.flatten(), labels=range(7)).tolist()
    expected = jaccard_score(true.flatten(), found.flatten(), labels=range(4), average="macro")
    assert mean_iou(counts) == pytest.approx(expected, rel=1e-12)
    assert pixel_accuracy(counts) == pytest.approx((true == found).double().mean().item(), rel=1e-12)


def test_ignored_pixels_are_left_out():
    true, found = maps(0, 4), maps(1, 4)
    counts = confusion(found, true, 4)
    wide, other = torch.cat([true, torch.full_like(true, 255)]), torch.cat([found, maps(2, 4)])
    assert torch.equal(confusion(other, wide, 4), counts)
    assert math.isnan(mean_iou(confusion(found, torch.full_like(true, 255), 4)))


@pytest.mark.parametrize("seed", range(3))
def test_adjusted_rand_index_is_scikit_learns(seed):
    one, other = maps(seed, 3), (maps(seed, 3) + (maps(seed + 9, 5) == 0)) % 4
    expected = adjusted_rand_score(one.flatten(), other.flatten())
    assert adjusted_rand_index(confusion(one, other, 7)) == pytest.approx(expected, rel=1e-12)
    assert adjusted_rand_index(confusion((one + 1) % 3, one, 3)) == pytest.approx(1)
    assert adjusted_rand_index(confusion(torch.zeros_like(one), torch.zeros_like(one), 3)) == 1
