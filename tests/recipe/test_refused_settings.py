"""Settings of parts: what cannot be is refused, what lies just inside is taken."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import tiny

from ggdr.augment.ada import ADA
from ggdr.callbacks.push import PushToHub
from ggdr.data.images import ImageFiles
from ggdr.games.progressive import Progressive
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.registry import augmentations, discover, losses, metrics, optimizers, regularizers, schedules
from ggdr.regularizers.r1 import R1

discover()
PARTS = {
    **losses,
    **regularizers,
    **augmentations,
    **metrics,
    **optimizers,
    **schedules,
    "pa_gan": PAGANDiscriminatorConfig,
}
REFUSED = {
    "adam": [
        {"lr": 0.0}, {"eps": 0.0}, {"beta1": -0.1}, {"beta2": -0.1}, {"beta1": 1.0}, {"beta2": 1.0},
        {"clip_norm": 0.0}, {"clip_value": 0.0}, {"weight_decay": -0.1},
    ],
    "ada": [
        {"p_max": -0.1}, {"p_max": 1.1}, {"fixed_p": -0.1}, {"fixed_p": 1.1}, {"interval": 0}, {"speed_kimg": 0.0},
    ],
    "apa": [{"p_max": -0.1}, {"p_max": 1.0}, {"speed_kimg": 0.0}],
    "bcr": [{"shift": -1}],
    "began": [{"gamma": 0.0}, {"gamma": 1.1}, {"lambda_k": 0.0}],
    "contrad": [{"temperature": 0.0}, {"width": 0}, {"hidden": 0}],
    "cr": [{"shift": -1}],
    "cutmix": [{"p": -0.1}, {"p": 1.1}, {"ramp_kimg": -1.0}],
    "density_coverage": [{"neighbours": 0}],
    "ebgan": [{"margin": 0.0}],
    "is": [{"splits": 0}],
    "kid": [{"subsets": 0}, {"subset": 1}],
    "pa_gan": [{"start_kimg": -1.0}, {"interval_kimg": 0.0}, {"ramp_kimg": 0.0}, {"ramp_kimg": 501.0}],
    "ppl": [{"images": 0}, {"epsilon": 0.0}],
    "constant": [{"start": math.nan}, {"start": math.inf}, {"warmup_kimg": -1.0}],
    "cosine": [{"kimg": 0.0}, {"kimg": math.inf}, {"hold_kimg": -1.0}, {"end": math.nan}],
    "inverse": [{"kimg": 0.0}],
    "inverse_sqrt": [{"kimg": 0.0}],
    "precision_recall": [{"neighbours": 0}],
    "rmsprop": [{"alpha": 1.0}, {"momentum": -0.1}, {"eps": 0.0}, {"weight_decay": -1.0}, {"lr": 0.0}],
    "sgd": [{"momentum": 1.0}, {"momentum": -0.1}, {"weight_decay": -1.0}, {"lr": -0.1}],
    "steps": [{"factor": -1.0}, {"milestones_kimg": (2.0, 1.0)}, {"milestones_kimg": (0.0,)}],
    "swd": [{"images": 0}, {"patches": 0}, {"side_px": 0}, {"directions": 0}],
    "zcr": [{"noise": -0.1}],
}  # fmt: skip
TAKEN = {
    "adam": [{"beta1": 0.0, "beta2": 0.0}, {"beta1": 0.999, "beta2": 0.999}, {"lr": 1e-9, "eps": 1e-30}],
    "ada": [{"p_max": 0.0, "fixed_p": 0.0}, {"p_max": 1.0, "fixed_p": 1.0}, {"interval": 1, "speed_kimg": 0.001}],
    "apa": [{"p_max": 0.0}, {"p_max": 0.99, "speed_kimg": 0.001}],
    "began": [{"gamma": 1.0}, {"gamma": 0.01, "lambda_k": 1e-6}],
    "contrad": [{"temperature": 0.01, "width": 1, "hidden": 1}],
    "cr": [{"shift": 0}],
    "cutmix": [{"p": 0.0}, {"p": 1.0, "ramp_kimg": 0.0}],
    "ebgan": [{"margin": 0.1}],
    "is": [{"splits": 1}],
    "kid": [{"subsets": 1, "subset": 2}],
    "pa_gan": [{"start_kimg": 0.0, "interval_kimg": 0.5, "ramp_kimg": 0.5}],
    "ppl": [{"images": 1, "epsilon": 1e-9}],
    "cosine": [{"kimg": 1e-9, "end": -1.0, "hold_kimg": None}],
    "precision_recall": [{"neighbours": 1}],
    "rmsprop": [{"alpha": 0.0, "momentum": 0.0}],
    "sgd": [{"momentum": 0.0}, {"momentum": 0.5, "nesterov": True}],
    "steps": [{"factor": 0.0, "milestones_kimg": (0.5, 1.0)}],
    "swd": [{"images": 1, "patches": 1, "side_px": 1, "directions": 1}],
    "zcr": [{"noise": 0.0}],
}


def each(table: dict[str, list[dict]]) -> list[tuple[str, dict]]:
    """Name and settings, one case after the other."""
    return [(name, settings) for name, cases in table.items() for settings in cases]


@pytest.mark.parametrize(("name", "settings"), each(REFUSED), ids=str)
def test_what_cannot_be_is_refused_by_its_name_and_value(name, settings):
    ((field, value),) = settings.items()
    with pytest.raises(ValueError) as refusal:
        PARTS[name](**settings)
    message = str(refusal.value)
    assert field in message and f"{value}" in message and "\n" not in message


@pytest.mark.parametrize(("name", "settings"), each(TAKEN), ids=str)
def test_what_is_just_possible_is_taken(name, settings):
    part = PARTS[name](**settings)
    assert {field: vars(part)[field] for field in settings} == settings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"regularizers": {"x": ADA()}},
            "regularizers.x: 'ada' is registered as augmentation, not as regularizer, since",
        ),
        (
            {"regularizers": {"x": "r1"}},
            "regularizers.x is the name 'r1'; give the part itself: from ggdr.regularizers",
        ),
        (
            {"generator": "dcgan"},
            "generator is the name 'dcgan'; give the part itself: from ggdr.networks.dcgan import",
        ),
        (
            {"generator": DCGANGeneratorConfig},
            "generator is the class DCGANGeneratorConfig; give DCGANGeneratorConfig().",
        ),
        ({"loss": None}, "loss is None; give a loss"),
        ({"regularizers": ["r1"]}, "regularizers is ['r1']; give a dict of parts by any name: {'NAME': Regularizer}."),
        ({"batch_size": "8"}, "batch_size is '8'; give a whole number."),
        ({"batch_size": 3.5}, "batch_size is 3.5; give a whole number."),
        ({"batch_size": True}, "batch_size is True; give a whole number."),
        ({"total_kimg": "1"}, "total_kimg is '1'; give a number."),
        ({"micro_batch_size": "2"}, "micro_batch_size is '2'; give a whole number or None."),
        ({"precision": "fp16"}, "precision is 'fp16'; give 'fp32' or 'bf16'."),
        ({"tf32": "yes"}, "tf32 is 'yes'; give True or False."),
        ({"compile": 1}, "compile is 1; give True or False."),
        ({"hub_id": 3}, "hub_id is 3; give text in quotes or None."),
        ({"init_from": Path("a")}, f"init_from is {Path('a')!r}; give text in quotes or None."),
        ({"data": ImageFiles(crop="center")}, "data.crop is 'center'; give 'centre', 'pad' or 'none'."),
        ({"data": ImageFiles(mirror="no")}, "data.mirror is 'no'; give True or False."),
        ({"regularizers": {"x": R1(every=2.5)}}, "regularizers.x.every is 2.5; give a whole number."),
        ({"callbacks": {"x": PushToHub(repo_id=3)}}, "callbacks.x.repo_id is 3; give text in quotes."),
    ],
)
def test_what_is_of_another_kind_than_its_field_is_one_sentence_in_python_too(settings, sentence):
    with pytest.raises(ValueError) as refusal:
        dataclasses.replace(tiny.recipe, **settings)
    assert str(refusal.value).startswith(sentence) and "\n" not in str(refusal.value)


def test_text_where_a_number_above_0_belongs_is_one_sentence():
    for make in (lambda: DCGANGeneratorConfig(channels="8"), lambda: Progressive(fade_kimg="1")):
        with pytest.raises(ValueError, match=r"is '\d'; give (a number above 0|0 or more)\."):
            make()


def test_whole_numbers_where_any_may_be_and_none_where_it_may_be_are_taken():
    taken = dataclasses.replace(tiny.recipe, total_kimg=1, micro_batch_size=None, ema_kimg=2, ema_rampup=None)
    assert (taken.total_kimg, taken.micro_batch_size, taken.ema_kimg) == (1, None, 2)
