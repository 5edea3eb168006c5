"""Draw the zoo, docs/zoo.png: what each recipe of recipes/zoo came to, as `zoo_measure.py` left it in its folders.

    python scripts/zoo_picture.py --runs runs/zoo

Of each recipe two rows of images, of the same latent codes, as they come, by the running mean of G's weights: above
without GGDR, below with it. Of a recipe with labels they are the classes 0 to 7. The first field holds real images.
What cannot be, or is not there, is left white. Budget and seed are those of benchmarks/zoo.json, its first seed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro
from PIL import Image, ImageDraw, ImageFont
from zoo_arms import zoo
from zoo_measure import ARMS, Run, Survey

from ggdr.cli import guarded
from ggdr.data.digits import Digits
from ggdr.errors import UserError
from ggdr.folders import SHEET
from ggdr.pipeline import Pipeline
from ggdr.sampling.grid import save_png, to_pil

ROOT = Path(__file__).parent.parent
SIDE, ACROSS, COLUMNS = 32, 8, 4
"""of an image, px; images in a row; recipes beside one another"""
NAME, GAP = 16, 8
"""height of a name, and space between recipes, px"""
FIELD = (ACROSS * SIDE + GAP, NAME + len(ARMS) * SIDE + GAP)


@dataclass(frozen=True)
class Picture:
    """Of what, and where to."""

    runs: Path = Path("runs/zoo")
    """folder of the runs that were measured"""
    json: Path = ROOT / "benchmarks" / "zoo.json"
    """what was measured: which seed and budget to look for"""
    out: Path = ROOT / "docs" / "zoo.png"
    """the picture"""


def main(argv: list[str]) -> int:
    """Draw all fields; ValueError if there is nothing to draw."""
    asked = tyro.cli(Picture, args=argv, prog="zoo_picture.py", description=__doc__)
    told = json.loads(asked.json.read_text(encoding="utf-8"))
    seed = min(cell["seed"] for cell in told["cells"] if "seed" in cell)
    survey = Survey(out=asked.runs, kimg=told["kimg"], seeds=(seed,))
    fields = {"real": [reals()]} | {name: arms(survey, file, seed) for name, file in zoo().items()}
    if not any(map(any, list(fields.values())[1:])):
        raise UserError(f"no run of the zoo in {asked.runs}; make them: python scripts/zoo_measure.py.")
    save_png(sheet(fields), asked.out, SHEET)
    return 0


def reals() -> list[Image.Image]:
    """The first images of the data."""
    return to_pil(Digits(size=SIDE).open().at(list(range(ACROSS)), seed=0).images)


def arms(survey: Survey, file: Path, seed: int) -> list[list[Image.Image]]:
    """A row of images for each arm of a recipe, an empty one where there is no run."""
    return [row(survey, file, ggdr, seed) for ggdr in ARMS]


def row(survey: Survey, file: Path, ggdr: bool, seed: int) -> list[Image.Image]:
    """Images of a run as they come; none if it cannot be, or was not brought to its end."""
    try:
        run = Run(survey, file, ggdr, seed)
    except ValueError:
        return []
    if not run.complete:
        return []
    pipe = Pipeline.from_pretrained(run.folder)
    labels = list(range(ACROSS)) if run.recipe.data.labels else None
    return pipe(seeds=range(ACROSS), labels=labels).images


def sheet(fields: dict[str, list[list[Image.Image]]]) -> Image.Image:
    """All fields with their names, row by row."""
    rows = -(-len(fields) // COLUMNS)
    picture = Image.new("L", (COLUMNS * FIELD[0] + GAP, rows * FIELD[1] + GAP), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    for place, (name, images) in enumerate(fields.items()):
        x, y = GAP + place % COLUMNS * FIELD[0], GAP + place // COLUMNS * FIELD[1]
        pen.text((x, y), name, fill=0, font=font)
        for line, made in enumerate(images):
            for column, image in enumerate(made):
                picture.paste(image.convert("L"), (x + column * SIDE, y + NAME + line * SIDE))
    return picture


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
