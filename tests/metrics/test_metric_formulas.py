"""Metrics of features: against torch-fidelity, and against the published formulas in NumPy, written anew here."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from ggdr.features.digits import Digits
from ggdr.metrics.density_coverage import DensityCoverage
from ggdr.metrics.fd_dinov2 import FDDINOv2
from ggdr.metrics.fid import FID, frechet_distance, frechet_distance_to
from ggdr.metrics.inception_score import InceptionScore
from ggdr.metrics.kid import KID
from ggdr.metrics.memorization import Memorization
from ggdr.metrics.precision_recall import PrecisionRecall
from ggdr.ops import neighbours
from ggdr.registry import metrics

CLOSE = 1e-4
COMPARED = [FID(), FDDINOv2(), KID(subsets=4), PrecisionRecall(), DensityCoverage(), Memorization()]
every_metric = pytest.mark.parametrize("metric", COMPARED, ids=lambda metric: metric.name)


def cloud(count, width, seed, spread=1.0, shift=0.0):
    dice = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=dice) / width**0.5
    return (torch.randn(count, width, generator=dice) @ mix * spread + shift).relu()


def constant(count, width, value=0.5):
    return torch.full((count, width), value)


def partly_flat(count, width, seed):
    """Half of the features never vary."""
    return cloud(count, width, seed) * (torch.arange(width) % 2)


PAIRS = {
    "random": (cloud(300, 24, 0), cloud(200, 24, 1, 1.2, 0.1)),
    "fewer images than features": (cloud(40, 96, 0), cloud(30, 96, 1, 1.5)),
    "flat features": (partly_flat(120, 16, 0), partly_flat(110, 16, 1)),
    "one set constant": (cloud(60, 12, 0), constant(50, 12)),
    "far from the origin": (cloud(150, 12, 0) + 300, cloud(150, 12, 1) + 301),
}
SAME = {
    "random": cloud(200, 24, 0),
    "fewer images than features": cloud(40, 96, 0),
    "constant": constant(40, 12),
    "two images twice": cloud(2, 12, 0).repeat(20, 1),
}
every_pair = pytest.mark.parametrize(("real", "fake"), PAIRS.values(), ids=PAIRS)
every_same = pytest.mark.parametrize("rows", SAME.values(), ids=SAME)


def published_fid(real, fake):
    """Heusel et al. 2017, eq. 6, by a matrix square root, which of a singular product is taken a little beside it."""
    (m, c), (n, d) = ((rows.mean(0), np.cov(rows, rowvar=False)) for rows in (real, fake))
    beside = 1e-10 * np.trace(c + d) * np.eye(len(c))
    root = scipy.linalg.sqrtm((c + beside) @ (d + beside))
    return ((m - n) ** 2).sum() + np.trace(c + d - 2 * root.real)


def published_mmd(x, y):
    """Binkowski et al. 2018, eq. 4, with the kernel of sec. 3: sums over pairs, one by one."""

    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    m, n = len(x), len(y)
    within = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    within += sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return within - 2 * sum(k(a, b) for a in x for b in y) / (m * n)


def all_distances(a, b):
    return np.linalg.norm(a[:, None] - b[None], axis=2)


def ball(rows, k):
    """Distance of each row to its k-th nearest other."""
    return np.sort(all_distances(rows, rows), axis=1)[:, k]


def published_precision(real, fake, k=3):
    """Kynkäänniemi et al. 2019, eq. 1."""
    return (all_distances(fake, real) <= ball(real, k)).any(axis=1).mean()


def arrays(*rows):
    return [each.double().numpy() for each in rows]


@every_pair
def test_fid_agrees_with_torch_fidelity_and_with_the_published_formula(real, fake):
    ours = FID().compare(real, fake)["distance"]
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(rows.double()) for rows in (real, fake)), False)
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=CLOSE)
    assert ours == pytest.approx(published_fid(*arrays(real, fake)), rel=CLOSE)
    assert FDDINOv2().compare(real, fake)["distance"] == ours


@every_pair
def test_fid_against_statistics_is_that_against_the_rows_they_are_of(real, fake):
    real, fake = real.double(), fake.double()
    found = frechet_distance_to(real.mean(dim=0), real.T.cov(), fake)
    assert found == pytest.approx(frechet_distance(real, fake), rel=CLOSE)
    assert frechet_distance_to(fake.mean(dim=0), fake.T.cov(), fake) == pytest.approx(0, abs=CLOSE * float(fake.var()))


def test_fid_of_gaussians_on_a_line_is_known():
    """(mean - mean)^2 + (deviation - deviation)^2, in closed form."""
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[5.0], [5.0], [11.0], [11.0]])
    spread = [math.sqrt(2), math.sqrt(12)]
    assert FID().compare(real, fake)["distance"] == pytest.approx(49 + (spread[1] - spread[0]) ** 2, rel=1e-12)


@every_same
def test_equal_sets_are_at_no_distance(rows):
    assert FID().compare(rows, rows)["distance"] == pytest.approx(0, abs=1e-9)
    assert PrecisionRecall().compare(rows, rows) == {"precision": 1, "recall": 1}
    found = DensityCoverage().compare(rows, rows)
    assert found["coverage"] == 1 and found["density"] >= 1
    assert Memorization().compare(rows, rows)["copied"] == 1
    assert abs(KID().compare(rows, rows)["mean"]) < 0.2 * float(rows.double().square().mean() + 1) ** 3


@every_pair
@pytest.mark.parametrize(("subsets", "size"), [(1, None), (7, 25)])
def test_kid_agrees_with_torch_fidelity(real, fake, subsets, size):
    size = size or min(len(real), len(fake))
    ours = KID(subsets=subsets, subset=size).compare(real, fake)
    given = {"kid_subsets": subsets, "kid_subset_size": size, "verbose": False}
    theirs = kid_features_to_metric(fake.double(), real.double(), **given)
    scale = float(real.double().square().mean() + 1) ** 3  # what differences of sums of kernels lose digits against
    assert ours.keys() == ({"mean"} if size == min(len(real), len(fake)) else {"mean", "std"})
    for key in ours:
        expected = theirs[f"kernel_inception_distance_{key}"]
        assert ours[key] == pytest.approx(expected, rel=CLOSE, abs=1e-10 * scale)


def test_kid_tells_no_spread_of_subsets_that_are_all_the_same():
    rows = cloud(30, 8, 0)
    assert KID(subset=1000).compare(rows, rows).keys() == {"mean"}
    assert KID(subset=30).compare(rows, cloud(40, 8, 1)).keys() == {"mean"}
    assert KID(subset=20).compare(rows, cloud(40, 8, 1))["std"] > 0


def test_kid_agrees_with_the_published_formula():
    real, fake = cloud(30, 8, 0), cloud(30, 8, 1, 1.3)
    assert KID(subsets=1).compare(real, fake)["mean"] == pytest.approx(published_mmd(*arrays(real, fake)), rel=1e-9)


def test_kid_is_unbiased_where_fid_is_not():
    few, many = (
        [metric.compare(cloud(n, 16, 0)[:n], cloud(2 * n, 16, 0)[n:]) for metric in (KID(subset=n // 2), FID())]
        for n in (40, 800)
    )
    assert abs(few[0]["mean"]) < 3 * few[0]["std"] + 0.5
    assert few[1]["distance"] > 5 * many[1]["distance"]


@every_pair
def test_precision_and_recall_agree_with_torch_fidelity_and_with_the_published_formula(real, fake):
    ours = PrecisionRecall().compare(real, fake)
    theirs = prc_features_to_metric(fake.double(), real.double(), verbose=False)
    assert ours == pytest.approx({key: theirs[key] for key in ours}, rel=CLOSE)
    assert ours["precision"] == pytest.approx(published_precision(*arrays(real, fake)), rel=CLOSE)
    assert ours["recall"] == pytest.approx(published_precision(*arrays(fake, real)), rel=CLOSE)


@every_pair
def test_density_and_coverage_agree_with_the_published_formula(real, fake):
    ours, (r, f) = DensityCoverage().compare(real, fake), arrays(real, fake)
    within = all_distances(f, r) <= ball(r, 5)
    assert ours["density"] == pytest.approx(within.sum() / (5 * len(f)), rel=CLOSE)
    assert ours["coverage"] == pytest.approx(within.any(axis=0).mean(), rel=CLOSE)


def test_memorization_counts_copies_and_knows_fresh_images():
    population = torch.randn(900, 6, generator=torch.Generator().manual_seed(0))
    real, fresh = population[:600], population[600:]
    copies = real[:300] + 1e-3 * torch.randn(300, 6, generator=torch.Generator().manual_seed(1))
    honest = Memorization().compare(real, fresh)
    assert honest["copied"] == pytest.approx(honest["reals"], abs=0.08) and 0.2 < honest["reals"] < 0.8
    assert Memorization().compare(real, copies)["copied"] > 0.99
    assert Memorization().compare(real, fresh + 50)["copied"] == 0
    half = torch.cat([fresh[:150], copies[:150]])
    assert Memorization().compare(real, half)["copied"] == pytest.approx((honest["copied"] + 1) / 2, abs=0.05)


def published_score(logits, splits):
    """Salimans et al. 2016, sec. 4: exp of the mean divergence, with the mean over splits of the images in order."""
    p = scipy.special.softmax(logits, axis=1)
    scores = []
    for i in range(splits):
        part = p[i * len(p) // splits : (i + 1) * len(p) // splits]
        scores.append(np.exp(scipy.special.rel_entr(part, part.mean(0)).sum(1).mean()))
    return np.mean(scores), np.std(scores)


LOGITS = {
    "random": 3 * cloud(500, 10, 0),
    "sure": 40 * cloud(97, 10, 0),
    "constant": constant(60, 10),
    "fewer images than classes": cloud(11, 40, 0),
}


@pytest.mark.parametrize("splits", [1, 10])
@pytest.mark.parametrize("logits", LOGITS.values(), ids=LOGITS)
def test_inception_score_agrees_with_torch_fidelity_and_with_the_published_formula(logits, splits):
    ours = InceptionScore(splits=splits).score(logits)
    theirs = isc_features_to_metric(logits, splits)
    order = np.random.RandomState(2020).permutation(len(logits))
    mean, std = published_score(logits.double().numpy()[order], splits)
    for key, published in (("mean", mean), ("std", std)):
        assert ours[key] == pytest.approx(theirs[f"inception_score_{key}"], rel=CLOSE, abs=1e-9)
        assert ours[key] == pytest.approx(published, rel=CLOSE, abs=1e-9)


def test_inception_score_runs_from_one_to_the_number_of_classes():
    classes = torch.eye(10).repeat(20, 1)
    assert InceptionScore(splits=1).score(1e4 * classes)["mean"] == pytest.approx(10)  # where torch-fidelity gives nan
    assert InceptionScore(splits=1).score(1e4 * classes[:1].repeat(20, 1))["mean"] == pytest.approx(1)


@pytest.mark.parametrize("block", [1, 700, 2**24])
def test_neighbours_do_not_depend_on_the_block(block, monkeypatch):
    a, b = torch.randn(150, 7, generator=torch.Generator().manual_seed(0)).split([90, 60])
    kid = KID(subsets=3, subset=20).compare(a, b)
    monkeypatch.setattr(neighbours, "BLOCK", block)
    monkeypatch.setattr("ggdr.metrics.kid.BLOCK", block)
    distances, places = neighbours.nearest_neighbours(a, b, 4)
    expected = torch.from_numpy(all_distances(*arrays(a, b)))
    assert torch.allclose(distances, expected.sort(dim=1).values[:, :4], rtol=1e-9)
    assert torch.equal(places, expected.argsort(dim=1)[:, :4])
    assert torch.equal(
        neighbours.count_covering_balls(a, b, torch.full((60,), 2.5).double()), (expected <= 2.5).sum(dim=1)
    )
    assert KID(subsets=3, subset=20).compare(a, b) == pytest.approx(kid, rel=1e-9)


@every_metric
def test_turning_all_features_at_once_changes_nothing(metric):
    """All formulas are of distances and inner products."""
    real, fake = PAIRS["random"]
    turn = torch.linalg.qr(torch.randn(24, 24, generator=torch.Generator().manual_seed(3)).double()).Q
    turned = metric.compare(real.double() @ turn, fake.double() @ turn)
    assert metric.compare(real, fake) == pytest.approx(turned, rel=1e-6, abs=1e-8)


@every_metric
def test_features_that_cannot_be_compared_are_refused_in_one_sentence(metric):
    good, name = cloud(20, 4, 0), metric.name
    broken = good.clone()
    broken[3, 1], broken[7, 0] = float("nan"), float("inf")
    for real, fake, message in (
        (good, good[:1], rf"^{name} needs at least \d+ real and \d+ generated images; given 20 and 1: take more"),
        (good[:1], good, rf"^{name} needs at least \d+ real and \d+ generated images; given 1 and 20"),
        (good, broken, rf"^{name}: the features of 2 generated images are not finite"),
        (broken, good, rf"^{name}: the features of 2 real images are not finite"),
        (good, good[:, :3], rf"^{name} compares features of one width; given real \[20, 4\] and fake \[20, 3\]"),
    ):
        with pytest.raises(ValueError, match=message):
            metric.compare(real, fake)


def test_inception_score_refuses_what_it_cannot_score():
    with pytest.raises(ValueError, match="an image for each of its 10 splits; given 4"):
        InceptionScore().score(cloud(4, 10, 0))
    with pytest.raises(ValueError, match="not finite"):
        InceptionScore(splits=1).score(torch.tensor([[float("nan"), 0.0]]))
    with pytest.raises(ValueError, match="'dinov2' does not give; take one that does"):
        InceptionScore(extractor=FDDINOv2().extractor)
    assert InceptionScore(extractor=Digits()).extractor == Digits()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("kid", {"subsets": 0}),
        ("is", {"splits": 0}),
        ("precision_recall", {"neighbours": 0}),
        ("ppl", {"epsilon": 0.0}),
    ],
)
def test_settings_that_cannot_be_are_refused(name, settings):
    with pytest.raises(ValueError, match="give a number above 0"):
        metrics.find(name)(**settings)


def test_kid_refuses_subsets_without_pairs():
    with pytest.raises(ValueError, match="subset is 1; give 2 or more"):
        KID(subset=1)
