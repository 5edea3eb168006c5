"""The commands that the explorer's pages print make the same pictures, bit for bit, as the pages show."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import tiny
from held import Held
from PIL import Image
from tiny import moved
from translator_runs import photo
from translators import TintedGame, TintedTranslatorConfig

from ggdr.explorer.commands import command_line, generate_words, label_words
from ggdr.explorer.page import Page, gr
from ggdr.explorer.studio import ImageSettings, Studio
from ggdr.explorer.translating import TranslatorPage, TranslatorStudio
from ggdr.games.paired import PairedGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.oasis import OASISTranslatorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving.pretrained import Hub
from ggdr.verbs.generate import main as generate
from ggdr.verbs.translate import main as translate

PLAIN = ImageSpec(16, 16)
NAMED = ImageSpec(16, 16, 3, 3, label_names=("cat", "a dog", "0"))
VECTOR = ImageSpec(16, 16, 3, 2, label_ranges=((-1, 1), (0, 5)))


def run(line: str) -> None:
    """Run what a page says."""
    program, verb, *words = shlex.split(line)
    assert program == "ggdr"
    {"generate": generate, "translate": translate}[verb](words)


def made() -> Path:
    """The one image that a command made."""
    (file,) = Path("images").glob("*.png")
    return file


def pixels(file: Path | str) -> np.ndarray:
    return np.asarray(Image.open(file))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Models by what labels they take."""
    root = tmp_path_factory.mktemp("my models")
    for name, spec in (("plain", PLAIN), ("named", NAMED), ("vector", VECTOR)):
        moved(tiny.STYLEGAN2.build(spec)).save_pretrained(root / name)
    return root


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("plain", ImageSettings(3, 1)),
        ("plain", ImageSettings(12345, 0.35, None, "random")),
        ("plain", ImageSettings(0, -0.5, None, "none")),
        ("named", ImageSettings(7, 0.7, 1)),
        ("named", ImageSettings(7, 0.7, 2)),
        ("named", ImageSettings(7, 0.4, 2, mean="class")),
        ("vector", ImageSettings(2, 1.5, (-0.5, 2.0))),
    ],
)
def test_the_command_beside_an_image_makes_it_bit_for_bit(models, tmp_path, monkeypatch, model, settings):
    monkeypatch.chdir(tmp_path)
    studio = Studio(str(models / model))
    label = settings.label if settings.label is None else ",".join(map(str, np.atleast_1d(settings.label)))
    studio.model.images([settings, settings._replace(seed=1)])  # a grid was shown before
    page = Page(studio)
    _, saved, line = page.render(settings.seed, settings.psi, label, settings.noise, settings.mean)
    run(line)
    assert np.array_equal(pixels(made()), pixels(saved))
    assert np.array_equal(pixels(saved), studio.model.image(settings).permute(1, 2, 0).squeeze())


def test_classes_are_asked_for_by_name_where_that_is_enough():
    assert label_words(NAMED, 1) == ["--labels", "a dog"]
    assert label_words(NAMED._replace(label_names=("all", "-x", "")), 1) == ["--labels", "1"]
    assert label_words(NAMED._replace(label_names=("all", "b", "b")), 0) == ["--labels", "0"]
    assert label_words(NAMED._replace(label_names=("all", "b", "b")), 2) == ["--labels", "2"]
    assert label_words(NAMED._replace(label_names=()), 2) == ["--labels", "2"]
    assert label_words(PLAIN, None) == []


def test_a_command_names_the_revision_and_the_files_that_the_page_was_opened_with():
    held = Held(moved(tiny.STYLEGAN2.build(PLAIN)).eval())
    held.name, held.hub, held.use = "org/cats", Hub("v2"), ("my parts.py",)
    words = generate_words(PLAIN, ImageSettings(4, 0.5))
    assert command_line("generate", held, *words) == (
        "ggdr generate org/cats --seeds 4 --truncation-psi 0.5 --out images --revision v2 --use 'my parts.py'"
    )


def test_a_code_that_is_downloaded_makes_the_mixed_and_the_edited_image_again(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    studio = Studio(str(models / "plain"))
    page = Page(studio)
    with gr.Blocks():
        tabs = {each.tab.label: each for each in page.tabs(page.current()[1], gr.State(None))}
    for name, asked in (("Mix", (9, ["0", "2"])), ("Edit", ("pca", 2.0, 0.0, -1.0, 0.0, 0.0))):
        _, png, code, line = tabs[name].render(ImageSettings(5, 0.7), *asked)
        (tmp_path / Path(code).name).write_bytes(Path(code).read_bytes())
        run(line)
        assert np.array_equal(pixels(Path("images") / Path(png).name), pixels(png)), name
        assert not np.array_equal(pixels(png), studio.model.image(ImageSettings(5, 0.7)).permute(1, 2, 0))


def test_the_command_beside_a_translation_makes_it_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo(40, 24).save("a photo.png")
    Image.new("RGB", (9, 9), "red").save("red.png")
    plain, classes = ImageSpec(16, 16), ImageSpec(16, 16, labels=3, label_names=("cat", "dog", "owl"))
    for name, drawn, makes in (("drawing", True, plain), ("classes", False, classes)):
        network = TintedTranslatorConfig(drawn=drawn).build(makes, plain)
        TranslationPipeline({"generator": network}, TintedGame(), ("a", "b")).save_pretrained(name)
    for name, asked in (
        ("drawing", (None, 5, None, 1.0)),
        ("drawing", (None, 5, "red.png", 0.25)),
        ("drawing", (None, 5, "red.png", 1.0)),
        ("classes", ("1", 0, "red.png", 1.0)),
    ):
        page = TranslatorPage(TranslatorStudio(name))
        _, save, _, _, command = page.render("a photo.png", "a_to_b", *asked, "image")
        run(command["value"])
        assert np.array_equal(pixels(made()), pixels(save["value"])), command["value"]
        made().unlink()


def test_the_command_of_a_label_map_names_what_a_code_is_drawn_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = OASISTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(16, 16, 4, classes=4))
    TranslationPipeline({"generator": network}, PairedGame(), ("map", "photo")).save_pretrained("oasis")
    numbers = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16) % 4).convert("P")
    numbers.putpalette([9, 9, 9, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    numbers.save("map.png")
    page = TranslatorPage(TranslatorStudio("oasis"))
    assert "class numbers, 0 to 3" in page.given_title("map_to_photo")
    _, save, _, _, command = page.render("map.png", "map_to_photo", None, 3, None, 1.0, "segment")
    run(command["value"])
    assert "--noise segment" in command["value"] and np.array_equal(pixels(made()), pixels(save["value"]))
