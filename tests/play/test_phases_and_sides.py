"""Schedules: ramps, intervals, lazy Adam, GGDR's sides."""

from __future__ import annotations

import pytest
import torch

from ggdr.errors import UserError
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.base import DiscriminatorOutput, ImageSpec
from ggdr.optimizers.adam import Adam
from ggdr.play.duel import StepContext
from ggdr.play.phase import Phase, phases
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.glead import GLeaD
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.regularizers.zcr import ZCR
from ggdr.schedules.intervals import due, ramp


def test_ramp():
    assert [ramp(t, 10, 4) for t in (0, 10, 11, 14, 99)] == [0, 0, 0.25, 1, 1]
    assert [ramp(t, 10, 0) for t in (9.9, 10)] == [0, 1] and ramp(0, 0, 0) == 1


@pytest.mark.parametrize("batch", [32, 64, 1000, 2500])
def test_due_once_for_each_multiple_that_is_passed(batch):
    marks = [batch * i / 1000 for i in range(1, 400)]
    hits = [now for now in marks if due(now, now - batch / 1000, 5.0)]
    expected = len({int(now / 5 + 1e-9) for now in marks} - {0})
    assert len(hits) == expected and not any(due(now, now - batch / 1000, 0.0) for now in marks)


def test_lazy_phases_slow_adam_down():
    group = Adam(lr=0.002, beta1=0.5, beta2=0.99).build([torch.nn.Parameter(torch.ones(1))], [16]).param_groups[0]
    c = 16 / 17
    assert group["lr"] == pytest.approx(0.002 * c) and group["betas"] == pytest.approx((0.5**c, 0.99**c))
    plain = Adam().build([torch.nn.Parameter(torch.ones(1))], []).param_groups[0]
    assert plain["lr"] == 0.0025 and plain["betas"] == (0.0, 0.99)


def test_phases_of_both_players_follow_the_rhythms_of_their_terms():
    """G's lazy phases before D's main one, which comes `n_critic` times; lazy ones are as strong as they are rare."""
    terms = {"loss": NonSaturating(), "r1": R1(weight=1.0, every=16), "zcr": ZCR(every=4), "r2": R2(every=16)}
    found = [(phase.name, phase.repeats, phase.strength, list(phase.terms)) for phase in phases(terms, n_critic=3)]
    assert found == [
        ("g", 1, 1, ["loss"]),
        ("g every 4", 1, 4, ["zcr"]),
        ("d", 3, 1, ["loss"]),
        ("d every 4", 1, 12, ["zcr"]),
        ("d every 16", 1, 48, ["r1", "r2"]),
    ]
    assert [phase.float32 for phase in phases(terms)] == [False, False, False, False, True]
    assert (Phase("d", 1, {}).repeats, Phase("d", 1, {}).strength) == (1, 1)
    last = phases(terms)[-1]
    assert last.requires == {Capability.REAL_GRAD, Capability.FAKE_GRAD} and last.resolutions == ()
    assert phases({"a": GGDR(resolutions=(16, 8)), "b": GLeaD(resolutions=(8, 32))})[0].resolutions == (8, 16, 32)


def test_a_term_without_gradient_is_refused_unless_it_is_zero_beside_one_that_has_some():
    phase = Phase("d", 1, {"loss": NonSaturating(), "r1": R1(weight=1.0)})
    some, zero, two = torch.ones([], requires_grad=True), torch.zeros([]), torch.tensor(2.0)
    phase.check_gradients({"loss": some, "r1": some})
    phase.check_gradients({"loss": some, "r1": zero})
    with pytest.raises(UserError, match="regularizer 'r1' gives no gradient to d on d's turn"):
        phase.check_gradients({"loss": some, "r1": two})
    with pytest.raises(UserError, match="regularizer 'r1' gives no gradient"):
        phase.check_gradients({"r1": zero})


class Drawn:
    """What GGDR reads of a duel: maps at right angles on side 8, the same map on side 16."""

    def __init__(self, kimg: float):
        self.context = StepContext("d", kimg=kimg)
        x, y = torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)
        x[:, 0], y[:, 1] = 1, 3
        same = torch.ones(1, 2, 16, 16)
        self.on_fake = DiscriminatorOutput(torch.zeros(1), {8: x, 16: same}, {8: y, 16: 5 * same})


def test_ggdr_is_the_cosine_distance_of_each_side_by_its_share():
    for shares, expected in (((), 0.5), ((0.9, 0.1), 0.9)):
        term, _ = GGDR(resolutions=(8, 16), shares=shares).resolve(ImageSpec(64, 64), 4)
        assert term.d_loss(Drawn(0.0)).item() == pytest.approx(expected)


def test_ggdr_sides_set_in_and_ramp_each_at_its_time():
    written = GGDR(resolutions=(16, 8), start_kimg=(0.0, 10.0), ramp_kimg=(4.0,))
    term, _ = written.resolve(ImageSpec(64, 64), 4)
    values = [term.d_loss(Drawn(kimg)).item() for kimg in (5.0, 10.0, 11.0, 14.0, 50.0)]
    assert values == pytest.approx([0.0, 0.0, 0.125, 0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize(("height", "resolution"), [(1024, 64), (256, 64), (64, 16), (32, 8), (16, 8)])
def test_ggdr_chooses_a_side_and_says_why(height, resolution):
    term, why = GGDR().resolve(ImageSpec(height, height), 4)
    assert f"resolutions ({resolution},)" in why and term.resolutions == (resolution,)


def test_ggdr_with_lists_that_do_not_match_is_refused():
    with pytest.raises(ValueError, match="ggdr has 2 resolutions .* give 2 shares"):
        GGDR(resolutions=(8, 16), shares=(1.0,)).resolve(ImageSpec(64, 64), 4)


def test_r1_chooses_gamma_and_says_why():
    written = R1()
    term, why = written.resolve(ImageSpec(256, 256), 64)
    assert "0.2048 = 0.0002 * 256 * 256 px / batch of 64" in why and term.weight == pytest.approx(0.2048)
    assert written.weight is None and R1(weight=3.0).resolve(ImageSpec(8, 8), 1) == (R1(weight=3.0), "")
