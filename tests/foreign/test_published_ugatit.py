"""`ggdr convert` of U-GAT-IT's checkpoints: settings are read off the weights, and both ways are translated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from golden_games import below, close, folder_of, tensors

import ggdr
from ggdr.foreign.reading import read
from ggdr.networks.base import ImageSpec
from ggdr.networks.ugatit import UGATITTranslatorConfig
from ggdr.verbs.convert import main

CASE = json.loads((folder_of("ugatit") / "ugatit.json").read_text())


def checkpoint() -> dict[str, dict[str, torch.Tensor]]:
    """The golden weights as the published program saves them."""
    parts = {"genA2B": "G", "genB2A": "G", "disGA": "D_global", "disGB": "D_global", "disLA": "D_local"}
    return {entry: dict(below("ugatit", f"init/{part}/")) for entry, part in {**parts, "disLB": "D_local"}.items()}


def saved(folder: Path, content) -> Path:
    torch.save(content, folder / "selfie2anime_params_latest.pt")
    return folder / "selfie2anime_params_latest.pt"


def test_all_networks_are_read_and_translate_both_ways(tmp_path, capsys):
    assert main([str(saved(tmp_path, checkpoint())), str(tmp_path / "model")]) == 0
    said = capsys.readouterr().out
    assert "discriminator_b" in said and "from" in said and "disGB and disLB" in said and "note:" not in said
    model = ggdr.from_pretrained(tmp_path / "model")
    assert [*model.views] == ["a_to_b", "b_to_a"]
    found, way = tensors("ugatit"), model.views["a_to_b"].way
    assert way.takes == way.makes == ImageSpec(CASE["size"], CASE["size"], 3) and way.size_divisor == 0
    close(way.translate(found["x"][:1], None, None), found["y"][:1], 1e-5)
    net = read(tmp_path / "selfie2anime_params_latest.pt").networks["discriminator_a"].network
    logits = net(found["x"][:1])
    close(logits.logits, found["D_global/logits"][:1].flatten(1), 1e-5)
    close(logits.more_logits[2], found["D_local/cam"][:1], 1e-5)


def light(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights | {"FC.0.weight": torch.zeros(weights["FC.2.weight"].shape)}


def test_a_light_generator_alone_says_no_size(tmp_path, capsys):
    file = saved(tmp_path, {"genA2B": light(checkpoint()["genA2B"])})
    assert main([str(file), str(tmp_path / "model")]) == 0
    assert "note: the file does not say how large its images are: taken to be 256 x 256 px." in capsys.readouterr().out
    net = ggdr.Translator.from_pretrained(tmp_path / "model")
    assert net.config == UGATITTranslatorConfig(channels=CASE["ch"], blocks=CASE["blocks"], light=True)
    assert [*ggdr.from_pretrained(tmp_path / "model").views] == ["a_to_b"]


@pytest.mark.parametrize(
    ("entry", "name", "value", "words"),
    [
        ("genA2B", "UpBlock1_1.norm1.rho", None, "it lacks blocks.0.norm0.shares"),
        ("genA2B", "UpBlock1_1.norm1.rho", torch.zeros(8), "its blocks.0.norm0.shares is \\[8\\] where"),
        ("genA2B", "FC.0.weight", torch.zeros(8, 8 * 7), "its genA2B have not the shapes"),
        ("genA2B", "FC.0.weight", torch.zeros(8, 3), "its genA2B have not the shapes"),
        ("genA2B", "DownBlock.1.weight", torch.zeros(3), "its genA2B have not the shapes"),
        ("genB2A", "conv1x1.bias", torch.zeros(3), "its attention.conv.bias is \\[3\\] where"),
        ("genA2B", "stranger", torch.zeros(3), "it has '.stranger', for which such a network has no place"),
        ("genA2B", "epoch", 7, "its genA2B holds no weights"),
        ("disGA", "model.1.weight_orig", None, "its layers are not those of U-GAT-IT's discriminators"),
        ("disLB", "gap_fc.weight_u", None, "it lacks local_net.attention.of_mean.parametrizations.weight.0._u"),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path, entry, name, value, words):
    content = checkpoint()
    content[entry] = {key: kept for key, kept in content[entry].items() if key != name}
    content[entry] |= {} if value is None else {name: value}
    file = saved(tmp_path, content)
    with pytest.raises(ValueError, match=words) as refused:
        read(file)
    said = str(refused.value)
    assert said.startswith(f"cannot convert {str(file)!r}: ") and said.endswith(".") and "\n" not in said
