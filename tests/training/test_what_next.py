"""What a run says at its end: where things lie, and commands that work as they stand."""

from __future__ import annotations

import shlex
from dataclasses import replace
from importlib import import_module

import pytest
import tiny

from ggdr.cli import VERBS
from ggdr.data.digits import Digits
from ggdr.train import train


@pytest.mark.parametrize("data", [Digits(size=16), Digits(size=16, labels=True)], ids=["plain", "labelled"])
def test_the_end_of_a_run_says_where_things_are_and_what_to_type(tmp_path, monkeypatch, capsys, data):
    monkeypatch.chdir(tmp_path)
    recipe = replace(tiny.recipe, data=data, total_kimg=tiny.recipe.batch_size / 1000, metrics={}, metric_kimg=0)
    train(recipe, "my runs")
    said = capsys.readouterr().out
    where = said[said.index("beside it: ") :].splitlines()
    assert where[0].endswith("; to see more of it, type one of:")
    for name in ("samples", "losses.png", "metrics.jsonl"):
        assert str(tmp_path / "my runs" / name) in where[0] or f"my runs/{name}" in where[0]
        assert (tmp_path / "my runs" / name).exists()
    typed = [shlex.split(line) for line in where[1:5]]
    assert [words[:2] for words in typed] == [["ggdr", v] for v in ("generate", "explore", "evaluate", "push")]
    main = import_module(f"ggdr.{VERBS['generate'][0]}").main
    assert main([*typed[0][2:], "--seeds", "0-1"]) == 0 and (tmp_path / "samples.png").is_file()
