"""What a person sees first of every verb: a line on what is loaded, or what is wrong, before torch is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tiny
from places import ROOT

from ggdr.cli import VERBS

WATCH = """
import sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("TORCH", file=sys.stderr, flush=True)

sys.meta_path.insert(0, Watch())
from ggdr.cli import main
sys.argv[0] = "ggdr"
main()
"""
"""the command, which tells on the error output when torch is imported"""
LOADED = {
    "train": "digits --dry-run --batch-size 4 --out OUT",
    "generate": "RUN --seeds 0 --out OUT.png",
    "encode": "RUN --out OUT.npz",
    "translate": "RUN PICTURE --out OUT",
    "mix": "RUN --out OUT.png",
    "video": "RUN --seeds 0-1 --seconds 0.1 --out OUT.gif",
    "project": "RUN PICTURE --steps 1 --out OUT",
    "stylize": "PICTURE PICTURE --extractor emoji --out OUT.png",
    "edit": "RUN --out OUT.png",
    "push": "RUN org/name",
    "export": "RUN OUT.pt2",
    "convert": "PICTURE OUT",
    "ema": "RUN --sigma-rel 0.1 --out OUT",
    "blend": "RUN RUN --out OUT",
    "evaluate": "RUN --data digits --metrics swd --images 16",
    "compare": "digits --arms plain: --out OUT --no-train",
    "sweep": "digits --samples 1 --out OUT --no-train",
    "features": "RUN --out OUT",
    "data": "check PLACE",
}
"""verb -> what is typed after it: it need not succeed, only begin"""
QUICK = {"new", "list", "completion", "explore"}
"""verbs that need no torch, or need more than is installed everywhere"""
WRONG = {
    "train digit": "no recipe of ggdr is called 'digit'",
    "train ffhq256 --data.source nowhere.zip": "no file or folder 'nowhere.zip'",
    "train digits --init-from RUNS": "there is no folder 'RUNS'",
    "generate RUNS": "there is no folder 'RUNS'",
    "generate PLACE --out OUT.png": "holds no model",
    "translate RUNS PICTURE": "there is no folder 'RUNS'",
    "mix RUNS": "there is no folder 'RUNS'",
    "video RUNS --out OUT.gif": "there is no folder 'RUNS'",
    "video RUNS --out OUT.avi": "is no film",
    "project RUNS PICTURE --out OUT": "there is no folder 'RUNS'",
    "project RUNS nowhere.png --out OUT": "there is no picture 'nowhere.png'",
    "stylize nowhere.png PICTURE": "there is no picture 'nowhere.png'",
    "edit RUNS": "there is no folder 'RUNS'",
    "push RUNS org/name": "there is no folder 'RUNS'",
    "push PLACE org/name": "holds no model",
    "export RUNS OUT.pt2": "there is no folder 'RUNS'",
    "convert nowhere.pkl OUT": "is not there",
    "ema RUNS --sigma-rel 0.1": "there is no folder 'RUNS'",
    "blend RUNS RUNS --out OUT": "there is no folder 'RUNS'",
    "evaluate RUNS --data digits": "there is no 'RUNS' here",
    "evaluate PLACE --data nowhere.zip": "no file or folder 'nowhere.zip'",
    "compare digit --arms plain: --out OUT": "no recipe of ggdr is called 'digit'",
    "sweep digit --samples 1 --out OUT": "no recipe of ggdr is called 'digit'",
    "data check nowhere.zip": "no file or folder 'nowhere.zip'",
    "data check nowhere.zip --data domains": "no file or folder 'nowhere.zip'",
    "features RUNS": "there is no folder 'RUNS'",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A run, a picture, a folder without a model, and where nothing is yet."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("places")
    (folder / "place").mkdir()
    Image.new("L", (16, 16)).save(folder / "picture.png")
    run = tiny.tiny_run(tiny.recipe, folder / "run")
    run.save()
    return {"RUN": "run", "PICTURE": "picture.png", "PLACE": "place", "FOLDER": folder}


def said(places, words: str) -> list[str]:
    """The lines of a command's error output, with TORCH where torch is imported."""
    names = {"RUN": places["RUN"], "PICTURE": places["PICTURE"], "PLACE": places["PLACE"]}
    typed = [names.get(word, word.replace("OUT", "made")) for word in words.split()]
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{WATCH}"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *typed],
        cwd=places["FOLDER"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    )
    lines = []
    for line in process.stderr:
        lines.append(line.strip())
        if line.startswith("TORCH"):  # all that matters has been said
            break
    process.kill()
    process.wait()
    return lines


def test_every_verb_is_looked_at():
    assert LOADED.keys() | QUICK == VERBS.keys() and not LOADED.keys() & QUICK


@pytest.mark.parametrize("verb", LOADED)
def test_the_first_line_of_a_verb_says_what_is_loaded_before_torch_is_imported(verb, places):
    first, *rest = said(places, f"{verb} {LOADED[verb]}")
    assert first.startswith("ggdr: loading ")


@pytest.mark.parametrize("words", WRONG)
def test_what_is_not_there_is_said_before_torch_is_imported(words, places):
    lines = said(places, words)
    assert lines[-1].startswith("ggdr: error: ") and WRONG[words] in lines[-1] and "TORCH" not in lines
