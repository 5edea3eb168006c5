"""The page of a model, by what the model makes its images of, and how all pages look."""

from __future__ import annotations

from pathlib import Path

from ggdr.explorer.page import Page
from ggdr.explorer.studio import Studio
from ggdr.explorer.translating import TranslatorPage, TranslatorStudio
from ggdr.explorer.watch import is_run
from ggdr.lazy import optional
from ggdr.saving.pretrained import Hub, open_model

with optional("explore", "the page needs"):
    import gradio as gr

CSS = """
.gradio-container {max-width: 1180px !important; margin: auto}
.pixels img {image-rendering: pixelated}
#current img {width: 100%; object-fit: contain; cursor: crosshair}
#given img, #style img, #made img, #back img, #grid img, #losses img {
  width: 100%; max-width: 100%; object-fit: contain
}
#given img, #style img {min-width: 280px}
#others .grid-container {grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)) !important; height: auto}
#others {min-height: 0 !important}
#numbers {max-width: calc(100vw - 64px); overflow-x: auto}
footer {display: none !important}
"""


def theme() -> gr.themes.Base:
    """Return a theme with the fonts of the reader's own machine, so that the page loads nothing from elsewhere."""
    return gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def page_of(name: str, hub: Hub | None = None, device: str = "") -> gr.Blocks:
    """Return the page of a folder or a Hub repository "org/name", a run's with what it does; UserError without a
    model."""
    run = Path(name) if is_run(Path(name)) else None
    if open_model(name, hub or Hub()).translates:
        return TranslatorPage(TranslatorStudio(name, hub, device), run).build()
    return Page(Studio(name, hub, device), run).build()
