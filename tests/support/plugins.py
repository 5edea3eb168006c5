"""Example packages, as somebody copies and installs them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from places import ROOT


def copied(package: Path, folder: Path) -> Path:
    """A package as somebody copied it into a folder: building it leaves files beside it."""
    ignored = shutil.ignore_patterns(*(package / ".gitignore").read_text().replace("/", "").split())
    return shutil.copytree(package, folder, ignore=ignored)


def installed(copy: Path) -> Path:
    """A folder that a package is installed to, without network."""
    flags = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    target = copy.parent / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, "--target", target, copy], check=True)
    return target


def python(words: list[str], path: list[Path], where: Path) -> subprocess.CompletedProcess:
    """Run a module of Python in a folder, with these places at hand."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    words = [sys.executable, "-m", *words]
    return subprocess.run(words, cwd=where, env=env, capture_output=True, text=True)


def run(words: list[str], site: Path, where: Path) -> str:
    """What a command prints, with the installed package at hand."""
    done = python(words, [site, ROOT], where)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands(page: Path) -> list[list[str]]:
    """The commands of a page."""
    (block,) = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [shlex.split(line) for line in block.splitlines()]


def missing_files(page: Path) -> list[str]:
    """Files that a page names and that are not there."""
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", page.read_text())
    return [target for target in named if not (page.parent / target).exists()]
