"""A page for each verb of the command line: what `--help` prints."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from linking import Made
from prose import paragraph

from ggdr.cli import VERBS
from ggdr.hub.markdown import code_block, markdown_table

WIDTH = "88"
MORE = {"train": [["digits", "--help"], ["digits", "--help-all"]]}
"""further words whose answer belongs to a verb's page"""
GROUPS = {"data": ["check", "--help"]}
"""verbs that have verbs themselves, and the words that explain one"""


def command_pages(root: Path) -> Iterator[Made]:
    """The table of verbs, then each."""
    rows = [(f"[`ggdr {verb}`](/commands/{verb})", paragraph(what)) for verb, (_, what) in VERBS.items()]
    intro = "Each page is what `ggdr VERB --help` prints, made from the command itself.\n\n"
    table = markdown_table(("command", "what it does"), rows)
    yield Made("commands/index.md", "Commands", f"# Commands\n\n{intro}{table}\n", "commands", also="ggdr/verbs")
    for verb in VERBS:
        asked = [GROUPS.get(verb, ["--help"]), *MORE.get(verb, [])]
        blocks = [f"```bash\nggdr {verb} {' '.join(words)}\n```\n\n{answer(verb, words)}" for words in asked]
        text = f"# ggdr {verb}\n\n{paragraph(VERBS[verb][1])}\n\n" + "\n\n".join(blocks) + "\n"
        yield Made(f"commands/{verb}.md", verb, text, f"commands/{verb}")


def answer(verb: str, words: Sequence[str]) -> str:
    """What a verb prints for these words, as a block."""
    told = io.StringIO()
    main = importlib.import_module(f"ggdr.{VERBS[verb][0]}").main
    os.environ["COLUMNS"] = WIDTH
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        main(list(words))
    return code_block(told.getvalue(), "text")
