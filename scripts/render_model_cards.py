"""Render model_cards/: a card for each recipe, with what was measured of its models in model_cards/records/RECIPE/.

python scripts/render_model_cards.py            write them
python scripts/render_model_cards.py --check    compare them with what lies there
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ggdr.hub.card import card_of_recipe

ROOT = Path(__file__).parent.parent
RECIPES = ROOT / "recipes"


def main(argv: Sequence[str]) -> int:
    """Write the cards, or with --check name those that are not as they would be written; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a card is stale or missing")
    parser.add_argument("--out", type=Path, default=ROOT / "model_cards", help="where cards and records lie")
    asked = parser.parse_args(argv)
    stale = {name: text for name, text in rendered(asked.out).items() if not same(asked.out / name, text)}
    extra = {file.name for file in asked.out.glob("*.md")} - {"README.md"} - rendered(asked.out).keys()
    if asked.check:
        for name in sorted(stale.keys() | extra):
            print(f"{asked.out / name} is stale; type: python scripts/render_model_cards.py", file=sys.stderr)
        return int(bool(stale or extra))
    for name, text in stale.items():
        (asked.out / name).write_text(text, encoding="utf-8")
    for name in extra:
        (asked.out / name).unlink()
    print(f"{len(stale)} written, {len(extra)} removed")
    return 0


def rendered(out: Path) -> dict[str, str]:
    """File name -> card."""
    recipes = sorted(RECIPES.glob("*.py"))
    return {
        f"{file.stem}.md": card_of_recipe(file, sorted((out / "records" / file.stem).glob("*.json")))
        for file in recipes
    }


def same(file: Path, text: str) -> bool:
    """Whether a file holds this text."""
    return file.is_file() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
