"""The `ggdr` command: its verbs, and how errors of the user reach the user."""

from __future__ import annotations

import difflib
import importlib
import os
import shlex
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from ggdr import __version__

PACKAGE = Path(__file__).parent
CHOSEN = ("ACCELERATE_", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""beginnings of environment variables that are part of a command that trains"""
VERBS = {
    "train": ("train", "train the GAN of a recipe: ggdr train recipes/digits.py --out runs/digits"),
    "generate": (
        "verbs.generate",
        "images of a saved generator: ggdr generate runs/digits --seeds 0-15 --psi 0.7",
    ),
    "mix": ("verbs.mix", "a style-mixing matrix: ggdr mix runs/digits --rows 0-3 --columns 10-17"),
    "video": ("verbs.video", "a walk from image to image as a film: ggdr video runs/digits --seeds 0-7 --out walk.mp4"),
    "project": ("verbs.project", "pictures as codes of a generator: ggdr project runs/digits photo.png --space w+"),
    "edit": ("verbs.edit", "what a generator's strongest directions change: ggdr edit runs/digits --method pca"),
    "explore": ("verbs.explore", "a web page to play with a model, or watch a run: ggdr explore runs/digits"),
    "push": ("verbs.push", "share a run or a model on the Hub: ggdr push runs/digits org/ggdr-digits"),
    "export": ("verbs.export", "a network as a file that runs without ggdr: ggdr export runs/digits OUT.onnx"),
    "convert": (
        "verbs.convert",
        "a published StyleGAN2 or StyleGAN3 as a model here: ggdr convert lsun-cat.pkl models/cat",
    ),
    "evaluate": ("verbs.evaluate", "metrics of a model or of images, with a record: ggdr evaluate runs/digits"),
    "list": ("verbs.listing", "what is registered: ggdr list regularizers, ggdr list --paper 2207.13320"),
    "data": ("verbs.datacheck", "what a source of images holds: ggdr data check FOLDER"),
    "features": ("verbs.insight", "what G and D know, as pictures: ggdr features runs/digits"),
}


def main() -> None:
    """Entry point of the console script and of `python -m ggdr`."""
    verb, *rest = sys.argv[1:] or ["--help"]
    if verb in ("-h", "--help"):
        print("usage: ggdr VERB ...\n\n" + "\n".join(f"  {name:8} {what}" for name, (_, what) in VERBS.items()))
        print("\n`ggdr VERB --help` says more.")
    elif verb in ("-V", "--version"):
        print(f"ggdr {__version__}")
    elif verb in VERBS:
        guarded(importlib.import_module(f"ggdr.{VERBS[verb][0]}").main, rest)
    else:
        close = difflib.get_close_matches(verb, VERBS, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        hint = f" Type: ggdr train {shlex.join(sys.argv[1:])}." if verb.endswith(".py") else hint
        print(f"ggdr: error: no verb {verb!r}.{hint} Verbs: {', '.join(VERBS)}.", file=sys.stderr)
        raise SystemExit(2)


def guarded(verb: Callable[[list[str]], int | None], argv: list[str], home: Path = PACKAGE) -> None:
    """Run a verb and exit; an error of the user, or of the user's disk, becomes one line and exit status 2.

    `home`: where the verb's own code lies, beside the package.
    """
    try:
        status = verb([at_home(word) for word in argv])
    except ValueError as error:
        if not raised_in((PACKAGE, home), error):  # someone's code has a fault, and its author wants to see where
            raise
        print(f"ggdr: error: {error}", file=sys.stderr)
        status = 2
    except BrokenPipeError:  # whoever read the output has gone, as `ggdr list | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        print(f"ggdr: error: {error}; fix that and type the same command, nothing saved is lost.", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("ggdr: stopped; the same command goes on from the last checkpoint, if there is one.", file=sys.stderr)
        status = 130
    sys.stdout.flush()
    raise SystemExit(status)


def at_home(word: str) -> str:
    """A word of a command with `~` as the user's home, also as `--flag=~/images`, which shells leave as it is."""
    flag, equals, path = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return flag + equals + (os.path.expanduser(path) if path == "~" or path.startswith("~/") else path)


def typed(argv: list[str]) -> str:
    """The command that ends with these words as it was typed, launchers included; `ggdr train` if that is not known."""
    import psutil

    words, variables = ["ggdr", "train", *argv], {}
    for process in [psutil.Process(), *psutil.Process().parents()]:
        try:
            line, environment = process.cmdline(), process.environ()
        except psutil.Error:
            break
        if [at_home(word) for word in line[-len(argv) :]] != argv:  # a shell, a scheduler
            break
        words, variables = line, environment
    if (program := installed(words)) is not None:
        words = [program.name, *words[2:]]
    chosen = [f"{key}={shlex.quote(value)} " for key, value in variables.items() if key.startswith(CHOSEN)]
    return "".join(sorted(chosen)) + shlex.join(words)


def installed(words: list[str]) -> Path | None:
    """The program on the PATH, a script, that a Python was told to run; None if it is something else."""
    program = Path(words[1])
    return program if shutil.which(program.name) == str(program) else None


def raised_in(folders: tuple[Path, ...], error: BaseException) -> bool:
    """Whether code in one of these folders itself raised it."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return any(Path(last.filename).is_relative_to(folder) for folder in folders)
