"""Fill the tables of docs/performance.md from the JSON that benchmarks left in benchmarks/.

python scripts/render_performance.py            write
python scripts/render_performance.py --check    say whether the page is as it would be written
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from ggdr.formatting import significant

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLACE = re.compile(r"(<!-- benchmark: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def shown(cell: object) -> str:
    """A cell as it is printed: numbers with three digits."""
    return cell if isinstance(cell, str) else significant(cell, 3)


def table(name: str) -> str:
    """What a benchmark found, and where: a table in Markdown."""
    found = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))
    lines = [found["header"], ["---"] * len(found["header"]), *found["rows"]]
    rows = "\n".join("| " + " | ".join(map(shown, line)) + " |" for line in lines)
    machine = found["machine"]
    where = f"{machine['device']}, {machine['threads']} threads, torch {machine['torch']}, {machine['date']}"
    return f"\n`{machine['command']}` ({where})\n\n{rows}\n\n"


def rendered(page: str) -> str:
    """The page with every table as its benchmark has it."""
    return PLACE.sub(lambda place: place[1] + table(place[2]) + place[3], page)


def main(argv: list[str]) -> int:
    """Write the page, or say whether it is fresh."""
    page = PAGE.read_text(encoding="utf-8")
    new = rendered(page)
    if argv == ["--check"]:
        print("fresh" if new == page else "stale: type python scripts/render_performance.py")
        return int(new != page)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
