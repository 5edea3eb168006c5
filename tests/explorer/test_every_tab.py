"""Every tab of the explorer's pages, on desks and phones, light and dark: nothing sticks out, and all can be read."""

from __future__ import annotations

import pytest
import tiny
from browsing import BROWSER, browsing, open_tab
from translator_runs import photo, trained

from ggdr.explorer.opening import page_of
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer

SHOWN = {
    "Seeds": "#seeds img",
    "Mix": "#mixed img",
    "Edit": "#edited img",
    "Inside": "#likeness img",
    "Film": "#film-start",
    "Your picture": "#yours",
    "Run": "#grid img",
}
"""a tab of the page of a generator's run -> what it shows"""
OPTIONS = {"resultTypes": ["violations"], "preload": False}
FAULTS = ("critical", "serious")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A generator's run and a translator's, and a picture."""
    if BROWSER is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    root = tmp_path_factory.mktemp("tabs")
    with Trainer(tiny.tiny_run(tiny.recipe, root / "noise")) as trainer:
        train_loop(trainer)
    trained("unpaired", root / "pictures")
    photo(40, 24).save(root / "photo.png")
    return root


def faults(view) -> list[str]:
    """What axe-core finds on the page as it is now, of what keeps people from using it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    found = axe.Axe().run(view, options=OPTIONS).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for each in found
        if each["impact"] in FAULTS
        for node in each["nodes"]
    ]


def empty_rows(view) -> list[str]:
    """Galleries that end more than a line below the last of their pictures."""
    return view.evaluate(
        """() => [...document.querySelectorAll(".tiles")].filter((gallery) => {
             const pictures = [...gallery.querySelectorAll("img")].map((each) => each.getBoundingClientRect().bottom);
             return pictures.length && gallery.getBoundingClientRect().bottom - Math.max(...pictures) > 40;
           }).map((gallery) => gallery.id)"""
    )


def check(view, width: int, place: str) -> None:
    """The page as it is now, in both shades."""
    assert view.evaluate("document.documentElement.scrollWidth") <= width, place
    assert empty_rows(view) == [], place
    for shade in ("dark", "light"):
        view.locator("#shade").click()
        view.wait_for_timeout(400)  # colours fade over
        assert view.evaluate("document.body.classList.contains('dark')") == (shade == "dark")
        assert faults(view) == [], f"{place}, {shade}"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_all_tabs_of_a_generator_fit_and_can_be_read(runs, width):
    with browsing(page_of(str(runs / "noise")), width) as (view, complaints):
        view.wait_for_selector("#current img")
        for tab, picture in SHOWN.items():
            open_tab(view, tab)
            view.wait_for_selector(picture)
            view.wait_for_timeout(500)
            check(view, width, tab)
        assert not complaints


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_a_translator_fits_and_can_be_read(runs, width):
    with browsing(page_of(str(runs / "pictures")), width) as (view, complaints):
        view.wait_for_selector("#given input[type=file]", state="attached")
        check(view, width, "without a picture")
        view.locator("#given input[type=file]").set_input_files(str(runs / "photo.png"))
        view.wait_for_selector("#back img")
        view.wait_for_timeout(500)
        check(view, width, "with a picture")
        assert not complaints


@pytest.mark.slow
def test_the_shade_that_was_chosen_is_kept(runs):
    with browsing(page_of(str(runs / "pictures")), 390) as (view, complaints):
        for shade in ("dark", "light"):
            view.wait_for_selector("#given input[type=file]", state="attached")
            view.locator("#shade").click()
            view.reload()
            view.wait_for_selector("#shade")
            view.wait_for_function(f"document.body.classList.contains('dark') == {str(shade == 'dark').lower()}")
        assert not complaints
