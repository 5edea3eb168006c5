"""Train every system that colours OpenMoji's lines, at one budget, and hold what they make against the truth.

    python scripts/translation_table.py --out runs/table --seeds 0 1 2 --jobs 2

Each arm below is trained with each seed in OUT/ARM/seedN, on one thread, as its recipe stands but for the length that
ten minutes of an idle thread allow. What is complete is not trained again, and what was broken off goes on. Then each
is measured on the held-out third of the drawings, beside what doing nothing comes to, and the mean of the
training pictures; an arm of which no seed is complete is left out. OUT/table.md has the tables, OUT/table.json all
numbers. `--only cyclegan cut` takes some arms, `--no-train` measures what is there, and `--known OLD/table.json`
takes the numbers of runs that were measured before, here or on another machine, as they stand.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import Tensor

import ggdr
from ggdr.cli import guarded
from ggdr.comparison.jobs import train_missing
from ggdr.comparison.report import told, with_margin
from ggdr.comparison.trials import Arm, Trial, check_trial, is_complete
from ggdr.data.base import DataSet
from ggdr.documents import one_line
from ggdr.errors import UserError, above_zero
from ggdr.evaluation.result import MetricValue
from ggdr.features.cache import FeatureCache
from ggdr.features.emoji import Emoji
from ggdr.flags.recipe import parse
from ggdr.hub.markdown import markdown_table
from ggdr.metrics.data import EvalData
from ggdr.metrics.diversity import Diversity
from ggdr.metrics.fid import FID
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.psnr import PSNR
from ggdr.metrics.ssim import SSIM
from ggdr.recipe.files import to_json
from ggdr.recipe.fitting import fit

RECIPES = Path(__file__).parent.parent / "recipes"
SHORT = "--total-kimg 7 --g-optimizer.lr.kimg 3 --d-optimizer.lr.kimg 3"
LONG = "--total-kimg 50 --g-optimizer.lr.kimg 25 --d-optimizer.lr.kimg 25"
PATCH = "--discriminator unet --discriminator.encoder patch --discriminator.encoder.channels 32"
PATCH += " --discriminator.encoder.halvings 2 --regularizers.ggdr ggdr --regularizers.ggdr.resolutions 16"
NICE = "--discriminator unet --discriminator.encoder nice --discriminator.encoder.channels 32"
NICE += " --discriminator.encoder.halvings 1 --discriminator.encoder.global-halvings 1"
NICE += " --regularizers.ggdr ggdr --regularizers.ggdr.resolutions 16"
ARMS = {
    "pix2pix": f"openmoji_pix2pix.py {LONG}",
    "pix2pix_ggdr": f"openmoji_pix2pix.py {LONG} {PATCH}",
    "cyclegan": "openmoji_cyclegan.py",
    "cyclegan_pool0": "openmoji_cyclegan.py --game.pool 0",
    "cyclegan_ggdr": f"openmoji_cyclegan.py --game.pool 0 {PATCH}",
    "nice": f"openmoji_nice.py {SHORT}",
    "nice_ggdr": f"openmoji_nice.py {SHORT} {NICE}",
    "ugatit": "openmoji_ugatit.py",
    "cut": "openmoji_cut.py",
    "cut_ggdr": f"openmoji_cut.py {PATCH}",
    "fastcut": "openmoji_fastcut.py",
    "munit": "openmoji_munit.py",
    "augmented": "openmoji_augmented.py",
}
"""arm -> recipe and flags of `ggdr train`: about ten minutes each without GGDR, as many images with it"""
BASES = {"pix2pix_ggdr": "pix2pix", "cyclegan_ggdr": "cyclegan_pool0", "nice_ggdr": "nice", "cut_ggdr": "cut"}
"""arm with GGDR -> the one that differs from it by GGDR alone"""
METRICS = (
    MeanAbsoluteError(),
    PSNR(),
    SSIM(),
    FID(extractor=Emoji()),
    Diversity(extractor=Emoji()),
)
VIEWS = {"lines_to_colour": "lines, left as they are", "colour_to_lines": "colour, left as it is"}
"""view -> what doing nothing is called"""
Numbers = dict[str, dict[str, float]]
"""view -> metric -> value"""


@dataclass(frozen=True)
class Table:
    """What is trained and measured, and where to."""

    out: Path = Path("runs/table")
    """folder of the runs and of the tables"""
    seeds: tuple[int, ...] = (0, 1, 2)
    """of the trainings"""
    only: tuple[str, ...] = ()
    """arms; none: all of them"""
    jobs: int = 1
    """trainings at a time"""
    train: bool = True
    """without it, what is complete is measured and nothing is trained"""
    known: Path | None = None
    """table.json of an earlier table: arms and seeds that it has are neither trained nor measured"""

    def __post_init__(self) -> None:
        above_zero(self, "jobs")
        if unknown := sorted({*self.only} - ARMS.keys()):
            raise UserError(f"there is no arm {unknown[0]!r}; there are {', '.join(ARMS)}.")


def main(argv: list[str]) -> int:
    """Train what is missing, measure what is complete, write both tables."""
    asked = tyro.cli(Table, args=argv, prog="translation_table.py", description=__doc__)
    arms = [name for name in ARMS if not asked.only or name in asked.only]
    found = numbers_in(asked.known) if asked.known else {}
    trials = [trial for name in arms for trial in planned(name, asked) if trial.seed not in found.get(name, {})]
    if asked.train:
        train_missing(trials, asked.jobs)
    for trial in filter(is_complete, trials):
        found.setdefault(trial.arm.name, {})[trial.seed] = measured(trial)
        print(f"{trial.name}: measured", flush=True)
    rows = floors() | {name: dict(sorted(found[name].items())) for name in ARMS if name in found}
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = "\n\n".join(f"### {view}\n\n{table(view, rows)}" for view in VIEWS)
    (asked.out / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


def numbers_in(path: Path) -> dict[str, dict[int, Numbers]]:
    """What an earlier table.json says of arms, each seed's; UserError if it is none."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {name: {int(seed): kept[name][seed] for seed in kept[name]} for name in kept.keys() & ARMS.keys()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"--known {path}: not a table.json of this script ({one_line(error)}).") from error


def planned(name: str, asked: Table) -> list[Trial]:
    """An arm with each seed; UserError if one of its folders holds a run of other settings."""
    file, *flags = shlex.split(ARMS[name])
    words = [str(RECIPES / file), *flags, "--metric-kimg", "0"]
    recipe = parse(words, f"translation_table.py, arm {name}:").recipe
    arm = Arm(name, words, to_json(fit(recipe, recipe.data.open().domains).recipe))
    trials = [Trial(arm, seed, asked.out / name / f"seed{seed}") for seed in asked.seeds]
    for trial in trials:
        check_trial(trial)
    return trials


def measured(trial: Trial) -> Numbers:
    """The numbers of each view of a trained model."""
    result = ggdr.evaluate(trial.folder, metrics=METRICS, repeats=1)
    numbers: Numbers = {}
    for name, entry in result.protocol["metrics"].items():
        numbers.setdefault(entry["view"], {})[entry["type"]] = result[name].mean
    return numbers


def floors() -> dict[str, dict[int, Numbers]]:
    """What doing nothing comes to, both ways, and the mean of the training pictures."""
    data = parse([str(RECIPES / "openmoji_pix2pix.py")], "").recipe.data
    held_out = data.held_out()
    assert held_out is not None
    lines, colour = pairs(held_out)
    mean = pairs(data)[1].double().mean(dim=0).round().to(torch.uint8)
    gray = colour.double().mean(dim=1, keepdim=True).round().to(torch.uint8)
    there, back = VIEWS.values()
    return {
        there: {0: {"lines_to_colour": against(lines.expand_as(colour), colour)}},
        "mean of the training pictures": {0: {"lines_to_colour": against(mean.expand_as(colour), colour)}},
        back: {0: {"colour_to_lines": against(gray, lines)}},
    }


def pairs(data: DataSet) -> tuple[Tensor, Tensor]:
    """All lines [N, 1, H, W] and colour pictures [N, 3, H, W] of a data set, uint8, each drawing once."""
    images = data.open()
    batch = images.domain_batches(list(range(images.originals)), 0)
    return batch["lines"].images, batch["colour"].images


def against(made: Tensor, truth: Tensor) -> dict[str, float]:
    """The numbers of images [N, C, H, W] uint8 beside their truths."""
    networks: dict[Any, Any] = {}
    fake, real = (
        FeatureCache(lambda places, given=given: given[places.start : places.stop], len(given), networks=networks)
        for given in (made, truth)
    )
    given = EvalData(real, fake, truth=real, other_draws=fake)
    return {metric.name: next(iter(metric.measure(given).values())) for metric in METRICS}


def table(view: str, rows: Mapping[str, Mapping[int, Numbers]]) -> str:
    """One view's table: a row for each arm that has it, mean and half of Student's 95 % interval over seeds."""
    heads = ["", *(f"{metric.name} ({metric.better})" for metric in METRICS), "seeds"]
    return markdown_table(heads, [[name, *cells(view, name, rows)] for name in rows if of_view(view, rows[name])])


def cells(view: str, name: str, rows: Mapping[str, Mapping[int, Numbers]]) -> Iterator[str]:
    """An arm's values, of one with GGDR with the paired difference to the arm without; the number of seeds."""
    own = of_view(view, rows[name])
    base = of_view(view, rows.get(BASES.get(name, ""), {}))
    both = sorted(own.keys() & base.keys())
    for metric in METRICS:
        text = with_margin(MetricValue([each[metric.name] for each in own.values()]))
        if both:
            gaps = [own[seed][metric.name] - base[seed][metric.name] for seed in both]
            text += f"; {told(MetricValue(gaps))}"
        yield text
    yield str(len(own))


def of_view(view: str, seeds: Mapping[int, Numbers]) -> dict[int, dict[str, float]]:
    """Seed -> the numbers of a view, where it has them."""
    return {seed: numbers[view] for seed, numbers in seeds.items() if view in numbers}


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
