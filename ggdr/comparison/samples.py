"""What a sweep trains: each arm, and its variant, once for each sample of hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ggdr.comparison.draws import (
    Drawn,
    Override,
    draw,
    drawn_settings,
    flags_in,
    read_override,
    seed_of_training,
    with_values,
    words_of,
)
from ggdr.comparison.sweep import Sweep
from ggdr.comparison.trials import Arm, Trial, at_budget, check_images, check_trial, named_words
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.recipe import Recipe
from ggdr.recipe.files import to_json
from ggdr.recipe.fitting import fit


class Swept(NamedTuple):
    """An arm of a sweep, or its variant."""

    name: str
    arm: str
    """its name without the variant's"""
    words: list[str]
    """recipe and flags that hold for all samples"""
    settings: list[Drawn]
    values: list[dict[str, Any]]
    """what was drawn for each sample, by path"""
    trials: list[Trial]
    """a sample each"""

    def as_json(self) -> dict[str, Any]:
        """The flags, the range of each setting that is drawn, and each sample's seed and draws."""
        ranges = {each.path: {"range": str(each.range), "paper": each.range.paper} for each in self.settings}
        drawn = enumerate(zip(self.trials, self.values, strict=True))
        samples = {str(n): {"seed": trial.seed, "drawn": values} for n, (trial, values) in drawn}
        return {"flags": self.words, "ranges": ranges, "samples": samples}


def planned_sweep(asked: Sweep) -> list[Swept]:
    """All arms, each before its variant; UserError, before anything is trained, if they do not go together."""
    overrides = [read_override(text) for text in asked.range]
    found = []
    for text in asked.arms:
        name, words = named_words(text, asked.recipe, "ggdr sweep")
        found.append(swept(asked, name, name, words, overrides))
        if asked.variant:
            variant, flags = named_words(asked.variant, "", "ggdr sweep")
            if flags[0]:
                raise UserError(f"--variant {asked.variant!r} names a recipe; give flags alone: arms name recipes.")
            found.append(swept(asked, f"{name}+{variant}", name, words + flags[1:], overrides))
    names = [each.name for each in found]
    if len(set(names)) < len(names) or not found:
        raise UserError("give at least one arm, and each its own name, also beside the variants'.")
    check_images([each.trials[0].arm for each in found])
    check_overrides(overrides, found)
    for each in found:
        for trial in each.trials:
            check_trial(trial)
    return found


def check_overrides(overrides: Sequence[Override], found: Sequence[Swept]) -> None:
    """UserError if a range is given for a setting that is drawn for no arm."""
    drawn = {setting.path for each in found for setting in each.settings}
    for override in overrides:
        if missing := [path for path in override.paths if path not in drawn]:
            raise UserError(
                f"--range {missing[0]}: no arm has such a setting that no flag sets; drawn are"
                f" {', '.join(sorted(drawn)) or 'none'}."
            )


def swept(asked: Sweep, name: str, arm: str, given: Sequence[str], overrides: Sequence[Override]) -> Swept:
    """An arm with all its samples; UserError or SystemExit if its flags are wrong, or nothing is drawn."""
    words, recipe = at_budget(given, asked, f"ggdr sweep, arm {name}:")
    settings = drawn_settings(recipe, flags_in(given), overrides)
    if not settings:
        raise UserError(
            f"arm {name!r} has nothing to draw: no setting that no flag sets declares a range; give some, such as"
            " --range g_optimizer.lr,d_optimizer.lr=log:1e-5:1e-2."
        )
    domains = recipe.data.open().domains
    values = [draw(settings, asked.seed, sample) for sample in range(asked.samples)]
    trials = []
    for sample, each in enumerate(values):
        folder = asked.out / name / f"sample{sample}"
        made = Arm(name, [*words, *words_of(each)], fitted(recipe, each, domains, f"{name}/{folder.name}"))
        trials.append(Trial(made, seed_of_training(asked.seed, sample), folder))
    return Swept(name, arm, list(given), settings, values, trials)


def fitted(recipe: Recipe, values: Mapping[str, Any], domains: Mapping[str, ImageSpec], name: str) -> dict[str, Any]:
    """The recipe with what was drawn, in full; UserError, which names the run, if the parts refuse it."""
    try:
        return to_json(fit(with_values(recipe, values), domains).recipe)
    except UserError as error:
        raise UserError(f"{name}: {error.message}") from error
