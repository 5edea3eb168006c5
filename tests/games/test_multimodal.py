"""MUNIT's game: each equation of the paper, where gradients go, styles drawn, and styles of images."""

from __future__ import annotations

import dataclasses

import pytest
import several
import tiny
import torch
from PIL import Image
from translator_runs import photo, trained
from translators import SmallTranslatorConfig

import ggdr
from ggdr.errors import UserError
from ggdr.games.multimodal import MultimodalGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.networks.base import NO_EXTRA, ExtraOutputs, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import StepContext
from ggdr.play.game import Reals
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.content_reconstruction import ContentReconstruction
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.train import train_step

GRAY, COLOUR = ImageSpec(16, 16, 1), ImageSpec(16, 16, 3)
DOMAINS = {"gray": GRAY, "colour": COLOUR}
MAKER = MUNITTranslatorConfig.tiny()
A = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
B = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1


def played(turn: str = "g", discriminator=None, requires=frozenset(), resolutions=(), extra=NO_EXTRA):
    """Both generators and both duels of one micro-batch, where those learn whose turn it is."""
    torch.manual_seed(0)
    game = MultimodalGame()
    networks = game.build_networks(MAKER, discriminator or DCGANDiscriminatorConfig(channels=4), DOMAINS, extra)
    for name, network in networks.named().items():
        network.requires_grad_(name in networks.learning[turn])
    context = StepContext(turn, requires, resolutions)
    return networks, game.duels(networks, {"gray": Reals(A), "colour": Reals(B)}, context)


def mean_difference(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one - other).abs().mean()


def test_a_fake_is_the_sources_content_under_a_drawn_style():
    networks, (there, back) = played()
    to_a, to_b = networks["generator_a"], networks["generator_b"]
    assert (there.name, back.name) == ("gray_to_colour", "colour_to_gray")
    assert torch.equal(there.fake.image, to_b.decode(to_a.encode_content(A), there.z).image)
    assert torch.equal(back.fake.image, to_a.decode(to_b.encode_content(B), back.z).image)
    assert there.z.shape == (4, 3) and not torch.equal(there.z, back.z)
    assert (there.D, back.D) == (networks["discriminator_b"], networks["discriminator_a"])


def test_image_reconstruction_is_of_an_images_own_codes():
    networks, both = played()
    expected = sum(mean_difference(networks[name](x).image, x) for name, x in (("generator_a", A), ("generator_b", B)))
    torch.testing.assert_close(Identity().total(both), expected)


def test_content_and_style_are_found_again_in_the_fake():
    networks, both = played()
    to_a, to_b = networks["generator_a"], networks["generator_b"]
    content = style = 0.0
    for duel, encoder, decoder, x in zip(both, (to_a, to_b), (to_b, to_a), (A, B), strict=True):
        fake = decoder.decode(encoder.encode_content(x), duel.z).image
        content = content + mean_difference(decoder.encode_content(fake), encoder.encode_content(x))
        style = style + mean_difference(decoder.encode_style(fake), duel.z)
    torch.testing.assert_close(ContentReconstruction().total(both), content)
    torch.testing.assert_close(StyleReconstruction().total(both), style)


def test_a_cycle_ends_in_the_sources_own_style():
    networks, both = played()
    to_a, to_b = networks["generator_a"], networks["generator_b"]
    there, back = both
    a = to_a.decode(to_b.encode_content(there.fake.image), to_a.encode_style(A)).image
    b = to_b.decode(to_a.encode_content(back.fake.image), to_b.encode_style(B)).image
    torch.testing.assert_close(CycleConsistency().total(both), mean_difference(a, A) + mean_difference(b, B))


def test_every_part_of_both_autoencoders_learns_and_on_ds_turn_none():
    terms = (LeastSquares(), Identity(), ContentReconstruction(), StyleReconstruction())
    networks, both = played()
    sum(term.total(both) for term in terms).backward()
    for name in ("generator_a", "generator_b"):
        for part in (networks[name].content_encoder, networks[name].style_encoder, networks[name].mlp):
            assert any(p.grad.abs().sum() > 0 for p in part.parameters())
    networks, both = played("d")
    LeastSquares().total(both).backward()
    assert all(p.grad is None for name in networks.learning["g"] for p in networks[name].parameters())
    assert all(p.grad is not None for name in networks.learning["d"] for p in networks[name].parameters())


def test_the_content_that_is_to_be_found_again_learns_to_be_so():
    networks, (there, _) = played()
    vars(there)["found_content"] = torch.zeros_like(there.content)
    ContentReconstruction().loss(there).backward()
    assert any(p.grad.abs().sum() > 0 for p in networks["generator_a"].content_encoder.parameters())


def test_ggdr_goes_with_it_by_a_discriminator_that_draws_the_decoders_maps():
    judge = UNetDiscriminatorConfig(encoder=PatchDiscriminatorConfig(channels=4, norm="none", scales=2, halvings=2))
    term = GGDR(resolutions=(8,))
    channels = MAKER.build(COLOUR, COLOUR).feature_channels
    _, both = played("d", judge, term.requires | {Capability.PYRAMID}, (8,), ExtraOutputs({8: channels[8]}))
    loss = term.resolve(COLOUR, 4)[0].total(both)
    assert loss > 0 and both[0].fake.features[8].shape == (4, channels[8], 8, 8)
    assert len(both[0].on_fake.more_logits) == 1, "each scale has its loss"
    loss.backward()


class TestViews:
    """What the model serves: styles drawn, styles of images, and the way back in the source's own."""

    def views(self):
        networks, _ = played()
        game = MultimodalGame()
        return networks, game.views({name: networks[name] for name in networks.learning["g"]}, [*DOMAINS])

    def test_one_image_becomes_several_by_seed_and_the_same_one_by_the_same(self):
        _, views = self.views()
        batch = {"gray": Reals(A), "colour": Reals(B)}
        for view in views.values():
            first, again, other = (view.make(batch, seed) for seed in (0, 0, 1))
            assert torch.equal(first, again) and not torch.allclose(first, other)
        assert [*views] == ["gray_to_colour", "colour_to_gray"]
        assert views["gray_to_colour"].make(batch, 0).shape == (4, 3, 16, 16)

    def test_the_style_of_an_image_is_what_its_own_domains_generator_says(self):
        networks, views = self.views()
        way, decoder = views["gray_to_colour"].way, networks["generator_b"]
        codes = way.encode_style(B)
        assert torch.equal(codes, decoder.encode_style(B)) and (way.draws, way.style_spec) == (3, COLOUR)
        made = way.translate(A, None, codes)
        assert torch.equal(made, decoder.decode(networks["generator_a"].encode_content(A), codes).image)
        assert torch.equal(made, way.translate(A, None, codes)), "nothing is drawn"
        assert (way.takes, way.makes, way.size_divisor, way.needs_style) == (GRAY, COLOUR, 2, False)
        back = views["colour_to_gray"].way
        assert torch.equal(back.encode_style(A), networks["generator_a"].encode_style(A)) and back.style_spec == GRAY

    def test_a_grid_shows_three_outputs_of_each_image_and_the_way_back_in_its_own_style(self):
        networks, views = self.views()
        columns = views["gray_to_colour"].columns({"gray": Reals(A), "colour": Reals(B)}, 0)
        assert [*columns] == ["input", "output", "second output", "third output", "cycle"]
        outputs = [columns[name] for name in columns if "output" in name]
        assert not any(torch.allclose(outputs[n], outputs[n - 1]) for n in range(3))
        to_a, to_b = networks["generator_a"], networks["generator_b"]
        cycle = to_a.decode(to_b.encode_content(columns["output"]), to_a.encode_style(A)).image
        assert torch.equal(columns["cycle"], cycle)


def test_a_saved_run_makes_several_images_of_one_by_seed_or_in_the_style_of_another(tmp_path):
    pipe = ggdr.from_pretrained(trained("multimodal", tmp_path))
    assert [*pipe.networks()] == ["generator_a", "generator_b"]

    def made(**how):
        return pipe(photo(24, 16), to="colour", output_type="pt", **how).images

    one, other = made(seeds=[0, 1])
    assert one.shape == (3, 16, 24) and not torch.allclose(one, other) and torch.equal(made(seeds=1)[0], other)
    red, blue = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (9, 20), "blue")
    assert torch.equal(made(style=red), made(style=red)), "nothing is drawn"
    assert not torch.allclose(made(style=red), made(style=blue))
    code = pipe.networks()["generator_b"].encode_style(
        torch.tensor([1.0, -1.0, -1.0])[None, :, None, None].expand(1, 3, 16, 16)
    )
    torch.testing.assert_close(pipe.encode_style(red, to="colour").code, code)


def test_a_generator_without_content_and_style_is_refused():
    recipe = dataclasses.replace(several.recipe("multimodal"), generator=SmallTranslatorConfig())
    with pytest.raises(UserError, match=r"parts images into content and style, .* take --generator funit or munit\."):
        fit(recipe, DOMAINS)


def test_domains_of_two_sizes_are_refused():
    recipe = several.recipe("multimodal")
    with pytest.raises(UserError, match=r"they are 16 x 16 and 32 x 32 px: give both domains one size, --data.size\."):
        fit(recipe, {"gray": GRAY, "colour": ImageSpec(32, 32, 3)})


def test_identity_goes_with_domains_of_other_channels_since_each_generator_sees_its_own(tmp_path):
    run = tiny.tiny_run(several.recipe("multimodal"), tmp_path)
    stats = train_step(run, next(run.reals()))
    assert {"loss/g/identity", "loss/g/content", "loss/g/style", "loss/g/cycle"} <= stats.keys()
    assert [phase.name for phase in run.phases][:1] == ["d"], "D's turn comes first"
