"""Mutual information: the equation, what the head is asked, and the grid that varies each part of a code."""

from __future__ import annotations

import dataclasses

import coded
import pytest
import tiny
import torch
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.recipe.fitting import fit
from ggdr.sampling import show

RECIPE = coded.recipe("informed")


def test_it_is_the_cross_entropy_of_categories_and_half_the_squared_error_of_uniform_numbers(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    (batch,) = next(run.reals())
    (duel,) = run.recipe.game.duels(run.networks, batch, run.context(run.phases[0], batch))
    term = run.terms["mutual_information"]
    said, true = duel.on_fake.head_outputs["codes"], duel.G.codes(duel.z)
    assert said.shape[1] == 3 + 2 + 1
    wanted = F.cross_entropy(said[:, :3], true[:, :3].argmax(1)) + F.cross_entropy(said[:, 3:5], true[:, 3:5].argmax(1))
    wanted = wanted + 0.1 * (said[:, 5] - true[:, 5]).square().mean() / 2
    torch.testing.assert_close(term.g_loss(duel), wanted)
    torch.testing.assert_close(term.d_loss(duel), wanted)


def test_a_grid_varies_each_category_and_uniform_number_and_nothing_else(tmp_path):
    run = tiny.tiny_run(RECIPE, tmp_path)
    view = run.views()["fakes"]
    columns = show(view, run.seen_by(view, range(4)), 0)
    assert [*columns][:4] == ["output", "category 0 is 0", "category 0 is 1", "category 0 is 2"] and len(columns) == 11
    generator = run.ema.mean["generator"]
    codes = generator.prior().codes(torch.randn(4, 8))
    for name, varied in generator.prior().variations(codes).items():
        same = (varied == codes).all(0)
        changed = slice(0, 3) if name.startswith("category 0") else slice(3, 5) if "category" in name else slice(5, 6)
        assert same[6:].all() and all(same[place] for place in range(6) if place not in range(*changed.indices(6)))
    own = generator.prior().codes(torch.randn(1, 8))
    number = own[0, :3].argmax()
    assert torch.equal(generator.prior().variations(own)[f"category 0 is {number}"], own)
    torch.testing.assert_close(columns["output"], view.make(run.seen_by(view, range(4)), 0), atol=1e-5, rtol=1e-4)


def test_a_code_without_parts_has_nothing_to_tell():
    plain = FromPriorGeneratorConfig(generator=RECIPE.generator.generator, prior=Gaussian(std=2.0))
    with pytest.raises(UserError, match="prior 'gaussian' has none: take --generator.prior structured"):
        fit(dataclasses.replace(RECIPE, generator=plain), RECIPE.data.open().domains)
    with pytest.raises(UserError, match="'mutual_information' requires prior; .*take --generator from_prior"):
        fit(dataclasses.replace(RECIPE, generator=RECIPE.generator.generator), RECIPE.data.open().domains)
