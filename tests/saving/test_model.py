"""Networks on disk: found in whatever folder holds them, exact, and refused in one sentence when they are not whole."""

from __future__ import annotations

import json

import pytest
import tiny
import torch
from tiny import moved

import ggdr
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.pipeline import Pipeline
from ggdr.saving.model import find_saved, load_model, save_model


def same(network, weights):
    """Whether a network holds these weights."""
    state = network.state_dict()
    return state.keys() == weights.keys() and all(torch.equal(state[key], weights[key]) for key in state)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a checkpoint, its mean apart from what trains."""
    run = tiny.tiny_run(tiny.recipe, tmp_path_factory.mktemp("run"))
    for parameter in run.ema.mean["generator"].parameters():
        parameter.add_(1.0)
    run.save()
    return run


def test_a_run_and_its_checkpoint_hold_mean_live_and_discriminator(run):
    for folder in (run.out, run.out / "checkpoints" / "00000000"):
        found = find_saved(folder)
        assert set(found) == {"generator", "generator_live", "discriminator"}
        assert same(run.ema.mean["generator"], found["generator"].weights())
        assert same(run.networks["generator"], found["generator_live"].weights())
        discriminator = found["discriminator"].load()
        assert same(run.networks["discriminator"], discriminator.state_dict()) and not discriminator.training
        assert discriminator.extra.target_channels == {8: 8}


def test_a_finished_run_without_checkpoints_a_model_and_a_single_network_are_found(run, tmp_path):
    save_model(run.networks["generator"], tmp_path / "model" / "generator")
    for folder in (tmp_path, tmp_path / "model", tmp_path / "model" / "generator"):
        found = find_saved(str(folder))
        assert set(found) == {"generator"} and same(found["generator"].load(), run.networks["generator"].state_dict())


def test_what_holds_no_model_is_refused_with_what_does(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="holds no model; give the folder of a run, of a checkpoint"):
            find_saved(path)
    (tmp_path / "ffhq.pkl").touch()
    with pytest.raises(ValueError, match="is a file; .* `ggdr convert .*ffhq.pkl FOLDER`"):
        find_saved(tmp_path / "ffhq.pkl")


CHANGES = {
    "no JSON": (lambda config: "{", "config.json"),
    "no object": (lambda config: "[1]", "no JSON object"),
    "no text": (lambda config: "\ud800", "config.json"),
    "no kind": (lambda config: {"spec": {}}, "needs kind, spec and config"),
    "no such kind": (lambda config: config | {"kind": "oracle"}, "describes a 'oracle'"),
    "strange spec": (lambda config: config | {"spec": {"depth": 3}}, "needs a height and a width"),
    "spec of text": (lambda config: config | {"spec": config["spec"] | {"height": "16"}}, "height"),
    "no such type": (lambda config: config | {"config": {"type": "stylegan9"}}, "unknown generator 'stylegan9'"),
    "unknown field": (lambda config: config | {"config": config["config"] | {"depth": 3}}, "no field 'depth'"),
    "other width": (lambda config: config | {"config": config["config"] | {"w_dim": 4}}, "model.safetensors does not"),
    "other size": (lambda config: config | {"spec": config["spec"] | {"height": 32, "width": 32}}, "does not hold"),
    "numbers of another kind": (lambda config: config | {"spec": config["spec"] | {"continuous": 1}}, "whole numbers"),
    "no size": (lambda config: config | {"spec": {"height": 16}}, "needs a height and a width"),
}


@pytest.mark.parametrize(("change", "hint"), CHANGES.values(), ids=CHANGES)
def test_an_edited_description_is_refused(tmp_path, change, hint):
    save_model(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16)), tmp_path)
    file = tmp_path / "config.json"
    changed = change(json.loads(file.read_text()))
    text = changed if isinstance(changed, str) else json.dumps(changed)
    file.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=hint):
        load_model(tmp_path)


def test_torn_and_missing_weights_are_refused(tmp_path):
    save_model(UNetDiscriminatorConfig.tiny().build(ImageSpec(16, 16), ExtraOutputs({8: 8})), tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot read .*model.safetensors"):
        load_model(tmp_path)
    file.unlink()
    with pytest.raises(ValueError, match="cannot read .*model.safetensors"):
        load_model(tmp_path)


def test_each_network_loads_and_saves_alone(tmp_path):
    spec = ImageSpec(16, 32, 4)
    judge = UNetDiscriminatorConfig.tiny().build(spec, ExtraOutputs({8: 8}))
    pipe = Pipeline(moved(StyleGAN2GeneratorConfig.tiny().build(spec)), moved(judge))
    pipe.save_pretrained(tmp_path / "pair")
    for kind, network in ((ggdr.Generator, pipe.generator), (ggdr.Discriminator, pipe.discriminator)):
        found = kind.from_pretrained(tmp_path / "pair")
        assert isinstance(found, kind) and not found.training and found.config == network.config
        assert all(torch.equal(a, b) for a, b in zip(found.parameters(), network.parameters(), strict=True))
        found.save_pretrained(tmp_path / kind.__name__)
        assert sorted(file.name for file in (tmp_path / kind.__name__).iterdir()) == [
            "config.json",
            "model.safetensors",
        ]
        assert kind.from_pretrained(tmp_path / kind.__name__).config == network.config
    with pytest.raises(ValueError, match="holds 'generator' and no discriminator"):
        ggdr.Discriminator.from_pretrained(tmp_path / "Generator")
    with pytest.raises(AttributeError, match="no attribute 'Critic'"):
        ggdr.Critic  # noqa: B018
