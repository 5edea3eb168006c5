"""Whose mistake an error is: the user's is one line, a fault of ggdr or of somebody's part keeps its traceback."""

from __future__ import annotations

import errno
import importlib
import sys

import pytest
from complaints import complaint
from places import ROOT, TINY

from ggdr import cli
from ggdr.cli import VERBS, again, guarded
from ggdr.errors import DiskError, UserError, at, setting
from ggdr.registry import regularizers
from ggdr.train import main as train

LEAST = {
    "push": ["m", "a/b"],
    "export": ["m", "o.onnx"],
    "convert": ["a", "b"],
    "ema": ["m", "--sigma-rel", "0.1"],
    "list": [],
    "stylize": ["a.png", "b.png", "--out", "o.png"],
    "blend": ["a", "b", "--out", "o"],
    "completion": ["bash"],
    "data": ["check"],
    "compare": ["m", "--arms", "a:"],
    "sweep": ["m", "--samples", "1"],
}
"""what a verb cannot do without, where it is not a model"""
WRONG = {verb: [*LEAST.get(verb, ["m"]), "--qqqq", "1"] for verb in VERBS} | {
    "train": [TINY, "--batch-size", "0"],
    "edit": ["nowhere", "--columns", "0"],
    "project": ["nowhere", "lost.png"],
    "features": ["nowhere", "--samples", "0"],
    "evaluate": ["nowhere"],
}
"""what no verb can do"""


def ended(verb, *argv: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        guarded(verb, list(argv))
    return exit_.value.code


def raising(error: Exception):
    def verb(argv):
        raise error

    return verb


@pytest.mark.parametrize("verb", VERBS)
def test_a_mistake_of_the_user_is_one_line_in_each_verb(verb, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status = ended(importlib.import_module(f"ggdr.{VERBS[verb][0]}").main, *WRONG[verb])
    said = capsys.readouterr().err
    assert status == 2 and said.startswith("ggdr: error: ") and said.count("\n") == 1


def test_the_variable_shows_the_traceback_of_a_mistake_too(capsys, monkeypatch):
    monkeypatch.setenv("GGDR_TRACEBACK", "1")
    assert ended(train, TINY, "--batch-size", "0") == 2
    said = capsys.readouterr().err
    assert "Traceback" in said and said.endswith("\nggdr: error: --batch-size is 0; give a number above 0.\n")


def test_a_fault_of_ggdr_keeps_its_traceback_and_asks_for_a_report(capsys, monkeypatch):
    monkeypatch.setattr("ggdr.train.parse", lambda argv, program: tuple(zip((1, 2), (1,), strict=True)))
    assert ended(train, TINY) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said and "zip() argument 2 is shorter" in said
    assert said.splitlines()[-1].startswith("ggdr: this is a fault of ggdr, not yours: please report it")


def test_a_fault_in_somebodys_part_names_its_file_and_line(tmp_path, capsys, request):
    own, text = tmp_path / "faulty_part.py", (ROOT / "ggdr/regularizers/r2.py").read_text()
    own.write_text(text.replace('"r2"', '"faulty"').replace("        return ", "        int('x')\n        return "))
    request.addfinalizer(lambda: (regularizers.pop("faulty"), sys.modules.pop("faulty_part")))
    flags = ["--use", str(own), "--regularizers.faulty", "faulty", "--out", str(tmp_path / "run")]
    assert ended(train, TINY, *flags) == 1
    said = capsys.readouterr().err
    line = own.read_text()[: own.read_text().index("int('x')")].count("\n") + 1
    assert "Traceback" in said and said.splitlines()[-1] == (
        f"ggdr: this is a fault of {own}, line {line}, which is no part of ggdr: fix it there, or tell its author."
    )


@pytest.mark.parametrize(
    ("turn", "value", "status", "sentence"),
    [
        (
            "g",
            "duel.on_real.logits.mean()",
            2,
            "regularizer 'wrong' gives no gradient to g on g's turn: compute its g_",
        ),
        ("d", "duel.on_fake.logits.mean().detach()", 2, "regularizer 'wrong' gives no gradient to d on d's turn:"),
        (
            "d",
            "duel.on_fake.logits.mean().item() * 0 + 2",
            2,
            "regularizer 'wrong' gave 2.0 on d's turn: give a scalar",
        ),
        ("d", "input_gradient(duel.on_fake.logits, duel.fake.image).mean()", 2, "the images that input_gradient was"),
        (
            "d",
            "duel.on_fake.logits.mean() + duel.judge(None).logits.mean()",
            1,
            "raised in ggdr, called from FILE, line",
        ),
    ],
)
def test_a_mistake_in_somebodys_term_is_not_said_to_be_a_fault_of_ggdr(
    turn, value, status, sentence, tmp_path, capsys, request
):
    own = tmp_path / "wrong_part.py"
    text = (ROOT / "ggdr/regularizers/r2.py").read_text().replace('"r2"', '"wrong"').split("    requires")[0]
    own.write_text(f"{text}    def {turn}_loss(self, duel):\n        return {value}\n")
    request.addfinalizer(lambda: (regularizers.pop("wrong"), sys.modules.pop("wrong_part")))
    flags = ["--use", str(own), "--regularizers.wrong", "wrong", "--out", str(tmp_path / "run")]
    assert ended(train, TINY, *flags) == status
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.removeprefix("ggdr: ").removeprefix("error: ").startswith(sentence.replace("FILE", str(own)))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "/runs"), 2),
        (ConnectionResetError("gone"), 2),
        (DiskError("File too large"), 2),
        (MemoryError(), 2),
        (OSError(errno.EBADF, "Bad file descriptor"), 1),
        (OSError("a library says so"), 1),
    ],
)
def test_what_a_disk_a_network_or_memory_causes_is_one_line_and_no_more(error, status, capsys):
    assert ended(raising(error)) == status
    said = capsys.readouterr().err
    assert ("Traceback" in said) == (status == 1) and (said.count("\n") == 1) == (status == 2)


@pytest.mark.parametrize(
    "line",
    [
        "--discriminator.encoder.mbstd-group 0",
        "--regularizers.mine cutmix --regularizers.mine.p -1",
        "--metrics.far fid --metrics.far.extractor.batch-size 0",
    ],
)
def test_a_setting_of_a_nested_part_is_named_by_its_flag(line):
    assert complaint(TINY, *line.split()).startswith(f"{line.split()[-2]} is {line.split()[-1]}")


def test_paths_grow_as_an_error_climbs_and_are_flags_on_the_command_line_alone():
    with (
        pytest.raises(UserError) as raised,
        at("metrics.my_fid", f"or leave it out: {setting()} none"),
        at("extractor"),
    ):
        raise UserError(f"{setting('side_px')} is 0, {setting()} takes more.")
    error = raised.value
    assert str(error).startswith("metrics.my_fid.extractor.side_px is 0, metrics.my_fid.extractor takes more; or")
    assert error.in_flags().startswith("--metrics.my-fid.extractor.side-px is 0, --metrics.my-fid.extractor takes")
    assert error.in_flags().endswith("; or leave it out: --metrics.my-fid none.")
    assert error.settings[0] == "metrics.my_fid.extractor.side_px"


def test_the_command_to_go_on_is_as_it_was_typed_and_a_launchers_words_are_dots(monkeypatch):
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", *cli.LAUNCHED):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "ggdr", "train", "a b.py"])
    assert again(["a b.py"]) == "type: CUDA_VISIBLE_DEVICES=1 python -m ggdr train 'a b.py'"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert again(["a b.py"]) == "type the same command again: ... -m ggdr.train 'a b.py'"
