"""A page for each recipe that comes with ggdr: what its docstring says, how it is run, and the file."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from linking import Made
from prose import paragraph, prose

from ggdr.hub.markdown import code_block, inline_code, markdown_table
from ggdr.recipe.built_in import built_in
from ggdr.recipe.files import load_recipe, to_json


def recipe_pages(root: Path) -> Iterator[Made]:
    """The table of recipes, then each: those of published runs, then those of the zoo."""
    pages, rows = [], []
    for name, file in built_in().items():
        recipe = load_recipe(file)
        place = file.resolve().relative_to(root).as_posix()
        said = inspect.cleandoc(sys.modules[name].__doc__ or "")
        size = to_json(recipe.data).get("size")
        pixels = "x".join(map(str, size)) if isinstance(size, list) else str(size or "any")
        budget = f"{recipe.total_kimg:g}"
        heading = paragraph(said.partition("\n\n")[0])
        rows.append((f"[{name}](/{place})", inline_code(recipe.data.name), pixels, budget, heading))
        card = f"[Model card](/model_cards/{name}.md)\n\n" if (root / f"model_cards/{name}.md").is_file() else ""
        command = code_block(f"ggdr train {name} --dry-run\nggdr train {name} --out runs/{name}", "bash")
        source = code_block(file.read_text(encoding="utf-8"), "python")
        text = f"# {name}\n\n{prose(said)}\n\n{command}\n\n{card}## {place}\n\n{source}\n"
        chapter = "Zoo" if file.parent.name == "zoo" else "Published runs"
        pages.append(Made(f"recipes/{name}.md", name, text, place, chapter))
    intro = (
        "Python files that come with ggdr and go by their names: `ggdr train digits`, or"
        " `ggdr train ffhq256 --data.source path/to/images`. `ggdr new mine.py --like ffhq256` begins one of"
        " your own.\n\n"
    )
    table = markdown_table(("recipe", "data", "pixels", "kimg", "what it is"), rows)
    yield Made("recipes/index.md", "Recipes", f"# Recipes\n\n{intro}{table}\n", "recipes")
    yield from sorted(pages, key=lambda page: page.chapter)
