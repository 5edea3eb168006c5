"""The explorer's page of translators that draw, take styles or have classes: a die, a style, a strength, a gallery."""

from __future__ import annotations

import numpy as np
import pytest
from browsing import browsing, changes, source
from PIL import Image
from translator_runs import photo
from translators import TintedGame, TintedTranslatorConfig

import ggdr
from ggdr.explorer.opening import page_of
from ggdr.explorer.translating import OTHERS, TranslatorPage, TranslatorStudio, Wish, wish_of
from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISTranslatorConfig
from ggdr.pipeline.translation import TranslationPipeline

CLASSES = ImageSpec(16, 16, labels=3, label_names=("cat", "dog", "owl"))
RED, WAY = Image.new("RGB", (9, 9), "red"), "a_to_b"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One that draws and takes styles, and one with classes that needs a style."""
    root = tmp_path_factory.mktemp("models")
    for name, drawn, makes in (("drawing", True, ImageSpec(16, 16)), ("classes", False, CLASSES)):
        network = TintedTranslatorConfig(drawn=drawn).build(makes, ImageSpec(16, 16))
        TranslationPipeline({"generator": network}, TintedGame(), ("a", "b")).save_pretrained(root / name)
    photo(40, 24).save(root / "photo.png")
    RED.save(root / "red.png")
    return root


def same(made: Image.Image, expected: Image.Image) -> bool:
    return np.array_equal(np.array(made), np.array(expected))


def test_a_studio_makes_what_a_pipeline_does_and_leaves_out_what_a_way_does_not_take(models):
    studio, pipe = TranslatorStudio(str(models / "drawing")), ggdr.from_pretrained(models / "drawing")
    assert same(studio.translate(photo(), Wish(WAY, seed=3)), pipe(photo(), seeds=3).images[0])
    styled = pipe(photo(), style=RED, strength=0.25).images[0]
    assert same(studio.translate(photo(), Wish(WAY, seed=3, style=RED, strength=0.25)), styled)
    assert studio.drawn(Wish(WAY)) and not studio.drawn(Wish(WAY, style=RED))
    plain = TintedTranslatorConfig().build(ImageSpec(16, 16), ImageSpec(16, 16))
    studio.model = TranslationPipeline({"generator": plain}, TintedGame(styles=False, own=False), ("a", "b"))
    assert same(
        studio.translate(photo(), Wish(WAY, seed=3, style=RED, strength=0.25)), pipe(photo(), seeds=3).images[0]
    )
    assert studio.drawn(Wish(WAY, style=RED))


def test_controls_are_there_for_what_a_way_takes(models):
    studio = TranslatorStudio(str(models / "drawing"))
    page = TranslatorPage(studio)
    assert page.possible(WAY) == [True, True, True, False, False]
    network = TintedTranslatorConfig(drawn=False).build(ImageSpec(16, 16), ImageSpec(16, 16))
    for game, possible in (
        (TintedGame(own=False), [True, False]),
        (TintedGame(styles=False, own=True), [False, False]),
    ):
        studio.model = TranslationPipeline({"generator": network}, game, ("a", "b"))
        assert page.possible(WAY) == [*possible, False, False, False]
    assert wish_of(WAY, None, 7.0, None, 0.0) == Wish(WAY, None, 7, None, 0.0)
    assert wish_of(WAY, None, None, None, None) == Wish(WAY)


def test_other_seeds_are_offered_or_else_other_classes(models):
    drawing, classes = (TranslatorStudio(str(models / name)) for name in ("drawing", "classes"))
    seeds = drawing.others(Wish(WAY, seed=9), 5)
    assert [(wish.seed, title) for wish, title in seeds] == [(5 + n, str(5 + n)) for n in range(OTHERS)]
    assert drawing.others(Wish(WAY, style=RED), 5) == []
    names = [(wish.label, title) for wish, title in classes.others(Wish(WAY, "1", style=RED), 5)]
    assert names == [("0", "cat"), ("1", "dog"), ("2", "owl")]


def test_a_model_that_needs_a_style_waits_for_it(models):
    page = TranslatorPage(TranslatorStudio(str(models / "classes")))
    given, red = str(models / "photo.png"), str(models / "red.png")
    made, save, _, _, command = page.render(given, WAY, "1", 0, None, 1.0)
    assert made["value"] is None and "drop a style" in made["label"] and not command["visible"]
    assert not save["interactive"] and page.choices(0, given, WAY, "1", 0, None, 1.0)["value"] is None
    made, save, _, _, command = page.render(given, WAY, "1", 0, red, 1.0)
    assert made["value"] is not None and save["interactive"] and made["label"] == WAY and command["visible"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_a_die_a_gallery_and_a_style_make_other_pictures(models, tmp_path, width):
    with browsing(page_of(str(models / "drawing")), width, 1400) as (view, complaints):
        view.wait_for_selector("#given input[type=file]", state="attached")
        view.locator("#given input[type=file]").set_input_files(str(models / "photo.png"))
        view.wait_for_selector("#others img")
        assert view.locator("#others img").count() == OTHERS
        before = source(view, "#made")
        view.locator("#others button img").nth(2).click()
        assert changes(view, "#made", before)
        assert view.locator("#seed input").input_value() == "2"
        before = source(view, "#made")
        view.locator("#dice").click()
        assert changes(view, "#made", before)
        before = source(view, "#made")
        view.screenshot(path=tmp_path / "drawn.png")
        view.locator("#style input[type=file]").set_input_files(str(models / "red.png"))
        assert changes(view, "#made", before)
        before = source(view, "#made")
        view.wait_for_selector("#dice", state="hidden")
        view.locator("#strength input[type=number]").fill("0.25")
        view.locator("#strength input[type=number]").press("Tab")
        assert changes(view, "#made", before)
        view.wait_for_timeout(1000)
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        with view.expect_download() as download:
            view.locator("#save").click()
        download.value.save_as(tmp_path / "saved.png")
        view.screenshot(path=tmp_path / "styled.png")
        assert not complaints
    pipe = ggdr.from_pretrained(models / "drawing")
    assert same(Image.open(tmp_path / "saved.png"), pipe(photo(), style=RED, strength=0.25).images[0])


def test_a_class_is_chosen_by_a_click(models):
    with browsing(page_of(str(models / "classes")), 390) as (view, complaints):
        view.wait_for_selector("#given input[type=file]", state="attached")
        view.locator("#given input[type=file]").set_input_files(str(models / "photo.png"))
        view.locator("#style input[type=file]").set_input_files(str(models / "red.png"))
        view.wait_for_selector("#others img")
        before = source(view, "#made")
        view.locator("#others button img").nth(2).click()
        assert changes(view, "#made", before)
        assert view.locator("#class input").input_value() == "owl" and not view.locator("#dice").is_visible()
        assert not complaints


def test_what_a_code_is_drawn_for_is_chosen_where_places_have_codes(tmp_path):
    spec, maps = ImageSpec(16, 16), ImageSpec(16, 16, 4, classes=4)
    network = OASISTranslatorConfig.tiny().build(spec, maps)
    pipe = TranslationPipeline({"generator": network}, PairedGame(), ("map", "photo"))
    pipe.save_pretrained(tmp_path / "oasis")
    studio = TranslatorStudio(str(tmp_path / "oasis"))
    given, view = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16) % 4), "map_to_photo"
    for noise in ("image", "segment", "pixel"):
        expected = pipe(given, seeds=3, noise=noise).images[0]
        assert same(studio.translate(given, wish_of(view, None, 3, None, 1.0, noise)), expected)
    page = TranslatorPage(studio)
    assert page.noise_control(view)["choices"] == ["image", "segment", "pixel"]
    given.save(tmp_path / "map.png")
    colours = np.asarray(page.map_colours(str(tmp_path / "map.png"), view))
    assert page.possible(view)[-1] and len({*map(tuple, colours.reshape(-1, 3))}) == 4 and colours.max() > 200
    assert page.map_colours(None, view) is None
    tinted = TintedTranslatorConfig().build(spec, spec)
    studio.model = TranslationPipeline({"generator": tinted}, TintedGame(), ("a", "b"))
    assert page.map_colours(str(tmp_path / "map.png"), WAY) is None  # it takes pictures
    assert studio.noises(WAY) == ["image"] and not TranslatorPage(studio).noise_control(WAY)["visible"]
    assert same(studio.translate(photo(), Wish(WAY, noise="pixel")), studio.translate(photo(), Wish(WAY)))
