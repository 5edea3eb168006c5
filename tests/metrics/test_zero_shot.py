"""Zero-shot accuracy: of generators that know, or do not know, what unseen classes look like."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ggdr.data.vectors import Vectors
from ggdr.errors import UserError
from ggdr.evaluation.sample_size import sample_size_warnings
from ggdr.features.cache import FeatureCache
from ggdr.features.digits import Digits
from ggdr.features.vectors import Vectors as VectorFeatures
from ggdr.metrics.data import EvalData, Rows
from ggdr.metrics.fid import FID
from ggdr.metrics.zero_shot import ZeroShot, foretold, share_right
from ggdr.networks.base import GeneratorOutput
from ggdr.networks.mlp import MLPGeneratorConfig
from ggdr.sampling.grid import make_grid, picture, tiles

DATA = Vectors(labels="class_vectors", unseen=("4", "7"), scale="all")


def everything(data: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
    images = data.open()
    return images.at(list(range(len(images))), 0)


class Oracle(torch.nn.Module):
    """Makes what scans of a label look like on average, or, confused, the other held-out class."""

    z_dim = 4

    def __init__(self, confused: bool = False):
        super().__init__()
        self.spec = DATA.open().spec
        self.weight = torch.nn.Parameter(torch.zeros(1))
        vectors, labels = everything(DATA.held_out())
        self.known = labels.unique(dim=0)
        means = torch.stack([vectors[(labels == row).all(1)].mean(0) for row in self.known])
        self.means = means.flip(0) if confused else means

    def forward(self, z, labels):
        places = (labels[:, None] == self.known).all(2).float().argmax(1)
        return GeneratorOutput(self.means[places] + 0.05 * z.mean(1).view(-1, 1, 1, 1))


def data_of(generator) -> EvalData:
    images = DATA.open()
    cache = FeatureCache(lambda places: images.at(list(places), 0).images, count=200)
    parts = [Rows(*everything(data)) for data in (DATA, DATA.held_out())]
    return EvalData(cache, cache, generator, both_parts=lambda: (parts[0], parts[1]))


def test_a_generator_that_knows_unseen_classes_recognises_them_and_a_confused_one_does_not():
    knows, confused = (ZeroShot().measure(data_of(Oracle(confused))) for confused in (False, True))
    assert knows["accuracy"] > 0.95 > 0.05 > confused["accuracy"]
    assert knows["chance"] == confused["chance"] == 0.5 and knows["regression"] == confused["regression"]


def test_an_untrained_generator_is_about_as_good_as_chance():
    torch.manual_seed(0)
    generator = MLPGeneratorConfig(z_dim=4, channels=16, norm="none").build(DATA.open().spec).eval()
    assert 0.3 < ZeroShot().measure(data_of(generator))["accuracy"] < 0.7


def test_more_neighbours_outvote_the_nearest_and_of_a_tie_the_nearest_wins():
    made = torch.tensor([[[0.0], [9.0]], [[2.0], [3.0]]])
    assert ZeroShot(neighbours=1).nearest(torch.tensor([[0.9]]), made).tolist() == [0]
    assert ZeroShot(neighbours=3).nearest(torch.tensor([[0.9]]), made).tolist() == [1]
    assert ZeroShot(neighbours=2).nearest(torch.tensor([[0.9], [1.1]]), made).tolist() == [0, 1]
    assert ZeroShot(neighbours=99).nearest(torch.tensor([[8.0]]), made).tolist() == [0]


def test_the_regression_foretells_means_that_are_linear_in_label_vectors():
    labels = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) * 30
    matrix = torch.tensor([[1.0, -1.0], [0.5, 2.0], [0.0, 3.0]])
    seen = Rows(labels @ matrix + 4, labels)
    asked = torch.tensor([[10.0, -20.0, 5.0]])
    torch.testing.assert_close(foretold(seen, asked), asked @ matrix + 4, rtol=0.02, atol=0.1)


def test_each_class_counts_alike_however_many_members_it_has():
    told, true = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 0, 0])
    assert share_right(told, true, 1) == 0.75
    assert share_right(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1]), 2) == 0.5


def test_the_draws_are_the_evaluations_and_randomness_stays_as_it_was():
    state = torch.get_rng_state()
    torch.manual_seed(0)
    generator = MLPGeneratorConfig(z_dim=4, channels=64, norm="none").build(DATA.open().spec).eval()
    torch.set_rng_state(state)
    first, same, other = (ZeroShot(per_class=3).measure(data_of(generator)._replace(seed=s)) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state) and first == same != other


def test_what_has_no_classes_held_out_is_refused_in_one_sentence():
    for data in (data_of(None), data_of(Oracle())._replace(both_parts=None)):
        with pytest.raises(UserError, match="zero_shot asks a generator for classes that the data holds out"):
            ZeroShot().prepare(data)
    pixels = Oracle()
    pixels.spec = pixels.spec._replace(continuous=False)
    with pytest.raises(UserError, match="zero_shot asks a generator"):
        ZeroShot().prepare(data_of(pixels))
    ZeroShot().prepare(data_of(Oracle()))


def test_fid_of_vectors_is_of_the_numbers_themselves_and_features_of_images_are_refused():
    images = DATA.open()
    real, other = (
        FeatureCache(lambda places, by=by: images.at(list(places), 0).images + by, count=400) for by in (0.0, 0.5)
    )
    metric = FID(extractor=VectorFeatures(), images=400)
    metric.prepare(EvalData(real, other))
    assert metric.measure(EvalData(real, other))["distance"] == pytest.approx(64 * 0.25, rel=1e-3)
    assert metric.measure(EvalData(real, real))["distance"] == pytest.approx(0, abs=1e-6)
    with pytest.raises(UserError, match="'digits' sees images, and these are vectors of 64 numbers: set .*vectors"):
        dataclasses.replace(metric, extractor=Digits()).prepare(EvalData(real, other))
    pixels = FeatureCache(lambda places: torch.zeros(len(places), 1, 8, 8, dtype=torch.uint8), count=400)
    with pytest.raises(UserError, match="'vectors' compares vectors, and these are images: set"):
        metric.prepare(EvalData(pixels, pixels))


def test_vectors_are_shown_as_tiles():
    vectors = torch.linspace(-1, 1, 64).view(1, 64, 1, 1)
    assert torch.equal(tiles(vectors, -1)[0, 0], vectors.view(8, 8))
    seven = torch.zeros(2, 7, 1, 1)
    assert tiles(seven, -1).shape == (2, 1, 2, 4) and tiles(seven, -1)[0, 0, 1, 3] == -1
    assert picture(vectors).shape == (1, 1, 8, 8) and picture(vectors)[0, 0, 7, 7] == 255
    assert tiles(torch.zeros(2, 166, 1, 1), -1).shape == (2, 1, 12, 14), "2 x 83 would be a line"
    pixels = torch.rand(2, 3, 1, 1)
    assert tiles(pixels, -1) is pixels, "a picture of one pixel is a picture"


def test_a_grid_of_vectors_is_of_the_same_tiles():
    vectors = torch.arange(64, dtype=torch.uint8).view(1, 64, 1, 1)
    assert torch.equal(make_grid(vectors, scale=1)[..., 0], vectors.view(8, 8))


def test_a_metric_of_no_images_is_not_said_to_have_few():
    assert not sample_size_warnings({"zero_shot": ZeroShot()}, {"zero_shot": data_of(Oracle())})
    few = sample_size_warnings({"fid": FID(extractor=VectorFeatures(), images=96)}, {"fid": data_of(Oracle())})
    assert len(few) == 1 and "values of 96 images depend on their number" in few[0]
