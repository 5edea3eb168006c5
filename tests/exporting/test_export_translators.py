"""Translators as files: an image in, an image out, for torch.export.load and for a runtime of ONNX."""

from __future__ import annotations

import json

import pytest
import torch

from ggdr.exporting.files import FORMATS, export
from ggdr.exporting.graphs import TranslatorGraph
from ggdr.networks.base import ImageSpec
from ggdr.networks.nice import NICETranslatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
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
