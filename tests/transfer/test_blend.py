"""`ggdr blend`: a model between two, network by network, and what cannot be blended."""

from __future__ import annotations

import json
import math

import pytest
import several
import torch
from PIL import Image
from tiny_runs import trained

import ggdr
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.networks.srresnet import SRResNetTranslatorConfig
from ggdr.saving.model import find_saved, save_new
from ggdr.verbs.blend import main

SMALL, LARGE = ImageSpec(8, 8), ImageSpec(16, 16)


def model(folder, config=None, seed=0, **names):
    """A saved translator, and others of its kind by name."""
    networks = {}
    for number, name in enumerate(("generator", *names)):
        torch.manual_seed(seed + number)
        networks[name] = (config or RRDBTranslatorConfig.tiny()).build(LARGE, SMALL)
    save_new(folder, networks, {})
    return folder


def weights(folder, name="generator"):
    return find_saved(folder)[name].weights()


@pytest.mark.parametrize("amount", [0.0, 0.25, 1.0])
def test_each_weight_lies_between_those_of_both_models(amount, tmp_path):
    a = model(tmp_path / "a", SRResNetTranslatorConfig.tiny(), 0)
    b = model(tmp_path / "b", SRResNetTranslatorConfig.tiny(), 1)
    assert ggdr.blend(a, b, tmp_path / "out", amount=amount) == tmp_path / "out"
    one, other, made = (weights(tmp_path / name) for name in ("a", "b", "out"))
    for key, value in made.items():
        expected = (1 - amount) * one[key] + amount * other[key]
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
        assert amount not in (0, 1) or torch.equal(value, (other if amount else one)[key])
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert json.loads((tmp_path / "out" / "source.json").read_text())["models"] == [str(a), str(b)]


def test_networks_are_blended_by_their_names_and_others_are_left_out(tmp_path):
    a, b = model(tmp_path / "a", seed=0, critic=1, other=1), model(tmp_path / "b", seed=5, critic=1)
    ggdr.blend(a, b, tmp_path / "out")
    assert {*find_saved(tmp_path / "out")} == {"generator", "critic"}
    for name in ("generator", "critic"):
        one, other, made = (weights(tmp_path / folder, name) for folder in ("a", "b", "out"))
        assert all(torch.allclose(made[key], (one[key] + other[key]) / 2) for key in made)


def test_the_verb_makes_a_model_of_two_runs_that_translates(tmp_path, capsys):
    recipe = several.recipe("paired")
    changes = {field: vars(recipe)[field] for field in vars(recipe)} | {"total_kimg": 0.008, "ema_kimg": 0.01}
    for seed in range(2):
        trained(tmp_path / f"run{seed}", **changes | {"seed": seed})
    runs, out = [str(tmp_path / f"run{seed}") for seed in range(2)], tmp_path / "out"
    assert main([*runs, "--amount", "0.8", "--out", str(out)]) == 0
    assert capsys.readouterr().out.endswith(f"{out}: 0.2 of {runs[0]} and 0.8 of {runs[1]}\n")
    one, other, made = (weights(folder) for folder in (*runs, out))  # the running means
    assert all(torch.allclose(made[key], 0.2 * one[key] + 0.8 * other[key], atol=1e-6) for key in made)
    assert {*find_saved(out)} == {"generator", "discriminator"}
    index = json.loads((out / "model_index.json").read_text())
    assert (index["_domains"], index["generator"]) == (["gray", "colour"], ["ggdr", "Translator"])
    (image,) = ggdr.from_pretrained(out)(Image.new("L", (16, 16))).images
    assert image.size == (16, 16)
    with pytest.raises(UserError, match="is there already; give the name of a new folder"):
        main([*runs, "--out", str(out)])


@pytest.mark.parametrize("amount", [-0.1, 1.1, math.nan])
def test_an_amount_beyond_both_is_refused(amount, tmp_path):
    with pytest.raises(UserError, match="give a number from 0, the first model, to 1, the second"):
        ggdr.blend(tmp_path, tmp_path, tmp_path / "out", amount=amount)


def test_networks_that_are_not_alike_are_refused_and_nothing_is_made(tmp_path):
    rrdb, wide = model(tmp_path / "a"), model(tmp_path / "b", RRDBTranslatorConfig(channels=5, growth=2, blocks=1))
    short = model(tmp_path / "c", RRDBTranslatorConfig(channels=4, growth=2, blocks=0))
    srresnet = model(tmp_path / "d", SRResNetTranslatorConfig.tiny())
    for other, why in (
        (wide, r"'first.weight' is \[4, 3, 3, 3\] in one and \[5, 3, 3, 3\] in the other"),
        (short, r"'blocks.0.dense.0.convs.0.weight' is \[2, 4, 3, 3\] in one and missing in the other"),
        (srresnet, "they are rrdb and srresnet"),
    ):
        with pytest.raises(UserError, match=f"the generator of .* cannot be blended: {why}; give two models of one"):
            ggdr.blend(rrdb, other, tmp_path / "out")
    save_new(tmp_path / "e", {"critic": DCGANGeneratorConfig.tiny().build(LARGE)}, {})
    with pytest.raises(UserError, match=r"a' holds generator, and .*e' critic: they have no network of one name"):
        ggdr.blend(rrdb, tmp_path / "e", tmp_path / "out")
    assert not (tmp_path / "out").exists()
