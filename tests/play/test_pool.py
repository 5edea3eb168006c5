"""The pool of older fakes: what D is shown, what goes in, and what a run goes on with."""

from __future__ import annotations

import dataclasses

import pytest
import several
import tiny
import torch

from ggdr.errors import UserError
from ggdr.play.pool import ImagePool
from ggdr.play.term import Regularizer
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r2 import R2
from ggdr.train import train_step

CPU = torch.device("cpu")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfSources(Regularizer):
    """D sees what fakes were made of; it is registered nowhere."""

    name = "of_sources"
    requires = frozenset({Capability.SOURCE})

    def d_loss(self, duel):
        return (duel.fake.image - duel.source).mean()


def images(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers)[:, None, None, None].expand(-1, 1, 2, 2)


def numbers(made: torch.Tensor) -> list[float]:
    return made[:, 0, 0, 0].tolist()


def test_a_pool_that_is_not_full_shows_what_was_made_and_takes_it_in():
    pool = ImagePool(3, CPU)
    assert numbers(pool.show("a", images(1, 2), keep=True)) == [1, 2] and not pool.images
    pool.exchange()
    assert numbers(pool.show("a", images(3, 4), keep=True)) == [3, 4]
    pool.exchange()
    assert numbers(pool.images["a"]) == [1, 2, 3]


def test_a_full_pool_shows_an_old_image_half_of_the_time_and_takes_the_new_one_in_its_place():
    pool = ImagePool(2, CPU)
    pool.load({"a": images(-1, -2)})
    torch.manual_seed(0)
    new = torch.arange(1.0, 1001.0)
    shown = pool.show("a", images(*new.tolist()), keep=True)[:, 0, 0, 0]
    old = shown < 0
    assert 430 < int(old.sum()) < 570 and torch.equal(shown[~old], new[~old])
    pool.exchange()
    assert pool.images["a"].shape == (2, 1, 2, 2)
    for slot, value in enumerate((-1.0, -2.0)):  # of several for one slot the last one stays
        assert pool.images["a"][slot, 0, 0, 0] == new[shown == value][-1]


def test_places_whose_images_were_not_shown_stay_as_they_are():
    pool = ImagePool(3, CPU)
    pool.load({"a": images(-1, -2, -3)})
    pool.made["a"] = [(torch.tensor([-1, 1, -1, -1]), images(5, 6, 7, 8))]
    pool.exchange()
    assert numbers(pool.images["a"]) == [-1, 6, -3]
    pool.show("a", images(9), keep=True)
    pool.load({"a": images(-1)})  # what was made before it went back to a checkpoint
    pool.exchange()
    assert numbers(pool.images["a"]) == [-1]


def test_an_older_image_stands_for_one_of_its_own_label_alone():
    pool = ImagePool(3, CPU)
    classes = torch.eye(3)
    pool.show("a", images(-1, -2, -2.5), keep=True, labels=classes[[0, 1, 1]])
    pool.exchange()
    assert {name: len(each) for name, each in pool.state().items()} == {"a": 3, "a.labels": 3}
    torch.manual_seed(0)
    new = torch.arange(1.0, 601.0)
    kinds = torch.arange(600) % 3
    shown = pool.show("a", images(*new.tolist()), keep=True, labels=classes[kinds])[:, 0, 0, 0]
    assert (shown[kinds == 2] > 0).all(), "the pool has none of the third"
    assert set(shown[kinds == 0][shown[kinds == 0] < 0].tolist()) == {-1}
    olds = shown[kinds == 1][shown[kinds == 1] < 0]
    assert 70 < len(olds) < 130 and 0.3 < (olds == -2).float().mean() < 0.7
    again = ImagePool(3, CPU)
    pool.exchange()
    again.load(pool.state())
    assert again.labels["a"].tolist() == classes[[0, 1, 1]].tolist() and (again.images["a"] > 0).all()
    assert (kinds[again.images["a"][:, 0, 0, 0].long() - 1] == torch.tensor([0, 1, 1])).all()


def test_a_pool_that_was_saved_without_labels_begins_again_where_there_are_some():
    pool = ImagePool(2, CPU)
    pool.load({"a": images(-1, -2)})
    labels = torch.ones(2, 1)
    for _ in range(2):
        assert numbers(pool.show("a", images(1, 2), keep=True, labels=labels))[0] in (1, 2)
        pool.exchange()
    assert set(numbers(pool.images["a"])) <= {1, 2} and len(pool.images["a"]) == len(pool.labels["a"]) == 2


def test_a_lazy_phase_puts_nothing_in_and_pools_of_two_names_are_two():
    pool = ImagePool(2, CPU)
    pool.show("a", images(1, 2), keep=False)
    pool.show("b", images(3, 4), keep=True)
    pool.exchange()
    assert [*pool.images] == ["b"]


def test_a_run_fills_its_pools_on_ds_turn_alone_and_saves_them(tmp_path):
    run = tiny.tiny_run(several.recipe("unpaired"), tmp_path)
    reals = run.reals()
    for filled in (8, 12):
        train_step(run, next(reals))
        state = run.recipe.game.state_dict()
        assert {name: len(each) for name, each in state.items()} == {"gray_to_colour": filled, "colour_to_gray": filled}
    before = {name: each.clone() for name, each in state.items()}
    for _ in range(4):
        train_step(run, next(reals))
    assert all(not torch.equal(each, before[name]) for name, each in run.recipe.game.state_dict().items())


def test_a_lazy_phase_of_a_run_is_shown_the_pool_and_puts_nothing_in(tmp_path):
    recipe = dataclasses.replace(several.recipe("unpaired"), regularizers={"r2": R2(every=2)})
    run = tiny.tiny_run(recipe, tmp_path)
    train_step(run, next(run.reals()))
    assert {len(each) for each in run.recipe.game.state_dict().values()} == {8}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"regularizers": {"ggdr": GGDR(resolutions=(16,))}}, "regularizer 'ggdr' compares D's maps"),
        ({"n_critic": 2}, "n_critic is 2"),
        ({"regularizers": {"mine": OfSources()}}, "regularizer 'mine' teaches D by what the fakes were made of"),
    ],
)
def test_what_older_fakes_do_not_fit_is_refused_with_what_to_type(changes, why):
    recipe = dataclasses.replace(several.recipe("unpaired"), **changes)
    if "regularizers" in changes:
        recipe = dataclasses.replace(recipe, discriminator=tiny.recipe.discriminator)
    with pytest.raises(UserError, match=why + r".*: set --game\.pool 0\.$"):
        fit(recipe, recipe.data.open().domains)
