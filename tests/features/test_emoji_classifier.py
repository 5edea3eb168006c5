"""The classifier of emoji: what it tells apart and hands over. How it is kept is tested with that of digits."""

from __future__ import annotations

import pytest
import torch

from ggdr.data.openmoji import OpenMoji
from ggdr.features import emoji, trained
from ggdr.features.emoji import Emoji
from ggdr.openmoji.code_points import part
from ggdr.openmoji.drawings import emoji_files

CPU = torch.device("cpu")


def accuracy(state, images, groups, tones):
    """Shares of right groups and right tones."""
    network = emoji.classifier(torch.float32)
    network.load_state_dict(state)
    logits = network(images.float())
    right = (logits[:, :10].argmax(1) == groups, logits[:, 10:].argmax(1) == tones)
    return tuple(float(each.double().mean()) for each in right)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """A cache of its own, and training of a second on every tenth emoji."""
    tenth = tuple(each[::10] for each in emoji.drawings())
    monkeypatch.setattr(emoji, "drawings", lambda: tenth)
    monkeypatch.setattr(emoji, "EPOCHS", 1)
    monkeypatch.setattr(trained, "cache_folder", lambda: tmp_path)  # drawings stay where they are
    return Emoji().load(CPU)


def test_an_emoji_has_features_and_logits_of_its_group_at_any_size(quick):
    batch = OpenMoji(size=48, labels="groups", subset=6).open().at([*range(6)], 0)
    found = quick(batch.images)
    assert found.rows.shape == (6, quick.width) and found.logits.shape == batch.labels.shape == (6, 10)
    gray = quick(batch.images[:, :1])
    assert gray.rows.shape == (6, quick.width) and not torch.equal(gray.rows, found.rows)


def test_gradients_pass_to_images_of_fractions(quick):
    images = OpenMoji(size=32, subset=3).open().at([*range(3)], 0).images.float().requires_grad_()
    quick(images).rows.square().sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_an_image_has_the_same_features_in_any_batch(quick):
    images = OpenMoji(size=32, subset=9).open().at([*range(9)], 0).images
    assert torch.allclose(quick(images).rows[4], quick(images[4:5]).rows[0], atol=1e-6)


def test_it_is_trained_once_and_kept(quick, monkeypatch):
    monkeypatch.setattr(emoji, "train_classifier", lambda *_: pytest.fail("trained again"))
    assert Emoji().load(CPU).weights_hash == quick.weights_hash


def test_edges_are_white_as_the_emoji_are():
    torch.manual_seed(0)
    assert emoji.augment(torch.ones(8, 3, 32, 32, dtype=torch.float64)).min() > 0.85


@pytest.mark.slow
def test_emoji_it_was_not_trained_on_are_told_apart():
    images, groups, tones = emoji.drawings()
    held_out = torch.tensor([part(file.stem) == 2 for file in emoji_files()])
    state = emoji.train_classifier(images[~held_out], groups[~held_out], tones[~held_out])
    of_group, of_tone = accuracy(state, images[held_out], groups[held_out], tones[held_out])
    assert of_group > 0.55 and of_tone > 0.75  # people, the commonest, are 54 %, and no tone is 55 %


@pytest.mark.slow
def test_emoji_has_the_same_weights_on_every_machine():
    """Float64 and coarse weights hide what processors differ in."""
    assert Emoji().load(CPU).weights_hash == "352fa8f5ac2cc4b1"
