"""The explorer's page of a translator: a picture is dropped, translated both ways, and saved, on desks and phones."""

from __future__ import annotations

import numpy as np
import pytest
from browsing import browsing, changes, open_tab, source
from PIL import Image
from translator_runs import photo, trained

import ggdr
from ggdr.explorer.opening import page_of
from ggdr.explorer.translating import TranslatorStudio, Wish, enlarged
from ggdr.verbs.explore import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained("unpaired", tmp_path_factory.mktemp("explored") / "run")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    photo(40, 24).save(file := tmp_path_factory.mktemp("pictures") / "photo.png")
    return file


def titles(page) -> list[str]:
    return [each.label for each in page.blocks.values() if type(each).__name__ == "Tab"]


def test_the_page_of_a_run_shows_the_run_too_and_that_of_a_model_does_not(run):
    assert titles(page_of(str(run))) == ["Translate", "Run"] and titles(page_of(str(run / "model"))) == []


def test_a_studio_translates_and_knows_the_way_back(run):
    studio = TranslatorStudio(str(run))
    made = studio.translate(photo(), Wish("gray_to_colour"))
    assert np.array_equal(np.array(made), np.array(ggdr.from_pretrained(run)(photo()).images[0]))
    assert studio.opposite("gray_to_colour") == "colour_to_gray" and not studio.refresh()
    assert enlarged(photo(40, 24)).size == (360, 216) and enlarged(photo(500, 24)).size == (500, 24)


def test_pairs_have_no_way_back(tmp_path):
    assert TranslatorStudio(str(trained("paired", tmp_path / "run"))).opposite("gray_to_colour") is None


def test_a_space_of_a_translator_opens_it(tmp_path):
    assert main(["org/horses", "--space", str(tmp_path / "space")]) == 0
    assert "from ggdr.explorer.opening import" in (tmp_path / "space" / "app.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_a_dropped_picture_is_translated_both_ways(run, picture, tmp_path, width):
    with browsing(page_of(str(run)), width) as (view, complaints):
        view.wait_for_selector("#given input[type=file]", state="attached")
        view.locator("#given input[type=file]").set_input_files(str(picture))
        view.wait_for_selector("#made img")
        view.wait_for_selector("#back img")
        before = source(view, "#made")
        view.get_by_label("colour_to_gray").check()
        assert changes(view, "#made", before)
        with view.expect_download() as download:
            view.locator("#save").click()
        download.value.save_as(tmp_path / "saved.png")
        assert view.locator("#given img").bounding_box()["width"] > 200
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        open_tab(view, "Run")
        view.wait_for_selector("#grid img")
        view.wait_for_selector("#numbers table", state="attached")
        view.wait_for_timeout(500)
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert not complaints
    expected = ggdr.from_pretrained(run)(picture, to="gray").images[0]
    assert np.array_equal(np.array(Image.open(tmp_path / "saved.png")), np.array(expected))
