"""Seconds and memory until something happens: the import, the help text, an image, the first step of a run.

python benchmarks/startup.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import report

DIGITS = str(Path(__file__).parent.parent / "recipes" / "digits.py")
QUIET = ["--sample-kimg", "0", "--metric-kimg", "0", "--log-kimg", "0.032", "--total-kimg", "0.032"]
IMAGE = "(seeds=[0]).images[0]"
SAVE = """
import sys, ggdr
from ggdr.networks.base import ImageSpec
from ggdr.recipe.files import load_recipe
ggdr.Pipeline(load_recipe(sys.argv[1]).generator.build(ImageSpec(32, 32, 1))).save_pretrained(sys.argv[2])
"""
"""the generator of the digits recipe, as it begins"""
COMMANDS = {
    "import ggdr": ["-c", "import ggdr"],
    "import torch, for comparison": ["-c", "import torch"],
    "ggdr --help": ["-m", "ggdr", "--help"],
    "ggdr list": ["-m", "ggdr", "list"],
    "ggdr train recipes/digits.py --help": ["-m", "ggdr", "train", DIGITS, "--help"],
    "ggdr.from_pretrained and an image": ["-c", f"import ggdr; ggdr.from_pretrained('MODEL'){IMAGE}"],
    "the same by ggdr.GANPipeline, a class of diffusers": [
        "-c",
        f"import ggdr; ggdr.GANPipeline.from_pretrained('MODEL'){IMAGE}",
    ],
    "ggdr generate, one image": ["-m", "ggdr", "generate", "MODEL", "--seeds", "0", "--out", "OUT/grid.png"],
    "a run of one step, from the command to its end": ["-m", "ggdr", "train", DIGITS, *QUIET, "--out", "OUT"],
}


def spent(command: list[str], model: str) -> tuple[float, float]:
    """Seconds of a process from its start to its end, and the most memory that it held, MB."""
    with tempfile.TemporaryDirectory() as folder:
        whole = [word.replace("OUT", folder).replace("MODEL", model) for word in command]
        begun = time.perf_counter()
        process = subprocess.Popen([sys.executable, *whole], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"python {' '.join(whole)} ends with status {process.returncode}")
        return time.perf_counter() - begun, usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/startup.json"))
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as model:
        # apart: a process counts the memory of the one that starts it
        subprocess.run([sys.executable, "-c", SAVE, DIGITS, model], check=True)
        for name, command in COMMANDS.items():
            spent(command, model)  # so that files are in memory
            found = [spent(command, model) for _ in range(arguments.rounds)]
            seconds, memory = zip(*found, strict=True)
            rows.append([name, statistics.median(seconds), min(seconds), max(seconds), round(max(memory))])
    report(arguments.out, ["what", "median, s", "least", "most", "memory, MB"], rows)


if __name__ == "__main__":
    main()
