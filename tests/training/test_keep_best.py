"""`--keep-best METRIC`: the checkpoint with the best value stays, whatever is pruned, killed or gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny
import torch

from ggdr.networks.base.module import Generator
from ggdr.saving import checkpoint, log_file
from ggdr.saving.model import find_saved
from ggdr.train import main
from ggdr.training.best import Best

FLAGS = ["--metrics.swd", "swd", "--metrics.swd.images", "16", "--metric-kimg", "0.008", "--keep-checkpoints", "1"]
FLAGS += ["--keep-best", "swd", "--log-kimg", "0.016"]


def train(out: Path, *flags: str, kimg: str = "0.064") -> None:
    assert main([tiny.__file__, "--out", str(out), *FLAGS, "--total-kimg", kimg, *flags]) == 0


def note(out: Path) -> dict:
    return json.loads((out / "checkpoints" / "best" / "best.json").read_text())


def measured(out: Path) -> dict[int, float]:
    """Step -> the metric's chief value."""
    rows = log_file.read_rows(out / "metrics.jsonl")
    return {
        row["step"]: next(v for k, v in row.items() if "metric/" in k)
        for row in rows
        if any("metric/" in k for k in row)
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.safetensors")} | {
        "note": (folder / "best.json").read_bytes()
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of eight steps, each of which is measured."""
    out = tmp_path_factory.mktemp("trained") / "run"
    train(out)
    return out


def test_the_best_stays_beside_the_newest_and_is_loaded_by_its_name(trained, capsys):
    values = measured(trained)
    assert len(values) == 8
    best = min(values, key=values.__getitem__)
    assert note(trained) == {"metric": "swd", "value": values[best], "step": best}
    folder = trained / "checkpoints" / "best"
    assert checkpoint.read_progress(folder)["step"] == best and not checkpoint.corruption(folder)
    assert [path.name for path in checkpoint.all_checkpoints(trained)] == ["00000008"]
    weights = find_saved(folder)["generator"].weights()
    assert all(
        torch.equal(value, weights[name]) for name, value in Generator.from_pretrained(folder).state_dict().items()
    )
    newest = checkpoint.load_tensors(checkpoint.latest(trained), "generator_ema")
    assert all(torch.equal(v, newest[k]) for k, v in Generator.from_pretrained(trained).state_dict().items())


def test_a_run_in_pieces_keeps_the_same_one(trained, tmp_path, capsys):
    for kimg in ("0.016", "0.04", "0.064"):
        train(tmp_path, kimg=kimg)
    said = capsys.readouterr().out
    assert "the best so far by swd, " in said and str(tmp_path / "checkpoints" / "best") in said
    assert contents(tmp_path / "checkpoints" / "best") == contents(trained / "checkpoints" / "best")


@pytest.mark.parametrize("crash", ["before it is kept", "while it is replaced"])
def test_a_crash_between_measuring_and_keeping_loses_nothing(crash, tmp_path):
    train(tmp_path, kimg="0.008")
    best = tmp_path / "checkpoints" / "best"
    whole = contents(best)
    if crash == "before it is kept":
        shutil.rmtree(best)
    else:
        best.rename(best.with_name(".removing-best"))
        (best.with_name(".writing-best")).mkdir()
    train(tmp_path, kimg="0.008")
    assert contents(best) == whole and not list(best.parent.glob(".*"))


def logged(out: Path, value: float | None, step: int = 4) -> None:
    (out / "checkpoints" / f"{step:08}").mkdir(parents=True, exist_ok=True)
    checkpoint.write_checkpoint(
        out, step, {"a": {"x": torch.ones(2)}}, {"progress.json": {"step": step, "images_seen": 8 * step}}
    )
    log_file.append_row(
        out / "metrics.jsonl",
        {"step": step, "metric/m/v": float("nan") if value is None else value, "metric/m/w": -1.0},
    )


@pytest.mark.parametrize(("higher", "kept"), [(False, 2), (True, 3)])
def test_which_way_is_better_is_the_metrics_and_nan_never_is(higher, kept, tmp_path):
    best = Best(tmp_path, "m", higher)
    for step, value in enumerate((5.0, 1.0, 9.0, None, 1.0, 9.0), start=1):
        logged(tmp_path, value, step)
        if (found := best.better(step)) is not None:
            best.take(checkpoint.latest(tmp_path), found)
    assert note(tmp_path)["step"] == kept
    assert Best(tmp_path, "m/w", higher).better(1) == -1.0  # another value: what is kept says nothing of it
    with pytest.raises(ValueError, match=r"--keep-best m/x: m has no value 'x'; it has v, w"):
        Best(tmp_path, "m/x", higher).better(1)


def test_the_best_of_what_went_before_is_never_lost(trained, tmp_path, capsys):
    out = shutil.copytree(trained, tmp_path / "run")
    before = contents(out / "checkpoints" / "best")
    for step in checkpoint.all_checkpoints(out):
        shutil.rmtree(step)
    train(out, kimg="0.008")
    assert f"is now {out / 'checkpoints' / 'earlier-best-1'}" in capsys.readouterr().out
    assert contents(out / "checkpoints" / "earlier-best-1") == before and note(out)["step"] == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--keep-best", "fid"], "--keep-best fid: no metric 'fid'; this recipe has swd: add --metrics.fid fid"),
        (["--keep-best", "fdi"], "unknown metric 'fdi'. Did you mean 'fid'"),
        (["--metric-kimg", "0"], "--keep-best swd needs measurements; give --metric-kimg a number above 0"),
    ],
)
def test_what_cannot_be_the_best_is_refused_before_the_first_step(flags, said, tmp_path):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        train(tmp_path / "run", *flags)
    assert not (tmp_path / "run" / "checkpoints").exists()
