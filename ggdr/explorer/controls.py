"""The controls of the current image: what each holds, with the words that explain it, and what they ask for."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ggdr.errors import UserError
from ggdr.explorer.studio import ImageSettings
from ggdr.lazy import optional
from ggdr.networks.base import ImageSpec
from ggdr.registry import Capability
from ggdr.sampling.labels import describe_labels, example_text

with optional("explore", "the page needs"):
    import gradio as gr

SEEDS = 10_000
"""Number of seeds that dice are thrown for."""


class Controls(NamedTuple):
    """The controls that the current image depends on."""

    seed: gr.Number
    psi: gr.Slider | gr.State
    label: gr.Dropdown | gr.Slider | gr.Textbox | gr.State
    noise: gr.Radio | gr.State
    mean: gr.Radio | gr.State


def settings_of(
    seed: float | None, psi: float | None, label: str | float | None, noise: str, mean: str = "all"
) -> ImageSettings:
    """Return the settings that the controls hold."""
    return ImageSettings(int(seed or 0), psi, None if label is None else label_of(label), noise, mean)  # type: ignore[arg-type]


def label_of(label: str | float) -> int | str | tuple[float, ...]:
    """Parse a label control: the number of a class, as text, a vector, as a number or some with commas, or words."""
    if not isinstance(label, str):
        return (float(label),)
    if re.search(r"[^\W\d_]{2}", label) and "," not in label:  # words, which a generator of texts knows
        return label
    try:
        return tuple(map(float, label.split(","))) if "," in label else int(label)
    except ValueError:
        raise gr.Error(f"the label is {label!r}; give numbers with commas between.", print_exception=False) from None


def image_controls(spec: ImageSpec, provides: Iterable[Capability]) -> Controls:
    """Return the controls of an image; one that the generator does not support holds what it is by default."""
    seed, _ = seed_control()
    truncates, noisy = Capability.TRUNCATION in provides, Capability.NOISE in provides
    psi = gr.Slider(
        -1, 1.5, 1, step=0.05, label="truncation psi", elem_id="psi",
        info="1: all the variety. Towards 0: more typical images; 0 is the mean one, below 0 its opposites.",
    ) if truncates else gr.State(None)  # fmt: skip
    label = label_control(spec)
    noise = gr.Radio(
        ["const", "random", "none"], value="const", label="noise", elem_id="noise",
        info="Fine grain beside the seed's styles. const: always the same; random: drawn by the seed; none: without.",
    ) if noisy else gr.State("const")  # fmt: skip
    mean = gr.Radio(
        ["all", "class"], value="all", label="psi pulls towards", elem_id="mean",
        info="The mean image of all classes, or that of the image's own, which keeps it in its class.",
    ) if truncates and spec.labels and Capability.WS in provides else gr.State("all")  # fmt: skip
    return Controls(seed, psi, label, noise, mean)


def seed_control(*also: gr.State) -> tuple[gr.Number, gr.Row]:
    """Return a seed, and the row in which dice lie beside it: a click throws another seed, that of `also` too."""
    info = "The number that an image is drawn by: the same seed, the same image."
    with gr.Row(elem_classes="beside") as row:
        seed = gr.Number(0, label="seed", info=info, precision=0, minimum=0, elem_id="seed", min_width=140, scale=3)
        dice = dice_button("dice")
    thrown = [seed, *also]
    dice.click(lambda: [random.randrange(SEEDS)] * len(thrown), None, thrown)
    return seed, row


def dice_button(name: str) -> gr.Button:
    """Return the dice that lie beside a seed or several."""
    return gr.Button("⚄ Dice", elem_id=name, elem_classes="dice", min_width=120, scale=1)


def label_control(spec: ImageSpec) -> gr.Dropdown | gr.Slider | gr.Textbox | gr.State:
    """Return the control that chooses the label: a class by its name, a number in its range, or a vector."""
    if not spec.labels:
        return gr.State(None)
    if not spec.label_ranges:
        names = spec.label_names or tuple(map(str, range(spec.labels)))
        classes = [(name, str(place)) for place, name in enumerate(names)]
        return gr.Dropdown(classes, value="0", label="class", info="What the image is to be of.", elem_id="class")
    if spec.text_encoder:
        info = f"What the image is to show, in words that it knows: {describe_labels(spec)}."
        return gr.Textbox(example_text(spec), label="text", info=info, elem_id="class", submit_btn=True)
    middles = [(low + high) / 2 for low, high in spec.label_ranges]
    if spec.labels == 1:
        (low, high), title = spec.label_ranges[0], spec.label_names[0] if spec.label_names else "label"
        return gr.Slider(low, high, middles[0], label=title, info="From least to most in the data.", elem_id="class")
    text = ",".join(f"{middle:g}" for middle in middles)
    return gr.Textbox(text, label=f"label: {describe_labels(spec)}", elem_id="class", submit_btn=True)


def visitor_inputs(inputs: Iterable[Any]) -> list[Any]:
    """Return the inputs that a visitor changes."""
    return [each for each in inputs if not isinstance(each, gr.State)]


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell visitors the sentence of a UserError that is raised inside, as the page shows errors."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from None
