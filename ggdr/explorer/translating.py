"""The page of a translator: a picture is dropped, and shown as one of the other domain, and back again."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

import PIL.Image

from ggdr.errors import UserError
from ggdr.explorer.page import label_control, label_of
from ggdr.explorer.pictures import SHOWN_PX
from ggdr.explorer.run_tab import run_tab
from ggdr.explorer.studio import Followed
from ggdr.layers.dropout import Dropout
from ggdr.lazy import optional
from ggdr.networks.base.module import Network, Translator
from ggdr.ops.device import resolve_device
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.view import Way
from ggdr.sampling.grid import save_png
from ggdr.saving.pretrained import open_model

with optional("explore", "the page needs"):
    import gradio as gr

TILE_PX = 1024
"""Longest side of pictures that are translated whole."""


class TranslatorStudio(Followed[TranslationPipeline]):
    """A translator; safe to use from many threads."""

    lock = threading.RLock()

    def read(self) -> TranslationPipeline:
        pipeline = TranslationPipeline.of(open_model(self.name, self.hub)).to(resolve_device(self.device))
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def translate(self, picture: PIL.Image.Image, view: str, label: Any, seed: int) -> PIL.Image.Image:
        """Return the picture that a view makes; UserError if it makes none. One thread computes at a time."""
        with self.lock:
            given = None if label is None else label_of(label)
            labels = [*given] if isinstance(given, tuple) else given
            seeds = [seed] if self.model.draws(view) else None
            made: Any = self.model(picture, to=view, labels=labels, seeds=seeds, tile=TILE_PX).images
            return made[0]

    def opposite(self, view: str) -> str | None:
        """Return the view that leads back; None if there is none."""
        there = self.model.views[view]
        back = (n for n, each in self.model.views.items() if (each.source, each.target) == (there.target, there.source))
        return next(back, None)

    def way(self, view: str) -> Way:
        """Return what a view takes and makes."""
        way = self.model.views[view].way
        assert way is not None
        return way


class TranslatorPage:
    """The web page of a translator, or of its run."""

    def __init__(self, studio: TranslatorStudio, run: Path | None = None):
        """Build the page of a studio; `run`: a run's folder to watch too."""
        self.studio, self.run = studio, run

    def build(self) -> gr.Blocks:
        """Build all of the page, and connect its parts."""
        with gr.Blocks(title=f"ggdr: {self.studio.name}", analytics_enabled=False) as page:
            gr.Markdown(f"## {Path(self.studio.name).name or self.studio.name}\n{self.about()}")
            if self.run is None:
                self.translation()
            else:
                with gr.Tab("Translate"):
                    self.translation()
                run_tab(self.studio, self.run)
        return page

    def about(self) -> str:
        """Describe the model in a line."""
        pipeline = self.studio.model
        names = dict.fromkeys(network.config.name for network in pipeline.networks().values())
        takes = self.studio.way(next(iter(pipeline.views))).takes
        return f"`{'`, `'.join(names)}`, learned at {takes.height} x {takes.width} px; takes pictures of any size"

    def translation(self) -> None:
        """Add the picture that is dropped, what is made of it, and what is made of that on the way back."""
        views = list(self.studio.model.views)
        drawn = any(map(draws, self.studio.model.networks().values()))
        with gr.Row(equal_height=False):
            with gr.Column(scale=1, min_width=300):
                given = gr.Image(
                    label="drop a picture", type="pil", image_mode=None, sources=["upload", "clipboard"],
                    elem_id="given", elem_classes="pixels", format="png",
                )  # fmt: skip
                several = len(views) > 1
                view = gr.Radio(views, value=views[0], label="which way", elem_id="view", visible=several)
                label = label_control(self.studio.way(views[0]).makes)
                seed = gr.Number(0, label="seed", precision=0, minimum=0, elem_id="seed", visible=drawn)
            with gr.Column(scale=1, min_width=300):
                made = self.shown("made", views[0])
                save = gr.DownloadButton("Download PNG", elem_id="save", interactive=False)
                back = self.shown("back", "and back again")
                back.visible = self.studio.opposite(views[0]) is not None
        controls: list[Any] = [given, view, label, seed]
        for each in (each for each in controls if not isinstance(each, gr.State)):
            each.change(self.render, controls, [made, save, back], show_progress="minimal", trigger_mode="always_last")

    def shown(self, name: str, title: str) -> gr.Image:
        """Return a picture that visitors do not change."""
        return gr.Image(label=title, interactive=False, format="png", elem_id=name, elem_classes="pixels", buttons=[])

    def render(self, given: PIL.Image.Image | None, view: str, label: Any, seed: float | None) -> list[Any]:
        """Return the picture made, its file, and what becomes of it on the way back; nothing without a picture."""
        opposite = self.studio.opposite(view)
        if given is None:
            return [gr.update(value=None, label=view), gr.update(value=None, interactive=False), gr.update(value=None)]
        try:
            made = self.studio.translate(given, view, label, int(seed or 0))
            back = self.studio.translate(made, opposite, label, int(seed or 0)) if opposite else None
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None
        file = Path(tempfile.mkdtemp(prefix="ggdr-")) / f"{view}.png"
        save_png(made, file)
        return [
            gr.update(value=enlarged(made), label=view),
            gr.update(value=str(file), interactive=True),
            gr.update(value=back and enlarged(back), visible=back is not None),
        ]


def draws(network: Network) -> bool:
    """Return whether what a network makes of a picture depends on what it draws: a code, or what dropout drops."""
    codes = isinstance(network, Translator) and network.z_dim > 0
    return codes or any(isinstance(module, Dropout) and module.at_test for module in network.modules())


def enlarged(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return a small picture larger by a whole factor, its pixels as squares; a large one as it is."""
    times = max(1, SHOWN_PX // max(picture.size))
    return picture.resize((picture.width * times, picture.height * times), PIL.Image.Resampling.NEAREST)
