"""A tab with a film of a walk from seed to seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from ggdr.errors import UserError
from ggdr.explorer.commands import command_box, command_line, view_words
from ggdr.explorer.controls import SEEDS, Controls, dice_button, errors_told, settings_of
from ggdr.explorer.jobs import Job, JobControls, Jobs, Report
from ggdr.explorer.pictures import Downloads
from ggdr.explorer.studio import ImageSettings, Model, Studio
from ggdr.flags.ranges import parse_ranges
from ggdr.latent.walks import Curve, walk
from ggdr.lazy import optional
from ggdr.visualization.film import save_film, walk_frames

with optional("explore", "the page needs"):
    import gradio as gr

FPS, MOST_FRAMES, PASSED = 30, 1800, 4
"""Frames a second, most frames of a film, and seeds that dice are thrown for."""
WORDS = "A walk from seed to seed and back to the first, past all the images that lie between them."
CURVES = "spline: one smooth curve through all of them; slerp: the shortest way from each to the next."


class FilmTab:
    """The tab of films, under the psi and the class of the current image."""

    def __init__(self, studio: Studio, downloads: Downloads, jobs: Jobs):
        self.studio, self.downloads, self.jobs = studio, downloads, jobs

    def build(self, controls: Controls) -> None:
        """Add the tab to the page."""
        with gr.Tab("Film"):
            gr.Markdown(WORDS)
            with gr.Row(elem_classes="beside"):
                info = "Those that it passes: numbers and ranges, such as 0-3,100."
                seeds = gr.Textbox("0-3", label="seeds", info=info, elem_id="passed", min_width=140, scale=3)
                dice = dice_button("passed-dice")
            seconds = gr.Slider(0.5, 5, 1, step=0.5, label="seconds from each seed to the next", elem_id="seconds")
            curve = gr.Radio(["spline", "slerp"], value="spline", label="curve", info=CURVES, elem_id="curve")
            self.progress = JobControls.build("film", "Make the film")
            film = gr.Video(
                label="the walk", interactive=False, loop=True, elem_id="film", visible=False, buttons=["download"]
            )
            command = command_box("film-command", "this very film", visible=False)
        dice.click(throw, [controls.seed], [seeds])
        outputs = [*self.progress.outputs(), film, command]
        self.progress.start.click(
            self.make, [seeds, seconds, curve, *controls], outputs, show_progress="hidden", concurrency_limit=1
        )
        self.progress.stoppable(self.jobs)

    def make(self, request: gr.Request, passed: str, seconds: float, curve: Curve, *asked: Any) -> Iterator[list[Any]]:
        """Yield how far the film is, and at last the film with the command that makes it."""
        settings, file = settings_of(*asked), self.downloads.place("walk.mp4")
        with errors_told():
            seeds, steps = parse_ranges("seeds", passed), round(seconds * FPS)
            if len(seeds) * steps > MOST_FRAMES:
                raise UserError(
                    f"{len(seeds)} seeds and {seconds:g} seconds to each are more than {MOST_FRAMES // FPS} seconds;"
                    " give fewer, or make a longer film by `ggdr video`."
                )
            job = Job(lambda job: shoot(self.studio.model, settings, seeds, steps, curve, file, job))
            for report in self.jobs.follow(request.session_hash, "film", job):
                yield [*self.progress.working(report, "frames"), gr.skip(), gr.skip()]
        if job.result is None:
            yield [*self.progress.ended("Stopped."), gr.skip(), gr.skip()]
            return
        words = ["--seeds", passed, "--seconds", seconds, "--curve", curve]
        words += view_words(self.studio.model.generator.spec, settings)
        line = command_line("video", self.studio, *words, "--out", "walk.mp4")
        yield [*self.progress.ended(), gr.update(value=str(file), visible=True), gr.update(value=line, visible=True)]


def shoot(
    model: Model, settings: ImageSettings, seeds: list[int], steps: int, curve: Curve, file: Path, job: Job[int]
) -> int:
    """Write the film of a walk, and return the number of its frames; others compute between its passes."""
    count = len(seeds)
    with model.lock:
        rows, modes = model.rows(settings, count), model.modes(settings)
        codes = walk(model.generator, seeds, steps, labels=rows, view=settings.view, modes=modes, curve=curve)

    def frames() -> Iterator[Tensor]:
        """Each frame, made while the model's lock is held."""
        made = walk_frames(model.generator, [[codes]])
        for number in range(len(codes.points)):
            with model.lock:
                frame = next(made)
            job.report(Report(number, len(codes.points)))
            yield frame

    return save_film(frames(), file, FPS)


def throw(seed: float | None) -> str:
    """Return the current seed and others, as a text."""
    return ",".join(map(str, [int(seed or 0), *random.sample(range(SEEDS), PASSED - 1)]))
