"""Render docs/zoo.md: the parts that are registered, the recipes of recipes/zoo, and what was measured of them.

    python scripts/render_zoo.py            write it
    python scripts/render_zoo.py --check    compare it with what lies there

The numbers are those of benchmarks/zoo.json and zoo-own.json, which `scripts/zoo_measure.py` writes, and of
`benchmarks/zoo_pace.py`; none is written by hand.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from render_model_cards import same
from zoo_reading import own_budgets, results

from ggdr.hub.markdown import escape, inline_code, markdown_table
from ggdr.hub.parts import ROLES, first_line, nested_pieces, paper_link, parts_in_role
from ggdr.recipe.files import load_recipe
from ggdr.registry import REGISTRIES, Capability, Part, discover

ROOT = Path(__file__).parent.parent
PAGE, MEASURED = ROOT / "docs" / "zoo.md", ROOT / "benchmarks" / "zoo.json"
PACES, OWN = ROOT / "benchmarks" / "zoo-pace.json", ROOT / "benchmarks" / "zoo-own.json"
KINDS = ("generators", "discriminators", "encoders", "projectors", "losses", "regularizers", "augmentations", "games")
MOST = 6
"""recipes of a part that are named; of more, how many there are"""
HEAD = """\
# The zoo

<!-- Written by scripts/render_zoo.py; a test compares the two. -->

What a recipe can be made of, and small recipes that put it to work on scikit-learn's handwritten digits, 32 px, without
a download. Any loss and regularizer goes with any pair of networks that provides what it requires, and so does GGDR.
Try one, without and with it:

```bash
ggdr train recipes/zoo/dcgan.py
ggdr train recipes/zoo/dcgan.py --out runs/dcgan-ggdr --discriminator unet --discriminator.encoder dcgan \\
    --discriminator.encoder.channels 16 --regularizers.ggdr ggdr
```
"""


CAPABILITIES = """\
## Capabilities

What parts `provide` to and `require` of each other beyond images and logits: the members of `ggdr.registry.Capability`.
"""


def main(argv: Sequence[str]) -> int:
    """Write the page, or with --check say that it is not as it would be written: 1 then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if the page is stale")
    asked = parser.parse_args(argv)
    text = rendered()
    if asked.check and not same(PAGE, text):
        print(f"{PAGE} is stale; type: python scripts/render_zoo.py", file=sys.stderr)
        return 1
    if not asked.check:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def rendered() -> str:
    """The page."""
    discover()
    recipes = recipe_files()
    uses = {name: set(parts_of(file)) for name, file in recipes.items()}
    zoo = {name: file for name, file in recipes.items() if file.parent.name == "zoo"}
    told, paces = (
        json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None for file in (MEASURED, PACES)
    )
    sections = [HEAD, "## The recipes\n", recipe_table(zoo) + "\n", "## Without and with GGDR\n"]
    links = {name: link(name, file) for name, file in zoo.items()}
    sections += [results(told, links, paces)]
    sections += ["## Each in its own budget\n", own_budgets(json.loads(OWN.read_text(encoding="utf-8")), links)]
    for kind in KINDS:
        parts = [part for _, part in sorted(REGISTRIES[kind].items()) if part.__module__.startswith("ggdr.")]
        rows = (row(part, kind, uses, recipes) for part in parts)
        sections += [f"## {kind.capitalize()}: {len(parts)}\n", markdown_table(head(kind), rows) + "\n"]
    rows = [
        (
            inline_code(each.value),
            ", ".join(each.producers),
            ", ".join(each.consumers),
            inline_code(each.shape),
            each.meaning,
        )
        for each in Capability
    ]
    heads = ("name", "provided by", "read by", "shape", "what it is")
    sections += [CAPABILITIES, markdown_table(heads, rows) + "\n"]
    return "\n".join(sections)


def recipe_files() -> dict[str, Path]:
    """Name -> file, of all recipes, those of the zoo first."""
    files = [*sorted((ROOT / "recipes" / "zoo").glob("*.py")), *sorted((ROOT / "recipes").glob("*.py"))]
    return {file.stem: file for file in files}


def parts_of(file: Path) -> Iterator[type[Part]]:
    """The kinds of part that a recipe is made of."""
    recipe = load_recipe(file)
    yield from (
        type(piece.part) for role in ROLES for part in parts_in_role(recipe, role) for piece in nested_pieces(part)
    )


def link(name: str, file: Path) -> str:
    """A link to a recipe from the page."""
    return f"[{name}](../{file.relative_to(ROOT).as_posix()})"


def recipe_table(zoo: dict[str, Path]) -> str:
    """What each recipe of the zoo says that it is, and what it is made of."""
    rows = [(link(name, file), escape(opening(file)), made_of(file)) for name, file in zoo.items()]
    return markdown_table(("recipe", "what it is", "networks and terms"), rows)


def opening(file: Path) -> str:
    """The first line of a recipe's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def made_of(file: Path) -> str:
    """Generator, discriminator, loss and regularizers, by name."""
    recipe = load_recipe(file)
    roles = ("generator", "discriminator", "loss", "regularizers")
    names = [piece.part.name for role in roles for part in parts_in_role(recipe, role) for piece in nested_pieces(part)]
    return ", ".join(inline_code(name) for name in dict.fromkeys(names))


def head(kind: str) -> tuple[str, ...]:
    """The columns of a kind's table."""
    networks = kind in ("generators", "discriminators")
    return ("name", "what it is", "paper", "provides" if networks else "requires", "recipes")


def row(part: type[Part], kind: str, uses: dict[str, set[type[Part]]], recipes: dict[str, Path]) -> tuple[str, ...]:
    """A part's cells."""
    names = part.provides if kind in ("generators", "discriminators") else part.requires
    wearing = [name for name, parts in uses.items() if part in parts]
    links = ", ".join(link(name, recipes[name]) for name in wearing)
    return (
        inline_code(part.name),
        escape(first_line(part)),
        paper_link(part.paper),
        ", ".join(inline_code(name) for name in sorted(each.value for each in names)),
        links if len(wearing) <= MOST else f"{len(wearing)} of {len(uses)}",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
