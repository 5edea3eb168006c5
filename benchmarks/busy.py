"""Training beside other work: seconds per kimg of a recipe alone and beside busy processes, by how threads wait.

python benchmarks/busy.py [--rounds 5]

Each setting takes its turn in each round, so that what disturbs one disturbs all. The measured number is that of
`ggdr train RECIPE --dry-run`. A busy process is a Python loop that never ends.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rounds import report

DIGITS = str(Path(__file__).parent.parent / "recipes" / "digits.py")
SETTINGS = {
    "ours": {},
    "OpenMP's default": {"GOMP_SPINCOUNT": "300000"},
    "GOMP_SPINCOUNT=500": {"GOMP_SPINCOUNT": "500"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
"""name -> environment variables"""


def seconds_per_kimg(recipe: str, variables: dict[str, str], neighbours: int) -> float:
    """That a dry run tells beside so many busy processes."""
    with ExitStack() as stack:
        for _ in range(neighbours):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        out = stack.enter_context(tempfile.TemporaryDirectory())
        command = [sys.executable, "-m", "ggdr", "train", recipe, "--dry-run", "--out", out]
        done = subprocess.run(command, env=os.environ | variables, check=True, capture_output=True, text=True)
    return float(re.search(r"time per kimg: ([\d.e+]+) s", done.stdout)[1])


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default=DIGITS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/busy.json"))
    arguments = parser.parse_args()
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(arguments.rounds):
        for neighbours in arguments.beside:
            for name in arguments.settings:
                seconds = seconds_per_kimg(arguments.recipe, SETTINGS[name], neighbours)
                found.setdefault((name, neighbours), []).append(seconds)
                print(f"{name}, beside {neighbours}: {seconds:.3g} s/kimg", flush=True)
    alone = statistics.median(found[arguments.settings[0], arguments.beside[0]])
    rows = [
        [name, n, statistics.median(values), min(values), max(values), alone / statistics.median(values)]
        for (name, n), values in sorted(found.items(), key=lambda entry: (entry[0][1], entry[0][0]))
    ]
    header = ["threads", "busy processes beside", "median, s/kimg", "least", "most", "speed, of the first alone"]
    report(arguments.out, header, rows)


if __name__ == "__main__":
    main()
