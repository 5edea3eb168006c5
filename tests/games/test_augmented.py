"""The game of Augmented CycleGAN: what is made of what, who learns, and what it refuses."""

from __future__ import annotations

import dataclasses

import pytest
import several
import torch
from PIL import Image
from torch.nn import functional as F
from translators import SmallTranslatorConfig

import ggdr
from ggdr.augment.none import NoAugmentation
from ggdr.errors import UserError
from ggdr.games.augmented import AugmentedGame
from ggdr.losses.ebgan import EBGAN
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import NO_EXTRA, ImageSpec
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.pipeline.translation import TranslationPipeline
from ggdr.play.duel import StepContext
from ggdr.play.game import Networks, Reals
from ggdr.play.view import FURTHER
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.style_reconstruction import StyleReconstruction

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)
DOMAINS = {"gray": GRAY, "colour": COLOUR}
A = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
B = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1
BOTH = frozenset({Capability.REAL_GRAD, Capability.FAKE_GRAD})


def networks_of(game: AugmentedGame, generator=several.CODED, domains=DOMAINS) -> Networks:
    torch.manual_seed(0)
    networks = game.build_networks(generator, several.JUDGE, domains, NO_EXTRA)
    for network in networks.named().values():
        network.eval()  # what is shown beside an image has no say in its code
    return networks


def duels(turn: str = "g", requires=frozenset(), pool: int = 0):
    """The networks and three duels of a micro-batch."""
    game = dataclasses.replace(several.AUGMENTED, pool=pool)
    game.begin(torch.device("cpu"))
    networks = networks_of(game)
    for name, network in networks.named().items():
        network.requires_grad_(name in networks.learning[turn])
    batch = {"gray": Reals(A), "colour": Reals(B)}
    torch.manual_seed(4)
    return game, networks, game.duels(networks, batch, StepContext(turn, requires))


def code(networks: Networks, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return networks["encoder_b"](torch.cat([a, b], 1)).mean


def test_the_roles_are_two_translators_an_encoder_and_three_judges():
    networks = networks_of(AugmentedGame())
    assert [*networks.learning["g"]] == ["generator_ab", "generator_ba", "encoder_b"]
    assert [*networks.learning["d"]] == ["discriminator_a", "discriminator_b", "discriminator_z"]
    assert networks["generator_ab"].z_dim == networks["encoder_b"].config.code_dim == 3
    assert networks["generator_ba"].z_dim == 0 and networks["encoder_b"].spec == ImageSpec(16, 16, 4)
    assert networks["discriminator_z"].spec == ImageSpec(1, 1, 3)
    assert [*networks.averaged()] == [*networks.learning["g"]]
    assert AugmentedGame.turns == ("d", "g") and AugmentedGame().pool == 0


def test_each_duel_is_of_what_the_paper_says():
    _, networks, (there, back, codes) = duels()
    assert [each.name for each in (there, back, codes)] == ["gray_to_colour", "colour_to_gray", "codes"]
    made_b = networks["generator_ab"](A, z=there.z).image
    made_a = networks["generator_ba"](B).image
    torch.testing.assert_close(there.fake.image, made_b)
    torch.testing.assert_close(back.fake.image, made_a)
    torch.testing.assert_close(codes.fake.image.flatten(1), code(networks, made_a, B))
    assert codes.reals.shape == (4, 3, 1, 1) and not torch.equal(codes.reals.flatten(1), there.z)
    judges = ("discriminator_b", "discriminator_a", "discriminator_z")
    assert [each.D for each in (there, back, codes)] == [networks[judge] for judge in judges]


def test_cycles_go_by_codes_and_the_code_itself_is_found_again():
    _, networks, (there, back, codes) = duels()
    to_b, to_a = networks["generator_ab"], networks["generator_ba"]
    made_b, made_a = to_b(A, z=there.z).image, to_a(B).image
    cycle = F.l1_loss(to_a(made_b).image, A) + F.l1_loss(to_b(made_a, z=code(networks, made_a, B)).image, B)
    torch.testing.assert_close(CycleConsistency().total([there, back, codes]), cycle)
    torch.testing.assert_close(
        StyleReconstruction().total([there, back, codes]), F.l1_loss(code(networks, A, made_b), there.z)
    )


def test_on_gs_turn_all_three_learn_and_on_ds_turn_each_judge_alone():
    _, networks, three = duels()
    (LeastSquares().total(three) + StyleReconstruction().total(three)).backward()
    touched = {name for name, net in networks.named().items() if any(p.grad is not None for p in net.parameters())}
    assert touched == {*networks.learning["g"]}
    for requires in (frozenset(), BOTH):
        _, networks, three = duels("d", requires)
        LeastSquares().total(three).backward()
        touched = {name for name, net in networks.named().items() if any(p.grad is not None for p in net.parameters())}
        assert touched == {*networks.learning["d"]}


def test_the_judge_of_codes_teaches_the_encoder():
    _, networks, (*_, codes) = duels()
    LeastSquares().total([codes]).backward()
    assert all(p.grad is not None for name, p in networks["encoder_b"].named_parameters())


def test_older_fakes_have_no_say_in_codes():
    game, networks, (there, back, codes) = duels("d", pool=4)
    for step in range(2):
        game.pools.images = {back.name: torch.full((4, 1, 16, 16), 9.0), there.name: torch.full((4, 3, 16, 16), 9.0)}
        torch.manual_seed(step)
        fresh = game.duels(networks, {"gray": Reals(A), "colour": Reals(B)}, StepContext("d"))
        assert (fresh[1].fake.image == 9).any()
        wanted = code(networks, networks["generator_ba"](B).image, B)
        torch.testing.assert_close(fresh[2].fake.image.flatten(1), wanted)


def test_the_image_whose_style_is_taken_changes_what_is_made():
    game = AugmentedGame()
    networks = networks_of(game)
    for parameter in networks["generator_ab"].parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    there, back = (view.way for view in game.views(networks.averaged(), [*DOMAINS]).values())
    style = there.encode_style(B)
    torch.testing.assert_close(style, code(networks, networks["generator_ba"](B).image, B))
    assert (there.style_spec, there.draws, there.needs_style) == (COLOUR, 3, False)
    assert (back.encode_style, back.draws) == (None, 0)
    made = there.translate(A, None, style)
    assert torch.equal(made, there.translate(A, None, style)) and not torch.allclose(
        made, there.translate(A, None, style.flip(0)), atol=1e-3
    )
    assert not torch.equal(there.translate(A, None, None), there.translate(A, None, None))
    assert torch.equal(back.translate(B, None, None), back.translate(B, None, None))


def test_a_cycle_is_drawn_in_the_style_of_its_image():
    game = AugmentedGame()
    networks = networks_of(game)
    batch = {"gray": Reals(A), "colour": Reals(B)}
    there, back = game.views(networks.averaged(), [*DOMAINS]).values()
    columns = back.columns(batch, 0)
    made = networks["generator_ba"](B).image
    wanted = networks["generator_ab"](made, z=code(networks, made, B)).image
    torch.testing.assert_close(columns["cycle"], wanted)
    assert [*there.columns(batch, 0)] == ["input", "output", *FURTHER, "cycle"]
    assert not torch.equal(there.make(batch, 0), there.make(batch, 1))
    assert torch.equal(there.make(batch, 0), there.make(batch, 0))


def test_ggdr_guides_the_judges_of_images_and_not_that_of_codes():
    recipe = dataclasses.replace(
        several.recipe("augmented"),
        game=AugmentedGame(),
        discriminator=UNetDiscriminatorConfig(encoder=several.JUDGE),
        regularizers={"ggdr": GGDR(resolutions=(8,))},
    )
    fitted = fit(recipe, DOMAINS)
    assert fitted.extra.target_channels == {8: 8}
    networks = recipe.game.build_networks(recipe.generator, recipe.discriminator, DOMAINS, fitted.extra)
    assert [networks[f"discriminator_{name}"].config.name for name in "abz"] == ["unet", "unet", "mlp"]
    assert networks["discriminator_z"].extra == NO_EXTRA
    (term,) = fitted.recipe.regularizers.values()
    context = StepContext("d", term.requires, term.resolutions)
    three = recipe.game.duels(networks, {"gray": Reals(A), "colour": Reals(B)}, context)
    term.total(three).backward()
    moved = [name for name in "abz" if any(p.grad is not None for p in networks[f"discriminator_{name}"].parameters())]
    assert moved == ["a", "b"]


def test_ggdr_needs_the_maps_of_the_fakes_that_d_is_shown():
    recipe = dataclasses.replace(
        several.recipe("augmented"),
        discriminator=UNetDiscriminatorConfig(encoder=several.JUDGE),
        regularizers={"ggdr": GGDR(resolutions=(8,))},
    )
    with pytest.raises(UserError, match=r"fakes of earlier steps, .* 'ggdr' compares .*: set --game\.pool 0"):
        fit(recipe, DOMAINS)


@pytest.mark.parametrize(
    ("generator", "what"),
    [(SmallTranslatorConfig(), "takes no code"), (MUNITTranslatorConfig.tiny(), "takes one both ways")],
)
def test_a_generator_takes_a_code_one_way_alone(generator, what):
    with pytest.raises(UserError, match=rf"{what}: take --generator resnet_translator --generator\.z-dim 16"):
        networks_of(AugmentedGame(), generator)


def test_images_of_both_domains_have_one_size():
    domains = DOMAINS | {"colour": ImageSpec(32, 32)}
    with pytest.raises(UserError, match=r"they have 16 x 16 and 32 x 32 px: give both one size, --data\.size 32 32"):
        networks_of(AugmentedGame(), domains=domains)


def test_what_the_judge_of_codes_cannot_give_is_refused():
    recipe = dataclasses.replace(several.recipe("augmented"), regularizers={})
    plain = dataclasses.replace(recipe, augment=NoAugmentation())
    odd = dataclasses.replace(plain, loss=EBGAN(), discriminator=AutoencoderDiscriminatorConfig.tiny())
    with pytest.raises(UserError, match=r"judges codes, too: loss 'ebgan' requires energy, .* --loss least_squares"):
        fit(odd, DOMAINS)
    nobody = dataclasses.replace(recipe, game=AugmentedGame(discriminator_z=NoDiscriminatorConfig()))
    with pytest.raises(UserError, match=r"judges codes, too: take --game\.discriminator-z mlp"):
        fit(nobody, DOMAINS)


def test_identity_is_refused_since_no_drawn_code_leaves_an_image_as_it_is():
    recipe = dataclasses.replace(several.recipe("augmented"), regularizers={"identity": Identity()})
    with pytest.raises(UserError, match=r"regularizer 'identity' requires identity"):
        fit(recipe, DOMAINS)


def test_a_saved_model_draws_several_colourings_and_takes_those_of_a_picture(tmp_path):
    game = AugmentedGame()
    networks = networks_of(game).averaged()
    for parameter in networks["generator_ab"].parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    TranslationPipeline(networks, game, tuple(DOMAINS)).save_pretrained(tmp_path / "model")
    assert {folder.name for folder in (tmp_path / "model").iterdir() if folder.is_dir()} == {*networks}
    pipe = ggdr.from_pretrained(tmp_path / "model")
    red, blue = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    lines = Image.new("L", (16, 16), 128)

    def made(**how) -> torch.Tensor:
        return pipe(lines, to="colour", output_type="pt", **how).images

    first, second = made(seeds=[0, 1])
    assert not torch.allclose(first, second, atol=1e-2) and torch.equal(made(seeds=1)[0], second)
    assert torch.equal(made(style=red), made(style=red)) and not torch.allclose(made(style=red), made(style=blue))
    with pytest.raises(UserError, match=r"colour_to_gray takes no style of other pictures \(gray_to_colour would\)"):
        pipe(red, to="gray", style=blue)
