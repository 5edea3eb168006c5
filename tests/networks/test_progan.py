"""Progressive GAN: its networks are the paper's, they grow as the game says, and the level survives what a run does."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import tiny
import torch

from ggdr.augment.none import NoAugmentation
from ggdr.exporting.graphs import GeneratorGraph, trace
from ggdr.games.progressive import Progressive
from ggdr.layers.growing import Growth
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.progan import ProGANDiscriminatorConfig, ProGANGeneratorConfig
from ggdr.networks.size import pyramid_of
from ggdr.networks.stylegan import StyleGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops.scales import downsample_average, reduce_detail, upsample_nearest
from ggdr.play.duel import StepContext
from ggdr.play.view import Reals
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.saving.checkpoint import latest
from ggdr.saving.model import find_saved, load_model, save_model
from ggdr.train import play, train_step
from ggdr.training.dry_run import dry_run
from ggdr.training.ema import EMA

G, D = ProGANGeneratorConfig.tiny(), ProGANDiscriminatorConfig.tiny()
GROWING = [G, StyleGANGeneratorConfig.tiny()]
every_generator = pytest.mark.parametrize("generator", GROWING, ids=lambda config: config.name)
WIDE = ImageSpec(16, 32)


def quiet(generator) -> dict[str, str]:
    """Keywords for an image without fresh noise."""
    return {"noise": "const"} if Capability.NOISE in generator.config.provides else {}


def progressive(**changes):
    """A run's recipe that grows from 4 px to 16 px within 8 steps, with GGDR at 8 px from the first on."""
    parts = {
        "generator": G,
        "discriminator": UNetDiscriminatorConfig(encoder=D),
        "regularizers": {"ggdr": GGDR(resolutions=(8,))},
    }
    game = Progressive(stage_kimg=0.016, fade_kimg=0.016)
    return dataclasses.replace(tiny.recipe, game=game, augment=NoAugmentation(), **parts, **changes)


def steps(run, count: int):
    """The run, so many steps on."""
    reals = run.reals()
    for _ in range(count):
        train_step(run, next(reals))
    return run


def counts(run) -> set[int]:
    """The numbers of updates that the optimizers of both players remember, over all weights."""
    states = [player.optimizer.state.values() for player in run.players.values()]
    assert [len(state) for state in states] == [len(player.parameters) for player in run.players.values()]
    return {int(each["step"]) for state in states for each in state}


def one(values: set[int]) -> int:
    """The only value."""
    (value,) = values
    return value


def test_both_networks_have_the_papers_number_of_weights_at_1024_px():
    with torch.device("meta"):
        pair = [config().build(ImageSpec(1024, 1024)) for config in (ProGANGeneratorConfig, ProGANDiscriminatorConfig)]
    sizes = [sum(p.numel() for p in network.parameters()) for network in pair]
    assert [round(size / 1e6, 1) for size in sizes] == [23.1, 23.1]  # table 2
    assert list(pair[0].feature_channels.values()) == [512, 512, 512, 512, 256, 128, 64, 32, 16]


def test_every_feature_vector_of_the_generator_has_unit_mean_square():
    network = tiny.moved(G.build(ImageSpec(16, 16)))
    maps = network(torch.randn(3, 8), resolutions=(4, 8, 16)).features
    for x in maps.values():
        torch.testing.assert_close(x.square().mean(dim=1), torch.ones_like(x[:, 0]), rtol=0.01, atol=0.01)


def test_the_image_does_not_depend_on_the_length_of_the_code():
    network = G.build(ImageSpec(16, 16))
    z = torch.randn(2, 8)
    torch.testing.assert_close(network(3 * z).image, network(z).image, rtol=1e-4, atol=1e-5)


@every_generator
def test_a_low_level_is_the_small_image_enlarged(generator):
    network = tiny.moved(generator.build(WIDE)).eval()
    z = torch.randn(2, 8)
    network.grow(1.0)
    image = network(z, **quiet(network)).image
    assert image.shape == (2, 3, 16, 32)
    torch.testing.assert_close(upsample_nearest(downsample_average(image)), image)
    assert (upsample_nearest(downsample_average(image, 2), 2) - image).abs().max() > 1e-3


@every_generator
def test_a_size_fades_in_between_two_levels(generator):
    network = tiny.moved(generator.build(WIDE)).eval()
    z, images = torch.randn(2, 8), {}
    for level in (1.0, 1.25, 2.0):
        network.grow(level)
        images[level] = network(z, **quiet(network)).image
    torch.testing.assert_close(images[1.25], images[1.0].lerp(images[2.0], 0.25))
    assert not torch.allclose(images[1.0], images[2.0])


@every_generator
def test_maps_of_sides_that_are_not_reached_are_made_all_the_same(generator):
    network = tiny.moved(generator.build(WIDE)).eval()
    z = torch.randn(2, 8)
    whole = network(z, resolutions=(4, 16), **quiet(network)).features
    network.grow(0.0)
    low = network(z, resolutions=(4, 16), **quiet(network)).features
    assert all(torch.equal(low[resolution], whole[resolution]) for resolution in (4, 16))


def test_the_discriminator_sees_no_more_than_its_level_and_fades_too():
    network, image = tiny.moved(D.build(WIDE)), torch.randn(4, 3, 16, 32)
    logits = {}
    for level in (1.0, 1.0 + 1e-6, 1.5, 2.0):
        network.grow(level)
        logits[level] = network(image).logits
    torch.testing.assert_close(logits[1.0], logits[1.0 + 1e-6], rtol=1e-3, atol=1e-4)
    assert not torch.allclose(logits[1.0], logits[1.5]) and not torch.allclose(logits[1.5], logits[2.0])
    network.grow(1.0)
    torch.testing.assert_close(network(upsample_nearest(downsample_average(image))).logits, logits[1.0])


def test_maps_of_the_discriminator_above_its_level_are_zeros_of_their_shape():
    network = tiny.moved(D.build(ImageSpec(32, 64)))
    network.grow(1.0)
    _, maps = network.pyramid(torch.randn(2, 3, 32, 64))
    shapes = {resolution: (network.map_channels[resolution], resolution, 2 * resolution) for resolution in (4, 8, 16)}
    assert {resolution: tuple(x.shape[1:]) for resolution, x in maps.items()} == shapes
    assert not maps[16].any() and maps[8].any() and maps[4].any()


@pytest.mark.parametrize("blur", [False, True])
def test_blocks_that_are_not_in_use_take_no_gradient_and_those_in_use_do(blur):
    network = dataclasses.replace(D, blur=blur).build(ImageSpec(16, 16))
    network.grow(0.5)
    network(torch.randn(4, 3, 16, 16)).logits.square().sum().backward()
    assert network.b16.conv0.weight.grad is None and network.fromrgb.weight.grad is not None
    assert network.b8.conv0.weight.grad.any() and network.b8.fromrgb.weight.grad.any()


class TestLevel:
    def test_it_is_saved_and_read_back(self, tmp_path):
        network = tiny.moved(G.build(ImageSpec(16, 16))).eval()
        network.grow(1.3)
        save_model(network, tmp_path)
        z = torch.randn(2, 8)
        assert torch.equal(load_model(tmp_path)(z).image, network(z).image)

    def test_a_running_mean_follows_it(self):
        network = G.build(ImageSpec(16, 16))
        mean = EMA({"generator": network}, 0.0, None)
        network.grow(0.5)
        mean.update(8, 8)
        z = torch.randn(2, 8)
        torch.testing.assert_close(mean.mean["generator"](z).image, network.eval()(z).image)

    def test_whatever_writes_to_the_buffer_is_noticed_also_after_a_move(self):
        growth = Growth(3)
        for _ in range(5):
            growth.grow(1.0)
            for other in (copy.deepcopy(growth), copy.deepcopy(growth).double()):
                other.load_state_dict({"missing": torch.tensor(0.5)})
                assert other.stage() == (3, 0.5) and growth.stage() == (1, 1.0)
        other.missing.fill_(99.0)  # of a stranger's file
        assert other.stage() == (0, 1.0)

    def test_a_level_that_is_none_is_refused(self):
        with pytest.raises(ValueError, match="from level 0 to 2; 2.5 is none"):
            G.build(ImageSpec(16, 16)).grow(2.5)

    def test_it_is_part_of_an_exported_graph(self):
        network = tiny.moved(G.build(ImageSpec(8, 8))).eval()
        network.grow(0.25)
        program, z = trace(GeneratorGraph(network)), torch.randn(3, 8)
        torch.testing.assert_close(program.module()(z), network(z).image)


class TestGame:
    def test_it_follows_the_papers_schedule(self):
        game, levels = Progressive(), pyramid_of(1024, 1024)
        at = {0: 0, 799: 0, 1200: 0.5, 1600: 1, 2399: 1, 2800: 1.5, 12799: 8 - 1 / 800, 12800: 8, 99999: 8}
        assert {kimg: game.level(kimg, levels) for kimg in at} == pytest.approx(at)
        assert Progressive(start_side=8).level(1200, levels) == 1.5
        assert Progressive(fade_kimg=0).level(799, levels) == 0 and Progressive(fade_kimg=0).level(800, levels) == 1
        assert Progressive().level(0, pyramid_of(96, 96)) == 0  # its base is 6 px

    def test_reals_lose_what_the_level_does_not_show(self):
        game = Progressive(stage_kimg=1.0, fade_kimg=1.0)
        networks = game.build_networks(G, D, {"real": ImageSpec(16, 16)}, ExtraOutputs())
        reals = torch.rand(2, 3, 16, 16)
        for kimg, missing, share in ((0.5, 2, 1.0), (1.25, 1, 0.25), (9.0, 0, 1.0)):
            (duel,) = game.duels(networks, {"real": Reals(reals)}, StepContext("d", kimg=kimg))
            torch.testing.assert_close(duel.real, reduce_detail(reals, missing, share))
            assert duel.fake.image.shape == reals.shape
        torch.testing.assert_close(duel.real, reals)

    def test_a_faded_real_is_as_a_faded_fake(self):
        image = torch.rand(1, 1, 8, 8)
        torch.testing.assert_close(
            reduce_detail(image, 1, 0.25),
            upsample_nearest(upsample_nearest(downsample_average(image, 2)).lerp(downsample_average(image), 0.25)),
        )

    @pytest.mark.parametrize("part", ["generator", "discriminator"])
    def test_networks_that_do_not_grow_are_refused_before_the_run(self, part):
        recipe = dataclasses.replace(progressive(), **{part: getattr(tiny.recipe, part)})
        with pytest.raises(ValueError, match=f"{part} 'stylegan2' cannot; take {part} .*'progan'.*--game standard"):
            fit(recipe, {"real": ImageSpec(16, 16, 1)})

    def test_a_first_size_beyond_the_images_is_refused(self):
        with pytest.raises(ValueError, match="start_side is 64; images are 16 px high"):
            fit(dataclasses.replace(progressive(), game=Progressive(start_side=64)), {"real": ImageSpec(16, 16, 1)})

    def test_a_run_that_is_cut_off_while_it_grows_goes_on_exactly(self, tmp_path):
        whole = steps(tiny.tiny_run(progressive(), tmp_path), 4)
        half = find_saved(whole.save())["generator"].load()
        assert half.growth.stage() == (1, 0.5)  # the level of the last step: 8 px faded in by half
        resumed = tiny.tiny_run(progressive(), tmp_path)
        resumed.load(latest(tmp_path))
        ours, theirs = steps(resumed, 2).networks.named(), steps(whole, 2).networks.named()
        for name, network in theirs.items():
            state = ours[name].state_dict()
            assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())

    def test_optimizers_begin_again_where_a_size_sets_in_and_where_it_is_there(self, tmp_path):
        assert self.updates_after_each_step(progressive(), tmp_path) == [1, 2, 3, 1, 1, 2, 3, 1, 1]

    def test_optimizers_may_keep_their_memory(self, tmp_path):
        game = dataclasses.replace(progressive().game, reset_optimizers=False)
        recipe = dataclasses.replace(progressive(), game=game)
        assert self.updates_after_each_step(recipe, tmp_path) == [1, 2, 3, 4, 5, 6, 7, 8, 9]

    def test_a_run_that_goes_on_where_a_size_sets_in_begins_again_there(self, tmp_path):
        steps(tiny.tiny_run(progressive(), tmp_path), 3).save()
        resumed = tiny.tiny_run(progressive(), tmp_path)
        resumed.load(latest(tmp_path))
        assert counts(resumed) == {3} and counts(steps(resumed, 1)) == {1}

    def updates_after_each_step(self, recipe, out) -> list[int]:
        """How many updates every weight's optimizer remembers; levels 0, 0, 0, .5, 1, 1, 1, 1.5, 2."""
        run = tiny.tiny_run(recipe, out)
        return [one(counts(steps(run, 1))) for _ in range(9)]

    def test_the_level_is_logged_and_a_dry_run_runs(self, tmp_path, capsys):
        run = tiny.tiny_run(progressive(), tmp_path)
        assert train_step(run, next(run.reals()))["level"] == 0
        dry_run(run, train_step, play)
        assert "time per kimg" in capsys.readouterr().out
