"""The verbs under Python's audit: written is the output folder alone, and no code of a model is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from data_sources import folder, noise
from places import OWN_GOLDEN, ROOT, SUPPORT

RECIPE = """
import dataclasses
import tiny
from ggdr.data.images import ImageFiles
terms = {"r1": tiny.recipe.regularizers["r1"]}
data = ImageFiles(source=%r, size=16)
recipe = dataclasses.replace(tiny.recipe, data=data, regularizers=terms, total_kimg=0.008, sample_kimg=0.008)
"""
CODE = ["recipe.py", "__init__.py", "generator.py", "modeling.py", "generator/__init__.py", "torch.py", "json.py"]
CODE += ["conftest.py", "sitecustomize.py", "pipeline.py", "checkpoints/__init__.py"]
PROGRAM = """
import os, sys, json
root, out, code, told = sys.argv[1:5]
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
places = {"os.mkdir": [0], "os.rename": [0, 1], "os.remove": [0], "os.rmdir": [0], "os.link": [1], "os.symlink": [1],
          "os.chmod": [0], "os.truncate": [0], "os.utime": [0], "shutil.rmtree": [0], "shutil.move": [1]}
seen, on = {"written": set(), "started": set(), "run": set(), "wrote": 0}, False

def place(name, folder=-1):
    base = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else ""
    named = isinstance(name, (str, bytes, os.PathLike))
    return os.path.realpath(os.path.join(base, os.fsdecode(name))) if named else None

def audit(event, args):
    if not on:
        return
    if event == "open" and isinstance(args[2], int) and args[2] & writing:
        touched = [place(args[0])]
    elif event in places:
        within = args[-1] if event in ("os.mkdir", "os.remove", "os.rmdir") else -1  # a folder that is open
        touched = [place(args[at], within) for at in places[event]]
    else:
        touched = []
    for path in touched:
        if path is not None and path.startswith(out):
            seen["wrote"] += 1
        elif path is not None and path != "/dev/null" and not path.startswith(os.environ["TMPDIR"]):
            seen["written"].add(f"{event} {path}")
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
                 "socket.connect", "socket.bind", "socket.getaddrinfo", "pty.spawn", "pickle.find_class"):
        seen["started"].add(f"{event} {str(args)[:200]}")
    if event in ("exec", "compile", "import", "marshal.loads"):
        name = args[0].co_filename if event == "exec" else args[1] if len(args) > 1 else None
        if isinstance(name, (str, bytes)) and place(name).startswith(code):
            seen["run"].add(f"{event} {name}")

sys.addaudithook(audit)
from ggdr.cli import VERBS
import importlib
for argv in json.load(sys.stdin):
    verb = importlib.import_module("ggdr." + VERBS[argv[0]][0]).main
    on = True
    try:
        status = verb(argv[1:])
    finally:
        on = False
    assert not status, argv
with open(told, "w") as file:
    json.dump({k: v if isinstance(v, int) else sorted(v) for k, v in seen.items()}, file)
"""


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """What the verbs did, and the folders about them afterwards."""
    place = tmp_path_factory.mktemp("audit").resolve()
    for name in ("home", "here", "temporary", "out", "own"):
        (place / name).mkdir()
    images = folder(place / "images", {f"{number}.png": noise(number) for number in range(12)})
    (place / "own" / "mine.py").write_text(RECIPE % images)
    program = place / "own" / "program.py"
    program.write_text(PROGRAM)
    run, stranger = place / "out" / "run", place / "stranger"
    verbs = [
        ["train", str(place / "own" / "mine.py"), "--out", str(run)],
        ["generate", str(run), "--seeds", "0-3", "--out", str(place / "out" / "grid.png")],
    ]
    before = work(place, verbs)
    run.rename(stranger)
    for file in (stranger, *stranger.rglob("*")):
        if file.is_dir():
            plant(file)
    snapshot = OWN_GOLDEN / "official_ggdr_snapshot.pkl"
    verbs = [
        ["generate", str(stranger), "--seeds", "0-3", "--out", str(place / "out" / "other.png")],
        ["evaluate", str(stranger), "--data", "images", "--data.source", images, "--data.size", "16", "--images", "8",
         "--metrics", "swd", "--repeats", "1", "--out", str(place / "out" / "record.json")],
        ["features", str(stranger), "--out", str(place / "out" / "features"), "--samples", "2", "--pooled", "4"],
        ["convert", str(snapshot), str(place / "out" / "converted")],
    ]  # fmt: skip
    after = work(place, verbs)
    return place, {key: found + after[key] for key, found in before.items()}


def plant(place: Path) -> None:
    """Files of code as a downloaded model may bring them along; each leaves a mark when it is run."""
    for name in CODE:
        if (place / name).parent.is_dir() and (name == "recipe.py" or not (place / name).exists()):
            (place / name).write_text(f"open({str(place / 'ran')!r}, 'w')\n")


def work(place: Path, verbs: list[list[str]]) -> dict:
    """What the verbs did in a process that is watched."""
    paths = os.pathsep.join([str(ROOT), str(SUPPORT)])
    homes = {"HOME": "home", "XDG_CACHE_HOME": "home", "TMPDIR": "temporary"}
    homes["TORCHINDUCTOR_CACHE_DIR"] = "temporary/inductor"  # where torch's compiler puts its own files
    settings = os.environ | {key: str(place / name) for key, name in homes.items()}
    settings |= {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(place / "out")}
    told = place / "told.json"
    command = [sys.executable, *(str(place / name) for name in ("own/program.py", "", "out", "stranger"))]
    done = subprocess.run(
        [*command, str(told)], input=json.dumps(verbs), env=settings, cwd=place / "here", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(told.read_text())


def test_written_is_the_output_folder_alone(audited):
    place, seen = audited
    assert seen["wrote"] > 5 and seen["written"] == []
    assert not [path for name in ("home", "here", "temporary") for path in (place / name).rglob("*") if path.is_file()]
    assert {"grid.png", "other.png", "record.json", "features", "converted"} <= {*os.listdir(place / "out")}


def test_no_program_is_started_and_no_address_asked(audited):
    """But for the system's own lists: of libraries, of fonts, the first time that plots are drawn, and of processors.

    Some versions of urllib3 take a port of this machine for a moment, to see whether it has IPv6: they ask nobody.
    """
    lists, here = ("ldconfig", "fc-list", "lscpu"), "('::1', 0)"
    started = [each for each in audited[1]["started"] if not any(name in each for name in lists)]
    assert not [each for each in started if not (each.startswith("socket.bind") and here in each)]


def test_no_code_of_a_model_is_run(audited):
    place, seen = audited
    assert seen["run"] == [] and not [*place.rglob("ran")]
    assert (place / "stranger" / "recipe.py").exists()
