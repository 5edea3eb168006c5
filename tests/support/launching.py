"""Commands that tests run in processes of Accelerate."""

from __future__ import annotations

import os
import subprocess
import sys

from places import ROOT, SUPPORT

LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--main_process_port", "0"]


def launch(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    """Run a command from the checkout's root."""
    known = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
    env = {key: value for key, value in os.environ.items() if key in known} | {"PYTHONPATH": f"{ROOT}:{SUPPORT}"}
    env |= {"OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240)
