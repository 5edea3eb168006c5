"""The words of the house: names that are used once, docstrings that stand alone, and no private dictionary."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from places import ROOT

PACKAGE = sorted((ROOT / "ggdr").rglob("*.py"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "model_cards").glob("*.md")]
PAGES += (ROOT / "examples").rglob("*.md")
WRITTEN = [*PACKAGE, *(page for page in PAGES if page.name != "CHANGELOG.md"), *(ROOT / "recipes").rglob("*.py")]
WRITTEN += (ROOT / "examples").rglob("*.py")

CONTRACTS = {
    "main": "each verb's entry",
    "draw": "each step of an augmentation",
    "apply": "each step of an augmentation",
    "probe": "each kernel's first call",
    "run": "each kernel's launch",
    "read": "each foreign format's reader",
    "generator": "each foreign format's generator",
    "initialise": "each family's first weights",
}
"""names that many modules define because something calls each of them by it, and what they are"""

FRAGMENTS = re.compile(r"(of|as|the same|in what|in which|by how|for|to|with|and|or|but|than)\b", re.IGNORECASE)
"""how a phrase begins that continues a line above it, which tools do not show"""
PARTS_OF_FIELDS = re.compile(r"(of|as(?! many)|the same|in what|in which|for which|and|or|but)\b", re.IGNORECASE)
"""how a field's phrase begins when it only continues the field's name"""
NAMES = ("arXiv", "ggdr", "timm's", "rosinality's")
"""what is written in lower case wherever it stands"""

PRIVATE = """brief briefs scene scenes verdict verdicts redrawn evidence guide ladder rungs one_fate despair withholds
 mend mends mended anew lest wear wears doubts flaw ill""".split()
"""words that the field does not use for what they meant here, or does not use at all"""
PHRASES = ["so many", "asked so", "of its own", "of their own"]


def where(file: Path, line: int) -> str:
    """A place, for messages."""
    return f"{file.relative_to(ROOT)}:{line}"


def defined_in(file: Path) -> set[str]:
    """The public names that a module defines on its top level."""
    blocks = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {node.name for node in blocks if not node.name.startswith("_")}


def defined_often() -> Iterator[str]:
    """Public names that more than two modules define on their top level."""
    homes = defaultdict(set)
    for file in PACKAGE:
        for name in defined_in(file):
            homes[name].add(str(file.relative_to(ROOT)))
    for name, files in sorted(homes.items()):
        if len(files) > 2 and name not in CONTRACTS:
            yield f"{name}: {', '.join(sorted(files))}"


def is_code(word: str, node: ast.AST) -> bool:
    """Whether a docstring's first word is a name of code: an argument, something with a dot or a bracket, a number."""
    arguments = ast.walk(node.args) if isinstance(node, ast.FunctionDef) else ()
    known = {argument.arg for argument in arguments if isinstance(argument, ast.arg)}
    return word.rstrip(",") in known or word in NAMES or bool(re.search(r"[^a-z',;:-]", word))


def docstrings() -> Iterator[tuple[Path, ast.AST, int, str]]:
    """Each docstring of modules, classes and functions: its file, its owner, its line, and its text."""
    for file in PACKAGE:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield file, node, getattr(node, "lineno", 1), text


def fragments() -> Iterator[str]:
    """Docstrings of four words or more that begin in the middle of a sentence."""
    for file, node, line, text in docstrings():
        first = text.split()[0]
        lower = first[0].islower() and not is_code(first, node)
        if len(text.split()) >= 4 and (lower or FRAGMENTS.match(text)):
            yield f"{where(file, line)} {text.splitlines()[0]}"


def field_fragments() -> Iterator[str]:
    """Docstrings of fields and constants that only continue the name above them."""
    for file in PACKAGE:
        for node in ast.walk(ast.parse(file.read_text())):
            body = node.body if isinstance(node, ast.Module | ast.ClassDef) else []
            for above, below in zip(body, body[1:], strict=False):
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                if (
                    isinstance(above, ast.Assign | ast.AnnAssign)
                    and is_text
                    and PARTS_OF_FIELDS.match(below.value.value)
                ):
                    yield f"{where(file, below.lineno)} {below.value.value.splitlines()[0]}"


def private_words() -> Iterator[str]:
    """Words of the private dictionary, in names and in sentences."""
    words = re.compile(rf"(?<![a-z])({'|'.join(PRIVATE)})(?![a-z])|\b({'|'.join(PHRASES)})\b", re.IGNORECASE)
    for file in WRITTEN:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for found in words.finditer(line):
                yield f"{where(file, number)} {found[0]}: {line.strip()}"


def test_a_public_name_is_defined_in_two_modules_at_most():
    assert not [*defined_often()]


def test_docstrings_start_a_sentence_that_stands_alone():
    assert not [*fragments()]


def test_fields_say_what_they_are_without_the_line_above():
    assert not [*field_fragments()]


def test_no_text_types_true_or_false_after_a_flag_which_is_yes_by_itself():
    switched = re.compile(r"--[a-z][\w.-]* (True|False)\b")
    assert not [where(file, 0) for file in WRITTEN if switched.search(file.read_text())]


def test_no_word_is_of_the_private_dictionary():
    assert not [*private_words()]


def test_exceptions_are_few_and_needed():
    found = [name for file in PACKAGE for name in defined_in(file)]
    assert len(CONTRACTS) <= 10 and not [name for name in CONTRACTS if found.count(name) < 3]


if __name__ == "__main__":  # what is left to do, for whoever does it
    for rule in (defined_often, fragments, field_fragments, private_words):
        print(f"\n## {rule.__doc__}", *rule(), sep="\n")
