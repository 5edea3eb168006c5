"""The house rules: sizes, names, floors, docstrings, and what may be imported before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import getdoc
from pathlib import Path
from statistics import median, quantiles

import pytest
from places import ROOT

PACKAGE = sorted((ROOT / "ggdr").rglob("*.py"))
AROUND = [ROOT / folder for folder in ("recipes", "tests", "scripts", "benchmarks", "examples")]
ALL = PACKAGE + [file for folder in AROUND for file in folder.rglob("*.py")]

FLOORS = [
    {
        "__init__",
        "cache",
        "changes",
        "documents",
        "errors",
        "folders",
        "formatting",
        "lazy",
        "processes",
        "progress",
        "ranges",
        "registry",
        "seeding",
    },
    {"openmoji", "ops", "priors", "schedules"},
    {"layers"},
    {"networks"},
    {"play"},
    {"features"},
    {"losses", "regularizers", "augment", "data", "metrics", "games", "optimizers", "trackers"},
    # recipes, and networks: to be saved, found, drawn from, moved through, started from and exported
    {"recipe", "flags", "saving", "sampling", "pipeline", "latent", "transfer", "exporting", "foreign", "stylization"},
    {"evaluation", "hub", "visualization"},
    {"training", "callbacks", "explorer", "comparison"},
    {"__main__", "cli", "train", "verbs"},
]
"""modules and packages of ggdr, the lowest floor first; a module imports from its own floor and from those below"""
DOORS = {("networks", "saving")}
"""imports that lead upward: whoever has a base class may load a network by it"""
APART = FLOORS[6]
"""packages of parts, which do not import each other"""
HOLDERS = ("registry", "networks", "play", "augment", "losses", "regularizers", "games")
HINTS = {
    *((name, "recipe") for name in HOLDERS),  # a part's `check_recipe` reads what holds the parts
    ("play", "augment"),  # a duel augments what it shows
    ("play", "training"),  # a callback is called with the trainer
    *(
        ("__init__", name) for name in ("evaluation", "networks", "pipeline", "train", "transfer")
    ),  # `ggdr.evaluate`, at first use
}
"""imports for type checkers alone that lead upward"""

BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
HEAVY = """torch numpy PIL sklearn datasets pyarrow accelerate matplotlib tensorboard safetensors diffusers torchvision
 timm torch_fidelity torchmetrics gradio""".split()
SETTINGS = (
    "Term Loss Regularizer Augmentation Adaptive Recipe About Optimizer Schedule Span ImageSpec GeneratorOutput".split()
)
"""classes whose fields a person sets or reads, beside the registered ones"""


@cache
def tree(file: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(file.read_text())


def nodes(file: Path, *kinds: type[ast.AST]) -> Iterator:
    """All nodes of these kinds."""
    return (node for node in ast.walk(tree(file)) if isinstance(node, kinds))


def identifiers(file: Path) -> set[str]:
    """All names that a file's code uses, defines or imports."""
    words = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name", ast.ClassDef: "name", ast.FunctionDef: "name"}
    return {vars(node)[words[type(node)]] for node in nodes(file, *words)}


def place(file: Path, node: ast.AST) -> str:
    """Where to look, for messages."""
    return f"{file.relative_to(ROOT)}:{node.lineno}"


def length(node: ast.FunctionDef) -> int:
    """Lines of a function."""
    return node.end_lineno - node.lineno + 1


def depth(node: ast.AST) -> int:
    """How deep blocks nest within a function; an `elif` is no deeper than its `if`, inner functions count alone."""
    deepest = 0
    for field, value in ast.iter_fields(node):
        children = [child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)]
        for child in children:
            if isinstance(child, ast.FunctionDef | ast.ClassDef | ast.Lambda):
                continue
            is_elif = (type(node), field, type(child), len(children)) == (ast.If, "orelse", ast.If, 1)
            deepest = max(deepest, depth(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def test_files_are_short():
    """Most are, and none must be packed to fit: a few may be as long as what they are about."""
    lengths = {file: len(file.read_text().splitlines()) for file in ALL}
    in_package = [lengths[file] for file in PACKAGE]
    assert median(in_package) < 100 and quantiles(in_package, n=20)[-1] < 300
    assert not [f"{file.relative_to(ROOT)} has {n} lines" for file, n in lengths.items() if n > 600]


def test_functions_are_short():
    functions = {(file, node): length(node) for file in PACKAGE for node in nodes(file, ast.FunctionDef)}
    assert median(functions.values()) < 10 and quantiles(functions.values(), n=100)[-1] < 40
    assert not [f"{place(*key)} {key[1].name} has {n} lines" for key, n in functions.items() if n > 80]


def test_the_root_of_the_package_holds_few_files():
    files = sorted(file.name for file in (ROOT / "ggdr").glob("*.py"))
    assert len(files) <= 15, f"group what belongs together in a folder: {', '.join(files)}"


def test_blocks_nest_less_than_four_deep():
    deep = [place(file, node) for file in PACKAGE for node in nodes(file, ast.FunctionDef) if depth(node) >= 4]
    assert not deep


def test_no_file_is_a_junk_drawer():
    assert not [file for file in ALL if file.stem in ("utils", "util", "misc", "helpers", "common")]


def test_no_keyword_arguments_are_passed_through():
    assert not [place(file, node) for file in PACKAGE for node in nodes(file, ast.FunctionDef) if node.args.kwarg]


def probes(call: ast.Call) -> bool:
    """Whether it asks an object what it has."""
    name = ast.unparse(call.func)
    return name == "hasattr" or name == "getattr" and len(call.args) == 3


def test_abilities_are_declared_not_probed():
    """`getattr` with a default is for modules and annotations, where files are loaded and recipes are read."""
    files = [file for file in PACKAGE if file.name not in ("files.py", "memory.py")]
    assert not [place(file, node) for file in files for node in nodes(file, ast.Call) if probes(node)]


def test_there_are_no_module_globals_but_registries_constants_and_types():
    found = [
        f"{place(file, node)} {name.id}"
        for file in PACKAGE
        if file.parent.name != "registry"
        for node in tree(file).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
        and isinstance(name.ctx, ast.Store)
        and not re.fullmatch(r"_?[A-Z]\w*|__\w+__", name.id)
    ]
    assert not found
    assert not [place(file, node) for file in PACKAGE for node in nodes(file, ast.Global)]


def test_one_file_differentiates_with_respect_to_inputs():
    calls = [(file.name, node) for file in PACKAGE for node in nodes(file, ast.Call)]
    assert [name for name, node in calls if ast.unparse(node.func).endswith("autograd.grad")] == ["gradient.py"]


def unit(module: str) -> str:
    """The module or package right below ggdr."""
    return (module.split(".") + ["__init__"])[1]


def modules_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules of ggdr that a statement imports from."""
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"ggdr.{name}" for name in names] if node.module == "ggdr" else [node.module or ""]
    return [name for name in names if name.split(".")[0] == "ggdr" and name != "ggdr.__version__"]


def imported(file: Path) -> Iterator[tuple[ast.AST, str, bool]]:
    """The parts of ggdr that a file imports, anywhere in it, and whether for type checkers alone."""
    hints = {
        inner
        for node in nodes(file, ast.If)
        if ast.unparse(node.test) == "TYPE_CHECKING"
        for block in node.body
        for inner in ast.walk(block)
    }
    for node in nodes(file, ast.Import, ast.ImportFrom):
        yield from ((node, unit(name), node in hints) for name in modules_of(node))


def test_every_module_has_a_floor():
    floors = set().union(*FLOORS)
    here = {unit(".".join(file.relative_to(ROOT).with_suffix("").parts)) for file in PACKAGE}
    assert not here - floors, "put it on a floor, in this file and in ARCHITECTURE.md"


def test_imports_only_lead_downward():
    """Those for type checkers as well, but for the doors that are listed."""
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    climbing, used = [], set()
    for file in PACKAGE:
        own = unit(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for node, name, hint in imported(file):
            up = floor[name] > floor[own] or name != own and {name, own} <= APART
            used |= {(own, name)} if up else set()
            if up and (own, name) not in (HINTS if hint else DOORS):
                climbing.append(f"{place(file, node)} {own} imports {name}")
    assert not climbing
    assert used == HINTS | DOORS, "a door that nobody takes is closed: leave it out"


def at_import(file: Path) -> set[str]:
    """The modules of ggdr that are imported when a file is: on its top level, and in classes."""
    known = {module_name(other) for other in PACKAGE}
    found, todo = set(), list(tree(file).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef) or isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            longer = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= longer & known or {node.module}
        todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]
    return found & known


def module_name(file: Path) -> str:
    """By which name a file is imported."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_modules_import_each_other_in_a_circle():
    left = {module_name(file): at_import(file) - {module_name(file)} for file in PACKAGE}
    assert sum(map(len, left.values())) > 500
    while done := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in done}
    assert not left


PAGE = (ROOT / "ARCHITECTURE.md").read_text()


def test_the_page_of_the_design_shows_these_floors():
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
    known = set().union(*FLOORS)
    shown = [{word.strip("/") for word in re.findall(r"`([\w/]+)`", row)} & known for _, row in rows]
    assert shown == [names - {"__init__", "__main__"} for names in FLOORS]


def test_the_page_of_the_design_is_one_page_and_names_what_exists():
    assert len(PAGE.splitlines()) < 130
    named = re.findall(r"`([\w/]+\.py|[\w/]+/)`|\]\(([^)#:]+)\)", PAGE)
    places = [first or second for first, second in named]
    assert len(places) > 40
    assert not [place for place in places if not (ROOT / place).exists() and not (ROOT / "ggdr" / place).exists()]


@pytest.mark.parametrize(
    "word", "Recipe Part Capability Game Duel Turn Player Phase Term MayChange Health kimg".split()
)
def test_words_of_our_own_are_explained(word):
    assert re.search(rf"^\| \*\*{word}\*\*.*\|.*\|.*\|$", PAGE, re.MULTILINE)


def documented(owner: type | object, name: str) -> bool:
    """Whether a function has a docstring, its own or that of the contract it fulfils."""
    return bool(getdoc(vars(owner).get(name)) or getdoc(getattr(owner, name)))


def owners(file: Path) -> Iterator[tuple[object, ast.Module | ast.ClassDef]]:
    """The module and its classes, alive and parsed."""
    module = import_module(module_name(file))
    yield module, tree(file)
    yield from ((vars(module)[node.name], node) for node in tree(file).body if isinstance(node, ast.ClassDef))


def test_public_functions_of_some_length_say_what_they_do():
    silent = []
    importable = [file for file in PACKAGE if file.parent.name != "kernels" or find_spec("triton")]
    for file in importable:
        for owner, block in owners(file):
            functions = [node for node in block.body if isinstance(node, ast.FunctionDef) and length(node) > 8]
            public = [node for node in functions if not node.name.startswith("_")]
            silent += [f"{place(file, node)} {node.name}" for node in public if not documented(owner, node.name)]
    assert not silent


def registered(node: ast.ClassDef) -> bool:
    """Whether it is entered in a registry."""
    return any(".register(" in ast.unparse(decorator) for decorator in node.decorator_list)


def fields(node: ast.ClassDef) -> Iterator[tuple[ast.AnnAssign, bool]]:
    """The fields of a class, and whether a docstring follows."""
    following = [*node.body[1:], None]
    for statement, after in zip(node.body, following, strict=True):
        if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
            yield statement, isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)


def test_registered_parts_open_with_one_sentence():
    classes = [(file, node) for file in PACKAGE for node in nodes(file, ast.ClassDef) if registered(node)]
    assert len(classes) > 20
    first = {place(file, node): (ast.get_docstring(node) or "").partition("\n")[0] for file, node in classes}
    assert not {where: line for where, line in first.items() if not line.endswith(".")}


def test_every_setting_is_explained():
    classes = [(file, node) for file in PACKAGE for node in nodes(file, ast.ClassDef)]
    settings = [(file, node) for file, node in classes if registered(node) or node.name in SETTINGS]
    assert not [
        f"{place(file, field)} {node.name}.{ast.unparse(field.target)}"
        for file, node in settings
        for field, explained in fields(node)
        if not explained
    ]


def test_settings_recipes_and_discovery_import_nothing_heavy():
    program = f"""
import sys
import ggdr.flags.recipe
from ggdr.recipe.files import load_recipe
from ggdr.registry import discover
for file in {[str(file) for file in sorted((ROOT / "recipes").rglob("*.py"))]}:
    load_recipe(file)
discover()
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_paper_is_one_short_file_that_no_other_names():
    home = ROOT / "ggdr" / "regularizers" / "ggdr.py"
    assert len(home.read_text().splitlines()) < 100
    assert [file for file in PACKAGE if "GGDR" in identifiers(file)] == [home]


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt", "Makefile", ".ci/run"])
def test_no_file_that_installs_names_a_host_or_a_home(file):
    assert not re.search(r"https?://|/home/|/root/|file:", (ROOT / file).read_text())
