"""Nothing in a step makes the host wait for the device, which would stand idle until it had been given more to do."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable

import pytest
import tiny
import torch
from terms import OF_NOISE, TERMS, extra_of, judge, label_map_of, of_noise, one_hot, translations
from torch.utils._python_dispatch import TorchDispatchMode

from ggdr.augment.ada import ADA, get_args
from ggdr.augment.ada import Transform as AdaTransform
from ggdr.augment.diffaug import DiffAugment
from ggdr.games.progressive import Progressive
from ggdr.networks.base import ImageSpec
from ggdr.networks.progan import ProGANDiscriminatorConfig, ProGANGeneratorConfig
from ggdr.ops import host_copy
from ggdr.play.duel import Duel, StepContext
from ggdr.registry import of_duels
from ggdr.train import train_step
from ggdr.training.stopping import Stop

READS = {"item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__", "nonzero", "equal"}


class Reads(torch.overrides.TorchFunctionMode):
    """Notes what makes the host wait for all that the device was given to do, but for counters on the host."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        counter = bool(args) and isinstance(args[0], torch.Tensor) and args[0].dtype == torch.int64
        arrived = sys._getframe(1).f_code.co_filename == host_copy.__file__  # it waits for its own copy alone
        if name in READS and not counter and not arrived:
            self.seen.append(name)
        return function(*args, **(kwargs or {}))


def several(run):
    """The run, one of whose processes asks to stop by a vote of the statistics, as if there were more of them."""
    run.stop = Stop(type("Two", (tiny.OneProcess,), {"num_processes": 2}))
    return run


def growing():
    game = Progressive(stage_kimg=0.016, fade_kimg=0.024)
    pair = {"generator": ProGANGeneratorConfig.tiny(), "discriminator": ProGANDiscriminatorConfig.tiny()}
    return dataclasses.replace(tiny.recipe, game=game, regularizers={}, augment=ADA(fixed_p=0.5), **pair)


@pytest.mark.parametrize("recipe", [tiny.recipe, growing()], ids=["everything", "growing"])
def test_a_step_reads_nothing_of_the_device_but_what_is_on_its_way_already(recipe, tmp_path):
    run = several(tiny.tiny_run(recipe, tmp_path))
    reals, waits = run.reals(), []
    for _ in range(8):
        batches = next(reals)
        with Reads() as watched:
            train_step(run, batches)
            assert not run.stop.due()
        waits.append(watched.seen)
    assert waits == [[]] * 8
    assert recipe is not tiny.recipe or run.augment.state["p"] > 0  # it rose, so it was looked at


def test_processes_stop_by_the_vote_of_the_step_before_the_last(tmp_path):
    """Whatever the newest vote is: other processes may not have it yet."""
    run = several(tiny.tiny_run(tiny.recipe, tmp_path))
    due = []
    for vote in (0.0, 0.5, 0.0, 0.0):
        run.stop.count({"stop": torch.tensor(vote)})
        due.append(run.stop.due())
    assert due == [False, False, True, True]


class Copies(TorchDispatchMode):
    """Notes copies from the host to the device, here "meta": they wait until the device takes them."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        out = operator(*args, **(kwargs or {}))
        tensors = [x for x in (*args, out) if isinstance(x, torch.Tensor)]
        if {x.is_meta for x in tensors if x.ndim or x is out} == {True, False}:
            self.seen.append(str(operator))
        return out


class Literals(torch.overrides.TorchFunctionMode):
    """Notes tensors made of Python's numbers, which are copied too (but "meta" has no numbers to copy)."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in ("tensor", "new_tensor", "as_tensor", "asarray", "from_numpy"):
            self.seen.append(function.__name__)
        return function(*args, **(kwargs or {}))


def on_meta(term, turn: str) -> Callable[[], Duel]:
    """Makes duels whose device holds no numbers: whoever asks for one fails."""
    seen = ImageSpec(16, 16, 3, 3)
    context = StepContext(turn, term.requires, term.feature_resolutions(), 1.0)
    if not of_duels(term.requires) <= OF_NOISE:
        return translations(term, seen, context, "meta")
    g = of_noise(term).build(seen)
    d = judge(term).build(seen, extra_of(term, seen, g))
    for network, learns in ((g, turn == "g"), (d, turn == "d")):
        network.to("meta").requires_grad_(learns)
    reals = torch.randn(4, 3, 16, 16, device="meta")
    labels, label_map = one_hot(4, 3).to("meta"), label_map_of(seen, 4).to("meta")
    return lambda: Duel(g, d, reals, labels, context, label_map=label_map)


def meta_term(name: str):
    term, _ = TERMS[name]().resolve(ImageSpec(16, 16, 3, 3), 4)
    term.begin(torch.device("meta"))
    return term


TURNS = [(name, turn) for name in sorted(TERMS) for turn in meta_term(name).turns]


def copies(play) -> list[str]:
    """What a second call copies to the device, which may keep what the first one brought there."""
    play()
    with Copies() as copied, Literals() as made:
        play()
    return copied.seen + made.seen


@pytest.mark.parametrize(("name", "turn"), TURNS)
def test_no_term_reads_the_device_or_copies_to_it(name, turn):
    term = meta_term(name)
    fresh = on_meta(term, turn)
    assert copies(lambda: term.loss(fresh()).backward()) == []


@pytest.mark.parametrize(
    "augment", [ADA(pipeline=get_args(AdaTransform), fixed_p=0.5), DiffAugment()], ids=lambda a: a.name
)
def test_no_augmentation_reads_the_device_or_copies_to_it(augment):
    augment.begin(torch.device("meta"))
    image, maps = torch.randn(4, 3, 16, 16, device="meta"), {8: torch.randn(4, 8, 8, 8, device="meta")}
    assert copies(lambda: augment(image, maps)) == []


def test_what_copies_to_the_device_or_reads_it_is_seen():
    x = torch.randn(2, 3, device="meta")
    assert copies(lambda: x * x.new_tensor([1.0, 2.0, 3.0])) == ["new_tensor"]
    assert copies(lambda: torch.ones(2, 3).to("meta")) == ["aten._to_copy.default"]
    with pytest.raises(RuntimeError):
        bool(x.sum() > 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_copy_of_a_gpus_number_arrives_as_it_was_when_the_copy_began():
    number = torch.ones([], device="cuda")
    copy = host_copy.HostCopy(number * 2)
    number.zero_()
    assert copy.read() == copy.read() == 2.0
