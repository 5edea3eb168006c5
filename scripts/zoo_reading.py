"""What benchmarks/zoo.json says, in words and a table: each recipe without and with GGDR, and what that can bear."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import mean, median, stdev
from typing import Any, NamedTuple

from ggdr.formatting import significant
from ggdr.hub.markdown import bullets, escape, inline_code, markdown_table

COVERAGE, LEAST = "coverage", 0.1
"""the metric, and what of it a run has that draws what it is to draw"""
VERDICTS = ("better", "worse", "unclear")
FID_BAR, COVERAGE_BAR = 8.0, 0.4
"""what a recipe is to reach in its own budget"""


PICTURE = """\
![Images of each recipe, without GGDR above and with it below](zoo.png)

Of each recipe without GGDR (above) and with it (below) eight images as they come, of the same latent codes, first seed
(`python scripts/zoo_picture.py`)."""


class Pair(NamedTuple):
    """A recipe's cells."""

    recipe: str
    plain: list[dict[str, Any]]
    ggdr: list[dict[str, Any]]

    @property
    def refused(self) -> str:
        """Why it cannot carry GGDR; empty if it can."""
        return next((cell["message"] for cell in self.ggdr if cell["state"] == "cannot"), "")

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Cells that were not brought to an end."""
        return [cell for cell in (*self.plain, *self.ggdr) if cell["state"] == "failed"]

    def verdict(self, label: str, better: str) -> str:
        """ "better" or "worse" where every seed with GGDR lies beyond every one without, of at least two each."""
        without, with_it = numbers(self.plain, label), numbers(self.ggdr, label)
        if self.failures or min(len(without), len(with_it)) < 2:
            return "unclear"
        if max(with_it) < min(without):
            return "better" if better == "lower" else "worse"
        if min(with_it) > max(without):
            return "worse" if better == "lower" else "better"
        return "unclear"


def numbers(cells: list[dict[str, Any]], label: str) -> list[float]:
    """The values of a metric, a seed each."""
    return [cell["metrics"][label] for cell in cells if cell["state"] == "measured"]


def pairs(cells: list[dict[str, Any]]) -> list[Pair]:
    """The cells, a recipe's together."""
    names = dict.fromkeys(cell["recipe"] for cell in cells)
    of = {
        (name, ggdr): [c for c in cells if (c["recipe"], c["ggdr"]) == (name, ggdr)]
        for name in names
        for ggdr in (0, 1)
    }
    return [Pair(name, of[name, 0], of[name, 1]) for name in names]


def results(told: Mapping[str, Any] | None, links: Mapping[str, str], paces: Mapping[str, Any] | None = None) -> str:
    """The section of the page; `links`: a recipe's name -> what stands for it. `paces`: benchmarks/zoo-pace.json."""
    if not told or not told["cells"]:
        return f"Not measured yet: {inline_code('python scripts/zoo_measure.py')}.\n"
    found = [pair for pair in pairs(told["cells"]) if pair.recipe in links]
    labels = list(told["better"])
    heads = ["recipe", "s per kimg", "with GGDR"]
    for label in labels:
        heads += [f"{label} ({told['better'][label]} is better)", "with GGDR"]
    seconds = {name: (without, with_it) for name, without, with_it, *_ in paces["rows"]} if paces else {}
    times = {pair.recipe: seconds[pair.recipe] for pair in found if pair.recipe in seconds}
    rows = [
        (links[pair.recipe], *map(pace, times.get(pair.recipe, ("", ""))), *row(pair, told["better"])) for pair in found
    ]
    parts = [protocol(told), reading(found, told), *timing(paces, times), PICTURE]
    parts += [markdown_table([*heads, "GGDR makes it"], rows), *troubles(found, links)]
    parts += [
        f"The command: {inline_code(told['command'])}",
        *(f"Warning: {escape(text)}" for text in told["warnings"]),
    ]
    return "\n\n".join(parts) + "\n"


def own_budgets(told: Mapping[str, Any], links: Mapping[str, str]) -> str:
    """The section of recipes that were trained in their own budget; `told`: benchmarks/zoo-own.json."""
    cells = [cell for cell in told["cells"] if cell["recipe"] in links and cell["state"] == "measured"]
    cells.sort(key=lambda cell: (cell["recipe"], cell["seed"]))
    labels = list(told["better"])
    heads = ["recipe", "seed", "kimg", "minutes", *(f"{label} ({told['better'][label]} is better)" for label in labels)]
    rows = [
        (
            links[cell["recipe"]],
            str(cell["seed"]),
            f"{cell['kimg']:g}",
            significant(cell["minutes"], 2) if "minutes" in cell else "",
            *(significant(cell["metrics"][label], 3) for label in labels),
        )
        for cell in cells
    ]
    reached = [cell["recipe"] for cell in cells if meets_bar(cell["metrics"])]
    short = [name for name in dict.fromkeys(cell["recipe"] for cell in cells) if name not in reached]
    said = (
        f"The budget that a recipe has in its file, without GGDR, measured by {inline_code(told['measured'])}. Minutes"
        f" are the processor time of the training, on {count(told['threads'], 'thread')} of {escape(told['machine'])},"
        f" torch {told['torch']}, {told['date']}. A recipe has learned its digits where FID is at most {FID_BAR:g} and"
        f" coverage at least {COVERAGE_BAR:g}: {', '.join(map(inline_code, dict.fromkeys(reached))) or 'none'}"
    )
    said += f"; not yet {', '.join(map(inline_code, short))}." if short else "."
    command = f"The command: {inline_code(told['command'])}"
    return "\n\n".join([said, markdown_table(heads, rows), command]) + "\n"


def meets_bar(metrics: Mapping[str, float]) -> bool:
    """Whether a recipe has learned what it is shown."""
    return metrics["FID"] <= FID_BAR and metrics["coverage"] >= COVERAGE_BAR


def row(pair: Pair, better: Mapping[str, str]) -> Iterator[str]:
    """A pair's cells in the table, but for its name and times."""
    for label in better:
        yield from (shown(pair.plain, label), shown(pair.ggdr, label))
    found = {label: pair.verdict(label, way) for label, way in better.items()}
    said = [
        f"{word} by {', '.join(label for label in better if found[label] == word)}"
        for word in VERDICTS[:2]
        if word in found.values()
    ]
    yield "cannot carry it" if pair.refused else "; ".join(said)


def shown(cells: list[dict[str, Any]], label: str) -> str:
    """The mean over seeds, and each seed's value; what failed is said."""
    values, failed = numbers(cells, label), sum(cell["state"] == "failed" for cell in cells)
    each = f" ({', '.join(f'{significant(value, 3)}' for value in values)})" if len(values) > 1 else ""
    said = [f"{significant(mean(values), 3)}{each}"] if values else []
    return "; ".join(said + [f"{failed} of {len(cells)} failed"] * bool(failed))


def pace(seconds: float | str) -> str:
    """Seconds per kimg in three digits."""
    return seconds if isinstance(seconds, str) else significant(seconds, 3)


def timing(paces: Mapping[str, Any] | None, times: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    """How the times came about, and what GGDR takes."""
    if not paces or not times:
        return
    machine, ratios = paces["machine"], [with_it / without for without, with_it in times.values()]
    yield (
        f"Seconds per kimg by {inline_code(machine['command'])}, in turns, alone on {machine['threads']} threads"
        f" ({machine['device']}, {machine['date']}). GGDR takes {median(ratios):.2f} times as long, the median over"
        " recipes."
    )


def protocol(told: Mapping[str, Any]) -> str:
    """How the numbers came about."""
    seeds = sorted({cell["seed"] for cell in told["cells"] if "seed" in cell})
    return (
        f"Each recipe after {told['kimg']:g} kimg, seeds {', '.join(map(str, seeds))}: the mean over seeds, and each"
        f" seed's value in brackets, of the running mean of G's weights, by {inline_code(told['measured'])}. Trained on"
        f" {count(told['threads'], 'thread')} of {escape(told['machine'])}, torch {told['torch']}, {told['date']}."
        " Recipes differ in their networks' sizes and learning rates: compare within a row, not rows with each other."
    )


def reading(found: list[Pair], told: Mapping[str, Any]) -> str:
    """How many GGDR made better and worse, and how much of that chance would do."""
    carried = [pair for pair in found if not pair.refused]
    failed = [pair for pair in carried if pair.failures]
    judged = [pair for pair in carried if not pair.failures]
    sentences = [
        f"Of {count(len(found), 'recipe')}, {len(found) - len(carried)} cannot carry GGDR, {len(failed)} had a run that"
        f" failed, without GGDR or with it, and {len(judged)} can be compared."
    ]
    for label, way in told["better"].items():
        verdicts = [pair.verdict(label, way) for pair in judged]
        better, worse, unclear = map(verdicts.count, VERDICTS)
        sentences.append(f"By {label} GGDR made {better} better and {worse} worse; {unclear} unclear.")
    first = next(iter(told["better"]))
    chances = [chance(len(numbers(pair.plain, first)), len(numbers(pair.ggdr, first))) for pair in judged]
    odds = significant(sum(chances), 2)
    sentences.append(
        "Better or worse means that all seeds with GGDR lie on one side of all without it. If GGDR made no difference,"
        f" chance alone would do that to about {odds} of {len(judged)} by each metric, one way as often as"
        " the other: a single row of this table proves little."
    )
    sentences += [effect(judged, first), *twins(judged, first), *idle(found, told["better"])]
    return " ".join(filter(None, sentences))


def effect(judged: list[Pair], label: str) -> str:
    """The ratio of a metric with GGDR to that without, over recipes; empty for fewer than two, or if one is zero."""
    means = [(mean(numbers(pair.plain, label)), mean(numbers(pair.ggdr, label))) for pair in judged]
    if len(means) < 2 or any(min(both) <= 0 for both in means):
        return ""
    logs = [math.log(with_it / without) for without, with_it in means]
    margin = 2 * stdev(logs) / math.sqrt(len(logs))
    low, middle, high = (math.exp(mean(logs) + way * margin) for way in (-1, 0, 1))
    return (
        f"Over recipes {label} with GGDR is {middle:.2f} times that without, the geometric mean (two standard errors:"
        f" {low:.2f} to {high:.2f}); it is lower in {sum(log < 0 for log in logs)} of {len(logs)}."
    )


def twins(judged: list[Pair], label: str) -> Iterator[str]:
    """Which recipes have the same two arms, one of them with GGDR in its file."""
    seen: dict[tuple[float, ...], str] = {}
    for pair in judged:
        values = (*numbers(pair.plain, label), *numbers(pair.ggdr, label))
        if (first := seen.setdefault(values, pair.recipe)) != pair.recipe:
            yield f"{inline_code(first)} and {inline_code(pair.recipe)} are the same two arms, and count twice."


def idle(found: list[Pair], better: Mapping[str, str]) -> Iterator[str]:
    """Which recipes cover hardly any of the real images at this budget, by whatever arm and seed."""
    if COVERAGE not in better:
        return
    measured = {pair.recipe: numbers([*pair.plain, *pair.ggdr], COVERAGE) for pair in found}
    names = [inline_code(name) for name, values in measured.items() if values and max(values) < LEAST]
    if names:
        yield (
            f"At this budget no run of {', '.join(names)} covers a tenth of the real images: what they show is how they"
            " begin, not what they come to."
        )


def count(n: int, what: str) -> str:
    """A number of things."""
    return f"{n} {what}{'s' * (n != 1)}"


def chance(n: int, m: int) -> float:
    """How likely n and m draws of one distribution do not overlap; 0 where no verdict is given on so few."""
    return 2 / math.comb(n + m, n) if min(n, m) >= 2 else 0.0


def troubles(found: list[Pair], links: Mapping[str, str]) -> Iterator[str]:
    """What failed, and what cannot be, each with what ggdr said."""
    failed = [
        f"{links[pair.recipe]}, seed {cell['seed']}, {'with' if cell['ggdr'] else 'without'}: {escape(cell['message'])}"
        for pair in found
        for cell in pair.failures
    ]
    refused = [f"{links[pair.recipe]}: {escape(pair.refused)}" for pair in found if pair.refused]
    yield from ([f"Failed:\n\n{bullets(failed)}"] if failed else [])
    yield from (
        [f"Cannot carry GGDR, in the words of {inline_code('ggdr train')}:\n\n{bullets(refused)}"] if refused else []
    )
