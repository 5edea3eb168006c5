"""Seconds per 1000 images of each recipe of recipes/zoo, without and with GGDR, which take turns.

    python benchmarks/zoo_pace.py [--rounds 5] [recipes ...]

Each is timed as at the end of its run by the clock: networks that grow are grown, terms that set in have set in. What
adapts (ADA, APA, PA-GAN's bits) is where it starts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rounds import report, take_turns
from tqdm import tqdm
from training import spread, total

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from zoo_arms import zoo


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", help="names in recipes/zoo; none: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/zoo-pace.json"))
    arguments = parser.parse_args()
    rows = []
    for name in tqdm(zoo(tuple(arguments.recipes))):
        cases = [f"zoo/{name}-ggdr", f"zoo/{name}+ggdr"]
        found = take_turns({case: ["training.py", "--serve", case] for case in cases}, arguments.rounds)
        without, with_it = (found[case] for case in cases)
        spreads = [f"{100 * spread(result):.0f}%" for result in (without, with_it)]
        rows.append([name, total(without), total(with_it), f"{total(with_it) / total(without):.2f}", *spreads])
    report(arguments.out, ["recipe", "s/kimg", "with GGDR", "ratio", "spread", "with GGDR"], rows)


if __name__ == "__main__":
    main()
