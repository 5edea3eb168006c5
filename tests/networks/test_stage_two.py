"""Stage II of StackGAN: what it makes of stage I's image, that stage I stays as it is, and what is refused."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
import tiny
import torch
from torch.nn import functional as F
from two_stages import DIGITS, FIRST, one, two

import ggdr
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stage_two import StageTwoGeneratorConfig
from ggdr.recipe.fitting import fit
from ggdr.regularizers.ggdr import GGDR
from ggdr.saving.model import find_saved, load_model, save_model
from ggdr.train import train, train_step

WORDS = ("black", "cat", "heart")
SMALL = ImageSpec(16, 16, 1, 3, WORDS, ((0.0, 1.0),) * 3, text_encoder="words")
LARGE = SMALL._replace(height=32, width=32)
LABELS = torch.eye(3)[[0, 1, 1, 2]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Stage I, with weights and statistics away from their start."""
    folder = tmp_path_factory.mktemp("one") / "model"
    torch.manual_seed(1)
    save_model(tiny.moved(FIRST.build(SMALL)), folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of stage I on digits."""
    folder = tmp_path_factory.mktemp("one") / "run"
    train(dataclasses.replace(one(), total_kimg=0.032), folder)
    return folder


def built(saved, spec: ImageSpec = LARGE, **changes):
    torch.manual_seed(0)
    return dataclasses.replace(StageTwoGeneratorConfig.tiny(), stage_one=str(saved), **changes).build(spec)


def test_its_image_is_of_stage_ones_image_and_of_a_code_about_the_label(saved):
    net, first = built(saved).eval(), load_model(saved).eval()
    z = torch.randn(4, net.z_dim)
    below, draw = z[:, : first.z_dim], z[:, first.z_dim :]
    assert draw.shape == (4, 3) and net.feature_channels == {4: 16, 8: 8, 16: 4, 32: 4}
    small = first(below, LABELS).image
    mean, log_variance = net.distribution(LABELS).chunk(2, 1)
    code = mean + (log_variance / 2).exp() * draw
    x = F.relu(net.enter(small))
    for layer in net.down:
        x = layer(x)
    assert x.shape == (4, 16, 4, 4)
    x = net.join(torch.cat([x, code[:, :, None, None].expand(-1, -1, 4, 4)], 1))
    x = F.relu(x + net.blocks[0].norm(net.blocks[0].conv(net.blocks[0].inner(x))))
    for layer in net.up:
        x = layer(F.interpolate(x, scale_factor=2, mode="nearest"))
    made = net(z, LABELS, resolutions=(16, 32))
    torch.testing.assert_close(made.image, torch.tanh(net.toimage(x)))
    torch.testing.assert_close(made.features[32], x)
    assert made.image.shape == (4, 1, 32, 32) and made.features[16].shape == (4, 4, 16, 16)
    torch.testing.assert_close(made.head_outputs["condition"], torch.cat([mean, log_variance], 1))


def test_latent_codes_of_both_stages_can_be_searched(saved):
    net = built(saved).eval()
    z = torch.randn(4, net.z_dim, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(z, LABELS).image.sum(), z)
    assert gradient[:, : net.first.z_dim].abs().sum() > 0 and gradient[:, net.first.z_dim :].abs().sum() > 0


def test_the_factor_is_as_the_run_and_the_data_have_it(saved):
    net = built(saved, LARGE._replace(height=64, width=64))
    assert net.config.factor == 4 and net(torch.randn(2, net.z_dim), LABELS[:2]).image.shape == (2, 1, 64, 64)
    assert len(net.up) == 4


def test_a_step_moves_stage_two_and_nothing_of_stage_one(run, tmp_path):
    there = tiny.tiny_run(two(run), tmp_path)
    net = there.networks["generator"]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    known = find_saved(run)["generator"].load()
    for name, value in known.state_dict().items():
        assert torch.equal(before[f"first.{name}"], value), "the running mean of its weights"
    train_step(there, next(there.reals()))
    for name, value in net.state_dict().items():
        if name.startswith("first."):
            assert torch.equal(value, before[name]), name
    moved = [name for name, p in net.named_parameters() if not torch.equal(p, before[name])]
    assert len(moved) > 10 and "distribution.weight" in moved and "enter.weight" in moved
    assert net.training and not net.first.training and all(p.grad is None for p in net.first.parameters())
    mean = there.ema.mean["generator"]
    assert torch.equal(mean.first.distribution.weight, net.first.distribution.weight)


def test_a_run_goes_on_exactly_and_its_model_needs_no_run_of_stage_one(run, tmp_path):
    first = tmp_path / "one"
    shutil.copytree(run, first)
    recipe = two(first, total_kimg=0.128, checkpoint_kimg=0.064)
    train(recipe, tmp_path / "whole")
    train(dataclasses.replace(recipe, total_kimg=0.064), tmp_path / "half")
    train(recipe, tmp_path / "half")
    whole, half = (find_saved(tmp_path / name)["generator_live"].load() for name in ("whole", "half"))
    for (name, value), other in zip(whole.state_dict().items(), half.state_dict().values(), strict=True):
        assert torch.equal(value, other), name
    shutil.rmtree(first)
    pipe = ggdr.from_pretrained(tmp_path / "whole")
    assert pipe(seeds=[0, 1], labels=[3, 7]).images[0].size == (32, 32)
    text = (tmp_path / "whole" / "model" / "generator" / "config.json").read_text()
    assert str(first) not in text and "conditioning_augmentation" in text


def test_ggdr_reads_its_maps(run, tmp_path):
    terms = {**two(run).regularizers, "ggdr": GGDR(resolutions=(8, 16))}
    guided = tiny.tiny_run(two(run, regularizers=terms), tmp_path)
    stats = train_step(guided, next(guided.reals()))
    assert float(stats["loss/d/ggdr"]) > 0


def test_one_command_makes_images_of_texts_by_both_stages(saved, tmp_path):
    from ggdr.verbs.generate import main

    save_model(tiny.moved(built(saved)).eval(), tmp_path / "two")
    assert (
        main(
            [str(tmp_path / "two"), "--text", "black cat", "heart", "--seeds", "0-2", "--out", str(tmp_path / "g.png")]
        )
        == 0
    )
    images = ggdr.from_pretrained(tmp_path / "two")(labels=["black cat"], seeds=[0]).images
    assert images[0].size == (32, 32)


def test_there_is_no_training_without_stage_one(run):
    nothing = two(run, generator=StageTwoGeneratorConfig.tiny())
    with pytest.raises(UserError, match=r"is given none: train one, .* name its run by --generator.stage-one RUN"):
        fit(nothing, dataclasses.replace(DIGITS, size=32).open().domains)
    gone = two(run, generator=dataclasses.replace(StageTwoGeneratorConfig.tiny(), stage_one="runs/gone/away"))
    with pytest.raises(UserError, match="there is no folder 'runs/gone/away' here"):
        gone.generator.check_recipe(gone)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            LARGE._replace(labels=4, label_names=(*WORDS, "dog")),
            "was told 3 words, and the data has 4; both stages take",
        ),
        (LARGE._replace(label_names=("black", "dog", "heart")), "told other words than the data has: 'cat' for 'dog'"),
        (LARGE._replace(labels=0, label_names=(), text_encoder=""), "was told 3 labels, and the data has 0"),
        (LARGE._replace(height=16, width=16), r"of 16 x 16 px, and the data has 16 x 16 px, .* set --data.size 32"),
        (LARGE._replace(height=48, width=48), "which is not 2, 4 or 8 times as many"),
        (LARGE._replace(width=64), "which is not 2, 4 or 8 times as many"),
        (LARGE._replace(channels=3), "of 1 channels, and the data has 3: take the same data"),
    ],
)
def test_another_stage_one_than_the_datas_is_refused_in_one_sentence(spec, message, saved):
    with pytest.raises(UserError, match=message) as caught:
        built(saved, spec)
    assert "\n" not in str(caught.value)


def test_sizes_that_cannot_be_halved_twice_and_odd_factors_are_refused():
    with pytest.raises(UserError, match="20 x 20 px are no multiples of 8: set --data.size 16"):
        StageTwoGeneratorConfig.tiny().build(ImageSpec(20, 20))
    with pytest.raises(UserError, match="factor is 3; stage II doubles images"):
        StageTwoGeneratorConfig(factor=3)
    assert StageTwoGeneratorConfig(generator=DCGANGeneratorConfig.tiny()).described().stage_one == ""
