"""What every registered part must do; a new one gets these tests for nothing."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable

import pytest
import tiny
import torch
from terms import TERMS, judge, one_hot

from ggdr.features.cache import FeatureCache
from ggdr.metrics.base import FeatureMetric, extractor_of
from ggdr.metrics.data import EvalData
from ggdr.metrics.fid import FID
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel, StepContext
from ggdr.recipe.files import from_json, to_json
from ggdr.registry import (
    REGISTRIES,
    Capability,
    augmentations,
    datasets,
    discover,
    discriminators,
    extractors,
    generators,
    losses,
    metrics,
    regularizers,
)
from ggdr.saving.model import load_model, save_model

discover()
NETWORKS = [*(("g", name) for name in sorted(generators)), *(("d", name) for name in sorted(discriminators))]
SIDE = 16
CLASSES = 3
"""of the images that terms are tested on: some read labels"""
SURE = {
    "images": 32.0,
    "signs/real": 0.9,
    "signs/fake": -0.8,
    "logits/real": 2.0,
    "logits/fake": -1.0,
    "path_length": 3.0,
}
"""statistics of a step in which D is sure of itself"""
KINDS = {"g": generators, "d": discriminators}


def spec(labels: int = 0, channels: int = 3) -> ImageSpec:
    return ImageSpec(SIDE, SIDE, channels, labels)


def network(turn: str, name: str, labels: int = 0, channels: int = 3):
    torch.manual_seed(0)
    return KINDS[turn][name].tiny().build(spec(labels, channels))


def call(net, labels: int = 0, n: int = 4):
    """A forward pass, the first tensor that it gives, and the input it came from."""
    torch.manual_seed(1)
    is_generator = net.config.registry is generators
    shape = (n, net.z_dim) if is_generator else (n, net.spec.channels, SIDE, SIDE)
    x = torch.randn(shape).clamp(-1, 1).requires_grad_()
    return net(x, one_hot(n, labels))[0], x


def started(part, batch: int = 4, steps: int = 0):
    """A part that is ready for a run, or has gone through some steps of one."""
    part, _ = part.resolve(spec(CLASSES), batch)
    part.begin(torch.device("cpu"))
    for _ in range(steps):
        part.learn({key: torch.tensor(value) for key, value in SURE.items()})
    return part


def duel(term, turn: str, requires: frozenset[Capability] | None = None, augment=None) -> Duel:
    torch.manual_seed(2)
    seen = spec(CLASSES)
    g = tiny.STYLEGAN2.build(seen)
    d = judge(term).build(
        seen, ExtraOutputs({s: g.feature_channels[s] for s in term.feature_resolutions()}, term.heads(seen, g))
    )
    reals = torch.randn(4, 3, SIDE, SIDE).clamp(-1, 1)
    for net, learns in ((g, turn == "g"), (d, turn == "d")):
        net.requires_grad_(learns)
    return Duel(
        g,
        d,
        reals,
        one_hot(4, CLASSES),
        StepContext(turn, term.requires if requires is None else requires, term.feature_resolutions(), 1.0, augment),
    )


TURNS = [(name, turn) for name, term in sorted(TERMS.items()) for turn in started(term()).turns]


@pytest.mark.parametrize(("name", "turn"), TURNS)
def test_term_is_finite_and_its_gradient_reaches_its_player_and_no_other(name, turn):
    term = started(TERMS[name](), steps=8)
    fight = duel(term, turn)
    loss = term.loss(fight)
    assert loss.shape == () and loss.isfinite()
    (loss * term.weight).backward()
    learner, other = (fight.G, fight.D) if turn == "g" else (fight.D, fight.G)
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.parameters())
    assert all(p.grad is None for p in other.parameters())


@pytest.mark.parametrize("name", sorted(name for name, term in TERMS.items() if term.requires and term().turns))
def test_declared_needs_are_used(name):
    """Without what it needs, a term fails or gives another value."""
    term = started(TERMS[name]())
    always_there = {Capability.WS, Capability.FORWARD_FROM, Capability.ENERGY}  # whether asked for or not
    for need in term.requires - always_there:
        with pytest.raises((RuntimeError, KeyError)):
            term.loss(duel(term, term.turns[0], requires=term.requires - {need})).backward()


@pytest.mark.parametrize("kind", [losses, regularizers, augmentations], ids=lambda kind: kind.kind)
def test_state_makes_the_round_trip(kind):
    stats = {key: torch.tensor(value) for key, value in SURE.items()}
    for name, part in kind.items():
        a, b = started(part(), steps=8), started(part())
        b.load_state_dict(a.state_dict())
        assert {k: v.item() for k, v in b.state_dict().items()} == {k: v.item() for k, v in a.state_dict().items()}, (
            name
        )
        before = copy.deepcopy(a.state_dict())
        a.learn({key: value * float("nan") for key, value in stats.items()})
        assert all(value.isfinite() for value in a.state_dict().values()), name
        assert a.state_dict().keys() == before.keys()


@pytest.mark.parametrize("name", sorted(augmentations))
def test_terms_run_under_every_augmentation(name):
    term = started(regularizers["ggdr"](resolutions=(8,)))
    augment = started(augmentations[name]())
    fight = duel(term, "d", augment=augment)
    assert term.loss(fight).isfinite()
    assert fight.on_fake.target_features[8].shape == fight.fake.features[8].shape


@pytest.mark.parametrize(("turn", "name"), NETWORKS)
@pytest.mark.parametrize("labels", [0, 3])
def test_networks_give_what_they_say(turn, name, labels):
    net = network(turn, name, labels)
    first, _ = call(net, labels)
    if turn == "d":
        assert first.shape[0] == 4 and first.isfinite().all()
        if Capability.PYRAMID in net.config.provides:
            _, maps = net.pyramid(torch.zeros(2, 3, SIDE, SIDE), one_hot(2, labels))
            assert {resolution: m.shape[1] for resolution, m in maps.items()} == net.map_channels
        return
    assert first.shape == (4, 3, SIDE, SIDE)
    resolutions = tuple(net.feature_channels) if Capability.G_FEATURES in net.config.provides else ()
    made = net(torch.randn(2, net.z_dim), one_hot(2, labels), resolutions=resolutions)
    assert {resolution: m.shape[1] for resolution, m in made.features.items()} == {
        resolution: net.feature_channels[resolution] for resolution in resolutions
    }
    assert (Capability.WS in net.config.provides) == (made.ws is not None)


@pytest.mark.parametrize(("turn", "name"), [each for each in NETWORKS if each != ("d", "unconditional")])
def test_labels_matter(turn, name):
    net = network(turn, name, 3).eval()
    for parameter in net.parameters():  # some start at zero, and with them the labels' influence
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(4, net.z_dim) if turn == "g" else torch.randn(4, 3, SIDE, SIDE)
    torch.manual_seed(0)
    a = net(x, torch.eye(3)[[0, 0, 0, 0]])[0]
    torch.manual_seed(0)
    b = net(x, torch.eye(3)[[1, 1, 1, 1]])[0]
    assert not torch.allclose(a, b)


@pytest.mark.parametrize(("turn", "name"), NETWORKS)
def test_save_and_load_are_exact(turn, name, tmp_path):
    net = network(turn, name, 3).eval()
    save_model(net, tmp_path)
    again = load_model(tmp_path)
    assert again.config == net.config and again.spec == net.spec
    assert torch.equal(call(again, 3)[0], call(net, 3)[0])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


@pytest.mark.parametrize(("turn", "name"), NETWORKS)
def test_networks_can_be_differentiated_twice(turn, name):
    net = network(turn, name)
    first, x = call(net)
    input_gradient(first.square(), x).square().sum().backward()
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert grads and all(grad.isfinite().all() for grad in grads) and any(grad.abs().sum() > 0 for grad in grads)


@pytest.mark.parametrize("name", sorted(generators))
def test_batch_mates_do_not_leak_in_eval(name):
    net = network("g", name).eval()
    torch.manual_seed(3)
    z = torch.randn(4, net.z_dim)
    torch.manual_seed(4)  # noise of the first sample is the first that is drawn
    alone = net(z[:1])[0]
    torch.manual_seed(4)
    other = net(torch.cat([z[:1], torch.randn(1, net.z_dim).mul(9)]))[0]
    plain = {key: value for key, value in net.named_parameters() if "noise" in key}
    assert all(value.abs().sum() == 0 for value in plain.values())
    # batches of one and of two may be summed in other orders; what a mate did would be far larger
    torch.testing.assert_close(other[:1], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(REGISTRIES))
def test_parts_are_registered_and_make_the_round_trip_through_json(kind):
    assert REGISTRIES[kind], f"there are no {kind}"
    for name, part in REGISTRIES[kind].items():
        made = part()
        assert from_json(part, to_json(made)) == made and to_json(made)["type"] == name
        assert part.__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize("name", sorted(name for name, loss in losses.items() if Capability.HEADS not in loss.requires))
def test_loss_is_lower_for_the_better_player(name):
    """A D that tells reals from fakes has a lower loss than one that is wrong; G's preference is the reverse."""
    term = started(losses[name]())

    def value(turn: str, real: float, fake: float) -> float:
        fight = duel(term, turn)
        for key, logit in (("on_real", real), ("on_fake", fake)):
            vars(fight)[key] = DiscriminatorOutput(torch.full((4, 1), logit))
        return term.loss(fight).item()

    assert value("d", 1.0, -1.0) < value("d", -1.0, 1.0)
    assert value("g", 0.5, 0.5) < value("g", 0.5, -0.5)


def test_wasserstein_clips_the_critic_as_its_layers_use_it_and_nothing_else():
    term = losses["wasserstein"](clip=0.01)
    g, d = tiny.STYLEGAN2.build(spec()), tiny.recipe.discriminator.build(spec())
    before = [p.clone() for p in g.parameters()], [p.clone() for p in d.decoder.parameters()]
    (clipping,) = term.callbacks().values()
    clipping.after_update("g", [g])
    clipping.after_update("d", [d])
    after = g.parameters(), d.decoder.parameters()
    assert all(torch.equal(a, b) for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True))
    layer = d.encoder.b16.conv0
    assert (layer.weight * layer.weight_gain).abs().max().item() == pytest.approx(0.01)
    assert layer.weight.abs().max() > 0.05


NEEDS_GENERATOR = sorted(name for name, metric in metrics.items() if Capability.GENERATOR in metric.requires)
AGAINST_REALS = ["density_coverage", "fd_dinov2", "fid", "kid", "precision_recall", "swd"]
"""metrics that hold fakes against reals, so that reals themselves are the best fakes"""
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
    return EvalData(
        real, FeatureCache(fake, count=count, networks=real.networks), network("g", "stylegan2", channels=1).eval()
    )


@every_metric
def test_metric_gives_finite_numbers_the_same_each_time_and_leaves_randomness_alone(name):
    metric, given = quick(name), eval_data()
    state = torch.get_rng_state()
    found = metric.measure(given)
    assert torch.equal(torch.get_rng_state(), state)
    assert found and all(isinstance(value, float) and math.isfinite(value) for value in found.values())
    assert metric.measure(eval_data()) == found
    assert metric.better in ("lower", "higher") and metric.reliable_images >= 2
    assert metric.covariance == isinstance(metric, FID)


@every_metric
def test_metric_does_not_depend_on_what_was_measured_before(name):
    alone, shared = quick(name).measure(eval_data()), eval_data()
    for other in sorted(metrics):
        quick(other, images=40).measure(shared)
    assert quick(name).measure(shared) == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("name", AGAINST_REALS)
def test_metric_prefers_reals_to_harmed_ones(name):
    metric, sign = quick(name), 1 if metrics[name].better == "higher" else -1
    good, bad = (metric.measure(eval_data(fakes)) for fakes in (None, harmed(digits())))
    chief = next(iter(good))
    assert sign * good[chief] > sign * bad[chief]


@every_metric
def test_metric_loads_what_it_reads_before_it_is_needed(name):
    asked = eval_data()
    metric = quick(name)
    metric.prepare(asked)
    held = extractor_of(metric)
    assert (held is None) == (not asked.fake.networks) and (held is None or held in asked.real.networks)
    assert not asked.fake.cached_images and not asked.real.cached_images


@pytest.mark.parametrize("name", NEEDS_GENERATOR)
def test_metric_that_walks_says_that_images_are_not_enough(name):
    for call in (quick(name).prepare, quick(name).measure):
        with pytest.raises(ValueError, match=f"^{name} .*generator"):
            call(eval_data()._replace(generator=None))


@pytest.mark.parametrize("name", sorted(name for name, metric in metrics.items() if issubclass(metric, FeatureMetric)))
def test_metric_of_one_image_is_refused_before_it_is_measured(name):
    for call in (quick(name).prepare, quick(name).measure):
        with pytest.raises(ValueError, match=f"^{name} needs at least"):
            call(eval_data(count=1))
