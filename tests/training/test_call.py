"""`ggdr.train(recipe, out=...)`: training from Python, again and again, whichever way the module was imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest
import tiny
import torch
from places import ROOT, SUPPORT, TINY

import ggdr
from ggdr.play.callback import Callback
from ggdr.recipe.files import load_recipe
from ggdr.registry import callbacks

SHORT = replace(tiny.recipe, total_kimg=0.016)
SCRIPT = '''from dataclasses import dataclass, replace
import ggdr
import tiny
from ggdr.play.term import Regularizer
from ggdr.registry import regularizers


@regularizers.register("own")
@dataclass(frozen=True, kw_only=True)
class Own(Regularizer):
    """D's logits stay near zero."""

    def d_loss(self, duel):
        return duel.on_real.logits.square().mean()


if __name__ == "__main__":
    print(ggdr.train(replace(tiny.recipe, total_kimg=0.008, regularizers={"own": Own()}), out="run"))
'''


@dataclass(kw_only=True)
class CtrlC(Callback):
    """Somebody presses Ctrl-C in the first step."""

    name = "ctrl_c"

    def after_step(self, trainer, stats):
        signal.raise_signal(signal.SIGINT)


def python(*words: str, where) -> str:
    """What a new Python prints."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{SUPPORT}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=where, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_it_trains_again_in_another_precision_and_leaves_the_process_as_it_was(tmp_path):
    before = signal.getsignal(signal.SIGINT), torch.get_num_threads()
    first = ggdr.train(SHORT, out=tmp_path / "first")
    second = ggdr.train(replace(SHORT, precision="bf16"), out=str(tmp_path / "second"))
    assert first.done and second.done and first.out == tmp_path / "first"
    assert (signal.getsignal(signal.SIGINT), torch.get_num_threads()) == before
    assert [row["step"] for row in second.log()] == [1, 2]
    assert first.pipeline()(seeds=[0]).images[0].size == (16, 16)


def test_it_gives_the_last_value_of_each_metric(tmp_path):
    flags = {"metrics": {"swd": tiny_swd()}, "metric_kimg": 0.008}
    trained = ggdr.train(replace(SHORT, **flags), out=tmp_path)
    last = [row for row in trained.log() if "metric/swd/mean" in row][-1]
    assert last["step"] == 2 and trained.metrics()["swd/mean"] == last["metric/swd/mean"]


def tiny_swd():
    """A metric that takes no time."""
    from ggdr.metrics.swd import SlicedWasserstein

    return SlicedWasserstein(images=16, patches=4, directions=8)


def test_ctrl_c_saves_and_returns_and_the_same_call_goes_on(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stopped = ggdr.train(replace(SHORT, callbacks={"stop": CtrlC()}), out=tmp_path)
        assert not stopped.done and (tmp_path / "checkpoints" / "00000001").is_dir()
        assert ggdr.train(SHORT, out=tmp_path).done
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_does_not_go_together_is_an_error_of_the_user(tmp_path):
    with pytest.raises(ggdr.errors.UserError, match="batch of 8 does not split"):
        ggdr.train(replace(SHORT, micro_batch_size=3), out=tmp_path)


@pytest.mark.parametrize(
    "imports",
    ["import ggdr", "import ggdr.train", "from ggdr import train; import ggdr", "import ggdr; ggdr.train.train_step"],
)
def test_the_module_is_called_like_its_function_however_it_was_imported(imports, tmp_path):
    code = f"{imports}\ntry: ggdr.train('nowhere', out='run')\nexcept ggdr.errors.UserError as error: print(error)\n"
    said = python("-c", f"{code}print(ggdr.train.main.__name__)", where=tmp_path)
    assert "no recipe of ggdr is called 'nowhere'" in said and said.endswith("main\n")


def test_it_is_still_run_as_a_module(tmp_path):
    said = python("-m", "ggdr.train", TINY, "--total-kimg", "0.008", "--out", "run", where=tmp_path)
    assert "done: 0.008 kimg" in said


def test_importing_ggdr_alone_does_not_import_torch(tmp_path):
    code = "import sys, ggdr, ggdr.train; print('torch' in sys.modules)"
    assert python("-c", code, where=tmp_path) == "False\n"


def test_a_script_trains_with_parts_of_its_own_and_its_recipe_can_be_read_again(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    assert "done=True" in python("mine.py", where=tmp_path)
    code = "from ggdr.recipe.files import load_recipe; print(load_recipe('run/recipe.py').regularizers)"
    assert "Own(" in python("-c", code, where=tmp_path)


def test_parts_defined_in_a_notebook_are_named_in_the_recipe_that_is_written_down(tmp_path):
    code = SCRIPT.replace('__name__ == "__main__"', "True")
    python("-c", code, where=tmp_path)
    assert "# Own was defined in a notebook: import it here." in (tmp_path / "run" / "recipe.py").read_text()


@pytest.mark.parametrize("wanted", ["", "1"], ids=["the sentence", "GGDR_TRACEBACK=1"])
def test_an_error_of_the_user_is_one_sentence_in_a_notebook(wanted, tmp_path):
    cell = "from ggdr.recipe.files import load_recipe\nload_recipe('no_such_recipe')"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "GGDR_TRACEBACK": wanted}
    words = [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", cell]
    said = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240)
    told = [line for line in (said.stdout + said.stderr).splitlines() if line]
    assert "UserError: no recipe of ggdr is called 'no_such_recipe'" in told[-1]
    assert (len(told) == 1) == (not wanted), told


def test_a_recipe_of_this_process_is_not_changed(tmp_path):
    recipe, again = load_recipe(TINY), load_recipe(TINY)
    ggdr.train(replace(recipe, total_kimg=0.008), out=tmp_path)
    assert recipe == again and "ctrl_c" not in callbacks
