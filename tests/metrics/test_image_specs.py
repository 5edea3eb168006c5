"""Every metric on images of any shape: gray, two and four channels, and sides that differ."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from ggdr.errors import UserError
from ggdr.features.cache import FeatureCache
from ggdr.features.digits import Digits
from ggdr.metrics.base import extractor_of
from ggdr.metrics.data import EvalData
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.registry import discover, metrics

discover()
SPECS = [ImageSpec(16, 24, 1), ImageSpec(24, 16, 2), ImageSpec(16, 16, 3), ImageSpec(16, 24, 4)]
EACH = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.height}x{spec.width}x{spec.channels}")
NAMES = sorted(name for name, metric in metrics.items() if metric.__module__.startswith("ggdr."))
FEATURES = [name for name in NAMES if extractor_of(metrics[name]()) is not None]


def metric_of(name: str):
    """A metric of 40 images, on features that need no download."""
    return dataclasses.replace(metrics[name](), images=40, **({"extractor": Digits()} if name in FEATURES else {}))


def eval_data(spec: ImageSpec) -> EvalData:
    """Noise of two strengths, and a generator of such images."""

    def noise(low: int):
        def make(places: range) -> torch.Tensor:
            rng = torch.Generator().manual_seed(low + places.start)
            shape = (len(places), spec.channels, spec.height, spec.width)
            return torch.randint(low, 256, shape, dtype=torch.uint8, generator=rng)

        return make

    real = FeatureCache(noise(0), 40)
    generator = StyleGAN2GeneratorConfig.tiny().build(spec).eval()
    fake, again = (FeatureCache(noise(first), 40, networks=real.networks) for first in (90, 150))
    return EvalData(real, fake, generator, truth=real, other_draws=again)


@EACH
@pytest.mark.parametrize("name", NAMES)
def test_a_metric_gives_finite_numbers_of_any_shape_or_says_what_it_sees(name, spec):
    metric, data = metric_of(name), eval_data(spec)
    if name in FEATURES and spec.channels == 2:
        with pytest.raises(UserError, match="see images of 1, 3 or 4 channels.*; swd needs none of them"):
            metric.prepare(data)
        return
    if name == "mean_iou":  # which sees any number of channels, and is tested with its label maps
        with pytest.raises(UserError, match="label maps that they are made of, and these are made of none"):
            metric.prepare(data)
        return
    if name == "zero_shot":  # which is of vectors
        with pytest.raises(UserError, match="of --data vectors with --data.unseen NAMES"):
            metric.prepare(data)
        return
    metric.prepare(data)
    found = metric.measure(data)
    assert found and all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.channels != 2], ids=str)
def test_features_are_rows_of_their_width_and_equal_images_have_equal_ones(spec):
    data = eval_data(spec)
    rows = data.real.features(Digits(), 40)
    assert rows.shape == (40, data.real.embedder(Digits()).width) and rows.dtype == torch.float32
    assert torch.equal(rows, FeatureCache(data.real.make, 40).features(Digits(), 40))
