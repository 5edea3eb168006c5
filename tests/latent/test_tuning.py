"""`ggdr project --tune`: a generator that makes pictures of codes that were found, and stays itself elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved

import ggdr
from ggdr.errors import UserError
from ggdr.latent.codes import codes_of_seeds, images_of, load_codes
from ggdr.latent.projection import Projection, Search, project
from ggdr.latent.tuning import Tuning, WeightDescent, tune
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs import edit
from ggdr.verbs import project as verb

KINDS = {
    "style": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16)),
    "plain": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 16, 3, 2)),
}
FAST = Tuning(steps=60, learning_rate=5e-3)


def made(kind: str):
    """A generator, targets that it does not make, and the codes that are nearest to them."""
    config, spec = KINDS[kind]
    generator = moved(config.build(spec)).eval()
    torch.manual_seed(0)
    targets = torch.rand(2, 3, 16, 16) * 2 - 1
    labels = torch.eye(2) if spec.labels else None
    return generator, targets, project(generator, targets, Search(steps=5), labels=labels)


def away(generator, targets, found: Projection) -> torch.Tensor:
    with torch.no_grad():
        return (images_of(generator, found.codes) - targets).square().mean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_tuned_copy_is_nearer_to_the_pictures_and_the_generator_stays_as_it_was(kind):
    generator, targets, found = made(kind)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    state, steps = torch.get_rng_state(), []
    tuned = tune(generator, targets, found, tuning=FAST, watch=steps.append)
    assert steps == [*range(60)] and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())
    assert away(tuned.generator, targets, found) < 0.9 * away(generator, targets, found)
    assert (tuned.distance < found.distance).all()
    assert not tuned.generator.training and not any(each.requires_grad for each in tuned.generator.parameters())
    with torch.no_grad():
        torch.testing.assert_close(tuned.images, images_of(tuned.generator, found.codes), rtol=1e-3, atol=1e-4)


def test_batches_change_nothing_but_rounding():
    generator, targets, found = made("style")
    few = replace(FAST, steps=5, learning_rate=1e-3)
    one, both = (tune(generator, targets, found, tuning=few, batch_size=size) for size in (1, 8))
    torch.testing.assert_close(one.images, both.images, rtol=1e-2, atol=1e-3)


def test_other_images_move_less_the_more_locality_counts():
    generator, targets, found = made("style")
    codes, moved_by = codes_of_seeds(generator, range(20)), {}
    with torch.no_grad():
        before = images_of(generator, codes)
        for locality in (0.0, 10.0):
            tuned = tune(generator, targets, found, tuning=replace(FAST, locality=locality))
            moved_by[locality] = float((images_of(tuned.generator, codes) - before).square().mean())
    assert moved_by[10.0] < 0.5 * moved_by[0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_that_is_kept_lies_a_radius_from_the_pictures(kind):
    generator, targets, found = made(kind)
    for radius in (0.5, 2.0):
        descent = WeightDescent(generator, targets, found, Search(), replace(FAST, radius=radius), 8)
        pivot = found.codes.rows([1])
        near = descent.near(pivot, descent.others[3])
        spread = (descent.others - descent.others.mean(0)).square().sum(1).mean().sqrt()
        lengths = (near.points - pivot.points).norm(dim=-1)
        torch.testing.assert_close(lengths, (radius * spread).expand_as(lengths))
        way = torch.nn.functional.cosine_similarity(
            near.points - pivot.points, descent.others[3] - pivot.points, dim=-1
        )
        torch.testing.assert_close(way, torch.ones_like(way))


def test_what_cannot_be_tuned_is_refused():
    generator, targets, found = made("style")
    with pytest.raises(UserError, match="there are 2 codes for 1 pictures; give one for each"):
        tune(generator, targets[:1], found)
    with pytest.raises(UserError, match="radius is 0; give a number above 0"):
        Tuning(radius=0)


def test_the_verb_saves_a_model_that_makes_the_picture_of_its_code_and_replaces_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_model(made("style")[0], tmp_path / "model")
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(picture).save("ann.png")
    Image.fromarray(255 - picture).save("bob.png")
    flags = ["model", "ann.png", "bob.png", "--steps", "4", "--video", "none", "--batch-size", "1"]
    assert verb.main([*flags, "--tune", "models/both", "--tune-steps", "9"]) == 0
    said = capsys.readouterr().out
    assert "models/both: makes these pictures of the codes in projected\n" in said
    assert "bob.png: tuned, distance " in said and said.count("-tuned.png") == 2
    source = json.loads((tmp_path / "models/both/source.json").read_text())
    assert (source["model"], source["pictures"], source["steps"]) == ("model", ["ann.png", "bob.png"], 9)
    old, new = (ggdr.Generator.from_pretrained(name) for name in ("model", "models/both"))
    wanted = torch.from_numpy(picture).permute(2, 0, 1) / 127.5 - 1
    codes = load_codes(tmp_path / "projected" / "ann.safetensors", new)
    with torch.no_grad():
        near = [(images_of(each, codes)[0] - wanted).square().mean() for each in (old, new)]
    assert near[1] < near[0]
    assert (tmp_path / "projected" / "ann-tuned.png").is_file()
    assert edit.main(["models/both", "--code", "projected/ann.safetensors", "--out", "edit.png"]) == 0
    with pytest.raises(UserError, match="'models/both' is there already; give the name of a new folder"):
        verb.main([*flags, "--tune", "models/both", "--out", "again"])
    with pytest.raises(UserError, match="give a number above 0"):
        verb.main([*flags, "--tune", "models/other", "--tune-steps", "0", "--out", "again"])
    assert not (tmp_path / "again").exists()
