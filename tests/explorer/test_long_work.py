"""Films and projections of the explorer: they say how far they are, can be stopped, disturb nobody, and are repeated
by the commands that the page prints."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

import av
import numpy as np
import pytest
import tiny
import torch
from browsing import browsing, open_tab, source
from PIL import Image
from tiny import moved
from translator_runs import photo

from ggdr.explorer.film_tab import FilmTab, throw
from ggdr.explorer.jobs import Job, Jobs, Report, Stopped
from ggdr.explorer.page import Page, gr
from ggdr.explorer.pictures import Downloads
from ggdr.explorer.projection_tab import ProjectionTab
from ggdr.explorer.studio import ImageSettings, Studio
from ggdr.latent.codes import load_codes
from ggdr.networks.base import ImageSpec
from ggdr.verbs.generate import main as generate
from ggdr.verbs.project import main as project
from ggdr.verbs.video import main as video

CALM = (3, 0.7, None, "const")
"""what the controls hold"""


@pytest.fixture
def studio(tmp_path, monkeypatch):
    """A model on disk, from where commands are run."""
    monkeypatch.chdir(tmp_path)
    moved(tiny.STYLEGAN2.build(ImageSpec(16, 16))).save_pretrained("cats")
    photo(20, 16).save("photo.png")
    return Studio("cats")


def built(kind, studio: Studio):
    """A tab on a page."""
    made = kind(studio, Downloads(), Jobs())
    with gr.Blocks():
        made.build(Page(studio).current()[1])
    return made


def visitor(name: str = "a") -> gr.Request:
    return gr.Request(session_hash=name)


def frames(file: str | Path) -> np.ndarray:
    with av.open(str(file)) as film:
        return np.stack([each.to_ndarray(format="rgb24") for each in film.decode(video=0)])


def run(verb, line: str) -> None:
    verb(shlex.split(line)[2:])


# -------------------------------------------------------------------------------------------------------------- jobs


def test_a_job_yields_its_newest_report_and_keeps_its_result():
    def work(job: Job[str]) -> str:
        for number in range(100):
            job.report(Report(number, 100))
        return "done"

    job = Job(work)
    reports = list(job)
    assert reports[-1].done == 99 and len(reports) < 100 and job.result == "done"


def test_a_job_that_is_stopped_ends_at_its_next_report_without_a_result():
    job = Job(lambda job: [job.report(Report(number, 10**9)) for number in range(10**9)])
    jobs = Jobs()
    for _ in jobs.follow("a", "film", job):
        jobs.stop("b", "film")
        jobs.stop("a", "projection")
        assert not job.stopping.is_set()
        jobs.leave("a")
    assert job.result is None and job.error is None and not job.thread.is_alive() and jobs.running == {}


def test_a_visitor_who_starts_again_or_goes_away_leaves_no_work_behind():
    def endless() -> Job[None]:
        return Job(lambda job: [job.report(Report(0, 1)) for _ in iter(int, 1)] and None)

    jobs, first, second = Jobs(), endless(), endless()
    waiting = jobs.follow("a", "film", first)
    next(waiting)
    again = jobs.follow("a", "film", second)
    next(again)
    assert first.stopping.is_set() and list(waiting) is not None and not first.thread.is_alive()
    again.close()
    assert not second.thread.is_alive() and jobs.running == {}


def test_what_goes_wrong_in_a_job_is_raised_where_the_visitor_waits():
    def work(job: Job[None]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Job(work))
    with pytest.raises(Stopped):
        job = Job(work)
        job.stop()
        job.report(Report(0, 1))


# -------------------------------------------------------------------------------------------------------------- film


def test_a_film_is_the_one_that_its_command_makes(studio):
    tab = built(FilmTab, studio)
    *during, last = tab.make(visitor(), "3,9", 0.5, "slerp", *CALM)
    _, bar, film, line = last
    assert "of 30 frames" in during[0][1]["value"] and not bar["visible"]
    run(video, line["value"])
    assert np.array_equal(frames("walk.mp4"), frames(film["value"])) and len(frames("walk.mp4")) == 30


def test_a_film_that_is_too_long_or_nonsense_is_one_sentence(studio):
    tab = built(FilmTab, studio)
    for text, wrong in (("0-99", "give fewer"), ("0,x", "numbers and ranges"), ("4", "2 seeds or more")):
        with pytest.raises(gr.Error, match=wrong):
            list(tab.make(visitor(), text, 1.0, "spline", *CALM))


def test_dice_are_thrown_for_seeds_beside_the_current_one():
    seeds = throw(7).split(",")
    assert seeds[0] == "7" and len(set(seeds)) == 4 and throw(7) != throw(7)


# -------------------------------------------------------------------------------------------------------- projection


def test_a_projection_is_the_one_that_its_command_makes(studio):
    tab = built(ProjectionTab, studio)
    *during, last = tab.search(visitor(), "photo.png", "w+", 50, *CALM)
    _, said, image, png, code, of_code, line = last
    assert any("of 50 steps" in each[1]["value"] for each in during) and "now" in said["value"]
    assert image.size[0] >= 384
    run(project, line["value"] + " --video none")
    own, there = (
        load_codes(Path(each), studio.model.generator) for each in ("projected/photo.safetensors", code["value"])
    )
    assert torch.equal(own.points, there.points) and all(torch.equal(own.noise[k], there.noise[k]) for k in there.noise)
    Path("photo.safetensors").write_bytes(Path(code["value"]).read_bytes())
    run(generate, of_code["value"])
    assert np.array_equal(np.asarray(Image.open("images/photo.png")), np.asarray(Image.open(png["value"])))


def test_a_projection_needs_a_picture_that_can_be_read(studio):
    tab = built(ProjectionTab, studio)
    with pytest.raises(gr.Error, match="drop one first"):
        list(tab.search(visitor(), None, "w", 50, *CALM))
    Path("text.png").write_text("no picture")
    with pytest.raises(gr.Error, match="no image that can be read"):
        list(tab.search(visitor(), "text.png", "w", 50, *CALM))


def test_a_projection_that_is_stopped_says_so(studio):
    tab = built(ProjectionTab, studio)
    search = tab.search(visitor(), "photo.png", "w", 1000, *CALM)
    next(search)
    tab.jobs.stop("a", "projection")
    *_, last = search
    assert last[1]["value"] == "<div>Stopped.</div>" and last[2] == gr.skip()


def test_visitors_have_their_images_while_others_project_and_neither_changes_the_other(studio):
    tab = built(ProjectionTab, studio)
    *_, calm = tab.search(visitor(), "photo.png", "w", 50, *CALM)
    looks = [ImageSettings(seed, 0.5, None, "random") for seed in range(6)]
    alone = [studio.model.draw(look) for look in looks]
    found, ended = [], threading.Event()

    def look() -> None:
        for each in looks:
            found.append((studio.model.image(each), ended.is_set()))

    search = tab.search(visitor(), "photo.png", "w", 50, *CALM)
    next(search)
    other = threading.Thread(target=look)
    other.start()
    *_, last = search
    ended.set()
    other.join()
    assert all(torch.equal(image, expected) for (image, _), expected in zip(found, alone, strict=True))
    assert not found[0][1]  # nobody waited for the end
    codes = [load_codes(Path(each[4]["value"]), studio.model.generator) for each in (calm, last)]
    assert torch.equal(codes[0].points, codes[1].points)


# -------------------------------------------------------------------------------------------------------------- page


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_film_and_a_projection_are_made_and_stopped_in_a_browser(studio, width):
    with browsing(Page(studio).build(), width) as (view, complaints):
        open_tab(view, "Film")
        view.locator("#film-start").click()
        view.wait_for_selector("#film video")
        assert "ggdr video cats --seeds 0-3" in view.locator("#film-command textarea").input_value()
        open_tab(view, "Your picture")
        view.locator("#yours input[type=file]").set_input_files("photo.png")
        view.locator("#steps input[type=number]").fill("1000")
        view.locator("#steps input[type=number]").press("Tab")
        view.wait_for_selector("#yours img")
        view.locator("#projection-start").click()
        view.wait_for_selector("#found img")
        view.locator("#projection-stop").click()
        view.get_by_text("Stopped.").wait_for()
        assert source(view, "#found") and not view.locator("#found-code").is_visible()
        view.locator("#steps input[type=number]").fill("50")
        view.locator("#steps input[type=number]").press("Tab")
        view.wait_for_timeout(500)
        view.locator("#projection-start").click()
        view.locator("#found-code").wait_for()
        assert "--steps 50" in view.locator("#projection-command textarea").input_value()
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert not complaints
