"""The tests' tree: it mirrors the package, names say where they belong, and no test borrows from another."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from places import ROOT, SUPPORT

TESTS = ROOT / "tests"
FILES = sorted(TESTS.glob("*/test_*.py"))
BESIDE_THE_PACKAGE = {"examples", "house", "scripts"}
"""folders of tests of the project itself, of its examples and of its scripts"""


def imports(file: Path) -> set[str]:
    """The modules that a file imports, anywhere in it and in programs that it holds as text."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            lines = [line.split() for line in node.value.splitlines()]
            found |= {words[1] for words in lines if len(words) > 3 and words[0] == "from" and words[2] == "import"}
    return found


def test_no_test_imports_another():
    stems = {file.stem for file in FILES}
    files = [*FILES, *SUPPORT.glob("*.py"), TESTS / "conftest.py"]
    borrowed = {str(file.relative_to(ROOT)): sorted(imports(file) & stems) for file in files}
    assert not {file: names for file, names in borrowed.items() if names}, "move what is shared to tests/support"


def test_folders_are_those_of_the_package():
    folders = {file.parent.name for file in FILES} - BESIDE_THE_PACKAGE
    assert not [name for name in sorted(folders) if not (ROOT / "ggdr" / name).is_dir()]
    assert not [str(file) for file in TESTS.glob("test_*.py")], "put it into the folder of what it tests"


def test_names_are_used_once():
    names = Counter(file.name for file in [*FILES, *SUPPORT.glob("*.py")])
    assert not [name for name, count in names.items() if count > 1]


def test_names_do_not_repeat_their_folder():
    assert not [str(file.relative_to(ROOT)) for file in FILES if file.stem.startswith(f"test_{file.parent.name}_")]


def test_each_file_says_what_it_tests():
    assert not [file.name for file in FILES if not ast.get_docstring(ast.parse(file.read_text()))]


def has_order(cases: ast.expr) -> bool:
    """Whether the cases of a parametrized test come in the same order in each process, as far as one line says."""
    if isinstance(cases, ast.Set | ast.SetComp):
        return False
    if isinstance(cases, ast.BinOp) and isinstance(cases.op, ast.Sub | ast.BitOr | ast.BitAnd | ast.BitXor):
        return not any(isinstance(side, ast.Set | ast.SetComp) for side in (cases.left, cases.right))
    return not (isinstance(cases, ast.Call) and isinstance(cases.func, ast.Name) and cases.func.id in ("set", "own"))


def test_cases_come_in_the_same_order_in_each_process():
    """What two workers of pytest-xdist collect must be alike: sets, and parts as they were registered, are not."""
    strange = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.parametrize"
        if len(node.args) > 1 and not has_order(node.args[1])
    ]
    assert not strange, "wrap the cases in sorted()"
