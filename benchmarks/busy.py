"""Training beside other work: seconds per kimg of a recipe alone, beside busy processes, and beside its like.

python benchmarks/busy.py [--rounds 5] [--beside 0 1 2 training] [--kimg 1.28]

Each setting takes its turn in each round, so that what disturbs one disturbs all. Measured is the second half of a run
of `--kimg`, or, with `--kimg 0`, what `ggdr train RECIPE --dry-run` tells, which has looked for other work only once. A
busy process is a Python loop that never ends; beside "training" the same run goes on for longer.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rounds import report

from ggdr.ops.threads import available_cpus
from ggdr.saving import log_file

DIGITS = str(Path(__file__).parent.parent / "recipes" / "digits.py")
CPUS = str(len(available_cpus()))
DEFAULT = "OpenMP's default"
SETTINGS = {
    "ours": {},
    DEFAULT: {"OMP_NUM_THREADS": CPUS},
    "OMP_WAIT_POLICY=passive": {"OMP_NUM_THREADS": CPUS, "OMP_WAIT_POLICY": "passive"},
    "GOMP_SPINCOUNT=2000": {"OMP_NUM_THREADS": CPUS, "GOMP_SPINCOUNT": "2000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
"""name -> environment variables, beside which no other of OpenMP's is set; with OMP_NUM_THREADS ours does nothing"""
OWN = ("OMP_", "GOMP_", "KMP_", "MKL_")
LOG_KIMG = 0.064


def seconds_per_kimg(recipe: str, variables: dict[str, str], beside: str, kimg: float) -> float:
    """Train a recipe beside that number of busy processes, or beside another such run ("training")."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN)} | variables
    with ExitStack() as stack:
        out, other = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        if beside == "training":
            neighbours = [command(recipe, other / "run", 1000)]
        else:
            neighbours = [[sys.executable, "-c", "while True: pass"]] * int(beside)
        for words in neighbours:
            busy = stack.enter_context(subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL))
            stack.callback(busy.kill)
        if beside == "training":
            wait_for(other / "run" / "metrics.jsonl")
        words = command(recipe, out / "run", kimg)
        done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        if not kimg:
            return float(re.search(r"time per kimg: ([\d.e+]+) s", done.stdout)[1])
        rows = log_file.read_rows(out / "run" / "metrics.jsonl")
        half = [row for row in rows if row["kimg"] > kimg / 2]
        return (half[-1]["seconds"] - half[0]["seconds"]) / (half[-1]["kimg"] - half[0]["kimg"])


def command(recipe: str, out: Path, kimg: float) -> list[str]:
    """What trains a recipe for `kimg`, without grids, metrics and checkpoints on the way; 0: what tries it out."""
    words = [sys.executable, "-m", "ggdr", "train", recipe, "--out", str(out)]
    if not kimg:
        return [*words, "--dry-run"]
    quiet = ["--sample-kimg", "0", "--metric-kimg", "0", "--checkpoint-kimg", "1000"]
    return [*words, "--total-kimg", str(kimg), "--log-kimg", str(LOG_KIMG), *quiet]


def wait_for(file: Path) -> None:
    """Return once a run has begun to log."""
    while not file.exists():
        time.sleep(0.1)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default=DIGITS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", nargs="+", default=["0", "1", "2", "training"])
    parser.add_argument("--kimg", type=float, default=1.28)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/busy.json"))
    arguments = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(arguments.rounds):
        for neighbours in arguments.beside:
            for name in arguments.settings:
                seconds = seconds_per_kimg(arguments.recipe, SETTINGS[name], neighbours, arguments.kimg)
                found.setdefault((name, neighbours), []).append(seconds)
                print(f"{name}, beside {neighbours}: {seconds:.3g} s/kimg", flush=True)
    medians = {case: statistics.median(values) for case, values in found.items()}
    alone = medians[DEFAULT if DEFAULT in arguments.settings else arguments.settings[0], arguments.beside[0]]
    rows = [
        [name, beside, medians[name, beside], min(values), max(values), alone / medians[name, beside]]
        for (name, beside), values in sorted(found.items(), key=lambda entry: (entry[0][1], entry[0][0]))
    ]
    header = ["threads", "beside", "median, s/kimg", "least", "most", "speed, of OpenMP's default alone"]
    report(arguments.out, header, rows)


if __name__ == "__main__":
    main()
