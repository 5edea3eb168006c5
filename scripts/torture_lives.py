"""The lives of a tortured run: born by fork from a process that has imported everything, or by the real command."""

from __future__ import annotations

import importlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psutil

from ggdr.cli import guarded

IMPORTED = """ggdr.train ggdr.training.launch ggdr.training.run ggdr.training.trainer ggdr.training.dry_run accelerate
 accelerate.utils scipy.linalg sklearn.datasets matplotlib.figure matplotlib.backends.backend_agg PIL.Image
 PIL.PngImagePlugin torch.utils.data torch.optim.swa_utils ggdr.networks.stylegan2 ggdr.data.reading.indexed
 safetensors.torch psutil""".split()
"""what a training imports, once for all lives"""
SURVIVE_SEC = 30.0
"""how long a process may outlive another one of its run"""
LAUNCH = "-m accelerate.commands.launch --multi_gpu --num_processes 2 --main_process_port 0 -m ggdr.train".split()
Blow = Callable[[str, tuple], None]


class Life:
    """The processes of one run, from a start to an end."""

    def __init__(self, pids: list[int], log: Path, launched: bool = False):
        """`launched`: the only process is a launcher, and trains in children of its session."""
        self.pids, self.log, self.launched = pids, log, launched
        self.ended: dict[int, int | None] = dict.fromkeys(pids)
        self.outlived = 0.0
        """seconds that the last process outlived the first"""

    def over(self) -> bool:
        """Whether one of its processes has ended."""
        for pid in [pid for pid, status in self.ended.items() if status is None]:
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
                self.ended[pid] = os.waitstatus_to_exitcode(status)
        return any(status is not None for status in self.ended.values())

    def kill(self, chance: random.Random) -> None:
        """SIGKILL to all of its processes or to one; the others have to end by themselves, or by their launcher."""
        ranks = [child.pid for child in psutil.Process(self.pids[0]).children()] if self.launched else self.pids
        if chance.random() < 0.5 and ranks:
            os.kill(chance.choice(ranks), signal.SIGKILL)
        elif self.launched:
            os.killpg(self.pids[0], signal.SIGKILL)
        else:
            for pid in self.pids:
                os.kill(pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Wait until all have ended; one that has not by SURVIVE_SEC after the first is killed."""
        while not self.over():
            time.sleep(0.001)
        began = time.monotonic()
        while None in self.ended.values() and time.monotonic() < began + SURVIVE_SEC:
            time.sleep(0.005)
            self.over()
        self.outlived = time.monotonic() - began
        for pid in [pid for pid, status in self.ended.items() if status is None]:
            os.kill(pid, signal.SIGKILL)
            self.ended[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace", encoding="utf-8") if self.log.exists() else ""


def warm_up(recipe: Path) -> None:
    """Import what a training imports: by name, and by building its networks without weights."""
    for name in IMPORTED:
        importlib.import_module(name)
    from ggdr.recipe.files import load_recipe
    from ggdr.recipe.fitting import fit

    made = load_recipe(recipe)
    fit(made, made.data.open().domains)


def forked(argv: list[str], processes: int, log: Path, blow: Blow | None) -> Life:
    """A life of so many processes, as a launcher would make them; `blow` sees the first one's system calls."""
    shared: dict[str, str] = {}
    if processes > 1:
        shared = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        shared |= {"ACCELERATE_USE_CPU": "true", "ACCELERATE_MIXED_PRECISION": "no"}
    pids = []
    for rank in range(processes):
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {}
        pids.append(os.fork())
        if not pids[-1]:
            be_born(argv, {**shared, **own}, log, None if rank else blow)
    return Life(pids, log)


def be_born(argv: list[str], environment: dict[str, str], log: Path, blow: Blow | None) -> None:
    """In the child: train, and leave by the exit status of the command."""
    from ggdr.train import main

    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)
    status = 1
    try:
        if blow is not None:
            sys.addaudithook(blow)
        guarded(main, argv)
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def typed(argv: list[str], processes: int, log: Path) -> Life:
    """A life by the command that a person types."""
    module = LAUNCH if processes > 1 else ["-m", "ggdr.train"]
    with log.open("a", encoding="utf-8") as stream:
        child = subprocess.Popen(
            [sys.executable, *module, *argv],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | ({"ACCELERATE_USE_CPU": "true"} if processes > 1 else {}),
            start_new_session=True,
        )
    return Life([child.pid], log, launched=processes > 1)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class AtCall:
    """Kills its own process at the n-th system call on a path that holds a word."""

    def __init__(self, word: str, count: int):
        self.word, self.left = word, count

    def __call__(self, event: str, details: tuple) -> None:
        """See a system call, as an audit hook."""
        inside = event.startswith(("os.", "shutil.", "open")) and any(self.word in str(each) for each in details[:2])
        within = self.word == ".removing-" and event in ("os.remove", "os.rmdir")  # by names relative to the folder
        due, self.left = self.left == 1, self.left - (inside or within)
        if due and self.left == 0:  # once: the call below is seen as well
            os.kill(os.getpid(), signal.SIGKILL)
