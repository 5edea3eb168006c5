"""Commands that tests run in processes of Accelerate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from places import ROOT, SUPPORT

LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--main_process_port", "0"]


def launch(command: list[str], seconds: float = 240, **environment: str) -> subprocess.CompletedProcess:
    """Run a command from the checkout's root, for at most so many seconds."""
    known = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
    env = {key: value for key, value in os.environ.items() if key in known} | {"PYTHONPATH": f"{ROOT}:{SUPPORT}"}
    env |= {"OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=seconds)


def by_one_and_by_two(out: Path, *pairs: str) -> list[subprocess.CompletedProcess]:
    """How two launches ended that train these recipes of `pair_of_processes.py`, one after the other.

    In `out/RECIPE` lie `1-0.pt` of one process, `2-0.pt` and `2-1.pt` of two.
    """
    for pair in pairs:
        (out / pair).mkdir(exist_ok=True)
    script = [str(SUPPORT / "pair_of_processes.py"), str(out), *pairs]
    two = [*LAUNCH, "--multi_gpu", "--num_processes", "2", *script]
    return [launch([sys.executable, *script], 600), launch(two, 600, ACCELERATE_USE_CPU="true")]
