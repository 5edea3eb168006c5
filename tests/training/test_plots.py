"""When a run draws losses.png: now and then, so that it costs little, and at the end."""

from __future__ import annotations

import itertools
import time

import pytest
from tiny_runs import trained

from ggdr.training import journal as journal_module
from ggdr.training.journal import Journal
from ggdr.training.trainer import Trainer

STATS = {"loss/g/non_saturating": 1.5, "loss/d/non_saturating": 1.0}


@pytest.mark.parametrize(("tick", "apart"), [(0.05, 10.0), (1.0, 20.0)], ids=["quick to draw", "slow to draw"])
def test_they_take_little_of_a_runs_time_and_the_last_one_holds_all(tick, apart, tmp_path, monkeypatch):
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: tick * next(looks))  # at which it looks before and after it draws
    journal = Journal(tmp_path, 1)
    due = [journal.plot_due]
    for step in itertools.count(1):
        journal.log(step, step, STATS)
        journal.plot_if_due()
        due += [journal.plot_due] if journal.plot_due != due[-1] else []
        if len(due) == 3:
            break
    assert due[0] == pytest.approx(10, abs=3 * tick)
    assert due[2] - due[1] == pytest.approx(apart, abs=6 * tick)
    journal.log(step + 1, step + 1, STATS)
    journal.plot_if_due()
    assert journal.plotted < journal.file.stat().st_size
    journal.plot()
    assert journal.plotted == journal.file.stat().st_size


@pytest.mark.parametrize("interval", ["checkpoint_kimg", "sample_kimg"])
def test_they_are_drawn_beside_checkpoints_and_grids_where_they_are_due(interval, tmp_path, monkeypatch):
    plotted = []

    class Looking(Trainer):
        def after_step(self, stats):
            super().after_step(stats)
            plotted.append(self.journal.plotted)

    monkeypatch.setattr(journal_module, "PLOT_AFTER_SEC", 0.0)
    monkeypatch.setattr(journal_module, "PLOT_SHARE", float("inf"))
    trained(tmp_path, Looking, **{"checkpoint_kimg": 1.0, "sample_kimg": 0.0, interval: 0.016, "total_kimg": 0.024})
    first, second, third = plotted  # bytes of the log that were drawn, after each step
    assert first <= 0 < second == third
