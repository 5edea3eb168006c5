"""Measuring by rounds: contestants, each in its own process, take turns, so that what disturbs one disturbs all.

A contestant is a Python script that calls `serve`: it prepares itself, then runs one round at each line it is sent and
answers with the seconds of each of its parts. Medians over the rounds count; their spread is reported beside them.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

Seconds = dict[str, float]
"""part -> seconds it took"""


class Result(NamedTuple):
    """What a contestant did."""

    rounds: list[Seconds]
    """each round's seconds by part"""
    facts: dict[str, Any]
    """what it says of itself, with its peak memory"""

    def median(self, part: str) -> float:
        """Median seconds of a part."""
        return statistics.median(seconds[part] for seconds in self.rounds)

    def spread(self, part: str) -> float:
        """Half of the range of the rounds, as a share of the median."""
        values = [seconds[part] for seconds in self.rounds]
        return (max(values) - min(values)) / 2 / statistics.median(values)


def serve(round_: Callable[[], Seconds], facts: Mapping[str, Any]) -> None:
    """What a contestant does: one round to warm up, then one for each line on standard input; facts at the end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed must not be taken for an answer
    round_()
    print(json.dumps("ready"), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(round_()), file=answers, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({**facts, "peak_gb": round(peak, 3)}), file=answers, flush=True)


def take_turns(contestants: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Result]:
    """Each contestant (name -> arguments of a script of this folder) runs `rounds` rounds, all in turn."""
    results: dict[str, list[Seconds]] = {name: [] for name in contestants}
    processes = {}
    for name, arguments in contestants.items():  # one after the other, undisturbed
        processes[name] = start(arguments)
        ask(processes[name], name, "")
    for _ in range(rounds):
        for name, process in processes.items():
            results[name].append(ask(process, name, "go\n"))
    facts = {}
    for name, process in processes.items():
        process.stdin.close()
        facts[name] = json.loads(process.stdout.readline())
        process.wait()
    return {name: Result(results[name], facts[name]) for name in processes}


def start(arguments: Sequence[str]) -> subprocess.Popen:
    """A contestant's process."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / arguments[0]), *arguments[1:]]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def ask(process: subprocess.Popen, name: str, line: str) -> Any:
    """Send a line (none: wait until it is ready) and read the answer; RuntimeError if the contestant died."""
    process.stdin.write(line)
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"{name} ended with code {process.wait()}; its message is above.")
    return json.loads(answer)


def timed(call: Callable[[], Any]) -> float:
    """Seconds of a call, what it asked of an accelerator included."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    begun = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - begun


def machine() -> dict[str, Any]:
    """What was measured on, and with what."""
    import torch

    from ggdr import __version__

    cuda = torch.cuda.is_available()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return {
        "date": date.today().isoformat(),
        "device": torch.cuda.get_device_name() if cuda else processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ggdr": __version__,
        "commit": commit.stdout.strip(),
        "command": command(sys.argv),
    }


def command(words: Sequence[str]) -> str:
    """What was typed, without the place of a checkout on this machine."""
    before = ["", *words]
    return " ".join(["python", *("CHECKOUT" if b == "--published" else w for b, w in zip(before, words, strict=False))])


def processor() -> str:
    """The processor's name and what it has for narrow numbers."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    return f"{facts.get('model name', platform.machine())} ({', '.join(has)})"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as a table in Markdown; numbers with three digits."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell if isinstance(cell, str) else f"{cell:.3g}" for cell in line) + " |" for line in lines
    )


def report(out: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], **more: Any) -> None:
    """Print the table and write it, the machine and whatever else was found to `out` as JSON."""
    print(table(header, rows))
    out.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "header": list(header), "rows": [list(row) for row in rows], **more}
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten: {out}")
