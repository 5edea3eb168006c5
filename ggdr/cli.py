"""The `ggdr` command: its verbs, and how errors of the user reach the user."""

from __future__ import annotations

import difflib
import errno
import importlib
import io
import os
import platform
import shlex
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from ggdr import __version__
from ggdr.errors import DiskError, UserError, no_memory, traceback_wanted

PACKAGE = Path(__file__).resolve().parent
OUR_FAULT = (
    "of ggdr, not yours: please report it in an issue of ggdr's repository, with the lines above and what"
    " `ggdr --version` prints"
)
MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV),
    *(errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY, errno.ENOLCK, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EADDRINUSE, errno.EADDRNOTAVAIL),
}
"""numbers of OSErrors that disks, permissions, names, limits and networks cause"""
LAUNCHED = {"WORLD_SIZE", "ACCELERATE_MIXED_PRECISION"}
"""environment variables, any of which a launcher of processes has set"""
CHOSEN = ("ACCELERATE_", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""beginnings of environment variables that are part of a command that trains"""
VERBS = {
    "train": ("train", "train the GAN of a recipe: ggdr train digits --out runs/digits"),
    "new": ("verbs.new", "a recipe of your own, which begins as another: ggdr new mine.py --like ffhq256"),
    "generate": (
        "verbs.generate",
        "images of a saved generator: ggdr generate runs/digits --seeds 0-15 --truncation-psi 0.7",
    ),
    "translate": (
        "verbs.translate",
        "pictures as a translator makes them: ggdr translate runs/horses photos --out made",
    ),
    "mix": ("verbs.mix", "a style-mixing matrix: ggdr mix runs/digits --rows 0-3 --columns 10-17"),
    "video": ("verbs.video", "a walk from image to image as a film: ggdr video runs/digits --seeds 0-7 --out walk.mp4"),
    "project": ("verbs.project", "pictures as codes of a generator: ggdr project runs/digits photo.png --space w+"),
    "encode": ("verbs.encode", "codes of images, and their classes, by a model with an encoder: ggdr encode runs/aae"),
    "stylize": (
        "verbs.stylize",
        "a picture in the style of another, no model needed: ggdr stylize photo.jpg painting.jpg --out made.png",
    ),
    "edit": ("verbs.edit", "what a generator's strongest directions change: ggdr edit runs/digits --method pca"),
    "explore": ("verbs.explore", "a web page to play with a model, or watch a run: ggdr explore runs/digits"),
    "push": ("verbs.push", "share a run or a model on the Hub: ggdr push runs/digits org/ggdr-digits"),
    "export": ("verbs.export", "a network as a file that runs without ggdr: ggdr export runs/digits OUT.onnx"),
    "convert": (
        "verbs.convert",
        "a published StyleGAN2 or StyleGAN3 as a model here: ggdr convert lsun-cat.pkl models/cat",
    ),
    "ema": ("verbs.ema", "another running mean of a run as a model: ggdr ema runs/digits --sigma-rel 0.05"),
    "blend": ("verbs.blend", "weights between those of two models: ggdr blend runs/a runs/b --amount 0.8 --out MODEL"),
    "evaluate": ("verbs.evaluate", "metrics of a model or of images, with a record: ggdr evaluate runs/digits"),
    "compare": (
        "verbs.compare",
        'recipes at equal budget, over seeds: ggdr compare RECIPE --arms "plain:" "ada: --augment ada" --out runs/x',
    ),
    "sweep": (
        "verbs.sweep",
        "every arm by the same random hyperparameters: ggdr sweep digits_dcgan --samples 20 --out runs/sweep",
    ),
    "list": ("verbs.listing", "what there is: ggdr list recipes, ggdr list regularizers, ggdr list --paper 2207.13320"),
    "completion": (
        "verbs.completion",
        "verbs, recipes and flags by the Tab key: ggdr completion bash, or zsh, or fish",
    ),
    "data": ("verbs.datacheck", "what a source of images holds: ggdr data check FOLDER"),
    "features": ("verbs.features", "what G and D know, as pictures: ggdr features runs/digits"),
}


def main() -> None:
    """Entry point of the console script and of `python -m ggdr`."""
    if sys.platform == "darwin":  # before torch is imported: what MPS cannot do, the CPU does, with a warning
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    verb, *rest = sys.argv[1:] or ["--help"]
    if verb in ("-h", "--help"):
        print("usage: ggdr VERB ...\n\n" + "\n".join(f"  {name:10} {what}" for name, (_, what) in VERBS.items()))
        print("\n`ggdr VERB --help` says more.")
    elif verb in ("-V", "--version"):
        print(version())
    elif verb in VERBS:
        guarded(importlib.import_module(f"ggdr.{VERBS[verb][0]}").main, rest)
    else:
        close = difflib.get_close_matches(verb, VERBS, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        hint = f" Type: ggdr train {shlex.join(sys.argv[1:])}." if verb.endswith(".py") else hint
        print(f"ggdr: error: no verb {verb!r}.{hint} Verbs: {', '.join(VERBS)}.", file=sys.stderr)
        raise SystemExit(2)


def version() -> str:
    """What ggdr, its Python, PyTorch and machine are, in one line: what a report of a fault needs."""
    import importlib.metadata

    python, torch = platform.python_version(), importlib.metadata.version("torch")
    return f"ggdr {__version__} (Python {python}, PyTorch {torch}, {platform.platform()})"


def guarded(verb: Callable[[list[str]], int | None], argv: list[str]) -> None:
    """Run a verb and exit: with status 2 and one line where the user or the user's machine can be helped by it.

    A training that has diverged ends with status 3, and one line too.

    Any other error is a fault: it keeps its traceback, a line under it says whose it is, and the status is 1. The
    variable GGDR_TRACEBACK=1 shows all tracebacks.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console of Windows may not know a letter
        sys.stdout.reconfigure(errors="replace")
    try:
        status = verb([at_home(word) for word in argv])
    except UserError as error:
        refuse(error, error.in_flags())
        status = error.exit_status
    except KeyboardInterrupt:
        print("ggdr: stopped; the same command goes on from the last checkpoint, if there is one.", file=sys.stderr)
        status = 130
    except BrokenPipeError:  # whoever read the output has gone, as `ggdr list | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:
        status = refuse(error, reason) if (reason := of_the_machine(error)) else report(error)
    sys.stdout.flush()
    raise SystemExit(status)


def refuse(error: Exception, reason: str) -> int:
    """Print one line, below the traceback only for those who asked for it; the exit status."""
    if traceback_wanted():
        traceback.print_exception(error)
    print(f"ggdr: error: {reason}", file=sys.stderr)
    return 2


def of_the_machine(error: Exception) -> str:
    """What to say of an error of the user's disk, network or memory; "" if it is none.

    An OSError is one by its number: a bad descriptor or an argument that is no file's fault are faults of a program,
    and so is what a library raises as an OSError without a number.
    """
    if isinstance(error, OSError) and (
        error.errno in MACHINE or isinstance(error, ConnectionError | TimeoutError | DiskError)
    ):
        return f"{error}; fix that and type the same command, nothing saved is lost. GGDR_TRACEBACK=1 shows where."
    if reason := no_memory(error):
        return f"{reason}; lower the batch, or free memory that others hold."
    return ""


def report(error: Exception) -> int:
    """Print the traceback of a fault, and below it whose fault it is and what to do; the exit status."""
    traceback.print_exception(error)
    where, inside = fault_of_others(error)
    whose = f"this is a fault of {where}, which is no part of ggdr: fix it there, or tell its author"
    if not where:
        whose = f"this is a fault {OUR_FAULT}"
    elif not inside:
        whose = f"raised in ggdr, called from {where}, which is no part of ggdr: look there first, or tell its author"
    print(f"ggdr: {whose}.", file=sys.stderr)
    return 1


def fault_of_others(error: Exception) -> tuple[str, bool]:
    """The file and line of a plug-in, or of a file given by --use, that an error came through, "" if it came by none.

    And whether it raised the error itself, not ggdr that it called; libraries that either calls do not count.
    """
    from ggdr.registry import files_of_others

    others, inside = files_of_others(), True
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename).resolve()
        if file.is_relative_to(PACKAGE):
            inside = False
        elif any(file.is_relative_to(place) for place in others):
            return f"{file}, line {frame.lineno}", inside
    return "", False


def at_home(word: str) -> str:
    """A word of a command with `~` as the user's home, also as `--flag=~/images`, which shells leave as it is."""
    flag, equals, path = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return flag + equals + (os.path.expanduser(path) if path == "~" or path.startswith(("~/", f"~{os.sep}")) else path)


def again(argv: list[str]) -> str:
    """How to have a `ggdr train` with these words once more, as this process itself was called.

    A launcher's own words, which it shares with no process, are three dots.
    """
    if LAUNCHED & os.environ.keys():
        return f"type the same command again: ... -m ggdr.train {shlex.join(argv)}"
    words = sys.orig_argv
    if [at_home(word) for word in words[-len(argv) :]] != argv:  # called from Python
        words = ["ggdr", "train", *argv]
    elif shutil.which(Path(words[1]).name) == words[1]:  # a script on the PATH, that a Python was told to run
        words = [Path(words[1]).name, *words[2:]]
    chosen = [f"{key}={shlex.quote(value)} " for key, value in os.environ.items() if key.startswith(CHOSEN)]
    return f"type: {''.join(sorted(chosen))}{shlex.join(words)}"
