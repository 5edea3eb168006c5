"""What every registered metric must do; a new one gets these tests for nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import cache

import pytest
import torch

from ggdr.data.reading.labelled import with_labels
from ggdr.data.vectors import Vectors
from ggdr.errors import UserError
from ggdr.features.cache import FeatureCache
from ggdr.features.segmenter import LabelledImages, Segmenter, train_segmenter
from ggdr.metrics.base import FeatureMetric, extractor_of
from ggdr.metrics.data import EvalData, Rows
from ggdr.metrics.fid import FID
from ggdr.networks.base import ImageSpec
from ggdr.networks.mlp import MLPGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.registry import Capability, datasets, discover, extractors, metrics

discover()
SIDE = 16
NEEDS_GENERATOR = sorted(name for name, metric in metrics.items() if Capability.GENERATOR in metric.requires)
PAIRED = sorted(name for name, metric in metrics.items() if Capability.TRUTH in metric.requires)
"""metrics that hold each fake against the image that should be at its place"""
AGAINST_REALS = ["density_coverage", "fd_dinov2", "fid", "kid", "precision_recall", "swd"]
"""metrics that hold fakes against reals, so that reals themselves are the best fakes"""
OF_VECTORS = ["zero_shot"]
"""metrics of vectors, and of a generator of them, some of whose classes are held out"""
every_metric = pytest.mark.parametrize("name", sorted(metrics))


def quick(name: str, images: int = 96):
    """A metric of few images, on features that need no download."""
    metric = metrics[name]()
    own = {"extractor": extractors["digits"]()} if extractor_of(metric) is not None else {}
    return dataclasses.replace(metric, images=images, **own)


def digits() -> Callable[[range], torch.Tensor]:
    """Real images by their places."""
    images = datasets["digits"](size=SIDE).open()
    return lambda places: images.at(list(places), 0).images


def harmed(make: Callable[[range], torch.Tensor]) -> Callable[[range], torch.Tensor]:
    """The images under noise that hides half of them."""

    def changed(places: range) -> torch.Tensor:
        noise = torch.randint(0, 256, (1797, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
        return (make(places).float().add(noise[list(places)]) / 2).to(torch.uint8)

    return changed


def eval_data(fakes: Callable[[range], torch.Tensor] | None = None, count: int = 96) -> EvalData:
    """Digits against other images (none: further digits), and a generator to walk in."""
    make = digits()
    real = FeatureCache(make, count=count)
    fake = fakes or (lambda places: make(range(places.start + 900, places.stop + 900)))
    torch.manual_seed(0)
    generator = StyleGAN2GeneratorConfig.tiny().build(ImageSpec(SIDE, SIDE, 1)).eval()
    truth = FeatureCache(make, count=count, networks=real.networks)
    again = FeatureCache(harmed(fake), count=count, networks=real.networks)
    made = FeatureCache(fake, count=count, networks=real.networks)
    found = EvalData(real, made, generator, truth=truth, other_draws=again)
    return found._replace(maps=lambda places: ink(make(places)), segmenter=ink_segmenter)


def given_to(name: str) -> EvalData:
    """What a metric measures: digits, or, of one of vectors, vectors."""
    if name not in OF_VECTORS:
        return eval_data()
    data = Vectors(labels="class_vectors", unseen=("4", "7"))
    torch.manual_seed(0)
    generator = MLPGeneratorConfig.tiny().build(data.open().spec).eval()
    cache = FeatureCache(lambda places: data.open().at(list(places), 0).images, count=96)
    parts = [Rows(*with_labels(each.open())) for each in (data, data.held_out())]
    return EvalData(cache, cache, generator, both_parts=lambda: (parts[0], parts[1]))


def ink(images: torch.Tensor) -> torch.Tensor:
    """Label maps [N, H, W] of digits: ink is 1, paper 0."""
    return (images[:, 0] > 100).to(torch.uint8)


@cache
def ink_segmenter() -> Segmenter:
    """A segmenter that tells ink from paper."""
    pairs = LabelledImages(images := digits()(range(1000, 1200)), ink(images), 2)
    return Segmenter(train_segmenter(pairs, steps=20), pairs, torch.device("cpu"))


@every_metric
def test_metric_gives_finite_numbers_the_same_each_time_and_leaves_randomness_alone(name):
    metric, given = quick(name), given_to(name)
    state = torch.get_rng_state()
    found = metric.measure(given)
    assert torch.equal(torch.get_rng_state(), state)
    assert found and all(isinstance(value, float) and math.isfinite(value) for value in found.values())
    assert metric.measure(given_to(name)) == found
    assert metric.better in ("lower", "higher") and metric.reliable_images >= 2
    assert metric.covariance == isinstance(metric, FID)


@every_metric
def test_metric_does_not_depend_on_what_was_measured_before(name):
    alone, shared = quick(name).measure(given_to(name)), given_to(name)
    for other in OF_VECTORS if name in OF_VECTORS else sorted({*metrics} - {*OF_VECTORS}):
        quick(other, images=40).measure(shared)
    assert quick(name).measure(shared) == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("name", AGAINST_REALS)
def test_metric_prefers_reals_to_harmed_ones(name):
    metric, sign = quick(name), 1 if metrics[name].better == "higher" else -1
    good, bad = (metric.measure(eval_data(fakes)) for fakes in (None, harmed(digits())))
    chief = next(iter(good))
    assert sign * good[chief] > sign * bad[chief]


@pytest.mark.parametrize("name", PAIRED)
def test_metric_of_pairs_is_best_for_the_truth_itself(name):
    metric, sign = quick(name), 1 if metrics[name].better == "higher" else -1
    same, near, other = (metric.measure(eval_data(fakes))["mean"] for fakes in (digits(), harmed(digits()), None))
    assert sign * same > max(sign * near, sign * other)


@pytest.mark.parametrize("name", PAIRED)
def test_metric_of_pairs_without_truths_says_what_has_some(name):
    for call in (quick(name).prepare, quick(name).measure):
        with pytest.raises(UserError, match=rf"^{name} compares each image with the truth .* such as --data pairs"):
            call(eval_data()._replace(truth=None))


@pytest.mark.parametrize("name", PAIRED)
def test_metric_of_pairs_looks_at_as_many_as_there_are_truths_of(name):
    few = FeatureCache(digits(), count=70)
    assert quick(name).numbers(eval_data()._replace(truth=few)) == (0, 70)
    assert quick(name).numbers(eval_data()) == (0, 96)


@pytest.mark.parametrize("name", PAIRED)
def test_metric_of_pairs_refuses_truths_of_another_shape(name):
    other = FeatureCache(lambda places: torch.zeros(len(places), 3, SIDE, SIDE, dtype=torch.uint8))
    with pytest.raises(
        UserError, match=rf"^{name} compares images of one shape: these are \[1, 16, 16\], and .*\[3, 16"
    ):
        quick(name).prepare(eval_data()._replace(truth=other))


@every_metric
def test_metric_loads_what_it_reads_before_it_is_needed(name):
    asked = given_to(name)
    metric = quick(name)
    metric.prepare(asked)
    held = extractor_of(metric)
    assert (held is None) == (not asked.fake.networks) and (held is None or held in asked.real.networks)
    assert not asked.fake.cached_images and not asked.real.cached_images


@pytest.mark.parametrize("name", NEEDS_GENERATOR)
def test_metric_that_walks_says_that_images_are_not_enough(name):
    for call in (quick(name).prepare, quick(name).measure):
        with pytest.raises(ValueError, match=f"^{name} .*generator"):
            call(given_to(name)._replace(generator=None))


@pytest.mark.parametrize("name", sorted(name for name, metric in metrics.items() if issubclass(metric, FeatureMetric)))
def test_metric_of_one_image_is_refused_before_it_is_measured(name):
    for call in (quick(name).prepare, quick(name).measure):
        with pytest.raises(ValueError, match=f"^{name} needs at least"):
            call(eval_data(count=1))
