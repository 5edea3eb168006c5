"""Command lines that make what a page shows, to be copied into a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ggdr.explorer.studio import Followed, ImageSettings
from ggdr.lazy import optional
from ggdr.networks.base import ImageSpec
from ggdr.sampling.labels import find_class

with optional("explore", "the page needs"):
    import gradio as gr

Label = int | str | tuple[float, ...] | None
"""A class, a label vector, or none."""


FOLDER = "images"
"""Folder in which commands put images: NAME.png would be a grid, which enlarges them, and is not put among a visitor's
own pictures."""


def command_box(name: str, what: str, visible: bool = True) -> gr.Textbox:
    """Return a place for a command line that is copied by a click; `what` it makes."""
    return gr.Textbox(
        label="by a command", info=f"Paste it into a terminal: it makes {what}.", interactive=False, lines=2,
        buttons=["copy"], elem_id=name, elem_classes="command", visible=visible,
    )  # fmt: skip


def command_line(verb: str, followed: Followed[Any], *words: object) -> str:
    """Return a command line of a verb and the model of a page, with further words, quoted for a shell."""
    revision = ["--revision", followed.hub.revision] if followed.hub.revision else []
    own = ["--use", *followed.use] if followed.use else []
    return shlex.join(["ggdr", verb, followed.name, *map(str, words), *revision, *own])


def label_words(spec: ImageSpec, label: Label) -> list[str]:
    """Return the flag that asks for a label, a class by its name where that is enough; empty for None."""
    if label is None:
        return []
    if isinstance(label, str):
        return ["--text", label]
    if isinstance(label, tuple):
        return ["--labels=" + ",".join(map(str, label))]  # one word: the first number may be negative
    name = spec.label_names[label] if spec.label_names else ""
    plain = name and name != "all" and name[0] != "-" and find_class(spec, name) == label
    return ["--labels", name if plain else str(label)]


def view_words(spec: ImageSpec, settings: ImageSettings) -> list[str]:
    """Return the flags of truncation and label; of noise there is none where the layers' noise is constant."""
    psi = [] if settings.psi is None else ["--truncation-psi", str(settings.psi)]
    psi += [] if settings.mean == "all" else ["--truncation-mean", settings.mean]
    return psi + label_words(spec, settings.label)


def generate_words(spec: ImageSpec, settings: ImageSettings) -> Sequence[object]:
    """Return what `ggdr generate MODEL` is told to make one image, as large as the model makes it."""
    noise = [] if settings.noise == "const" else ["--noise", settings.noise]
    return ["--seeds", settings.seed, *view_words(spec, settings), *noise, "--out", FOLDER]
