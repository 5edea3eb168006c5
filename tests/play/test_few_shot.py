"""Duels of few examples: what is made of what, and what a saved model makes of classes it has never seen."""

from __future__ import annotations

import labelled
import pytest
import tiny
import torch
from torch.nn import functional as F
from translator_runs import photo, trained

import ggdr
from ggdr.errors import UserError
from ggdr.games.few_shot import FewShotGame
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.funit import FUNITDiscriminatorConfig, FUNITTranslatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.duel import StepContext
from ggdr.play.view import Reals
from ggdr.registry import Capability
from ggdr.regularizers.class_feature_matching import ClassFeatureMatching
from ggdr.regularizers.identity import Identity
from ggdr.verbs.translate import main as translate

SPEC = ImageSpec(16, 16, 3, 4)
IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1
LABELS = torch.eye(4)[[2, 0, 1, 3]]


def play(turn="g"):
    torch.manual_seed(0)
    game = FewShotGame()
    networks = game.build_networks(
        FUNITTranslatorConfig.tiny(), FUNITDiscriminatorConfig.tiny(), {"real": SPEC}, NO_EXTRA
    )
    context = StepContext(turn, frozenset({Capability.PYRAMID}))
    (duel,) = game.duels(networks, {"real": Reals(IMAGES, LABELS)}, context)
    return networks["generator"], networks["discriminator"], duel


def test_each_real_is_made_into_what_the_next_one_shows_and_d_reads_the_map_of_its_class():
    G, D, duel = play()
    made = G(IMAGES[[3, 0, 1, 2]], z=G.encode_style(IMAGES)).image
    torch.testing.assert_close(duel.fake.image, made)
    torch.testing.assert_close(duel.on_fake.logits, D(made, LABELS).logits)


def test_only_the_map_of_an_images_class_counts():
    _, D, _ = play()
    D.out.weight.data[1:], D.out.bias.data[:] = 0.0, torch.arange(4.0)
    logits = D(IMAGES, LABELS).logits
    assert logits.shape == (4, 16)
    for place, expected in ((0, 2.0), (2, 1.0), (3, 3.0)):
        assert torch.equal(logits[place], torch.full((16,), expected))
    assert logits[1].std() > 0


def test_a_content_of_itself_is_itself_and_features_are_those_of_the_example():
    G, D, duel = play()
    itself = G(IMAGES, z=G.encode_style(IMAGES)).image
    torch.testing.assert_close(Identity(weight=1.0).loss(duel), F.l1_loss(itself, IMAGES))
    real, fake = (D(x, LABELS).maps[4].mean((2, 3)) for x in (IMAGES, duel.fake.image))
    torch.testing.assert_close(ClassFeatureMatching().loss(duel), (real - fake).abs().mean())


def test_a_generator_that_takes_no_class_from_images_is_refused():
    with pytest.raises(UserError, match=r"game 'few_shot' takes a class from images.* take --generator funit or munit"):
        FewShotGame().build_networks(
            ResnetTranslatorConfig.tiny(), FUNITDiscriminatorConfig.tiny(), {"real": SPEC}, NO_EXTRA
        )


def test_a_grid_shows_the_example_beside_the_output(tmp_path):
    run = tiny.tiny_run(labelled.recipe("few_shot"), tmp_path)
    (view,) = run.views().values()
    batch = run.seen_by(view, range(3))
    with torch.no_grad():
        columns = view.columns(batch, 0)
    assert [*columns] == ["input", "output", "style"]
    assert torch.equal(columns["style"], batch["real"].images[[1, 2, 0]])
    G = run.ema.mean["generator"].eval()
    made = G(columns["input"], z=G.encode_style(columns["style"])).image
    torch.testing.assert_close(columns["output"], made)


@pytest.mark.parametrize("count", [1, 3])
def test_a_saved_model_takes_the_mean_of_any_number_of_examples_without_labels(count, tmp_path):
    (view,) = TranslationPipeline.from_pretrained(trained("few_shot", tmp_path)).views.values()
    way = view.way
    assert way is not None and way.needs_style and way.encode_style is not None and way.makes.labels == 0
    examples = torch.rand(count, 1, 16, 16) * 2 - 1  # of no class that it was told of
    code = way.encode_style(examples).mean(0, keepdim=True)
    image = torch.rand(1, 1, 32, 24) * 2 - 1
    made = way.translate(image, None, code)
    assert made.shape == image.shape and not torch.equal(made, way.translate(image, None, -code))


def test_it_is_translated_by_examples_and_measured_on_labelled_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained("few_shot", tmp_path / "run")
    for name in ("one", "two", "three"):
        photo(20 + len(name), 16).save(f"{name}.png")
    assert translate(["run", "one.png", "--style", "two.png", "three.png", "--out", "made"]) == 0
    assert [*(tmp_path / "made").rglob("*.png")]
    record = ggdr.evaluate("run", metrics=["swd"])
    assert "swd" in str(record)
