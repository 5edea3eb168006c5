"""The sections of a card, each a function of the facts; an empty one is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ggdr.card.bibliography import citation
from ggdr.card.facts import Facts, logged
from ggdr.card.markdown import block, bullets, code, plain, table
from ggdr.card.parts import paper_link, papers, parts_table, pieces
from ggdr.card.results import Result, notes, remarks, results_table, while_training
from ggdr.progress import LABELS

CHANNELS = {1: "gray", 3: "RGB", 4: "RGBA"}
UNSAID = (
    "Nobody has written down who or what is in these images, who made them and who was asked; look at them before"
    " you use what was learned from them."
)
ALWAYS = (
    "A GAN repeats its images, and less evenly: what is rare among them is rarer in what it makes.",
    "What it makes shows nothing and nobody that exists: it is no evidence of anything, and nothing to decide about"
    " people by.",
)


def opening(facts: Facts, found: Sequence[Result]) -> str:
    """What it is, how it looks, how good it is."""
    lines = [what(facts)]
    if facts.grid:
        lines.append(f"![Samples]({facts.grid})")
    lines.append(how_good(facts, found))
    return "\n\n".join(lines)


def what(facts: Facts) -> str:
    """One sentence: what it makes, what it is made of, what it learned from."""
    if not facts.trained:
        return f"A recipe of [ggdr](#use) for a generator of images, to be trained on {images_of(facts)}."
    assert facts.brief is not None
    brief = facts.brief
    kind = CHANNELS.get(brief.channels, f"{brief.channels}-channel")
    size = f"{brief.height} x {brief.width} px"
    labels = f", of {brief.labels} classes by choice" if brief.labels else ""
    network = next((part for part in facts.networks if part.registry.kind == "generator"), facts.networks[0])
    head = f"A generator ({code(network.name)}) of {kind} images, {size}{labels}"
    if facts.origin:
        return f"{head}, converted by ggdr from a published checkpoint ({plain(str(facts.origin.get('format')))})."
    if facts.recipe is None:
        return f"{head}, saved by ggdr; how it was trained was not saved with it."
    seen = facts.progress.get("images_seen")
    shown = f" for {seen / 1000:g} kimg (thousands of real images shown)" if isinstance(seen, int) else ""
    return f"{head}, trained with ggdr{shown} on {images_of(facts)}."


def images_of(facts: Facts) -> str:
    """What it was trained on."""
    assert facts.recipe is not None
    hub = facts.recipe.data.hub_id()
    link = f" ([{plain(hub)}](https://huggingface.co/datasets/{hub}))" if hub else ""
    if facts.recipe.about is None:
        return f"the data set {code(facts.recipe.data.name)}{link}, of which its maker says nothing more"
    return f"{plain(facts.recipe.about.images)}{link}"


def how_good(facts: Facts, found: Sequence[Result]) -> str:
    """The first value, or that there is none."""
    if not found:
        if not facts.trained:
            return "**Not trained with this code yet**: there are no weights and no measured numbers."
        return f"**Not measured yet**: `ggdr evaluate {facts.place}` does it."
    first = found[0]
    interval = " (95 % interval)" if first.interval else ""
    better = f"{first.better} is better" if first.better else ""
    return f"**Measured**: {code(first.label)} {plain(first.shown)}{interval}, {better}; [all values](#evaluation)."


def use(facts: Facts) -> str:
    """Five lines that make an image."""
    generator = next((piece.part for piece in pieces(facts) if piece.part.registry.kind == "generator"), None)
    arguments = ["seeds=[0, 1, 2, 3]"]
    if facts.brief is not None and facts.brief.labels:
        arguments.append("labels=0")
    if generator is not None and "truncation" in generator.gives:
        arguments.append("truncation_psi=0.7")
    code_lines = [
        "import ggdr",
        "",
        f'pipe = ggdr.from_pretrained("{facts.place}")',
        f"images = pipe({', '.join(arguments)}).images",
        'images[0].save("sample.png")',
    ]
    head = "" if facts.trained else "When it is trained:\n\n"
    return head + block("\n".join(code_lines), "python")


def made_of(facts: Facts) -> str:
    """The parts."""
    return parts_table(pieces(facts))


def training(facts: Facts) -> str:
    """The command, the numbers of the run, and what it measured by itself."""
    if facts.recipe is None:
        return ""
    asks = facts.recipe.data.asks()
    command = f"{facts.command} {asks}".strip()
    texts = [block(command, "bash"), table(("", ""), training_rows(facts)), while_training(facts)]
    return "\n\n".join(text for text in texts if text)


def training_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the run was set to, and where it stands."""
    recipe, progress = facts.recipe, facts.progress
    assert recipe is not None
    seen = progress.get("images_seen")
    shown = f"{recipe.total_kimg:g} kimg" if seen is None else f"{seen / 1000:g} of {recipe.total_kimg:g} kimg"
    yield "real images shown", shown
    if "step" in progress:
        yield "steps", f"{progress['step']:,}"
    micro = f", {recipe.micro_batch} at once" if recipe.micro_batch else ""
    yield "batch", f"{recipe.batch}{micro}"
    yield "precision", recipe.precision
    for name, size in facts.sizes.items():
        yield plain(f"weights of the {name}"), f"{size:,}"
    for turn, adam in (("G", recipe.g_optimizer), ("D", recipe.d_optimizer)):
        yield f"optimizer of {turn}", f"Adam, rate {adam.lr:g}, betas {adam.beta1:g} and {adam.beta2:g}"
    yield "running mean of G", f"half-life {recipe.ema_kimg:g} kimg" if recipe.ema_kimg else "none"
    yield "seed", str(recipe.seed)
    if recipe.init_from:
        yield "started from", "the weights of another model"
    yield from logged_rows(facts)


def logged_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the run's log ends with."""
    seconds = dict((key, (value, kimg)) for key, value, kimg in logged(facts.log, "seconds"))
    for value, kimg in seconds.values():
        if kimg:
            yield "time", f"{value / kimg:.3g} s a kimg, with logging, grids and metrics"
    if "device" in facts.progress:
        processes = facts.progress.get("processes", 1)
        yield "device", plain(f"{processes} x {facts.progress['device']}")
    for key, value, _ in logged(facts.log, "loss/"):
        turn, _, name = key.partition("/")
        yield f"last loss of {turn.upper()}, {code(name)}", f"{value:.4g}"
    for key, label in LABELS.items():
        for _, value, _ in logged(facts.log, key):
            yield f"last {code(label)}", f"{value:.4g}"


def evaluation(facts: Facts, found: Sequence[Result]) -> str:
    """What was measured, and what the paper has."""
    texts = [results_table(found), bullets(notes(facts)), target(facts)]
    return "\n\n".join(text for text in texts if text)


def target(facts: Facts) -> str:
    """The numbers of the paper that the recipe is to reach."""
    about = facts.recipe.about if facts.recipe else None
    if about is None or not about.paper:
        return ""
    head = f"The target, from the paper ({paper_link(about.paper)}, {plain(about.table)}), which nobody measured here:"
    rows = [(plain(model), f"{value:g}") for model, value in about.figures.items()]
    return "\n\n".join(text for text in (head, table(("", plain(about.metric)), rows), plain(about.note)) if text)


def limits(facts: Facts, found: Sequence[Result]) -> str:
    """What it is not for, and what it has not learned."""
    about = facts.recipe.about if facts.recipe else None
    return bullets([plain(about.limits if about else UNSAID), *ALWAYS, *(f"{text}." for text in remarks(found))])


def licence(facts: Facts, chosen: str) -> str:
    """Of the weights, and what bears on it."""
    about = facts.recipe.about if facts.recipe else None
    head = f"The weights: {code(chosen)}." if chosen else "No licence has been chosen for these weights."
    data = f"The images they learned from: {plain(about.licence)}." if about else ""
    texts = [head, data or "Before you use or share them, look at the licence of the images they learned from."]
    if facts.origin:
        texts.append("The checkpoint they were converted from has a licence too, which goes on holding.")
    if facts.recipe is not None and facts.recipe.init_from:
        texts.append("So has the model that training started from.")
    return " ".join([*texts, "The code, ggdr, is Apache-2.0."])


def citations(facts: Facts) -> str:
    """BibTeX of the papers behind it."""
    return block("\n\n".join(citation(paper) for paper in papers(facts)), "bibtex") if papers(facts) else ""


def sections_of(facts: Facts, found: Sequence[Result], chosen: str) -> Iterable[tuple[str, str]]:
    """Heading and text of each, in the order in which a stranger asks."""
    return (
        ("Use", use(facts)),
        ("Evaluation", evaluation(facts, found)),
        ("Parts", made_of(facts)),
        ("Training", training(facts)),
        ("Limits", limits(facts, found)),
        ("Licence", licence(facts, chosen)),
        ("Citation", citations(facts)),
    )
