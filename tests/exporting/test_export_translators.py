"""Translators as files: an image in, an image out, for torch.export.load and for a runtime of ONNX."""

from __future__ import annotations

import json

import pytest
import torch
from translators import TintedGame, TintedTranslatorConfig

from ggdr.errors import UserError
from ggdr.exporting.files import FORMATS, export
from ggdr.exporting.graphs import EncoderGraph, TranslatorGraph, WayGraph
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.networks.base import ImageSpec
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.saving.model import save_model
from ggdr.verbs.export import main

SOURCE, SPEC = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3, 2)
TRANSLATORS = {
    "resnet": (ResnetTranslatorConfig.tiny(), SPEC),
    "resnet, antialiased": (ResnetTranslatorConfig(channels=4, blocks=1, antialias=True), SPEC),
    "resnet, larger": (ResnetTranslatorConfig.tiny(), ImageSpec(32, 32)),
    "unet": (UNetTranslatorConfig.tiny(), SPEC),
    "unet, as published": (UNetTranslatorConfig(channels=2), ImageSpec(64, 64)),
    "nice": (NICETranslatorConfig.tiny(), ImageSpec(64, 64)),
    "munit, with a code": (MUNITTranslatorConfig.tiny(), SPEC),
}


def network(name: str):
    torch.manual_seed(0)
    config, spec = TRANSLATORS[name]
    side = 64 if name == "unet, as published" else 16
    net = config.build(spec, SOURCE._replace(height=side, width=side))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net


@pytest.mark.parametrize("suffix", [".pt2", pytest.param(".onnx", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_file_translates_as_the_network_does(name, suffix, tmp_path):
    graph = TranslatorGraph(network(name))
    export(graph, tmp_path / f"translator{suffix}")
    run = FORMATS[suffix].read(tmp_path / f"translator{suffix}")
    inputs = graph.inputs(3, seed=7)
    torch.testing.assert_close(run(inputs), graph(**inputs), rtol=1e-4, atol=1e-4)


def test_the_command_says_what_goes_in_and_comes_out(tmp_path, capsys):
    save_model(network("resnet"), tmp_path / "model")
    file = tmp_path / "translator.pt2"
    assert main([str(tmp_path / "model"), str(file), "--uint8"]) == 0
    words = "source [N, 1, 16, 16] float32, labels [N, 2] float32 -> image [N, 16, 16, 3] uint8"
    assert words in capsys.readouterr().out
    extra = {"ggdr.json": ""}
    torch.export.load(file, extra_files=extra)
    described = json.loads(extra["ggdr.json"])
    assert described["kind"] == "translator" and described["graph"]["dropout"] is False


def shared() -> TranslationPipeline:
    """A pipeline of two translators of codes, and the judges that encode them."""
    torch.manual_seed(0)
    a, b = ImageSpec(32, 32), ImageSpec(32, 32)
    judges = {
        f"discriminator_{name}": NICEDiscriminatorConfig.tiny().build(spec) for name, spec in (("a", a), ("b", b))
    }
    codes = judges["discriminator_a"].code_spec
    makers = {f"generator_{name}": NICETranslatorConfig.tiny().build(b, codes) for name in ("ab", "ba")}
    return TranslationPipeline(judges | makers, SharedEncoderGame(), ("a", "b"))


def tinted(**game) -> TranslationPipeline:
    """A pipeline that draws a colour, or takes that of a picture."""
    network = TintedTranslatorConfig(**game).build(ImageSpec(16, 16), ImageSpec(16, 16))
    return TranslationPipeline({"generator": network}, TintedGame(), ("a", "b"))


def through_file(graph, file):
    """What a file computes, and what its graph does, of the same inputs."""
    export(graph, file)
    inputs = graph.inputs(3, seed=7)
    return FORMATS[file.suffix].read(file)(inputs), graph(**inputs), inputs


@pytest.mark.parametrize("suffix", [".pt2", pytest.param(".onnx", marks=pytest.mark.slow)])
def test_a_view_is_exported_with_all_its_networks(suffix, tmp_path):
    pipe = shared()
    found, wanted, inputs = through_file(WayGraph(pipe, "b_to_a"), tmp_path / f"view{suffix}")
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    expected = pipe([*inputs["source"].add(1).div(2).clamp(0, 1)], to="a", output_type="pt").images
    torch.testing.assert_close(found, expected * 2 - 1, rtol=1e-3, atol=1e-3)


def test_a_view_takes_the_code_that_it_would_draw_or_the_image_whose_style_it_takes(tmp_path):
    found, wanted, inputs = through_file(WayGraph(tinted(), "a_to_b"), tmp_path / "code.pt2")
    assert list(inputs) == ["source", "code"] and inputs["code"].shape == (3, 3)
    torch.testing.assert_close(found, wanted)
    for pipe, style in ((tinted(), True), (tinted(drawn=False), False)):
        found, wanted, inputs = through_file(WayGraph(pipe, "a_to_b", style), tmp_path / "style.pt2")
        assert list(inputs) == ["source", "style"] and inputs["style"].shape == (3, 3, 16, 16)
        torch.testing.assert_close(found, wanted)
        source, style_image = (inputs[name].add(1).div(2) for name in inputs)
        made = pipe(source[1], style=style_image[1], output_type="pt").images[0]
        torch.testing.assert_close(found[1] / 2 + 0.5, made, atol=1e-5, rtol=0)


def test_an_encoder_is_exported_as_its_mean(tmp_path):
    network = ConvEncoderConfig.tiny().build(ImageSpec(16, 16))
    found, wanted, inputs = through_file(EncoderGraph(network), tmp_path / "encoder.pt2")
    torch.testing.assert_close(found, network(inputs["image"]).mean)
    assert found.shape == wanted.shape == (3, network.config.code_dim)


def test_the_command_exports_views_and_says_what_they_take(tmp_path, capsys):
    tinted().save_pretrained(tmp_path / "model")
    model, file = str(tmp_path / "model"), str(tmp_path / "view.pt2")
    assert main([model, file, "--view", "b"]) == 0
    said = "source [N, 3, 16, 16] float32, code [N, 3] float32 -> image [N, 3, 16, 16] float32"
    assert said in capsys.readouterr().out
    assert main([model, file, "--view", "a_to_b", "--style", "--uint8", "--overwrite"]) == 0
    said = "source [N, 3, 16, 16] float32, style [N, 3, 16, 16] float32 -> image [N, 16, 16, 3] uint8"
    assert said in capsys.readouterr().out
    extra = {"ggdr.json": ""}
    torch.export.load(file, extra_files=extra)
    described = json.loads(extra["ggdr.json"])
    assert described["kind"] == "view" and described["view"] == "a_to_b" and [*described["networks"]] == ["generator"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    {
        "": "it has discriminator_a, discriminator_b, generator_ab, generator_ba: choose one by --network, or all that"
        " goes from image to image by --view.",
        "--style": "--style is of a view that takes styles; add --view, such as horse_to_zebra.",
        "--view zebra": "this model does not translate to 'zebra'; give a domain, 'b' or 'a'",
        "--view a --style": "b_to_a takes no style of images; leave --style out.",
    }.items(),
)
def test_a_view_that_cannot_be_is_refused_in_one_sentence(tmp_path, typed, answer):
    shared().save_pretrained(tmp_path / "model")
    with pytest.raises(UserError) as raised:
        main([str(tmp_path / "model"), str(tmp_path / "view.pt2"), *typed.split()])
    assert answer in raised.value.in_flags() and not (tmp_path / "view.pt2").exists()
