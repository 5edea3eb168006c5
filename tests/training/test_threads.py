"""As many threads compute on the CPU as other work leaves free, unless the user has said how many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch
from places import ROOT
from tiny import recipe, tiny_run

from ggdr.ops import threads
from ggdr.ops.threads import (
    MOST_LOOKS,
    THREAD_VARIABLES,
    CPUTimes,
    ThreadCount,
    available_cpus,
    busy_elsewhere,
    describe_busy,
    suitable_threads,
    user_chose_threads,
)
from ggdr.train import train_step
from ggdr.training.trainer import Trainer, introduction


@pytest.mark.parametrize(
    ("free", "now", "most", "number"),
    [
        (2.0, 2, 2, 2),
        (1.34, 2, 2, 1),  # a busy process beside two threads gets a third of two cores
        (1.0, 2, 2, 1),
        (1.7, 2, 2, 2),  # less than a third of a core: a browser at rest
        (1.0, 1, 2, 1),
        (1.7, 1, 2, 1),  # what costs no thread brings none either
        (1.85, 1, 2, 2),
        (2.0, 1, 2, 2),
        (0.0, 2, 2, 1),
        (-1.0, 1, 2, 1),
        (14.9, 16, 16, 15),
        (3.2, 16, 16, 3),
        (15.9, 3, 16, 16),
        (64.0, 2, 2, 2),  # a limit of the control group on a large machine
        (0.9, 1, 1, 1),
    ],
)
def test_threads_are_what_is_free_and_within_a_band_what_they_were(free, now, most, number):
    assert suitable_threads(free, now, most) == number


def test_the_first_look_decides_alone_and_later_ones_by_two():
    number = ThreadCount(2)
    assert number.update(1.0) == 1
    assert [number.update(free) for free in (2.0, 2.0)] == [1, 2]
    assert [number.update(free) for free in (1.2, 1.2)] == [2, 1]


def test_one_busy_moment_changes_nothing():
    number = ThreadCount(8)
    number.update(8.0)
    assert [number.update(free) for free in (1.0, 8.0, 1.0, 8.0, 1.0)] == [8] * 5
    assert number.update(3.0) == 3  # the second in a row
    assert [number.update(2.0) for _ in range(2)] == [3, 2]  # which begins to count again after each change


def test_what_comes_and_goes_is_left_alone_for_longer_each_time():
    number, changes, before = ThreadCount(2), [], 2
    for look in range(400):
        free = 2.0 if number.now == 1 else 1.2  # loader workers, say, who have more to do as training is faster
        if number.update(free) != before:
            changes.append(look)
            before = number.now
    assert len([look for look in changes if look < 100]) > 4
    late = [look for look in changes if look >= 200]
    assert len(late) <= 2 * (200 // MOST_LOOKS + 1)  # a rise and a fall in MOST_LOOKS looks
    assert 2 in [number.update(2.0) for _ in range(MOST_LOOKS)]  # and no longer than that


@pytest.mark.parametrize("offset", [0, 1])
def test_two_trainings_on_two_cores_settle_at_one_thread_each(offset):
    one, two = ThreadCount(2), ThreadCount(2)
    two.update(2.0)  # it began alone
    history = []
    for look in range(100):
        used = [2.0 * each.now / max(one.now + two.now, 2) for each in (one, two)]  # as the system shares its cores
        one.update(2.0 - used[1])
        if look >= offset:
            two.update(2.0 - used[0])
        history.append((one.now, two.now))
    assert set(history[4:]) == {(1, 1)}
    assert [two.update(2.0) for _ in range(2)] == [1, 2]  # the other one ended


def test_own_time_and_a_pause_are_no_work_of_others():
    began = CPUTimes(at=10.0, busy=100.0, own=50.0)
    assert busy_elsewhere(began, CPUTimes(12.0, 104.0, 54.0), cpus=2) == 0.0
    assert busy_elsewhere(began, CPUTimes(12.0, 104.0, 52.0), cpus=2) == 1.0
    assert busy_elsewhere(began, CPUTimes(72.0, 160.0, 110.0), cpus=2) == 0.0  # a minute of metrics on one thread
    assert busy_elsewhere(began, CPUTimes(72.0, 100.0, 50.0), cpus=2) == 0.0  # a minute's wait for a disk
    assert busy_elsewhere(began, CPUTimes(12.0, 101.0, 53.0), cpus=2) == 0.0  # clocks of different grain
    assert busy_elsewhere(began, CPUTimes(10.1, 109.0, 50.0), cpus=2) == 2.0
    assert busy_elsewhere(began, began, cpus=2) == 0.0


@pytest.mark.parametrize("name", THREAD_VARIABLES)
def test_what_the_user_has_chosen_stays(name):
    assert (
        user_chose_threads({"HOME": "/", name: "3"})
        and not user_chose_threads({"HOME": "/"})
        and not user_chose_threads({name: ""})
    )


def test_a_person_reads_how_busy_it_is_and_how_to_keep_all_threads():
    said = describe_busy(1.04, 2, 1, 2)
    assert said == (
        "other work keeps 1 of 2 CPUs busy: training on 1 thread, more when they are free; OMP_NUM_THREADS=2 keeps 2"
    )
    assert "training on 3 threads," in describe_busy(0.7, 8, 3, 4)


BUSY = "import os\nos.nice(19)\nwhile True: pass"
"""work that keeps a core busy and gives way to that of tests"""


@pytest.fixture
def all_busy() -> Iterator[dict[str, str]]:
    """Every CPU has a process that never rests; the environment of one who has chosen nothing."""
    with ExitStack() as stack:
        for _ in available_cpus():
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(busy.kill)
        yield {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}


def answer(script: str, environment: dict[str, str]) -> list:
    """What a Python prints as JSON on its last line."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


LOOKS = """
import json, os, time, torch
from ggdr.ops import threads
from ggdr.ops.device import resolve_device
torch.set_num_threads(4)
kept, compiled = threads.Threads(adapt=True), threads.Threads(adapt=True)
gpu = threads.Threads(adapt=False)
time.sleep(0.5)
found = {"gpu": gpu.look(), "before": torch.get_num_threads(), "said": len(kept.look())}
at = kept.before.at
found["soon"] = [*kept.look(), kept.before.at - at]
found["busy"] = torch.get_num_threads()
compiled.look(once=True)
threads.LOOK_INTERVAL_SEC = 0
for _ in range(2):
    kept.before = compiled.before = threads.read_cpu_times()  # as if nobody had been busy
    found |= {"later": kept.look(), "compiled": compiled.look(), "free": torch.get_num_threads()}
resolve_device("cpu")
found["compiled for"] = compiled.adapt
found["generating"] = torch.get_num_threads()
os.environ["LOKY_MAX_CPU_COUNT"] = "1"
found["limited"] = threads.Threads(adapt=True).number.most
torch.set_num_threads(4)
os.environ["OMP_NUM_THREADS"] = "4"
resolve_device("cpu")
found["chosen"] = torch.get_num_threads()
print(json.dumps(found))
"""


def test_torch_computes_on_one_thread_beside_busy_processes_and_on_more_when_they_rest(all_busy):
    most = min(4, len(available_cpus()))
    found = answer(LOOKS, all_busy | {"LOKY_MAX_CPU_COUNT": "4"})
    assert (found["before"], found["busy"], found["free"]) == (4, 1, most)
    assert (found["said"], found["soon"], found["later"]) == (int(most > 1), [0.0], [])  # said once
    assert (found["gpu"], found["compiled"], found["compiled for"]) == ([], [], False)
    assert (found["generating"], found["limited"], found["chosen"]) == (1, 1, 4)


def test_a_run_begins_on_what_is_free_and_says_so(all_busy, tmp_path):
    command = [sys.executable, "-m", "ggdr", "train", "recipes/digits.py", "--dry-run", "--out", str(tmp_path)]
    done = subprocess.run(command, env=all_busy, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "1 x cpu with 1 thread," in done.stdout
    assert (
        len(available_cpus()) == 1
        or done.stdout.count("CPUs busy: training on 1 thread, more when they are free;") == 1
    )


def test_a_checkpoint_and_the_first_lines_tell_the_number_of_threads(tmp_path):
    run = tiny_run(recipe, tmp_path)
    assert f"1 x cpu with {chosen_here()} thread" in "\n".join(introduction(run))
    assert json.loads((run.save() / "progress.json").read_text())["threads"] == chosen_here()


def chosen_here() -> int:
    """The threads of this process."""
    return torch.get_num_threads()


@pytest.fixture
def free_to_choose(monkeypatch) -> Iterator[None]:
    """Nobody has chosen, each look is due, and the number of threads is afterwards what it was."""
    before = torch.get_num_threads()
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "LOOK_INTERVAL_SEC", 0.0)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("free_to_choose")
def test_training_looks_between_steps(tmp_path):
    run = tiny_run(recipe, tmp_path)
    began = run.threads.before.at
    assert run.threads.number.settled  # before its first lines are said
    with Trainer(run) as trainer:
        trainer.resume()
        trainer.after_step(train_step(run, next(run.reals())))
    assert run.threads.before.at > began


@pytest.mark.usefixtures("free_to_choose")
def test_code_compiled_for_a_number_of_threads_keeps_it(tmp_path):
    run = tiny_run(replace(recipe, compile=True), tmp_path)
    began = run.threads.before
    assert run.threads.number.settled and run.threads.look() == [] and run.threads.before == began
