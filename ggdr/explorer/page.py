"""The explorer's page: a current image with its controls, and tabs that show other views of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import PIL.Image

from ggdr.explorer import inside
from ggdr.explorer.commands import command_box, command_line, generate_words
from ggdr.explorer.controls import Controls, errors_told, image_controls, settings_of, visitor_inputs
from ggdr.explorer.film_tab import FilmTab
from ggdr.explorer.jobs import Jobs
from ggdr.explorer.look import heading, page_blocks, picture_box
from ggdr.explorer.pictures import Downloads, to_picture
from ggdr.explorer.projection_tab import ProjectionTab
from ggdr.explorer.run_tab import run_tab
from ggdr.explorer.studio import Studio
from ggdr.explorer.tabs import Tab, edit_tab, inside_tab, mix_tab, seeds_tab
from ggdr.lazy import optional
from ggdr.registry import Capability
from ggdr.sampling.labels import describe_labels

with optional("explore", "the page needs"):
    import gradio as gr

CHANNELS = {1: "gray", 3: "RGB", 4: "RGBA"}


class Current(NamedTuple):
    """The current image, and what a visitor takes home of it."""

    image: gr.Image
    save: gr.DownloadButton
    command: gr.Textbox


class Page:
    """The web page of a model, or of a run."""

    def __init__(self, studio: Studio, run: Path | None = None):
        """Build the page of a studio; `run`: a run's folder to watch too."""
        self.studio, self.run, self.downloads, self.jobs = studio, run, Downloads(), Jobs()
        self.provides = studio.model.generator.config.provides

    def build(self) -> gr.Blocks:
        """Build all of the page, and connect its parts."""
        with page_blocks(self.studio.name) as page:
            heading(page, Path(self.studio.name).name or self.studio.name, self.about())
            with gr.Row(equal_height=False):
                with gr.Column(scale=2, min_width=280):
                    current, controls = self.current()
                with gr.Column(scale=3, min_width=280):
                    point = gr.State(None)
                    tabs = self.tabs(controls, point)
            self.wire(page, current, controls, tabs)
            self.follow_clicks(current.image, controls, tabs, point)
            page.unload(self.leave)
        return page

    def about(self) -> str:
        """Describe the model in a line."""
        spec, name = self.studio.model.generator.spec, self.studio.model.generator.config.name
        kind = "numbers as label" if spec.label_ranges else "classes"
        names = f" ({describe_labels(spec)})" if spec.label_names else ""
        labels = f", {spec.labels} {kind}{names}" if spec.labels else ""
        channels = CHANNELS.get(spec.channels, f"{spec.channels} channels")
        return f"`{name}`, {spec.height} x {spec.width} px, {channels}{labels}"

    def current(self) -> tuple[Current, Controls]:
        """Return the image with what is taken home of it, and its controls."""
        image = picture_box("current", "the current image")
        controls = image_controls(self.studio.model.generator.spec, self.provides)
        save = gr.DownloadButton("Download PNG", elem_id="save")
        return Current(image, save, command_box("command", "this very image, in the folder images")), controls

    def tabs(self, controls: Controls, point: gr.State) -> list[Tab]:
        """Return the tabs that the model supports."""
        made = [seeds_tab(self.studio, controls)]
        if Capability.WS in self.provides:
            made.append(mix_tab(self.studio, self.downloads))
        if Capability.INPUT_MATRICES in self.provides:
            made.append(edit_tab(self.studio, self.downloads))
        if inside.can_inspect(self.studio.model):
            made.append(inside_tab(self.studio, point))
        FilmTab(self.studio, self.downloads, self.jobs).build(controls)
        ProjectionTab(self.studio, self.downloads, self.jobs).build(controls)
        if self.run is not None:
            run_tab(self.studio, self.run)
        return made

    def render(self, *asked: Any) -> list[Any]:
        """Return the current image, its file and the command that makes it, as the controls ask."""
        settings, spec = settings_of(*asked), self.studio.model.generator.spec
        name = f"seed{settings.seed:04}"
        with errors_told():
            image = self.studio.model.image(settings)
        line = command_line("generate", self.studio, *generate_words(spec, settings))
        return [to_picture(image), self.downloads.save_image(image, name), line]

    def leave(self, request: gr.Request) -> None:
        """End what a visitor left behind."""
        self.jobs.leave(request.session_hash)

    def wire(self, page: gr.Blocks, current: Current, controls: Controls, tabs: list[Tab]) -> None:
        """Connect controls to the image and the open tab; a tab is drawn when it is opened, or its inputs change."""
        active = gr.State(0)
        inputs = [active, *controls, *(each for tab in tabs for each in tab.inputs)]
        everything = [output for tab in tabs for output in tab.outputs]

        def draw(place: int, *asked: Any) -> list[Any]:
            """Values for all tabs' outputs, of which those of the open one are new."""
            values, rest = [], list(asked[len(controls) :])
            for number, tab in enumerate(tabs):
                own, rest = rest[: len(tab.inputs)], rest[len(tab.inputs) :]
                with errors_told():
                    fresh = number == place
                    values += tab.render(settings_of(*asked[: len(controls)]), *own) if fresh else tab.skip()
            return values

        # The image answers at once; what the open tab shows of it may take longer.
        page.load(self.render, [*controls], [*current]).then(draw, inputs, everything)
        for control in visitor_inputs(controls):
            control.change(
                self.render, [*controls], [*current], show_progress="hidden", trigger_mode="always_last"
            ).then(draw, inputs, everything, show_progress="hidden")
        for number, tab in enumerate(tabs):
            tab.tab.select(lambda number=number: number, None, [active]).then(draw, inputs, everything)
            for each in visitor_inputs(tab.inputs):
                each.change(draw, inputs, everything, show_progress="hidden", trigger_mode="always_last")

    def follow_clicks(self, image: gr.Image, controls: Controls, tabs: list[Tab], point: gr.State) -> None:
        """Make a click in the image set the point that is inspected."""
        reading = [tab for tab in tabs if point in tab.inputs]
        clicked = image.select(clicked_point, [image], [point])
        for tab in reading:
            clicked.then(
                lambda where, *asked, tab=tab: tab.render(settings_of(*asked), where), [point, *controls], tab.outputs
            )


def clicked_point(image: Any, event: gr.SelectData) -> tuple[float, float]:
    """Return the point that was clicked, as shares of width and height."""
    across, down = event.index
    picture = image if isinstance(image, PIL.Image.Image) else PIL.Image.fromarray(image)
    return min(across / picture.width, 0.999), min(down / picture.height, 0.999)
