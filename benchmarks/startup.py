"""Seconds until something happens: the import, the help text, the first step of a run.

python benchmarks/startup.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import report

DIGITS = str(Path(__file__).parent.parent / "recipes" / "digits.py")
QUIET = ["--sample-kimg", "0", "--metric-kimg", "0", "--log-kimg", "0.032", "--total-kimg", "0.032"]
COMMANDS = {
    "import ggdr": ["-c", "import ggdr"],
    "import torch, for comparison": ["-c", "import torch"],
    "ggdr --help": ["-m", "ggdr", "--help"],
    "ggdr list": ["-m", "ggdr", "list"],
    "ggdr train recipes/digits.py --help": ["-m", "ggdr", "train", DIGITS, "--help"],
    "a run of one step, from the command to its end": ["-m", "ggdr", "train", DIGITS, *QUIET, "--out"],
}


def seconds(command: list[str]) -> float:
    """Of a process, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        whole = [sys.executable, *command, *[folder] * (command[-1] == "--out")]
        begun = time.perf_counter()
        subprocess.run(whole, check=True, capture_output=True)
        return time.perf_counter() - begun


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/startup.json"))
    arguments = parser.parse_args()
    rows = []
    for name, command in COMMANDS.items():
        seconds(command)  # so that files are in memory
        found = [seconds(command) for _ in range(arguments.rounds)]
        rows.append([name, statistics.median(found), min(found), max(found)])
    report(arguments.out, ["what", "median, s", "least", "most"], rows)


if __name__ == "__main__":
    main()
