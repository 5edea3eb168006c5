"""The perceptual distance against its formula, in each of the papers' settings."""

from __future__ import annotations

import dataclasses

import pytest
import several
import tiny
import torch
from translators import SmallTranslatorConfig

from ggdr.errors import UserError
from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.features.plain import Pixels
from ggdr.features.vgg19 import VGG19
from ggdr.games.paired import PairedGame
from ggdr.losses.none import NoLoss
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.game import Reals
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.perceptual import Perceptual
from ggdr.train import main, train_step

SPEC = ImageSpec(16, 16, 3)
CPU = torch.device("cpu")
A, B = torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1


def duel(target: ImageSpec = SPEC, truth: torch.Tensor = B):
    torch.manual_seed(0)
    game = PairedGame(conditional=False)
    networks = game.build_networks(SmallTranslatorConfig(), NoDiscriminatorConfig(), {"a": SPEC, "b": target}, NO_EXTRA)
    return game.duels(networks, {"a": Reals(A), "b": Reals(truth)}, StepContext("g"))[0]


def begun(term: Perceptual) -> Perceptual:
    term.begin(CPU)
    return term


def vgg_maps(images: torch.Tensor, names: list[str]) -> list[torch.Tensor]:
    maps = VGG19(random=True).load_layers(CPU)((images + 1) * 127.5, names)
    return [maps[name] for name in names]


def test_srgans_is_the_mean_square_of_maps_over_12_75():
    term = begun(Perceptual(extractor=VGG19(random=True), layers=("relu5_4",), distance="l2", weight=1 / 12.75**2))
    shown = duel()
    (fake,), (true,) = vgg_maps(shown.fake.image, ["relu5_4"]), vgg_maps(B, ["relu5_4"])
    torch.testing.assert_close(term.weight * term.loss(shown), (fake / 12.75 - true / 12.75).square().mean())


def test_esrgans_is_the_mean_absolute_difference_before_relu():
    shown, term = duel(), begun(Perceptual(extractor=VGG19(random=True), layers=("conv5_4",), distance="l1"))
    (fake,), (true,) = vgg_maps(shown.fake.image, ["conv5_4"]), vgg_maps(B, ["conv5_4"])
    assert fake.min() < 0
    torch.testing.assert_close(term.loss(shown), (fake - true).abs().mean())


def test_several_layers_count_by_their_weights():
    names = ["relu1_1", "relu2_1", "relu3_1"]
    settings = {"extractor": VGG19(random=True), "layers": tuple(names), "distance": "l1"}
    shown = duel()
    pairs = zip(vgg_maps(shown.fake.image, names), vgg_maps(B, names), strict=True)
    one, two, three = ((fake - true).abs().mean() for fake, true in pairs)
    torch.testing.assert_close(begun(Perceptual(**settings)).loss(shown), one + two + three)
    weighted = begun(Perceptual(**settings, layer_weights=(1 / 32, 1 / 16, 0.5)))
    torch.testing.assert_close(weighted.loss(shown), one / 32 + two / 16 + three / 2)


def test_without_layers_it_is_the_distance_of_the_features_that_metrics_read():
    """LPIPS is one such; pixels are another, which need no weights."""
    shown, term = duel(), begun(Perceptual(extractor=Pixels(side_px=16), layers=(), distance="l2"))
    rows = [Pixels(side_px=16).load(CPU)((images + 1) * 127.5).rows for images in (shown.fake.image, B)]
    torch.testing.assert_close(term.loss(shown), (rows[0] - rows[1]).square().sum(1).mean())


def test_against_the_source_it_needs_no_pairs():
    term = begun(Perceptual(extractor=Digits(), layers=("silu1",), distance="l2", against="source"))
    assert term.requires == {Capability.SOURCE}
    assert Perceptual(extractor=Digits(), layers=("silu1",)).requires == {Capability.TRUTH}
    shown = duel()
    maps = [Digits().load_layers(CPU)((x + 1) * 127.5, ["silu1"])["silu1"] for x in (shown.fake.image, A)]
    torch.testing.assert_close(term.loss(shown), (maps[0] - maps[1]).square().mean())
    two = several.recipe("unpaired")
    changed = dataclasses.replace(two, regularizers={**two.regularizers, "content": term})
    fit(changed, two.data.open().domains)


def test_sources_of_another_shape_are_refused_when_they_are_compared():
    term = begun(Perceptual(extractor=Digits(), layers=("silu1",), against="source"))
    shown = duel(ImageSpec(16, 16, 1), B[:, :1])
    with pytest.raises(UserError, match=r"compares fakes \[4, 1, 16, 16\] with images \[4, 3, 16, 16\]"):
        term.loss(shown)


def test_gradient_reaches_the_fake_and_its_maker_and_no_other():
    term, shown = begun(Perceptual(extractor=Digits(), layers=("silu2",))), duel()
    term.loss(shown).backward()
    assert all(p.grad is not None for p in shown.G.parameters())
    assert not any(p.requires_grad for p in term.maps_of.stack.parameters())


def test_maps_are_float32_under_mixed_precision():
    term, shown = begun(Perceptual(extractor=Digits(), layers=("silu2",))), duel()
    shown.context = shown.context._replace(autocast=lambda: torch.autocast("cpu", torch.bfloat16))
    assert shown.fake.image.dtype == torch.float32 and term.loss(shown).dtype == torch.float32
    assert term.features(shown.fake.image)[0].dtype == torch.float32


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"layers": ("relu9_9",)}, "there is no layer 'relu9_9'; there are conv1_1"),
        ({"extractor": Inception()}, "'inception' provides no layers: set extractor to digits, emoji, .*vgg16, vgg19"),
        ({"extractor": Inception(), "layers": ()}, "provides no smooth: set extractor to .*lpips"),
        ({"layer_weights": (1.0, 2.0)}, "give 1 number of 0 or more, or one for each of relu5_4"),
        ({"layer_weights": (-1.0,)}, "give 1 number of 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Perceptual(**settings).resolve(SPEC, 4)


def test_images_that_are_too_small_for_a_layer_are_told_before_the_run():
    with pytest.raises(UserError, match=r"relu5_4, whose maps are 16 times smaller than images, and these are 8 x 8"):
        Perceptual().resolve(ImageSpec(8, 8, 3), 4)
    assert Perceptual().resolve(ImageSpec(16, 16, 3), 4)[0] == Perceptual()


def test_missing_weights_are_told_by_their_flag_when_the_run_begins(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    recipe = dataclasses.replace(
        several.recipe("pairs_alone"), regularizers={"vgg": Perceptual(extractor=VGG19(weights="none/vgg.pth"))}
    )
    with pytest.raises(UserError, match="there are no weights at 'none/vgg.pth'"):
        tiny.tiny_run(recipe, tmp_path)


def test_the_command_line_trains_pairs_by_it_without_a_judge(tmp_path, capsys):
    (tmp_path / "pairs_alone_by_layers.py").write_text("import several\nrecipe = several.recipe('pairs_alone')\n")
    term = [
        "--regularizers.p",
        "perceptual",
        "--regularizers.p.extractor",
        "digits",
        "--regularizers.p.layers",
        "silu1",
    ]
    main([str(tmp_path / "pairs_alone_by_layers.py"), *term, "--dry-run", "--out", str(tmp_path / "out")])
    assert "phases of a step: g (l1, p)" in capsys.readouterr().out


def test_a_whole_step_learns_from_it(tmp_path):
    recipe = dataclasses.replace(
        several.recipe("pairs_alone"),
        loss=NoLoss(),
        regularizers={"perceptual": Perceptual(extractor=Digits(), layers=("silu1", "silu2"))},
    )
    run = tiny.tiny_run(recipe, tmp_path)
    before = [p.clone() for p in run.networks["generator"].parameters()]
    stats = train_step(run, next(run.reals()))
    assert stats["loss/g/perceptual"].isfinite()
    assert any(not torch.equal(a, b) for a, b in zip(before, run.networks["generator"].parameters(), strict=True))
