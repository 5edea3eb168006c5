"""Pages for people: what they show to be typed, and each command read by the verb that it names."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

from places import ROOT

from ggdr.cli import VERBS
from ggdr.comparison.budget import split
from ggdr.evaluation import flags as evaluation_flags
from ggdr.flags import recipe as recipe_flags
from ggdr.flags.command_line import parsed
from ggdr.verbs import compare, datacheck, features, project, stylize, sweep
from ggdr.verbs.listing import List

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
OWN_PARSERS = {
    "features": features.parse_features,
    "project": project.parse_command,
    "stylize": stylize.parse_command,
}
"""verbs that swap parts before they read flags"""
TRAINED = re.compile(r"(ggdr train|accelerate launch .*-m ggdr\.train) ")


def fenced(page: Path, *languages: str) -> list[str]:
    """The blocks of code of a page in these languages."""
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """The commands of a page that are ggdr's, a line each; those whose words the shell is to fill in are left out."""
    lines = "\n".join(fenced(page, "bash", "sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith(("ggdr ", "accelerate launch")) and "$" not in line]


def read(command: str) -> Any:
    """What the verb of a command understands; UserError or SystemExit where it does not."""
    words = shlex.split(command, comments=True)
    if TRAINED.match(command):
        argv = words[words.index("train" if words[0] == "ggdr" else "ggdr.train") + 1 :]
        return recipe_flags.parse(argv, "ggdr train")
    verb, argv = words[1], words[2:]
    if verb == "evaluate":
        return evaluation_flags.parse(argv, "ggdr evaluate")
    if verb in OWN_PARSERS:
        return OWN_PARSERS[verb](argv)
    if verb in ("compare", "sweep"):
        own, _ = split(argv)
        return parsed(compare.Comparison if verb == "compare" else sweep.Sweep, own, f"ggdr {verb}", None)
    if verb == "data":
        kind, flags = datacheck.take_kind(argv[1:])
        given = datacheck.complete_flags(flags, kind)
        return parsed(datacheck.Check, given, "ggdr data check", None, datacheck.Check(data=kind()))
    if verb == "list":
        return parsed(List, argv, "ggdr list", None)
    module = importlib.import_module(f"ggdr.{VERBS[verb][0]}")
    return parsed(vars(module)[verb.capitalize()], argv, f"ggdr {verb}", None)
