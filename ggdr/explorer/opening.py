"""The page of a model, by what the model makes its images of; how it looks is handed on from `look`."""

from __future__ import annotations

from pathlib import Path

from ggdr.explorer.look import CSS, theme
from ggdr.explorer.page import Page
from ggdr.explorer.studio import Studio
from ggdr.explorer.translating import TranslatorPage, TranslatorStudio
from ggdr.explorer.watch import is_run
from ggdr.lazy import optional
from ggdr.saving.pretrained import Hub, open_model

with optional("explore", "the page needs"):
    import gradio as gr

__all__ = ["CSS", "page_of", "theme"]


def page_of(name: str, hub: Hub | None = None, device: str = "", use: tuple[str, ...] = ()) -> gr.Blocks:
    """Return the page of a folder or a Hub repository "org/name", a run's with what it does; UserError without a
    model.

    `use`: files that register parts of the model's own, which the page's commands name.
    """
    run = Path(name) if is_run(Path(name)) else None
    if open_model(name, hub or Hub()).translates:
        return TranslatorPage(TranslatorStudio(name, hub, device, use), run).build()
    return Page(Studio(name, hub, device, use), run).build()
