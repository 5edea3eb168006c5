"""`ggdr explore`: its pictures, its page in a real browser, and the Space it writes."""

from __future__ import annotations

import os
import runpy
import threading
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from browsing import browsing, changes, source
from held import Held
from PIL import Image
from tiny import moved

from ggdr.errors import UserError
from ggdr.explorer import inside, pictures, watch
from ggdr.explorer.inside import ImagePoint
from ggdr.explorer.studio import ImageSettings, Model, Studio
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.sampling import SamplingOptions, draw
from ggdr.sampling.grid import to_uint8
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer
from ggdr.verbs.explore import main

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run with a grid, a log and a checkpoint."""
    out = tmp_path_factory.mktemp("explored") / "run"
    made = tiny.tiny_run(tiny.recipe, out)
    with Trainer(made) as trainer:
        train_loop(trainer)
    return out


@pytest.fixture(scope="module")
def model(run) -> Model:
    return Studio(str(run)).model


# ---------------------------------------------------------------------------------------------------------- pictures


def test_an_image_is_that_of_its_seed_and_is_made_once(model):
    look = ImageSettings(3, 0.7)
    (plain,) = draw(model.generator, [3], None, SamplingOptions(0.7))
    assert torch.equal(model.image(look), to_uint8(plain)[0]) and model.image(look) is model.image(look)
    assert torch.equal(model.render(model.mix(look, 9, ())), model.image(look))
    every = tuple(range(6))
    assert torch.equal(model.render(model.mix(look, 9, every)), model.image(ImageSettings(9, 0.7)))
    still, moving = (model.render(model.edit(look, "pca", (amount, 0.0))) for amount in (0.0, 2.0))
    assert (still.int() - model.image(look).int()).abs().max() <= 1
    assert not torch.equal(moving, model.image(look))


def test_psi_may_pull_towards_the_mean_of_the_images_own_class():
    generator = moved(tiny.STYLEGAN2.build(ImageSpec(16, 16, labels=3, label_names=("cat", "dog", "owl")))).eval()
    model, looks = Model(generator), [ImageSettings(seed, 0.0, 1, mean="class") for seed in (3, 4)]
    dog, same = model.images(looks)
    near = {"rtol": 0, "atol": 1}
    torch.testing.assert_close(dog, same, **near)  # at psi 0 all dogs are the mean one
    torch.testing.assert_close(model.image(looks[0]), dog, **near)
    torch.testing.assert_close(model.render(model.codes(looks[0])), dog, **near)
    assert not torch.equal(model.image(looks[0]._replace(label=2)), dog)
    assert not torch.equal(model.image(looks[0]._replace(mean="all")), dog)
    with pytest.raises(UserError, match="pulls towards the mean of all; choose all, or psi 1"):
        inside.describe_score(model, looks[0])
    inside.describe_score(model, looks[0]._replace(psi=1.0))


def test_a_grid_is_made_in_one_pass_and_holds_the_images_of_its_seeds(model):
    looks = [ImageSettings(seed, 0.3) for seed in range(40, 44)]
    alone = [model.draw(look) for look in looks]
    assert all((a.int() - b.int()).abs().max() <= 1 for a, b in zip(model.images(looks), alone, strict=True))
    assert model.images(looks)[2] is model.images(looks[2:])[0]
    assert torch.equal(model.image(looks[2]), alone[2])  # as a command makes it, whatever was in a grid before


def test_threads_do_not_disturb_each_other(model):
    looks = [ImageSettings(seed, 0.5, None, "random") for seed in range(12)]
    alone = [model.draw(look) for look in looks]
    found: dict[ImageSettings, torch.Tensor] = {}
    threads = [threading.Thread(target=lambda look=look: found.update({look: model.image(look)})) for look in looks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[look], each) for look, each in zip(looks, alone, strict=True))


def test_small_images_are_shown_sharp_and_saved_as_they_are(model):
    image = model.image(ImageSettings(1))
    assert pictures.to_picture(image).size == (384, 384)
    downloads = pictures.Downloads()
    first = downloads.save_image(image, "one")
    assert np.array_equal(np.asarray(Image.open(first)), image[0].numpy()) and Path(first).name == "one.png"
    later = [downloads.save_image(image, "one") for _ in range(pictures.KEPT)]
    assert not Path(first).exists() and all(Path(each).exists() for each in later)


def test_a_point_marks_its_cluster_and_d_answers(model):
    look, point = ImageSettings(2), ImagePoint(0.5, 0.25)
    shown, plain = inside.gallery(model, look, point), inside.gallery(model, look, None)
    assert len(shown) == len(plain) == len(model.generator.feature_channels)
    assert all(picture.size == plain[0][0].size for picture, _ in shown)
    segments = inside.clusters(model, look)[8]
    assert inside.cluster_at(segments, point) == segments[2, 4]
    assert "P(real)" in inside.describe_score(model, look) and len(inside.similarity_gallery(model, look)) == 1


def test_a_run_is_read_as_it_lies_there(run):
    assert watch.is_run(run) and not watch.is_run(run / "samples")
    names, rows = watch.number_table(run)
    assert names[:3] == ["kimg", "r_t", "p"] and len(rows) == 8 and rows[0][0] == "0.064"
    assert watch.grid_picture(run).size[0] > 300 and "0.1 kimg" in watch.headline(run)


def test_a_generator_without_styles_has_fewer_tabs():
    from ggdr.explorer.page import Page

    plain = Held(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 32, 1))).eval())
    labels = [each.label for each in Page(plain).build().blocks.values() if type(each).__name__ == "Tab"]
    assert labels == ["Seeds", "Edit", "Inside", "Film", "Your picture"]


# --------------------------------------------------------------------------------------------------------------- verb


def test_a_space_opens_a_model_of_the_hub(tmp_path, run):
    import gradio

    assert main(["org/cats", "--space", str(tmp_path / "space")]) == 0
    written = {file.name: file.read_text() for file in (tmp_path / "space").iterdir()}
    assert (
        "ggdr[explore]" in written["requirements.txt"] and f"sdk_version: {gradio.__version__}" in written["README.md"]
    )
    here = (str(Path.cwd()), str(Path.home()), str(tmp_path))
    assert not any(place in text for text in written.values() for place in here)
    with pytest.raises(ValueError, match="app.py is there already"):
        main(["org/cats", "--space", str(tmp_path / "space")])
    with pytest.raises(ValueError, match="a Space opens a model of the Hub.*ggdr push"):
        main([str(run), "--space", str(tmp_path / "other")])
    app = tmp_path / "space" / "app.py"
    app.write_text(written["app.py"].replace('page_of("org/cats")', f"page_of({str(run)!r})"))
    assert isinstance(runpy.run_path(str(app))["page"], gradio.Blocks)


def test_what_cannot_be_explored_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        main([str(tmp_path / "nowhere"), "--no-open"])


# --------------------------------------------------------------------------------------------------------------- page


@pytest.fixture(scope="module")
def page(run):
    """The page of a run in a browser, and all that the browser complained about."""
    from ggdr.explorer.page import Page

    with browsing(Page(Studio(str(run)), run).build()) as (view, complaints):
        view.wait_for_selector("#current img")
        view.wait_for_selector("#seeds img")
        yield view, complaints


def test_a_slider_and_a_seed_change_the_image(page):
    view, _ = page
    before = source(view, "#current")
    view.locator("#psi input[type=number]").fill("0.2")
    view.locator("#psi input[type=number]").press("Enter")
    assert changes(view, "#current", before)
    before = source(view, "#current")
    view.locator("#seeds img").nth(3).click()
    assert changes(view, "#current", before) and view.locator("#seed input").input_value() == "3"


def test_the_image_is_downloaded_at_its_own_size(page):
    view, _ = page
    view.wait_for_timeout(500)
    with view.expect_download() as caught:
        view.locator("#save").click()
    assert caught.value.suggested_filename == "seed0003.png"
    assert Image.open(caught.value.path()).size == (16, 16)


def test_mixing_and_editing_change_their_images(page):
    view, _ = page
    view.get_by_role("tab", name="Mix").click()
    view.wait_for_selector("#mixed img")
    before = source(view, "#mixed")
    view.locator("#lender input").fill("7")
    view.locator("#lender input").press("Enter")
    assert changes(view, "#mixed", before)
    view.get_by_role("tab", name="Edit").click()
    view.wait_for_selector("#edited img")
    before = source(view, "#edited")
    view.locator("#direction0 input[type=number]").fill("3")
    view.locator("#direction0 input[type=number]").press("Enter")
    assert changes(view, "#edited", before)


def test_a_click_in_the_image_marks_a_cluster(page):
    view, _ = page
    view.get_by_role("tab", name="Inside").click()
    view.wait_for_selector("#clusters img")
    before = source(view, "#clusters")
    view.locator("#current img").click(position={"x": 150, "y": 150})
    assert changes(view, "#clusters", before)
    assert "P(real)" in view.locator("#judgement").inner_text() and "%" in view.locator("#clusters").inner_text()


def test_the_run_is_watched_as_it_trains(page, run):
    view, _ = page
    view.get_by_role("tab", name="Run").click()
    view.wait_for_selector("#grid img")
    before = source(view, "#grid")
    last = sorted((run / "samples").glob("fakes-*.png"))[-1]
    Image.open(last).transpose(Image.Transpose.ROTATE_180).save(run / "samples" / "fakes-000009.000kimg.png")
    with (run / "metrics.jsonl").open("a") as log:
        log.write(
            '{"step": 9000, "kimg": 9.0, "seconds": 1.0, "loss/g/non_saturating": 0.123, "images_per_second": 5}\n'
        )
    assert changes(view, "#grid", before) and "9.0 kimg" in view.locator("#headline").inner_text()


def test_the_browser_has_nothing_to_complain_about_and_asks_nobody_else(page):
    assert page[1] == []


@pytest.mark.parametrize(
    ("spec", "kind", "value", "label", "about"),
    [
        (ImageSpec(16, 16, 3, 2, label_names=("cat", "dog")), "dropdown", "1", 1, "2 classes (cat, dog)"),
        (ImageSpec(16, 16, 3, 3), "dropdown", "2", 2, "3 classes"),
        (
            ImageSpec(16, 16, 3, 1, label_names=("age",), label_ranges=((1, 90),)),
            "slider",
            45,
            (45.0,),
            "age (1 to 90)",
        ),
        (ImageSpec(16, 16, 3, 2, label_ranges=((0, 1), (0, 2))), "textbox", "0.5,2", (0.5, 2.0), "2 numbers as label"),
    ],
)
def test_labels_are_chosen_by_name_or_as_numbers(spec, kind, value, label, about):
    from ggdr.explorer.controls import gr, settings_of
    from ggdr.explorer.page import Page

    here = Held(moved(tiny.STYLEGAN2.build(spec)).eval())
    page = Page(here)
    (control,) = [each for each in page.build().blocks.values() if getattr(each, "elem_id", None) == "class"]
    assert type(control).__name__.lower() == kind and about in page.about()
    if spec.label_names and kind == "dropdown":
        assert control.choices == [("cat", "0"), ("dog", "1")]
    look = settings_of(0, None, value, "const")
    assert look.label == label
    rows = torch.eye(spec.labels)[[label]] if isinstance(label, int) else torch.tensor([label])
    (plain,) = draw(here.model.generator, [0], rows)
    assert torch.equal(here.model.image(look), to_uint8(plain)[0])
    here.model.image(settings_of(0, None, control.value, "const"))
    assert len(here.model.images([look, look._replace(seed=1)])) == 2
    with pytest.raises(gr.Error, match="give numbers with commas between"):
        settings_of(0, None, "1,x", "const")
