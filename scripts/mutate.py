"""Put faults into the code by hand, one at a time, and count how many the tests notice.

    python scripts/mutate.py --out runs/mutants --sample 400
    python scripts/mutate.py --out runs/mutants --modules ggdr/duel.py ggdr/losses --sample 0

The suite runs once with coverage to learn which tests reach which line (OUT/coverage, kept). Each mutant is one change
of one expression or statement (`mutants.py` says which), written into a copy of the tree; the tests that reach its line
run, the quickest first, until one fails. A mutant that no test reaches has survived. OUT/mutants.jsonl has a line for
each, and is gone on from; what survived is printed with the score and its 95 % interval.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import tyro
from mutants import Mutant, mutants_of

from ggdr.cli import guarded

ROOT = Path(__file__).parent.parent
CORE = """ggdr/duel.py ggdr/term.py ggdr/phase.py ggdr/train.py ggdr/losses ggdr/regularizers ggdr/stats.py
 ggdr/optimizer.py ggdr/schedule.py ggdr/running/player.py ggdr/running/ema.py ggdr/augment ggdr/data/reading/order.py
 ggdr/data/loader.py ggdr/metrics""".split()
COPIED = ("ggdr", "tests", "recipes", "scripts", "benchmarks", "docs", "model_cards", "pyproject.toml")
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
WARM = "numpy torch pytest safetensors.torch sklearn.datasets PIL.Image scipy.linalg tyro accelerate"


@dataclass(frozen=True)
class Flags:
    """What to put faults into, and how many."""

    out: Path
    """folder of the coverage, the copies of the tree and the results"""
    modules: tuple[str, ...] = field(default_factory=lambda: tuple(CORE))
    """files and folders of the package, from the root of the repository"""
    sample: int = 400
    """mutants that are tried, drawn at random; 0: all"""
    seed: int = 0
    """of that draw"""
    jobs: int = 1
    """mutants tried at once"""
    seconds: int = 120
    """that the tests of one mutant may take; longer counts as noticed"""


def main(argv: list[str]) -> int:
    """Measure coverage where there is none yet, try the mutants, and print what survived."""
    flags = tyro.cli(Flags, args=argv, description=__doc__)
    flags.out.mkdir(parents=True, exist_ok=True)
    files = [file for name in flags.modules for file in python_files(ROOT / name)]
    chosen = [mutant for file in files for mutant in mutants_of(file, ROOT)]
    print(f"{len(chosen)} mutants of {len(files)} files", flush=True)
    if flags.sample and flags.sample < len(chosen):
        chosen = random.Random(flags.seed).sample(chosen, flags.sample)
    reached = tests_by_line(flags.out.resolve())
    known = results(flags.out)
    left = [mutant for mutant in chosen if mutant.key not in known]
    workers = [work(flags, left[job :: flags.jobs], reached, job) for job in range(flags.jobs)]
    for worker in workers:
        os.waitpid(worker, 0)
    report(chosen, results(flags.out))
    return 0


def python_files(place: Path) -> list[Path]:
    """The Python files at a place, or itself; ValueError if there are none."""
    found = [place] if place.suffix == ".py" and place.is_file() else sorted(place.rglob("*.py"))
    if not found:
        raise ValueError(f"no Python files at {place}; name files or folders of the repository, such as ggdr/losses.")
    return found


def copied(to: Path) -> Path:
    """A fresh copy of what the tests need at `to`."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in (*COPIED, *PAGES):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / name)
    return to


def tests_by_line(out: Path) -> dict[str, dict[int, list[str]]]:
    """By file and line, the ids of the tests that reach it, the quickest first; from one run of the suite."""
    from coverage import CoverageData

    data, times = out / "coverage", out / "times.xml"
    if not data.is_file():
        settings = out / "coverage.ini"
        settings.write_text("[run]\nsource = ggdr\nrelative_files = true\n")
        tree = copied(out / "tree")
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", f"--junitxml={times}", "--timeout=900"]
        command += [
            "-p",
            "no:cacheprovider",
            "--cov=ggdr",
            "--cov-context=test",
            "--cov-report=",
            f"--cov-config={settings}",
        ]
        subprocess.run(command, cwd=tree, env=environment(tree) | {"COVERAGE_FILE": str(data) + ".part"}, check=False)
        os.replace(str(data) + ".part", data)
    seconds = durations(times)
    contexts = CoverageData(str(data))
    contexts.read()
    found: dict[str, dict[int, list[str]]] = {}
    for file in contexts.measured_files():
        found[file] = {
            line: sorted({name.rsplit("|", 1)[0] for name in names if name}, key=lambda test: seconds.get(test, 0.0))
            for line, names in contexts.contexts_by_lineno(file).items()
        }
    return found


def durations(times: Path) -> dict[str, float]:
    """Seconds of each test, by its id, from a JUnit file."""
    found: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(times).iter("testcase"):
        file = case.get("classname", "").replace(".", "/") + ".py"
        found[f"{file}::{case.get('name')}"] += float(case.get("time", 0))
    return found


def environment(tree: Path) -> dict[str, str]:
    """That of a test run in a copy of the tree: one thread, nothing compiled to disk, no other ggdr."""
    return os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def work(flags: Flags, todo: list[Mutant], reached: dict[str, dict[int, list[str]]], job: int) -> int:
    """Try these mutants in a process with a copy of the tree of its own; its number."""
    if child := os.fork():
        return child
    tree = copied(flags.out.resolve() / f"tree-{job}")
    for name in [name for name in sys.modules if name.split(".")[0] == "ggdr"]:
        del sys.modules[name]  # the tests are to import the copy
    os.environ.update(environment(tree))
    for name in WARM.split():  # once for all the mutants, which are forked off; nothing of ggdr
        __import__(name)
    with (flags.out / f"mutants-{job}.jsonl").open("a") as lines:
        for mutant in todo:
            tests = reached.get(mutant.file, {}).get(mutant.line, [])
            verdict = tried(mutant, tests, tree, flags.seconds) if tests else "unreached"
            lines.write(json.dumps({"key": mutant.key, "verdict": verdict, "tests": len(tests)}) + "\n")
            lines.flush()
    os._exit(0)


def tried(mutant: Mutant, tests: list[str], tree: Path, seconds: int) -> str:
    """ "killed", "late" or "survived": what the tests say of a mutant, in a process of its own."""
    file = tree / mutant.file
    original = file.read_text()
    file.write_text(mutant.source)
    child = os.fork()
    if not child:
        os.setsid()
        in_tests(tests, tree, seconds)
    _, status = os.waitpid(child, 0)
    file.write_text(original)
    if os.WIFSIGNALED(status):
        return "late" if os.WTERMSIG(status) == signal.SIGALRM else "killed"
    return "survived" if os.WEXITSTATUS(status) == 0 else "killed"


def in_tests(tests: list[str], tree: Path, seconds: int) -> None:
    """Run tests in this process and leave it by their status; an alarm ends it."""
    import pytest

    signal.alarm(seconds)
    os.chdir(tree)
    sys.path[:] = [str(tree), *(path for path in sys.path if Path(path) not in (ROOT, ROOT / "scripts"))]
    log = os.open(tree.parent / f"{tree.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", *tests])
    os._exit(int(status))


def results(out: Path) -> dict[str, str]:
    """The verdicts so far, by the key of the mutant."""
    lines = [line for file in sorted(out.glob("mutants-*.jsonl")) for line in file.read_text().splitlines()]
    return {entry["key"]: entry["verdict"] for entry in map(json.loads, lines)}


def report(chosen: list[Mutant], verdicts: dict[str, str]) -> None:
    """Print what survived, file by file, and the score with Wilson's 95 % interval."""
    for mutant in sorted(chosen, key=lambda each: (each.file, each.line)):
        if verdicts[mutant.key] in ("survived", "unreached"):
            print(f"{verdicts[mutant.key]:9} {mutant.file}:{mutant.line}  {mutant.was}  ->  {mutant.now}")
    n = len(chosen)
    share, z = sum(verdicts[mutant.key] in ("killed", "late") for mutant in chosen) / n, 1.96
    middle, half = (share + z * z / (2 * n)), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    print(f"{share:.1%} of {n} mutants were noticed ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    guarded(main, sys.argv[1:], Path(__file__).parent)
