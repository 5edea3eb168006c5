"""`ggdr export --web`: a page that makes images in the browser, and what no page can show."""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from browsing import BROWSER
from PIL import Image
from places import ROOT
from tiny import moved

from ggdr.errors import UserError
from ggdr.exporting.files import read_onnx
from ggdr.exporting.graphs import GeneratorGraph
from ggdr.exporting.web import CDN, RUNTIME, VERSION, write_page
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs.export import main

STYLE = StyleGAN2GeneratorConfig.tiny()
NAMED = ImageSpec(16, 32, 3, 3, ("cat", "dog", "<b> & </script>"))


def saved(folder, network):
    """A saved model."""
    torch.manual_seed(0)
    save_model(moved(network), folder / "zoo")
    return str(folder / "zoo")


def about(page) -> dict:
    """What a page is told of its model."""
    return json.loads(re.search(r"^const about = (.*);$", page.read_text(), re.MULTILINE)[1])


def test_a_page_and_its_model_are_written_and_how_to_look_at_them_is_said(tmp_path, capsys):
    model, out = saved(tmp_path, STYLE.build(NAMED)), tmp_path / "page"
    assert main([model, str(out), "--web", "--truncation-psi", "0.6"]) == 0
    said = capsys.readouterr().out
    assert f"wrote {out}/index.html, and model.onnx of 0.1 MB; onnxruntime-web is loaded from {CDN}\n" in said
    assert said.endswith(f"type: python -m http.server --directory {out}\n")
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "model.onnx"]
    text, told = (out / "index.html").read_text(), about(out / "index.html")
    assert f'<script src="{CDN}ort.wasm.min.js"' in text and f"@{VERSION}/" in CDN and "<title>zoo</title>" in text
    assert "{{" not in text and text.count("</script>") == 2
    assert told["labels"] == [*NAMED.label_names] and told["psi"] == pytest.approx(0.6)
    kinds = [(each["name"], each["kind"], each["shape"]) for each in told["inputs"]]
    assert kinds == [("z", "normal", [1, 8]), ("labels", "classes", [1, 3]), ("psi", "psi", [])]
    image = read_onnx(out / "model.onnx")(
        {"z": torch.zeros(1, 8), "labels": torch.eye(3)[:1], "psi": torch.tensor(1.0)}
    )
    assert (image.dtype, image.shape) == (torch.uint8, (1, 16, 32, 3))
    with pytest.raises(UserError, match="index.html is there already; give another OUT, or add --overwrite"):
        main([model, str(out), "--web"])


def test_psi_is_an_input_that_the_page_must_give_since_its_runtime_lets_none_be_left_out(tmp_path):
    import onnxruntime

    graph = GeneratorGraph(STYLE.build(NAMED), uint8=True)
    write_page(graph, tmp_path, "zoo")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [each.name for each in session.get_inputs()] == ["z", "labels", "psi"]
    assert [*graph.defaults] == ["psi"]


def test_a_runtime_is_copied_beside_the_page_which_then_asks_for_nothing_elsewhere(tmp_path, capsys):
    (tmp_path / "npm" / "dist").mkdir(parents=True)
    for name in RUNTIME:
        (tmp_path / "npm" / "dist" / name).write_text(name)
    model, out = saved(tmp_path, STYLE.build(ImageSpec(8, 8))), tmp_path / "page"
    for folder in ("npm", "npm/dist"):
        assert main([model, str(out), "--web", "--overwrite", "--runtime", str(tmp_path / folder)]) == 0
        assert "onnxruntime-web is loaded beside it" in capsys.readouterr().out
        assert {path.name: path.read_text() for path in (out / "runtime").iterdir()} == {name: name for name in RUNTIME}
        assert "https://" not in (out / "index.html").read_text()


REFUSED = {
    "judge": ["--network", "discriminator"],
    "batch": ["--batch-size", "4"],
    "runtime": ["--runtime", "."],
    "nowhere": ["--runtime", "nowhere"],
}
ANSWERS = {
    "judge": "'discriminator' makes no images; leave --web out",
    "batch": "a page makes one image at a time; leave --batch-size out",
    "runtime": "'.' lacks ort.wasm.min.js of onnxruntime-web; type npm install onnxruntime-web@",
    "nowhere": "there is no folder 'nowhere'; give --runtime node_modules/onnxruntime-web",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_page_can_be_is_refused_and_nothing_is_written(name, tmp_path):
    save_model(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16)), tmp_path / "model" / "generator")
    save_model(DCGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16)), tmp_path / "model" / "discriminator")
    with pytest.raises(UserError, match=re.escape(ANSWERS[name])):
        main([str(tmp_path / "model"), str(tmp_path / "page"), "--web", *REFUSED[name]])
    assert not (tmp_path / "page").exists()


def test_images_that_are_no_pictures_and_names_of_files_are_refused(tmp_path):
    two = saved(tmp_path / "two", DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 2)))
    maps = saved(
        tmp_path / "maps", ResnetTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(16, 16, 3, classes=3))
    )
    for model, flags, answer in (
        (two, ["page", "--web"], "a page shows images of 1, 3 or 4 channels, and 'dcgan' makes none"),
        (maps, ["page", "--web"], "a page takes pictures of 1, 3 or 4 channels, and 'resnet_translator' takes others"),
        (two, ["page.onnx", "--web"], "ends in .onnx, as no folder does; give the name of a folder for the page"),
        (two, ["page.onnx", "--runtime", "x"], "--runtime is of a page; add --web"),
    ):
        with pytest.raises(UserError, match=answer):
            main([model, str(tmp_path / flags[0]), *flags[1:]])
        assert not (tmp_path / "page").exists()


# ------------------------------------------------------------------------------------------------------- in a browser

INSTALLED = Path(os.environ.get("GGDR_ONNXRUNTIME_WEB", ROOT / "node_modules" / "onnxruntime-web"))
in_browser = pytest.mark.skipif(
    BROWSER is None or not INSTALLED.is_dir(),
    reason="needs Chromium, and the folder of onnxruntime-web in GGDR_ONNXRUNTIME_WEB: npm install onnxruntime-web",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def opened(folder, width=1000):
    """A page in a browser, once its model has made something or it has said why not, and its complaints."""
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address, complaints = f"http://127.0.0.1:{server.server_port}/", []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": 800})
        view.set_default_timeout(180_000)  # the runtime is 14 MB to compile, on machines that do much else
        view.on("console", lambda said: complaints.append(said.text))
        view.on("pageerror", lambda error: complaints.append(str(error)))
        view.on(
            "request", lambda asked: complaints.append(asked.url) if not asked.url.startswith((address, "data:")) else 0
        )
        view.goto(address)
        says(view, r"Made in|Choose a picture|no model")
        yield view, complaints
        browser.close()
    server.shutdown()
    server.server_close()


def says(view, pattern):
    """Wait until the page says so."""
    view.wait_for_function(f"/{pattern}/.test(document.getElementById('says').textContent)")


def drawn(view):
    """The first image of a page, [H, W, 4] uint8."""
    code = "[...(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data)(document.querySelector('canvas'))]"
    height, width = view.evaluate("(c => [c.height, c.width])(document.querySelector('canvas'))")
    return np.array(view.evaluate(code), dtype=np.uint8).reshape(height, width, 4)


@in_browser
@pytest.mark.slow
def test_the_page_makes_the_models_images_by_seed_class_and_truncation_also_on_a_phone(tmp_path):
    network = moved(STYLE.build(NAMED)).eval()
    write_page(GeneratorGraph(network, uint8=True, psi=0.8), tmp_path, "zoo", INSTALLED)
    with opened(tmp_path, width=390) as (view, complaints):
        assert view.evaluate("document.documentElement.scrollWidth") == 390
        assert view.locator("#class option").all_inner_texts() == [*NAMED.label_names]
        for seed, place, psi in ((0, 0, 0.8), (7, 2, 0.3)):
            for name, value in (("seed", seed), ("psi", psi)):
                view.locator(f"#{name}").fill(str(value))
            view.select_option("#class", index=place)
            view.wait_for_function("!busy")
            z = torch.tensor([[*view.evaluate(f"[...normal({seed}, 8)]")]])
            with torch.no_grad():
                image = network(z, torch.eye(3)[[place]], psi=psi, noise="const").image[0]
            wanted = image.permute(1, 2, 0).add(1).mul(127.5).clamp(0, 255).numpy()
            assert np.abs(drawn(view)[..., :3] - wanted).max() < 1.5 and drawn(view)[..., 3].min() == 255
        codes = np.array(view.evaluate("[...normal(1, 4000)]"))
        assert abs(codes.mean()) < 0.1 and abs(codes.std() - 1) < 0.1
        view.select_option("#count", index=1)
        says(view, "4 of 4 images")
        assert view.locator("canvas").count() == 4
        before = drawn(view)
        view.click("#walk")
        says(view, r"from seed \d+ to")
        assert view.locator("canvas").count() == 1 and (drawn(view) != before).any()
        view.click("#walk")
        says(view, "4 of 4 images")
        assert complaints == []


@in_browser
@pytest.mark.slow
def test_a_page_of_a_translator_takes_a_picture_of_any_size(tmp_path):
    from ggdr.exporting.graphs import TranslatorGraph

    network = moved(ResnetTranslatorConfig.tiny().build(ImageSpec(16, 16), ImageSpec(16, 16, 1))).eval()
    write_page(TranslatorGraph(network, uint8=True), tmp_path / "page", "zoo", INSTALLED)
    wide = np.random.default_rng(0).integers(0, 256, (16, 40, 3), np.uint8)
    Image.fromarray(wide).save(tmp_path / "picture.png")
    with opened(tmp_path / "page") as (view, complaints):
        assert view.inner_text("#says") == "Choose a picture."
        view.set_input_files("#source", tmp_path / "picture.png")
        says(view, "Made in")
        gray = torch.from_numpy(wide[:, 12:28] @ np.array([0.299, 0.587, 0.114])).float()
        with torch.no_grad():
            image = network(gray[None, None] / 127.5 - 1).image[0]
        wanted = image.permute(1, 2, 0).add(1).mul(127.5).clamp(0, 255).numpy()
        assert np.abs(drawn(view)[..., :3] - wanted).max() < 1.5 and complaints == []
