"""A tab that looks for the image nearest to a visitor's own picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from ggdr.explorer.commands import command_box, command_line, label_words
from ggdr.explorer.controls import Controls, errors_told, settings_of
from ggdr.explorer.jobs import Job, JobControls, Jobs, Report
from ggdr.explorer.look import dropped, picture_box
from ggdr.explorer.pictures import Downloads, to_picture
from ggdr.explorer.studio import ImageSettings, Model, Studio
from ggdr.explorer.tabs import Offer
from ggdr.formatting import significant
from ggdr.latent.projection import Projection, Search, Space, project
from ggdr.latent.targets import open_picture, targets_of
from ggdr.lazy import optional
from ggdr.registry import Capability
from ggdr.sampling.grid import to_uint8

with optional("explore", "the page needs"):
    import gradio as gr

WORDS = (
    "Drop a picture of what this model makes, and the code is looked for whose image is nearest to it, pixel by pixel."
    " It is cropped about its centre to the model's size; it goes to the machine that serves this page, no further."
)
SPACES = "w: one style for all layers, an image that the model might draw; w+: one for each, which comes nearer."
SHOWN_EVERY = 10
"""Steps from one picture of the search to the next."""


class ProjectionTab:
    """The tab of a visitor's own picture."""

    def __init__(self, studio: Studio, downloads: Downloads, jobs: Jobs):
        self.studio, self.downloads, self.jobs = studio, downloads, jobs

    def build(self, controls: Controls) -> None:
        """Add the tab to the page."""
        styled = Capability.WS in self.studio.model.generator.config.provides
        with gr.Tab("Your picture"):
            gr.Markdown(WORDS)
            with gr.Row(equal_height=True):
                given = dropped("yours", "drop a picture", 150)
                found = picture_box("found", "the nearest image", titled=True, least_px=150)
            space = gr.Radio(
                ["w", "w+"], value="w", label="space", info=SPACES, elem_id="space"
            ) if styled else gr.State(None)  # fmt: skip
            steps = gr.Slider(50, 1000, 300, step=50, label="steps", info="More come nearer.", elem_id="steps")
            self.progress = JobControls.build("projection", "Look for it")
            self.offer = Offer.build("found", visible=False)
            command = command_box("projection-command", "the same search with your file", visible=False)
        outputs = [*self.progress.outputs(), found, *self.offer, command]
        self.progress.start.click(
            self.search, [given, space, steps, *controls], outputs, show_progress="hidden", concurrency_limit=1
        )
        self.progress.stoppable(self.jobs)

    def search(
        self, request: gr.Request, given: str | None, space: Space | None, steps: float, *asked: Any
    ) -> Iterator[list[Any]]:
        """Yield how far the search is, with its image, and at last what was found with the commands that find it."""
        if given is None:
            raise gr.Error("there is no picture; drop one first.", print_exception=False)
        model, settings = self.studio.model, settings_of(*asked)
        nothing = [gr.skip()] * 4
        with errors_told():
            how = Search(space=space, steps=int(steps))
            job = Job(lambda job: look_for(model, settings, given, how, job))
            for report in self.jobs.follow(request.session_hash, "projection", job):
                image = gr.skip() if report.more is None else to_picture(report.more)
                yield [*self.progress.working(report, "steps"), image, *nothing]
        if job.result is None:
            yield [*self.progress.ended("Stopped."), gr.skip(), *nothing]
            return
        found, name = job.result, Path(given).stem
        words = [Path(given).name, *([] if space is None else ["--space", space]), "--steps", how.steps]
        words += label_words(model.generator.spec, settings.label)
        line = command_line("project", self.studio, *words, "--out", "projected")
        start, now = significant(float(found.start)), significant(float(found.distance))
        nearer = f"Squared distance of pixels: {start} at the start, {now} now."
        values = self.offer.values(self.studio, self.downloads, model, found.codes, name)
        yield [
            *self.progress.ended(nearer),
            to_picture(to_uint8(found.images)[0]),
            *(gr.update(value=each, visible=True) for each in [*values, line]),
        ]


def look_for(model: Model, settings: ImageSettings, file: str, how: Search, job: Job[Projection]) -> Projection:
    """Look for the code of the picture in a file; others compute between the steps."""

    def watch(step: int, images: Tensor, distances: Tensor) -> None:
        """Say how far it is, and let others compute."""
        job.report(Report(step, how.steps, to_uint8(images)[0].cpu() if step % SHOWN_EVERY == 0 else None))
        model.give_way()

    targets = targets_of(open_picture(Path(file)), model.generator.spec)
    with model.lock:
        return project(model.generator, targets, how, labels=model.labels(settings), watch=watch)
