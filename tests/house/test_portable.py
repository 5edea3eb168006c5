"""Windows and macOS: text files name their encoding, and what only POSIX has is asked for with care."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from places import ROOT

FILES = [file for folder in ("ggdr", "recipes", "scripts", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
TEXT_MODE = re.compile(r"[rwaxt+]+")
POSIX = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog"}
SIGNALS, FUNCTIONS = "HUP|USR1|USR2|KILL|ALRM|QUIT", "fork|getuid|getpgid|killpg|sched_getaffinity"
ATTRIBUTES = re.compile(rf"\b(signal\.SIG({SIGNALS})|os\.({FUNCTIONS}))\b")


def names_no_encoding(call: ast.Call) -> bool:
    """Whether a call reads or writes text by the encoding of the machine, which on Windows is not UTF-8."""
    name, method = ast.unparse(call.func).rpartition(".")[2], isinstance(call.func, ast.Attribute)
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    if name in ("read_text", "write_text") and method:
        return len(call.args) < (2 if name == "write_text" else 1)
    if name == "open" and method:  # of a path, not of an archive, an image or a data set
        return isinstance(call.args[0], ast.Constant) and bool(TEXT_MODE.fullmatch(words[0])) if words else False
    if name == "open":
        return not any("b" in word for word in words)
    return name in ("run", "Popen", "check_output") and any(keyword.arg == "text" for keyword in call.keywords)


def calls(text: str) -> list[ast.Call]:
    """All calls of a program."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file.read_text()", True),
        ("file.read_text('utf-8')", False),
        ("file.write_text(text)", True),
        ("file.write_text(text, encoding='utf-8')", False),
        ("file.open('a')", True),
        ("file.open('rb')", False),
        ("archive.open(entry)", False),
        ("open(file)", True),
        ("open(file, 'wb')", False),
        ("subprocess.run(words, text=True)", True),
    ],
)
def test_text_without_an_encoding_is_found(text, found):
    assert [names_no_encoding(call) for call in calls(text)] == [found]


def test_text_files_are_read_and_written_as_utf_8():
    found = [(file, call) for file in FILES for call in calls(file.read_text("utf-8")) if names_no_encoding(call)]
    assert not [f"{file.relative_to(ROOT)}:{call.lineno} {ast.unparse(call)[:80]}" for file, call in found]


def unguarded(file: Path) -> list[str]:
    """Imports of POSIX's modules outside of a `try`, and uses of what only POSIX has."""
    tree = ast.parse(text := file.read_text("utf-8"))
    tried = {inner for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import) and node not in tried]
    found = [alias.name for node in imports for alias in node.names if alias.name in POSIX]
    return [*found, *(match[0] for match in ATTRIBUTES.finditer(text))]


def test_the_package_asks_for_nothing_that_only_posix_has():
    package = (ROOT / "ggdr").rglob("*.py")
    assert not {str(file.relative_to(ROOT)): names for file in package if (names := unguarded(file))}
