"""The page of a translator: a picture is dropped, and shown as others that the model makes of it, and back again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import PIL.Image

from ggdr.explorer.commands import FOLDER, command_box, command_line, label_words
from ggdr.explorer.controls import errors_told, label_control, label_of, seed_control, visitor_inputs
from ggdr.explorer.look import dropped, heading, page_blocks, picture_box, tiles
from ggdr.explorer.pictures import SHOWN_PX, Downloads
from ggdr.explorer.run_tab import run_tab
from ggdr.explorer.studio import Followed
from ggdr.lazy import optional
from ggdr.ops.device import resolve_device
from ggdr.pipeline.noise import NOISES, Noise
from ggdr.pipeline.pictures import as_shown
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.view import Way
from ggdr.sampling.grid import save_png
from ggdr.saving.pretrained import open_model

with optional("explore", "the page needs"):
    import gradio as gr

TILE_PX = 1024
"""Longest side of pictures that are translated whole."""
OTHERS, MOST_CLASSES = 4, 12
"""Number of other seeds, and of classes, that are shown to choose from."""


class Wish(NamedTuple):
    """What a visitor wants made of a picture."""

    view: str
    label: Any = None
    """what the label's control holds; None: the model was trained without labels"""
    seed: int = 0
    style: str | None = None
    """file of the picture whose style is taken; None: what the model draws, if it draws"""
    strength: float = 1.0
    """how far to go towards that style, from the picture's own"""
    noise: Noise = "image"
    """for what one code is drawn"""


class TranslatorStudio(Followed[TranslationPipeline]):
    """A translator; safe to use from many threads."""

    lock = threading.RLock()

    def read(self) -> TranslationPipeline:
        pipeline = TranslationPipeline.of(open_model(self.name, self.hub)).to(resolve_device(self.device))
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def translate(self, picture: str | PIL.Image.Image, wish: Wish) -> PIL.Image.Image:
        """Return the picture that is made of a file or a picture; UserError if there is none such. One thread computes
        at a time.

        What the way does not take, of seed, style, strength and noise, is left out.
        """
        way = self.way(wish.view)
        style = wish.style if way.encode_style else None
        strength = wish.strength if style and way.own_code else None
        given = None if wish.label is None else label_of(wish.label)
        with self.lock:
            made: Any = self.model(
                picture,
                to=wish.view,
                labels=[*given] if isinstance(given, tuple) else given,
                seeds=wish.seed if self.drawn(wish) else None,
                style=style,
                strength=strength,
                tile=TILE_PX,
                noise=wish.noise if wish.noise in self.noises(wish.view) and style is None else "image",
            ).images
            return made[0]

    def noises(self, view: str) -> list[Noise]:
        """Return for what one code may be drawn in a way: the picture alone, if it takes none of places."""
        way = self.way(view)
        if not way.place_codes:
            return ["image"]
        return [each for each in NOISES if way.takes.classes or each != "segment"]

    def drawn(self, wish: Wish) -> bool:
        """Return whether other seeds make other pictures."""
        styled = wish.style is not None and self.way(wish.view).encode_style is not None
        return self.model.draws(wish.view) and (self.model.drops or not styled)

    def lacks_style(self, wish: Wish) -> bool:
        """Return whether nothing can be made before a style is given."""
        return wish.style is None and self.way(wish.view).needs_style

    def others(self, wish: Wish, first: int) -> list[tuple[Wish, str]]:
        """Return other wishes to choose from, with titles: other seeds from `first` on, or else the other classes."""
        if self.drawn(wish):
            return [(wish._replace(seed=first + more), str(first + more)) for more in range(OTHERS)]
        makes = self.way(wish.view).makes
        if not makes.labels or makes.label_ranges:
            return []
        names = makes.label_names or tuple(map(str, range(makes.labels)))
        return [(wish._replace(label=str(place)), name) for place, name in enumerate(names[:MOST_CLASSES])]

    def opposite(self, view: str) -> str | None:
        """Return another view, that leads back without a style being given; None if there is none."""
        there = self.model.views[view]
        others = [(name, each) for name, each in self.model.views.items() if name != view]
        back = (name for name, each in others if (each.source, each.target) == (there.target, there.source))
        return next((name for name in back if not self.way(name).needs_style), None)

    def way(self, view: str) -> Way:
        """Return what a view takes and makes."""
        way = self.model.views[view].way
        assert way is not None
        return way


class TranslatorPage:
    """The web page of a translator, or of its run."""

    def __init__(self, studio: TranslatorStudio, run: Path | None = None):
        """Build the page of a studio; `run`: a run's folder to watch too."""
        self.studio, self.run, self.downloads = studio, run, Downloads()

    def build(self) -> gr.Blocks:
        """Build all of the page, and connect its parts."""
        with page_blocks(self.studio.name) as page:
            heading(page, Path(self.studio.name).name or self.studio.name, self.about())
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
        first = gr.State(0)
        with gr.Row(equal_height=False):
            with gr.Column(scale=1, min_width=280):
                given = dropped("given", self.given_title(views[0]))
                coloured = picture_box("coloured", "the map, in a colour for each class", titled=True)
                view = gr.Radio(
                    views, value=views[0], label="which way", info="What is to be made of what.", elem_id="view",
                    visible=len(views) > 1,
                )  # fmt: skip
                label = label_control(self.studio.way(views[0]).makes)
                with gr.Group() as styled:
                    style = dropped("style", "drop a picture whose style is taken")
                    strength = gr.Slider(
                        0, 1, 1, step=0.05, label="strength", elem_id="strength",
                        info="0: the picture's own style, 1: that of the other picture.",
                    )  # fmt: skip
                noises = self.studio.noises(views[0])
                noise = gr.Radio(
                    noises, value="image", label="a code for each", elem_id="noise", visible=len(noises) > 1,
                    info="What is drawn is drawn once for the picture, for each region of a class, or for each pixel.",
                )  # fmt: skip
                seed, drawn = seed_control(first)
            with gr.Column(scale=1, min_width=280):
                made = picture_box("made", views[0], titled=True)
                save = gr.DownloadButton("Download PNG", elem_id="save", interactive=False)
                others = tiles("others", "others to choose from", visible=False)
                back = picture_box("back", "and back again", titled=True)
                command = command_box("command", "this very picture of your file, in the folder images", visible=False)
        shown_parts: list[Any] = [styled, strength, drawn, back, coloured]
        for part, visible in zip(shown_parts, self.possible(views[0]), strict=True):
            part.visible = visible
        controls: list[Any] = [given, view, label, seed, style, strength, noise]
        for each in visitor_inputs(controls):
            each.change(
                self.render, controls, [made, save, back, drawn, command], show_progress="minimal",
                trigger_mode="always_last",
            ).then(self.choices, [first, *controls], [others], show_progress="hidden")  # fmt: skip
        given.change(self.map_colours, [given, view], [coloured], show_progress="hidden")
        view.change(self.noise_control, [view], [noise])
        view.change(lambda name: gr.update(label=self.given_title(name)), [view], [given])
        view.change(lambda name: [gr.update(visible=each) for each in self.possible(name)], [view], shown_parts)
        others.select(self.choose, [first, *controls], [seed, label])

    def given_title(self, view: str) -> str:
        """Return what is to be dropped for a way."""
        classes = self.studio.way(view).takes.classes
        return f"drop a label map: a PNG of class numbers, 0 to {classes - 1}" if classes else "drop a picture"

    def map_colours(self, given: str | None, view: str) -> PIL.Image.Image | None:
        """Return a dropped label map, whose numbers look almost black, in colours; None of other pictures."""
        takes = self.studio.way(view).takes
        if given is None or not takes.classes:
            return None
        with errors_told():
            return enlarged(as_shown(given, takes))

    def noise_control(self, view: str) -> Any:
        """Return the choices of what a code is drawn for, which are shown where there are several."""
        noises = self.studio.noises(view)
        return gr.update(choices=noises, value="image", visible=len(noises) > 1)

    def possible(self, view: str) -> list[bool]:
        """Return whether a way takes styles, and with a strength, draws, has a way back, and takes label maps."""
        way = self.studio.way(view)
        styles = way.encode_style is not None
        return [
            styles,
            styles and way.own_code is not None,
            self.studio.model.draws(view),
            self.studio.opposite(view) is not None,
            self.studio.way(view).takes.classes > 0,
        ]

    def render(self, given: str | None, *asked: Any) -> list[Any]:
        """Return the picture made, its file, what becomes of it on the way back, whether seeds matter, and a command.

        There is nothing without a picture, or without a style where the model needs one.
        """
        wish = wish_of(*asked)
        view, opposite = wish.view, self.studio.opposite(wish.view)
        seeds = gr.update(visible=self.studio.drawn(wish))
        if given is None or self.studio.lacks_style(wish):
            title = view if given is None else f"{view}: drop a style"
            return [
                gr.update(value=None, label=title),
                gr.update(value=None, interactive=False),
                gr.update(value=None),
                seeds,
                gr.update(visible=False),
            ]
        with errors_told():
            made = self.studio.translate(given, wish)
            back = self.studio.translate(made, Wish(opposite, wish.label, wish.seed)) if opposite else None
        file = self.downloads.place(f"{view}.png")
        save_png(made, file)
        return [
            gr.update(value=enlarged(made), label=view),
            gr.update(value=str(file), interactive=True),
            gr.update(value=back and enlarged(back), visible=back is not None),
            seeds,
            gr.update(value=self.command(given, wish), visible=True),
        ]

    def command(self, given: str, wish: Wish) -> str:
        """Return the command line that makes the same picture of the visitor's files."""
        way = self.studio.way(wish.view)
        words = [Path(given).name, "--view", wish.view]
        words += label_words(way.makes, None if wish.label is None else label_of(wish.label))
        words += ["--seeds", str(wish.seed)] if self.studio.drawn(wish) else []
        if wish.style is not None and way.encode_style:
            words += ["--style", Path(wish.style).name]
            words += ["--strength", str(wish.strength)] if way.own_code and wish.strength < 1 else []
        elif wish.noise != "image" and wish.noise in self.studio.noises(wish.view):
            words += ["--noise", wish.noise]
        return command_line("translate", self.studio, *words, "--out", FOLDER)

    def choices(self, first: int, given: str | None, *asked: Any) -> Any:
        """Return the gallery of what other seeds, or classes, make of the picture."""
        wish = wish_of(*asked)
        if given is None or self.studio.lacks_style(wish):
            return gr.update(value=None, visible=False)
        with errors_told():
            made = [
                (enlarged(self.studio.translate(given, each), 128), title)
                for each, title in self.studio.others(wish, first)
            ]
        return gr.update(value=made, visible=bool(made))

    def choose(self, first: int, given: str | None, event: gr.SelectData, *asked: Any) -> list[Any]:
        """Return the seed and the label of the other that was clicked."""
        wish = wish_of(*asked)
        chosen, _ = self.studio.others(wish, first)[event.index]
        return [chosen.seed, chosen.label]


def wish_of(
    view: str,
    label: Any,
    seed: float | None,
    style: str | None,
    strength: float | None,
    noise: Noise = "image",
) -> Wish:
    """Return what the controls ask for."""
    return Wish(view, label, int(seed or 0), style, 1.0 if strength is None else strength, noise or "image")


def enlarged(picture: PIL.Image.Image, least: int = SHOWN_PX) -> PIL.Image.Image:
    """Return a small picture larger by a whole factor, its pixels as squares; a large one as it is."""
    times = max(1, least // max(picture.size))
    return picture.resize((picture.width * times, picture.height * times), PIL.Image.Resampling.NEAREST)
