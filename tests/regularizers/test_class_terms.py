"""Terms that hold classes apart: the visual pivot and compatibility with label vectors."""

from __future__ import annotations

import pytest
import torch

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput, ImageSpec
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.compatibility import Compatibility
from ggdr.regularizers.visual_pivot import VisualPivot

LABELS = torch.tensor([[1.0, 0.5], [0.0, 2.0], [1.0, 0.5]])


def duel(turn: str, reals: torch.Tensor, made: torch.Tensor, heads: torch.Tensor) -> Duel:
    """A duel in which G made just this, and D's head says the same of both."""
    found = Duel(None, None, reals, LABELS, StepContext(turn))  # type: ignore[arg-type]
    said = DiscriminatorOutput(torch.zeros(3), head_outputs={"compatibility": heads})
    vars(found).update(fake=GeneratorOutput(made), on_real=said, on_fake=said)
    return found


def test_the_visual_pivot_is_the_mean_squared_distance_of_each_classs_means():
    reals = torch.tensor([[1.0, 2.0], [5.0, 5.0], [3.0, 0.0]]).view(3, 2, 1, 1)
    made = torch.tensor([[0.0, 1.0], [5.0, 6.0], [2.0, 5.0]]).view(3, 2, 1, 1)
    # of rows 0 and 2: means (2, 1) and (1, 3); of row 1: (5, 5) and (5, 6)
    wanted = ((2 - 1) ** 2 + (1 - 3) ** 2 + 0 + 1) / 2
    assert VisualPivot().g_loss(duel("g", reals, made, LABELS)).item() == pytest.approx(wanted)
    assert VisualPivot().g_loss(duel("g", reals, reals, LABELS)).item() == 0
    # means of different members are no distance by themselves
    assert VisualPivot().g_loss(duel("g", reals, reals[[2, 1, 0]], LABELS)).item() == 0


def test_compatibility_is_a_softmax_over_the_label_vectors_of_the_batch():
    heads = torch.tensor([[2.0, -1.0], [0.0, 1.0], [0.0, 0.0]])
    classes = torch.tensor([[0.0, 2.0], [1.0, 0.5]])
    logits = torch.tensor([[(row * each).sum() for each in classes] for row in heads])
    wanted = -logits.log_softmax(1)[torch.arange(3), torch.tensor([1, 0, 1])].mean().item()
    asked = duel("d", torch.zeros(3, 2, 1, 1), torch.zeros(3, 2, 1, 1), heads)
    assert Compatibility().g_loss(asked).item() == pytest.approx(wanted)
    assert Compatibility().d_loss(asked).item() == pytest.approx(2 * wanted)
    assert Compatibility(fakes=False).d_loss(asked).item() == pytest.approx(wanted)


def test_compatibility_asks_for_a_head_as_wide_as_a_label_vector():
    spec = ImageSpec(1, 1, 64, labels=7, label_ranges=((0.0, 1.0),) * 7)
    assert Compatibility().heads(spec, None)["compatibility"].outputs == 7  # type: ignore[arg-type]
    assert Compatibility().resolve(spec, 8)[0] == Compatibility()


def test_without_classes_they_say_what_to_type():
    with pytest.raises(UserError, match="the data has no labels: give some .*--regularizers.compatibility none"):
        Compatibility().resolve(ImageSpec(8, 8), 8)
    with pytest.raises(UserError, match="the data has none: choose labels .*--regularizers.visual_pivot none"):
        VisualPivot().resolve(ImageSpec(8, 8), 8)
    assert VisualPivot().resolve(ImageSpec(8, 8, labels=3), 8)[0] == VisualPivot()
