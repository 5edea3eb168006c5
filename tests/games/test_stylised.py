"""AdaIN's game: the paper's layers and equations, a frozen encoder that is saved with the model, styles that mix."""

from __future__ import annotations

import dataclasses

import pytest
import several
import tiny
import torch
from torch.nn import functional as F

import ggdr
from ggdr.errors import UserError
from ggdr.features.digits import Digits
from ggdr.features.inception import Inception
from ggdr.features.vgg19 import VGG19
from ggdr.games.stylised import StylisedGame
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.adain.translator import mirrored
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.stack import StackSpec, vgg
from ggdr.play.duel import StepContext
from ggdr.play.game import Reals
from ggdr.regularizers.content import Content
from ggdr.regularizers.style import Style
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer

RECIPE = several.recipe("stylised")
SPEC = ImageSpec(16, 16, 3)
A, B = torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1
CPU = torch.device("cpu")


def played(game: StylisedGame = RECIPE.game):
    torch.manual_seed(0)
    domains = {"content": SPEC, "style": SPEC}
    networks = game.build_networks(AdaINTranslatorConfig(), NoDiscriminatorConfig(), domains, NO_EXTRA)
    return networks["generator"], game.duels(networks, {"content": Reals(A), "style": Reals(B)}, StepContext("g"))[0]


def test_the_decoder_mirrors_vgg_as_in_the_papers_program():
    stack = vgg((2, 2, 4, 4, 4)).until("relu4_1")
    planned = mirrored(stack.parsed(), [3, *stack.channels()][:-1])
    assert [channels for _, channels in planned] == [256, 256, 256, 256, 128, 128, 64, 64, 3]
    assert [up for up, _ in planned] == [False, True, False, False, False, True, False, True, False]
    with torch.device("meta"):
        network = AdaINTranslatorConfig().build(ImageSpec(256, 256), ImageSpec(256, 256))
    assert network.size_divisor == 8 and network.style_width == 1024
    assert network.feature_channels == {32: 256, 64: 128, 128: 64, 256: 64}
    assert sum(p.numel() for p in network.encoder.parameters()) == 3_505_728
    assert sum(p.numel() for p in network.decoder.parameters()) == 3_505_219


def test_strides_are_mirrored_as_doublings_before_their_convolution():
    layers = ("conv1 conv 5/2 16", "silu1 silu", "conv2 conv 3/2 32")
    assert mirrored(StackSpec(layers).parsed(), [3, 16, 16]) == [(True, 16), (True, 3)]


def test_the_decoder_is_shown_content_with_the_mean_and_spread_of_the_style():
    G, duel = played()
    content, style = G.encode_content(A), G.encode_content(B)
    std = style.std((2, 3), keepdim=True, correction=0)
    centred = content - content.mean((2, 3), keepdim=True)
    t = centred / content.std((2, 3), keepdim=True, correction=0) * std + style.mean((2, 3), keepdim=True)
    torch.testing.assert_close(duel.wanted_content, t, rtol=1e-2, atol=5e-3)  # but for epsilon
    torch.testing.assert_close(duel.fake.image, G.decode_maps(duel.wanted_content).image)
    content_loss = F.mse_loss(G.encode_content(duel.fake.image), duel.wanted_content)
    torch.testing.assert_close(Content().loss(duel), content_loss)


def test_style_compares_means_and_spreads_in_each_layer():
    G, duel = played()
    expected = 0.0
    for name in ("silu1", "silu2"):
        fake, style = (G.encoder_layers(x, [name])[name] for x in (duel.fake.image, B))
        expected = expected + F.mse_loss(fake.mean((2, 3)), style.mean((2, 3)))
        expected = expected + F.mse_loss(fake.std((2, 3), correction=0), style.std((2, 3), correction=0))
    torch.testing.assert_close(Style().loss(duel), expected, rtol=1e-2, atol=1e-5)  # but for epsilon


def test_the_encoder_is_the_extractors_and_only_the_decoder_learns(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    G = run.networks["generator"]
    theirs = Digits().load_layers(CPU).stack.layers.state_dict()
    ours = G.encoder.layers.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert {*run.players["g"].parameters} == {*G.decoder.parameters()}
    with Trainer(run) as trainer:
        train_loop(trainer)
    for network in (G, run.ema.mean["generator"]):
        assert all(torch.equal(each, theirs[name]) for name, each in network.encoder.layers.state_dict().items())


def test_a_saved_model_asks_for_no_extractor_and_mixes_styles_by_strength(tmp_path, monkeypatch):
    with Trainer(tiny.tiny_run(RECIPE, tmp_path / "run")) as trainer:
        train_loop(trainer)
    monkeypatch.setattr(Digits, "load_layers", lambda *_: pytest.fail("asked for the extractor"))
    pipe = ggdr.from_pretrained(tmp_path / "run")
    (view,) = pipe.views.values()
    way = view.way
    content, styles = A[:1, :1], B[:2]
    one, other = way.encode_style(styles)
    assert way.needs_style and way.encode_style(styles).shape == (2, 64)
    mixed = way.translate(content, None, (0.5 * one + 0.5 * other)[None])
    assert mixed.shape == (1, 3, 16, 16)
    assert not torch.allclose(way.translate(content, None, one[None]), way.translate(content, None, other[None]))
    as_it_is = way.translate(content, None, way.own_code(content))
    torch.testing.assert_close(as_it_is, way.translate(content, None, None))
    picture = ((content[0] + 1) / 2).expand(3, -1, -1)
    with pytest.raises(UserError, match="style"):
        pipe(picture)
    assert pipe(picture, style=(styles[0] + 1) / 2, strength=0.5).images[0].size == (16, 16)


def test_alpha_goes_from_the_content_as_it_is_to_the_whole_style():
    """Eq. 14: maps mixed by alpha are those of codes mixed by alpha."""
    G, duel = played()
    content, alpha = G.encode_content(A), 0.3
    own, style = G.encode_style(A), G.encode_style(B)
    mixed = G.stylised(content, alpha * style + (1 - alpha) * own)
    torch.testing.assert_close(mixed, alpha * duel.wanted_content + (1 - alpha) * content, rtol=1e-3, atol=1e-3)


def test_a_grid_shows_content_result_and_style(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    (view,) = run.views().values()
    with torch.no_grad():
        columns = view.columns(run.seen_by(view, range(2)), 0)
    assert [*columns] == ["input", "output", "style"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"extractor": Inception()},
            "'inception' provides no layers: set game.extractor to digits, emoji, vgg16",
        ),
        ({"layers": ("relu9",)}, "there is no layer 'relu9'; there are conv1, silu1"),
        ({"layers": ()}, "game.layers are none"),
        ({"extractor": VGG19()}, "there is no layer 'silu1'"),
    ],
)
def test_layers_that_cannot_be_are_refused_before_the_run(changes, said):
    with pytest.raises(UserError, match=said):
        played(dataclasses.replace(RECIPE.game, **changes))


def test_generators_and_images_that_do_not_fit_are_refused():
    game, nobody = RECIPE.game, NoDiscriminatorConfig()
    with pytest.raises(UserError, match=r"puts a frozen encoder into the generator.*take --generator adain"):
        game.build_networks(several.SmallTranslatorConfig(), nobody, {"a": SPEC, "b": SPEC}, NO_EXTRA)
    for spec, said in (
        (ImageSpec(16, 16, 2), "sees images of 1 channel, and the data has 2"),
        (ImageSpec(18, 18, 3), "multiples of 4, from 8 on"),
        (ImageSpec(4, 4, 3), "multiples of 4, from 8 on"),
    ):
        with pytest.raises(UserError, match=said):
            game.build_networks(AdaINTranslatorConfig(), nobody, {"a": spec, "b": spec}, NO_EXTRA)
    with pytest.raises(UserError, match="16 x 16 and 32 x 32 px: give both one size"):
        other = ImageSpec(32, 32, 3)
        game.build_networks(AdaINTranslatorConfig(), nobody, {"a": SPEC, "b": other}, NO_EXTRA)


def test_missing_weights_are_told_by_their_flag(tmp_path):
    game = StylisedGame(extractor=VGG19(weights="none/vgg.pth"))
    recipe = dataclasses.replace(RECIPE, game=game)
    with pytest.raises(UserError, match="there are no weights at 'none/vgg.pth'"):
        tiny.tiny_run(recipe, tmp_path)
