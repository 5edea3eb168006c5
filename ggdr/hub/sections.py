"""The sections of a card, each a function of the facts; an empty one is left out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from ggdr.formatting import COLOURS, significant
from ggdr.hub.bibliography import citation
from ggdr.hub.facts import Facts, last_logged
from ggdr.hub.markdown import bullets, code_block, escape, inline_code, markdown_table
from ggdr.hub.parts import ROLES, WATCHING, paper_link, papers, parts_table, pieces, short_value
from ggdr.hub.results import Result, notes, remarks, results_table, training_metrics_table
from ggdr.networks.base import ImageSpec
from ggdr.play.view import Way
from ggdr.recipe.about import About
from ggdr.registry import Capability
from ggdr.sampling.labels import describe_labels, example_text
from ggdr.saving.log_file import LABELS

FEW = 3
"""metrics that stand in the first lines"""
UNSAID = (
    "Nobody has written down who or what is in these images, who made them and who was asked; look at them before"
    " you use what was learned from them."
)
ALWAYS = (
    "A GAN repeats its images, and less evenly: what is rare among them is rarer in what it makes.",
    "What it makes shows nothing and nobody that exists: it proves nothing, and decides nothing about people.",
)


def opening(facts: Facts, found: Sequence[Result]) -> str:
    """What it is, how it looks, how good it is."""
    lines = [describe_model(facts)]
    if facts.ways and facts.grids:
        lines.append("In each row: the input, what was made of it, and what the run shows beside them.")
    lines += [f"![Samples]({grid})" for grid in facts.grids]
    lines.append(describe_results(facts, found))
    return "\n\n".join(lines)


def describe_model(facts: Facts) -> str:
    """One sentence: what it makes, what it is made of, what it learned from."""
    if not facts.trained:
        generator = inline_code(facts.recipe.generator.name) if facts.recipe else "generator"
        what = "translator" if facts.translates else "generator"
        if facts.encodes:
            what = "an encoder of images, for a generator that is trained already"
            return f"A recipe of ggdr: {what}, to be trained on {describe_images(facts)}."
        return f"A recipe of ggdr: a {what} of images ({generator}), to be trained on {describe_images(facts)}."
    assert facts.spec is not None
    network = next((part for part in facts.networks if part.registry.kind == "generator"), facts.networks[0])
    head = f"A generator ({inline_code(network.name)}) of {describe_spec(facts.spec)}"
    if facts.encodes:
        head = f"An encoder of {describe_spec(facts.spec)}, for the generator ({inline_code(network.name)}) beside it"
    if facts.ways:
        first, *back = facts.ways.values()
        head = f"A translator ({inline_code(network.name)}) of {describe_spec(first.takes)}, to"
        head += f" {describe_spec(first.makes)}{', and back' * bool(back)}"
    if facts.origin:
        return f"{head}, converted by ggdr from a published checkpoint ({escape(str(facts.origin.get('format')))})."
    if facts.recipe is None:
        return f"{head}, saved by ggdr; how it was trained was not saved with it."
    seen = facts.progress.get("images_seen")
    length = f" Its training showed {seen:,} real images." if isinstance(seen, int) else ""
    return f"{head}, trained with ggdr on {describe_images(facts)}.{length}"


def describe_spec(spec: ImageSpec) -> str:
    """What images are: their channels, their size, their labels."""
    kind = COLOURS.get(spec.channels, f"{spec.channels}-channel")
    labels = f", {describe_conditioning(spec)}" if spec.labels else ""
    if spec.classes:
        return f"label maps of {spec.classes} classes, {spec.height} x {spec.width} px"
    return f"{kind} images, {spec.height} x {spec.width} px{labels}"


def ways_table(facts: Facts) -> str:
    """A row for each way that a translator goes; nothing of a generator."""
    rows = (
        (inline_code(name), describe_spec(way.takes), describe_spec(way.makes), sizes_taken(way))
        for name, way in facts.ways.items()
    )
    return markdown_table(("view", "in", "out", "other sizes"), rows) if facts.ways else ""


def sizes_taken(way: Way) -> str:
    """How images of another size than it learned from pass."""
    if not way.size_divisor:
        return "in tiles of this size"
    return f"as they are, edges mirrored to multiples of {way.size_divisor} px"


def describe_images(facts: Facts) -> str:
    """What it was trained on."""
    assert facts.recipe is not None
    about, hub = facts.about or About(), facts.recipe.data.hub_id()
    count = "images" if facts.images is None else f"{facts.images:,} images"
    link = f" from [{escape(hub)}](https://huggingface.co/datasets/{hub})" if hub else ""
    if not about.is_described:
        return f"{count}{link}, which their owner has not described"
    shows = f": {escape(about.images)}" if about.images else ""
    if not about.name:
        return f"{count}{link}{shows}"
    return f"{link_to(about.name, about.url)}{f' ({count})' if facts.images else ''}{link}{shows}"


def link_to(text: str, url: str) -> str:
    """A text that leads to a page, if that is one of the web."""
    page = re.fullmatch(r"https?://[^\s<>()\[\]\"'`|\\\\]+", url)
    return f"[{escape(text)}]({url})" if page else escape(text)


def describe_results(facts: Facts, found: Sequence[Result]) -> str:
    """The chief values of a few metrics, or that there are none."""
    if not found and not facts.trained:
        target = " [The paper's numbers](#evaluation) are its target." if facts.about and facts.about.figures else ""
        return f"**Not trained with this code yet**, as far as records go: no weights, no measured numbers.{target}"
    if not found:
        return f"**Not measured yet**: {inline_code(f'ggdr evaluate {shlex.quote(facts.place)}')} does it."
    first = {result.label: result for result in reversed(found)}  # the first value of a metric is the chief one
    values = [
        f"{inline_code(each.label)} {escape(each.key)} {each.value_text}"
        + f" ({each.interval_text})" * bool(each.interval_text)
        + f", {each.better} is better"
        for each in list(reversed(first.values()))[:FEW]
    ]
    whose = "" if facts.trained else " of a model that it trained"
    return f"**Measured**{whose}, with 95 % intervals: {'; '.join(values)}. [All values and the protocol](#evaluation)."


def describe_conditioning(spec: ImageSpec) -> str:
    """Which labels its images have by choice."""
    names = f" ({escape(describe_labels(spec))})" if spec.label_names else ""
    if spec.text_encoder:
        return f"conditioned on texts, by {spec.labels} words{names}"
    if spec.label_ranges:
        return f"conditioned on {'a number' if spec.labels == 1 else f'{spec.labels} numbers'}{names}"
    return f"of {spec.labels} classes by choice{names}"


def example_label(spec: ImageSpec) -> str:
    """A label as Python: a text, the first class, by its name if it has one, or a vector amid the ranges."""
    if spec.text_encoder:
        return repr(example_text(spec))
    if spec.label_ranges:
        return repr([round((low + high) / 2, 3) for low, high in spec.label_ranges])
    return repr(spec.label_names[0]) if spec.label_names else "0"


def usage(facts: Facts) -> str:
    """Five lines that make an image."""
    given, name = (picture_given(facts), "translated.png") if facts.translates else (seeds_given(facts), "sample.png")
    code_lines = [
        "import ggdr",
        "",
        f"pipe = ggdr.from_pretrained({json.dumps(facts.place)})",
        f"images = pipe({given}).images",
        f'images[0].save("{name}")',
    ]
    head = "With ggdr installed:" if facts.trained else "With ggdr installed, and when it is trained:"
    call = f"DiffusionPipeline.from_pretrained({json.dumps(facts.place)}, trust_remote_code=True)"
    tail = f"With ggdr installed, diffusers loads it too: `{call}`; the code to trust, `pipeline.py`, imports ggdr."
    texts = [head, code_block("\n".join(code_lines), "python")]
    if facts.translates:
        texts += [code_block(translate_command(facts), "bash")]
        return "\n\n".join([*texts, ways_table(facts)]).strip()
    return "\n\n".join([*texts, tail] if facts.shared else texts)


def picture_given(facts: Facts) -> str:
    """The arguments of a call that translates a picture, as Python: where there are several ways, which."""
    arguments = ['"picture.png"', *(f"to={json.dumps(target)}" for target in facts.targets[:1])]
    makes = next((way.makes for way in facts.ways.values()), None)
    if makes is not None and makes.labels:
        arguments.append(f"labels={example_label(makes)}")
    if needs_style(facts):
        arguments.append('style="style.png"')
    return ", ".join(arguments)


def translate_command(facts: Facts) -> str:
    """The command that translates a picture."""
    makes = next((way.makes for way in facts.ways.values()), None)
    label = "" if makes is None or not makes.labels else example_label(makes).strip("[]'").replace(", ", ",")
    flags = [f"--labels {shlex.quote(label)}"] if label else []
    flags += ["--style style.png"] if needs_style(facts) else []
    return " ".join([f"ggdr translate {shlex.quote(facts.place)} picture.png --out translated", *flags])


def needs_style(facts: Facts) -> bool:
    """Whether the first way of a translator makes nothing without a style."""
    return next((way.needs_style for way in facts.ways.values()), False)


def seeds_given(facts: Facts) -> str:
    """The arguments of a call that makes images of noise, as Python."""
    generator = next((piece.part for piece in pieces(facts) if piece.part.registry.kind == "generator"), None)
    arguments = ["seeds=[0, 1, 2, 3]"]
    if facts.spec is not None and facts.spec.labels:
        arguments.append(f"labels={example_label(facts.spec)}")
    if generator is not None and Capability.TRUNCATION in generator.provides:
        arguments.append("truncation_psi=0.7")
    return ", ".join(arguments)


def parts_section(facts: Facts) -> str:
    """The table of the parts that the model was made of and watched with."""
    return parts_table(pieces(facts, ROLES + WATCHING))


def training(facts: Facts) -> str:
    """The command, the numbers of the run, and what it measured by itself."""
    if facts.recipe is None:
        return ""
    command = f"{facts.command} {facts.recipe.data.asks()}".strip()
    if facts.recipe.data.asks() and facts.about and facts.about.name:
        command += f" --about.name {shlex.quote(facts.about.name)}"
    head = "`recipe.py`, beside this card, holds every field as it was:" if facts.trained else ""
    texts = [
        head,
        code_block(command, "bash"),
        markdown_table(("setting or measure", "value"), training_rows(facts)),
        training_metrics_table(facts),
    ]
    return "\n\n".join(text for text in texts if text)


def training_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the run was set to, and where it stands."""
    recipe, progress = facts.recipe, facts.progress
    assert recipe is not None
    seen = progress.get("images_seen")
    total = f"{recipe.total_kimg:,.10g} kimg"
    yield "real images shown", total if seen is None else f"{seen / 1000:,.10g} of {total}"
    if "step" in progress:
        yield "steps", f"{progress['step']:,}"
    micro = f", {recipe.micro_batch_size} at once" if recipe.micro_batch_size else ""
    yield "batch", f"{recipe.batch_size}{micro}"
    yield "precision", recipe.precision
    for name, size in facts.sizes.items():
        yield escape(f"weights of the {name}"), f"{size:,}"
    for turn, optimizer in recipe.optimizers.items():
        yield f"optimizer of {turn.upper()}", optimizer.describe()
    yield "running mean of G", f"half-life {recipe.ema_kimg:g} kimg" if recipe.ema_kimg else "none"
    yield "seed", str(recipe.seed)
    if recipe.init_from:
        yield "started from the weights of", inline_code(short_value(recipe.init_from))
    yield from logged_rows(facts)


def logged_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the run's log ends with."""
    last = {key: value for key, value, _ in last_logged(facts.log)}
    if last.get("kimg") and "seconds" in last:
        yield "time", f"{significant(last['seconds'] / last['kimg'], 3)} s a kimg, with logging, grids and metrics"
    if "device" in facts.progress:
        processes = facts.progress.get("processes", 1)
        yield "device", escape(f"{processes} x {facts.progress['device']}")
    for key in (key for key in last if key.startswith("loss/")):
        _, turn, name = key.split("/", 2)
        yield f"last loss of {turn.upper()}, {inline_code(name)}", significant(last[key])
    for key in (key for key in LABELS if key in last):
        yield f"last {inline_code(LABELS[key])}", significant(last[key])


def evaluation(facts: Facts, found: Sequence[Result]) -> str:
    """What was measured, and what the paper has."""
    texts = [results_table(found), bullets(notes(facts, found)), paper_results(facts)]
    return "\n\n".join(text for text in texts if text)


def paper_results(facts: Facts) -> str:
    """The numbers of the paper that the recipe is to reach."""
    about = facts.about
    if about is None or not about.paper or is_other_number(facts, about):
        return ""
    head = f"**The target** is the paper's ({paper_link(about.paper)}, {escape(about.table)}), not measured here."
    rows = [(escape(model), escape(value)) for model, value in about.figures.items()]
    texts = (f"{head} {escape(about.note)}".strip(), markdown_table(("model", escape(about.metric)), rows))
    return "\n\n".join(text for text in texts if text)


def is_other_number(facts: Facts, about: About) -> bool:
    """Whether it is known that the paper trained on more or fewer images, whose numbers say nothing of these."""
    if facts.images is None or about.count is None:
        return False
    return facts.images not in (about.count, 2 * about.count)  # twice: with their mirror images


def training_data(facts: Facts) -> str:
    """What is known of the images, and that nobody has described them where that is so."""
    if facts.recipe is None and facts.about is None:
        return ""
    about = facts.about or About()
    lines = (
        []
        if about.is_described
        else ["Their owner has not described these images: what they show, and whose they are."]
    )
    return "\n\n".join([*lines, markdown_table(("images", "what is known"), data_rows(facts, about))])


def data_rows(facts: Facts, about: About) -> Iterator[tuple[str, str]]:
    """What is known of the images, a fact a row."""
    if about.name:
        yield "set", link_to(about.name, about.url)
    elif about.url:
        yield "page", link_to(about.url, about.url)
    if about.images:
        yield "what they show", escape(about.images)
    if facts.images is not None:
        yield "number", f"{facts.images:,}"
    if facts.spec is not None:
        yield "size", size_of(facts.spec)
    if facts.content:
        yield "SHA-256 of their pixels", inline_code(facts.content)
    if facts.listing:
        yield "SHA-256 of the list of their names, sizes and labels, first 16 digits", inline_code(facts.listing)
    yield "licence", escape(licence_of_images(facts)) or "not written down"


def size_of(spec: ImageSpec) -> str:
    """Size and channels of images in words."""
    return f"{spec.height} x {spec.width} px, {COLOURS.get(spec.channels, f'{spec.channels}-channel')}"


def limits(facts: Facts, found: Sequence[Result]) -> str:
    """What it is not for, and what it has not learned."""
    said = facts.about.limits if facts.about else ""
    measured = remarks(found) if facts.trained or found else ()
    return bullets([escape(said or UNSAID), *ALWAYS, *measured])


def licence_of_images(facts: Facts) -> str:
    """The licence of the images, as a person or the recipe says it, or else the data set itself; empty: nobody does."""
    own = facts.recipe.data.licence if facts.recipe else ""
    return facts.about.licence if facts.about and facts.about.licence else own


def licence(facts: Facts, chosen: str) -> str:
    """The licence of the weights, and what bears on it."""
    head = f"Of the weights: {inline_code(chosen)}." if chosen else "Nobody has chosen a licence for the weights."
    texts = [head if facts.trained else "There are no weights here."]
    texts.append("What may be done with weights depends on the licence of the images they learned from.")
    texts.append(
        f"Here: {escape(licence_of_images(facts))}."
        if licence_of_images(facts)
        else "Nobody has written it down here: look for it."
    )
    if facts.origin:
        texts.append("The checkpoint they were converted from has its own licence, which goes on holding.")
    if facts.recipe is not None and facts.recipe.init_from:
        texts.append("The model that training started from has one too.")
    return " ".join([*texts, "The code, ggdr, is Apache-2.0."])


def citations(facts: Facts) -> str:
    """BibTeX of the papers behind it."""
    return code_block("\n\n".join(citation(paper) for paper in papers(facts)), "bibtex") if papers(facts) else ""


def sections_of(facts: Facts, found: Sequence[Result], chosen: str) -> Iterable[tuple[str, str]]:
    """Heading and text of each, in the order in which a stranger asks."""
    return (
        ("Use", usage(facts)),
        ("Evaluation", evaluation(facts, found)),
        ("Parts", parts_section(facts)),
        ("Training data", training_data(facts)),
        ("Training", training(facts)),
        ("Limits", limits(facts, found)),
        ("Licence", licence(facts, chosen)),
        ("Citation", citations(facts)),
    )
