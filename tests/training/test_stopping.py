"""A run that is asked to stop saves first, exits with 0 and says how to go on; what goes on ends as if unbroken."""

from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import subprocess
import threading
import time

import pytest
import tiny
from launching import LAUNCH
from places import ROOT, SUPPORT, TINY
from tiny_runs import files, rows, trained

from ggdr.metrics.swd import SlicedWasserstein
from ggdr.processes import STOP_SIGNALS
from ggdr.saving import checkpoint
from ggdr.train import main
from ggdr.training.stopping import Stop
from ggdr.training.trainer import Trainer

SWD = SlicedWasserstein(images=16, patches=4, directions=8)


@pytest.fixture(autouse=True)
def heard():
    """Signals as a terminal's programs have them, also where the tests were started with some of them ignored."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Bell(Trainer):
    """A report that sends its process a signal after the third step."""

    number = signal.SIGTERM

    def after_step(self, stats):
        super().after_step(stats)
        if self.run.step == 3:
            signal.raise_signal(self.number)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ringing(SlicedWasserstein):
    """A metric in the middle of which a signal comes."""

    def measure(self, data):
        signal.raise_signal(signal.SIGTERM)
        return super().measure(data)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP])
def test_a_signal_ends_a_run_after_the_step_with_a_checkpoint(number, tmp_path, capfd):
    run = trained(tmp_path, type("Other", (Bell,), {"number": number}), checkpoint_kimg=1.0)
    assert run.step == 3 and checkpoint.latest(tmp_path).name == "00000003" and (tmp_path / "losses.png").is_file()
    said = capfd.readouterr()
    assert f"ggdr: {number.name}: will save after this step and end" in said.err
    assert f"stopped and saved: 0.024 of 0.064 kimg, {tmp_path / 'checkpoints' / '00000003'}" in said.out
    assert not (tmp_path / "model").exists() and signal.getsignal(number) in (
        signal.SIG_DFL,
        signal.default_int_handler,
    )


def test_a_run_that_was_stopped_and_goes_on_ends_as_if_it_had_not_been(tmp_path):
    trained(tmp_path / "unbroken")
    trained(tmp_path / "stopped", Bell)
    trained(tmp_path / "stopped")
    assert files(tmp_path / "stopped") == files(tmp_path / "unbroken")
    assert rows(tmp_path / "stopped") == rows(tmp_path / "unbroken")


def test_a_metric_is_broken_off_and_measured_when_the_run_goes_on(tmp_path):
    intervals = {"metric_kimg": 0.032, "total_kimg": 0.04}
    more = dataclasses.replace(SWD, images=128)
    trained(tmp_path / "unbroken", metrics={"first": SWD, "second": more}, **intervals)
    run = trained(tmp_path / "stopped", metrics={"first": SWD, "second": Ringing(**vars(more))}, **intervals)
    assert run.step == 4 and [key for key in rows(tmp_path / "stopped")[-1] if key.startswith("metric/second")] == []
    trained(tmp_path / "stopped", metrics={"first": SWD, "second": more}, **intervals)
    assert rows(tmp_path / "stopped") == rows(tmp_path / "unbroken")


def test_a_second_ctrl_c_ends_at_once_unless_it_is_the_echo_of_the_first():
    with Stop(tiny.OneProcess()) as stop:
        assert not stop.due()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert stop.due()
        stop.asked_at -= 2.0
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_nohup_has_made_a_run_deaf_to_stays_unheard():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop(tiny.OneProcess()) as stop:
            signal.raise_signal(signal.SIGHUP)
        assert not stop.due() and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_the_command_exits_with_0_and_says_what_to_type(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    argv = [TINY, "--out", str(tmp_path), "--total-kimg", "8"]

    def ring():
        while checkpoint.latest(tmp_path) is None:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=ring, daemon=True).start()
    assert main(argv) == 0
    assert capfd.readouterr().out.endswith(
        f"to go on, type: OMP_NUM_THREADS=1 {shlex.join(['ggdr', 'train', *argv])}\n"
    )


@pytest.mark.slow
def test_processes_stop_after_the_same_step_if_one_of_them_is_asked(tmp_path):
    """Also: what is printed is to be typed after the launcher's own words."""
    command = [*LAUNCH, "--multi_gpu", "--num_processes", "2", "-m", "ggdr.train", TINY, "--out", str(tmp_path)]
    command += ["--total-kimg", "8"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ACCELERATE_")}
    environment |= {"ACCELERATE_USE_CPU": "true", "PYTHONPATH": f"{ROOT}:{SUPPORT}", "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    launcher = subprocess.Popen(command, env=environment, **pipes)
    while checkpoint.latest(tmp_path) is None:
        assert launcher.poll() is None, launcher.communicate()
        time.sleep(0.05)
    os.kill(workers(launcher.pid)[1], signal.SIGTERM)
    out, err = launcher.communicate(timeout=120)
    assert launcher.returncode == 0, err[-2000:]
    assert "stopped and saved" in out
    assert f"to go on, type the same command again: ... {shlex.join(command[command.index('-m', 3) :])}\n" in out


def workers(launcher: int) -> list[int]:
    """The processes that a launcher has started, by rank."""
    import psutil

    children = psutil.Process(launcher).children()
    return [child.pid for child in sorted(children, key=lambda child: child.environ().get("RANK", ""))]
