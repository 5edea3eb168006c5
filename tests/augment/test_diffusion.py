"""Diffusion-GAN: how far images diffuse, by which law t is drawn, how T follows D, and what D is told (2206.02262)."""

from __future__ import annotations

import dataclasses
import math

import pytest
import tiny
import torch
from tiny_runs import rows, same, trained, weights

from ggdr.augment.ada import ADA
from ggdr.augment.diffusion import Diffusion
from ggdr.errors import UserError
from ggdr.losses.wasserstein import Wasserstein
from ggdr.networks.base import ImageSpec
from ggdr.networks.conditional import ConcatDiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.timestep import TimestepDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.fitting import fit
from ggdr.training.progress import Progress
from ggdr.visualization.plots import PANELS

CPU = torch.device("cpu")
BRIEF = ImageSpec(16, 16, 1)
INNER = DCGANDiscriminatorConfig.tiny()


def started(**settings) -> Diffusion:
    augment = Diffusion(**settings)
    augment.begin(CPU)
    return augment


def test_an_image_is_scaled_and_noised_as_worked_out_by_hand():
    """Two steps of beta 0.1 and 0.3: abar is 0.9 and 0.63; at most 2 steps, and none of the images clean."""
    augment = started(t_min=2, t_max=2, beta_start=0.1, beta_end=0.3, sigma=0.5, clean=0.0)
    torch.testing.assert_close(augment.kept, torch.tensor([1.0, 0.9, 0.63]))
    torch.manual_seed(0)
    x = torch.full((4096, 1, 2, 2), 0.8)
    y, _, t = augment.with_timestep(x, {})
    for steps, abar in ((1, 0.9), (2, 0.63)):
        taken = y[t == steps]
        assert taken.mean().item() == pytest.approx(0.8 * math.sqrt(abar), abs=0.01)
        assert taken.std().item() == pytest.approx(0.5 * math.sqrt(1 - abar), rel=0.03)


def test_the_default_diffusion_leaves_next_to_nothing_of_an_image_at_its_end():
    kept = started().kept
    assert len(kept) == 1001 and kept[1].item() == pytest.approx(0.9999) and kept[-1] < 1e-4
    assert (kept[1:] < kept[:-1]).all()


def test_t_is_drawn_as_likely_as_it_is_large_or_evenly():
    torch.manual_seed(0)
    draws = torch.rand(2, 200_000)
    for law, chances in (("priority", [0.1, 0.2, 0.3, 0.4]), ("uniform", [0.25] * 4)):
        t = started(timesteps=law, t_min=4, clean=0.5).draw(draws)
        shares = torch.bincount(t, minlength=5) / len(t)
        torch.testing.assert_close(shares, torch.tensor([0.5, *(each / 2 for each in chances)]), atol=0.005, rtol=0)


@pytest.mark.parametrize("law", ["priority", "uniform"])
def test_no_t_is_beyond_its_range_whatever_is_drawn(law):
    ends = torch.tensor([[0.0, 1 - 2**-24, 0.5], [0.9, 0.9, 0.9]])
    for last in (1, 5, 1000):
        t = started(timesteps=law, t_min=last).draw(ends)
        assert t[0] == 1 and t[1] == last and 1 <= t[2] <= last


def test_clean_images_stay_bit_for_bit_and_maps_never_move():
    torch.manual_seed(0)
    augment, image, maps = started(t_min=1000), torch.rand(64, 1, 8, 8), {4: torch.rand(64, 3, 4, 4)}
    y, moved, t = augment.with_timestep(image, maps)
    assert 0 < (t == 0).sum() < 64 and moved is maps
    assert torch.equal(y[t == 0], image[t == 0]) and not (y[t > 0] == image[t > 0]).any()
    assert augment.acts and not augment.moves and not augment.turns


def stats(sign: float) -> dict[str, torch.Tensor]:
    return {"images": torch.tensor(50.0), "signs/real": torch.tensor(sign)}


def test_T_climbs_where_D_is_surer_than_the_target_and_falls_where_it_is_not():
    augment = started(t_min=10, t_max=1000, speed_kimg=1.0, interval=4, target=0.6)
    for _ in range(4):
        augment.learn(stats(0.7))
    assert augment.state["T"] == 10 + 1000 * 200 / 1000 and augment.state["r_d"].item() == pytest.approx(0.7)
    for sign in (1.0, 1.0, 0.0, 0.0):  # 0.5 on average
        augment.learn(stats(sign))
    assert augment.state["T"] == 10
    for _ in range(4):
        augment.learn(stats(0.0))
    assert augment.state["T"] == 10  # not below T_min
    for _ in range(40):
        augment.learn(stats(1.0))
    assert augment.state["T"] == 1000  # not above T_max
    augment.learn({"images": torch.tensor(50.0)})  # a step without D's turn
    assert augment.state["T"] == 1000


def test_a_fixed_T_stays_whatever_D_says_and_whatever_was_saved():
    augment, before = started(fixed_t=30), started(t_min=7)
    for _ in range(8):
        augment.learn(stats(1.0))
    assert augment.state["T"] == 30 and augment.state["r_d"] == 1
    augment.load_state_dict(before.state_dict())
    assert augment.state["T"] == 30


def judge(spec=BRIEF, encoder=INNER):
    torch.manual_seed(3)
    return tiny.moved(TimestepDiscriminatorConfig(encoder=encoder).build(spec)).eval()


@pytest.mark.parametrize("labels", [0, 3])
def test_D_is_told_the_steps_beside_the_labels_and_takes_an_untold_image_for_a_clean_one(labels):
    spec = BRIEF._replace(labels=labels)
    network, image = judge(spec), torch.rand(3, 1, 16, 16)
    given = torch.eye(3)[:, :labels] if labels else None
    said = {
        t: network(image, torch.cat([torch.eye(3)[:, :labels], torch.full((3, 1), t)], 1)).logits for t in (0.0, 9.0)
    }
    assert torch.equal(network(image, given).logits, said[0.0])
    assert not torch.allclose(said[9.0], said[0.0])
    assert network.spec == spec


def test_the_waves_are_those_of_the_transformer():
    waves = judge().encoder_labels(torch.zeros(1, 1, 16, 16), torch.tensor([[5.0]]))
    places = [5 / 10_000 ** (i / 8) for i in range(8)]
    wanted = [*map(math.sin, places), *map(math.cos, places)]
    torch.testing.assert_close(waves, torch.tensor([wanted]))


@pytest.mark.parametrize("wrap", [lambda config: config, lambda config: UNetDiscriminatorConfig(encoder=config)])
def test_a_duel_tells_D_the_steps_that_each_image_took(wrap):
    """On images of zeros under no noise nothing but the number of steps differs."""
    network = wrap(TimestepDiscriminatorConfig(encoder=INNER)).build(BRIEF).eval()
    tiny.moved(network)
    context = StepContext("d", augment=started(t_min=1000, clean=0.0, sigma=0.0))
    duel = Duel(None, network, torch.zeros(8, 1, 16, 16), None, context)
    torch.manual_seed(0)
    t = context.augment.with_timestep(duel.reals, {})[2]
    torch.manual_seed(0)
    told = duel.judge(duel.reals).logits
    assert torch.equal(told, network(duel.reals, t[:, None]).logits) and len(set(told.tolist())) > 4


def test_another_D_judges_without_being_told():
    network, images = INNER.build(BRIEF._replace(labels=2)).eval(), torch.zeros(2, 1, 16, 16)
    context = StepContext("d", augment=started(t_min=1000, clean=0.0, sigma=0.0))
    duel = Duel(None, network, images, torch.eye(2), context)
    assert torch.equal(duel.judge(images).logits, network(images, torch.eye(2)).logits)


def test_an_interrupted_run_goes_on_bit_for_bit_and_T_is_logged(tmp_path):
    recipe = tiny.diffused(tiny.recipe)
    changes = {field.name: vars(recipe)[field.name] for field in dataclasses.fields(recipe)}
    whole = trained(tmp_path / "whole", **changes)
    trained(tmp_path / "parts", **changes | {"total_kimg": 0.032})
    same(weights(trained(tmp_path / "parts", **changes)), weights(whole))
    assert float(whole.adaptive["augment"].state["T"]) > 5 + 1000 * 0.5
    logged = [row["augment/T"] for row in rows(tmp_path / "whole") if "augment/T" in row]
    assert logged == sorted(logged) and logged[0] < logged[-1] and "loss/d/san" in rows(tmp_path / "whole")[-1]


def test_progress_and_plots_show_T(capsys):
    Progress(total_kimg=1).show({"kimg": 1.0, "images_per_second": 9.0, "augment/r_d": 0.5, "augment/T": 120.0})
    assert capsys.readouterr().out.endswith("r_d 0.500, T 120.000\n")
    assert {"augment/r_d", "augment/T"} <= {key for panel in PANELS for key in panel.keys}


def test_what_cannot_be_is_refused_with_what_to_type():
    spec, timestep = tiny.recipe.data.open().spec, TimestepDiscriminatorConfig(encoder=INNER)
    recipe = dataclasses.replace(tiny.recipe, regularizers={}, augment=Diffusion(), discriminator=timestep)
    fit(recipe, {"real": spec})
    with pytest.raises(UserError, match=r"which augmentation 'ada' does not take: add --augment diffusion\."):
        fit(dataclasses.replace(recipe, augment=ADA()), spec)
    with pytest.raises(UserError, match="put it outside, --discriminator timestep --discriminator.encoder concat"):
        fit(dataclasses.replace(recipe, discriminator=ConcatDiscriminatorConfig(encoder=timestep)), spec)
    with pytest.raises(UserError, match="set a T that stays, --augment.fixed-t 100"):
        fit(dataclasses.replace(recipe, loss=Wasserstein()), spec)
    for wrong in ({"t_min": 0}, {"t_min": 9, "t_max": 8}, {"fixed_t": 2000}):
        with pytest.raises(UserError, match="whole numbers from 1, none above t_max"):
            Diffusion(**wrong)
    for wrong in ({"clean": 1.5}, {"beta_start": 0.0}, {"beta_end": 1.0}, {"sigma": -1.0}):
        with pytest.raises(UserError, match="a share from 0 to 1, betas that rise"):
            Diffusion(**wrong)
    with pytest.raises(UserError, match=r"interval \(0\) must be 1 or more"):
        Diffusion(interval=0)
