"""Put faults into the code by hand, one at a time, and count how many the tests notice.

    python scripts/mutate.py --out runs/mutants --sample 400
    python scripts/mutate.py --out runs/mutants --modules ggdr/play/duel.py ggdr/losses --sample 0

The tests run once with coverage to learn which of them reach which line. Each mutant is one change of one expression or
statement (`mutants.py` says which), written into a copy of the tree; the tests that reach its line run, quick ones that
reach little else first, until one fails. What runs at import (a default, a constant) is held against all tests that
reach its file or look through the registries. A mutant that no test reaches has survived. At the end the tests that
noticed something run once more on the code as it is: what one noticed that fails there does not count.

OUT keeps the coverage, by test file, and a line for each mutant. The same command goes on from there: it measures the
test files that are new or changed, and tries what survived again where the tests that reach it have changed.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import time_ns
from xml.etree import ElementTree

import pytest
import tyro
from mutants import Mutant, mutants_of

from ggdr.cli import guarded
from ggdr.errors import UserError

ROOT = Path(__file__).parent.parent
CORE = """ggdr/play ggdr/train.py ggdr/losses ggdr/regularizers ggdr/training/player.py ggdr/training/ema.py
 ggdr/augment ggdr/data/reading/order.py ggdr/data/loader.py ggdr/metrics""".split()
COPIED = ("ggdr", "tests", "recipes", "scripts", "benchmarks", "docs", "model_cards", "pyproject.toml")
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
QUICK = 0.05
"""seconds; so quick a test is run whatever others have taken"""
CRASH = "the end of the process"
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
    seconds: float = 60.0
    """of tests, as measured with the coverage, that one mutant is held against; a test that hangs has noticed it"""
    tests: tuple[str, ...] = ("tests",)
    """files and folders of tests that may notice"""
    processes: int = 1
    """that measure the coverage"""


def main(argv: list[str]) -> int:
    """Measure coverage where there is none yet, try the mutants, and print what survived."""
    flags = tyro.cli(Flags, args=argv, description=__doc__)
    flags.out.mkdir(parents=True, exist_ok=True)
    files = [file for name in flags.modules for file in python_files(ROOT / name)]
    chosen = [mutant for file in files for mutant in mutants_of(file, ROOT)]
    print(f"{len(chosen)} mutants of {len(files)} files", flush=True)
    if flags.sample and flags.sample < len(chosen):
        chosen = random.Random(flags.seed).sample(chosen, flags.sample)
    reach = Reach(flags)
    known = results(flags.out)
    left = [mutant for mutant in chosen if not settled(known.get(mutant.key), reach.tests(mutant))]
    left.sort(key=lambda mutant: mutant.key in known)
    for worker in [work(flags, left[job :: flags.jobs], reach, job) for job in range(flags.jobs)]:
        os.waitpid(worker, 0)
    report(flags, chosen)
    return 0


def python_files(place: Path) -> list[Path]:
    """The Python files at a place, or itself; ValueError if there are none."""
    found = [place] if place.suffix == ".py" and place.is_file() else sorted(place.rglob("*.py"))
    if not found:
        raise UserError(f"no Python files at {place}; name files or folders of the repository, such as ggdr/losses.")
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


class Reach:
    """Which tests reach a line, how long each takes and how much else it reaches.

    Measured where a test file is new or has changed.
    """

    def __init__(self, flags: Flags) -> None:
        self.seconds = flags.seconds
        self.by_line: dict[str, dict[int, set[str]]] = {}
        self.times: dict[str, float] = {}
        self.breadth: Counter[str] = Counter()  # in how many files a test is at home
        digests = {str(file.relative_to(ROOT)): digest(file) for name in flags.tests for file in test_files(name)}
        sources = {str(file.relative_to(ROOT)): digest(file) for file in python_files(ROOT / "ggdr")}
        place = flags.out.resolve() / "coverage"
        runs = sorted(place.glob("*.json"))
        for run in runs:
            if json.loads(run.read_text(encoding="utf-8"))["sources"] != sources:
                raise UserError(f"{flags.out} was measured on other code of ggdr; choose another --out.")
        measured = {
            name: value for run in runs for name, value in json.loads(run.read_text(encoding="utf-8"))["tests"].items()
        }
        if new := sorted(name for name, value in digests.items() if measured.get(name) != value):
            runs.append(place / f"{time_ns()}.json")
            measure(new, runs[-1], flags)
            runs[-1].write_text(
                json.dumps({"sources": sources, "tests": {name: digests[name] for name in new}}), encoding="utf-8"
            )
        for run in runs:
            self.take(run, digests)
        through = {name for name in digests if "discover()" in (ROOT / name).read_text(encoding="utf-8")}
        self.looking = {test for test in self.times if file_of(test) in through}  # at every part that there is

    def take(self, run: Path, digests: dict[str, str]) -> None:
        """Take over what one run has measured of the tests as they are now."""
        from coverage import CoverageData

        fresh = {
            name
            for name, value in json.loads(run.read_text(encoding="utf-8"))["tests"].items()
            if digests.get(name) == value
        }
        own: dict[str, set[str]] = {file: set() for file in fresh}
        for test, time in passed(run.with_suffix(".xml")).items():
            if file_of(test) in fresh:
                own[file_of(test)].add(test)
                self.times[test] = time
        data = CoverageData(str(run.with_suffix(".data")))
        data.read()
        for file in data.measured_files():
            lines = self.by_line.setdefault(file, {})
            for line, contexts in data.contexts_by_lineno(file).items():
                lines.setdefault(line, set()).update(*(reaching(context, own) for context in contexts))
        for lines in self.by_line.values():
            self.breadth.update(set().union(*lines.values()))

    def tests(self, mutant: Mutant) -> list[str]:
        """Tests that pass and reach a mutant's line, or its file if that runs at import; quick, narrow ones first."""
        lines = self.by_line.get(mutant.file, {})
        reached = lines.values() if mutant.at_import else [lines.get(line, set()) for line in mutant.lines]
        found = set().union(*reached, self.looking if mutant.at_import else ()) & self.times.keys()
        spent, chosen = 0.0, []
        for test in sorted(found, key=lambda test: ((self.times[test] + 0.1) * self.breadth[test], test)):
            if spent < self.seconds or self.times[test] < QUICK:
                spent += self.times[test]
                chosen.append(test)
        return chosen


def reaching(context: str, own: dict[str, set[str]]) -> set[str]:
    """The tests that reach what a context has reached: what fixtures have, all tests of the file may read."""
    test, _, phase = context.rpartition("|")
    known = own.get(file_of(test), set())
    return known if phase == "setup" else known & {test}


def test_files(name: str) -> list[Path]:
    """The test files at a place."""
    return [file for file in python_files(ROOT / name) if file.name.startswith("test_")]


def file_of(test: str) -> str:
    """The file of a test, by its id."""
    return test.split("::")[0]


def digest(file: Path) -> str:
    """Of what a file says."""
    return sha256(file.read_bytes()).hexdigest()


def measure(tests: list[str], run: Path, flags: Flags) -> None:
    """Run these test files with coverage, a context a test."""
    run.parent.mkdir(exist_ok=True)
    settings = run.with_suffix(".ini")
    settings.write_text("[run]\nsource = ggdr\nrelative_files = true\n", encoding="utf-8")
    tree = copied(flags.out.resolve() / "tree")
    command = f"-m pytest -q -p no:cacheprovider --timeout=900 --junitxml={run.with_suffix('.xml')} --cov=ggdr".split()
    command += f"--cov-context=test --cov-report= --cov-config={settings} -m".split() + ["not slow"]
    if flags.processes > 1:
        command += f"-n {flags.processes} --dist loadfile".split()
    around = environment(tree) | {"COVERAGE_FILE": str(run.with_suffix(".data"))}
    subprocess.run([sys.executable, *command, *tests], cwd=tree, env=around, check=False)


def passed(times: Path) -> dict[str, float]:
    """Seconds of each test that has passed, by its id, from a JUnit file."""
    found = {}
    for case in ElementTree.parse(times).iter("testcase"):
        file, within = re.fullmatch(r"(.*?\btest_\w+)(.*)", case.get("classname", "")).groups()
        name = f"{file.replace('.', '/')}.py{within.replace('.', '::')}::{case.get('name')}"
        if not len(case):  # no failure, no error, not skipped
            found[name] = float(case.get("time", 0))
    return found


def environment(tree: Path) -> dict[str, str]:
    """Return that of a test run in a copy of the tree: one thread, no compiled files, its own cache and ggdr."""
    own = {"PYTHONPATH": str(tree), "GGDR_CACHE": str(tree.parent / "cache")}
    return os.environ | own | {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def work(flags: Flags, todo: list[Mutant], reach: Reach, job: int) -> int:
    """Try these mutants in a process that has a copy of the tree; its number."""
    if child := os.fork():
        return child
    tree = copied(flags.out.resolve() / f"tree-{job}")
    warm(tree)
    with (flags.out / f"mutants-{job}.jsonl").open("a", encoding="utf-8") as lines:
        for mutant in todo:
            tests = reach.tests(mutant)
            verdict, by = tried(mutant, tests, tree) if tests else ("unreached", "")
            entry = {"key": mutant.key, "verdict": verdict, "by": by, "against": against(tests)}
            lines.write(json.dumps(entry | {"file": mutant.file, "line": mutant.line, "now": mutant.now}) + "\n")
            lines.flush()
    os._exit(0)


def warm(tree: Path) -> None:
    """Import once what all mutants need, which are forked off this process, and nothing of ggdr."""
    for name in [name for name in sys.modules if name.split(".")[0] == "ggdr"]:
        del sys.modules[name]  # the tests are to import the copy
    os.environ.update(environment(tree))
    for name in WARM.split():
        __import__(name)


def against(tests: list[str]) -> str:
    """What a mutant was held against: a digest of the tests and of their files."""
    files = [digest(ROOT / file) for file in sorted({file_of(test) for test in tests})]
    return sha256(" ".join([*tests, *files]).encode()).hexdigest()[:16]


def settled(entry: dict[str, str] | None, tests: list[str]) -> bool:
    """Whether nothing can change what is known of a mutant."""
    return entry is not None and (entry["verdict"] == "noticed" or entry["against"] == against(tests))


def tried(mutant: Mutant, tests: list[str], tree: Path) -> tuple[str, str]:
    """What the tests say of a mutant ("noticed", "survived" or, where they could not run, "unclear"), and which one."""
    file = tree / mutant.file
    original = file.read_text(encoding="utf-8")
    file.write_text(mutant.source, encoding="utf-8")
    try:
        failed, status = failures(tests, tree, stop=True)
    finally:
        file.write_text(original, encoding="utf-8")
    if failed:
        return "noticed", failed[0]
    return ("noticed", CRASH) if os.WIFSIGNALED(status) else ("unclear" if status else "survived", "")


def failures(tests: list[str], tree: Path, stop: bool) -> tuple[list[str], int]:
    """Which of the tests fail, in its own process, and how that ended, 0 if well."""
    note = tree.parent / f"{tree.name}.failed"
    note.write_text("", encoding="utf-8")
    child = os.fork()
    if not child:
        os.setsid()
        in_tests(tests, tree, note, stop)
    _, status = os.waitpid(child, 0)
    return note.read_text(encoding="utf-8").splitlines(), status


def in_tests(tests: list[str], tree: Path, note: Path, stop: bool) -> None:
    """Run tests in this process, a few first, and leave it."""
    os.chdir(tree)
    sys.path[:] = [str(tree), *(path for path in sys.path if Path(path) not in (ROOT, ROOT / "scripts"))]
    log = os.open(tree.parent / f"{tree.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    flags = f"-q -p no:cacheprovider -p no:cov --timeout=120 --basetemp={tree}.tmp{' -x' if stop else ''}".split()
    status = 0
    for part in (tests[:5], tests[5:30], tests[30:]):
        if part and not (stop and note.read_text(encoding="utf-8")):
            status |= pytest.main([*flags, *part], plugins=[Note(note)]) > 1
    os._exit(status)


@dataclass(frozen=True)
class Note:
    """A plug-in of pytest that writes down which tests fail, or cannot be collected."""

    file: Path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has been set up, called or torn down."""
        self.take(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file has been collected."""
        self.take(report)

    def take(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        """Write it down if it has failed."""
        if report.failed:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(report.nodeid + "\n")


def results(out: Path) -> dict[str, dict[str, str]]:
    """What is known of each mutant, by its key."""
    lines = [
        line for file in sorted(out.glob("mutants-*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return {entry["key"]: entry for entry in map(json.loads, lines)}


def report(flags: Flags, chosen: list[Mutant]) -> None:
    """Print what survived, file by file, and the score with Wilson's 95 % interval."""
    known = results(flags.out)
    killers = sorted({known[mutant.key]["by"] for mutant in chosen} - {"", CRASH})
    doubtful = control(flags, [test for test in killers if "::" in test])
    survived = []
    for mutant in sorted(chosen, key=lambda each: (each.file, each.line)):
        entry = known[mutant.key]
        if entry["verdict"] != "noticed" or entry["by"] in doubtful:
            survived.append(mutant)
            print(f"{entry['verdict']:9} {mutant.file}:{mutant.line}  {mutant.was}  ->  {mutant.now}")
    for test in doubtful:
        print(f"{test} fails on the code as it is: what it noticed does not count")
    n = len(chosen)
    share, z = 1 - len(survived) / n, 1.96
    middle, half = (share + z * z / (2 * n)), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    print(f"{share:.1%} of {n} mutants were noticed ({low:.1%} to {high:.1%})")


def control(flags: Flags, tests: list[str]) -> list[str]:
    """Which of these tests fail on the code as it is."""
    tree = copied(flags.out.resolve() / "tree")
    if not tests:
        return []
    reader, writer = os.pipe()
    if not (child := os.fork()):
        warm(tree)
        os.write(writer, "\n".join(failures(tests, tree, stop=False)[0]).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    return os.fdopen(reader).read().splitlines()


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
