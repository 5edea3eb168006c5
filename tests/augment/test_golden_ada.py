"""Golden vectors of the published ADA pipeline: the same draws give the same images."""

import json
import math

import pytest
import torch
from places import GOLDEN
from safetensors.torch import load_file

from ggdr.augment.ada import Draws, apply
from ggdr.augment.colour import Colour
from ggdr.augment.corruption import Corruption
from ggdr.augment.geometry import Geometry

CASES = json.loads((GOLDEN / "ada.json").read_text())
GROUPS = {"geometry": Geometry, "colour": Colour, "corruption": Corruption}


@pytest.fixture(scope="module")
def tensors():
    return load_file(GOLDEN / "ada.safetensors")


def drawn_at(q: float, n: int) -> dict[str, tuple[str, str, torch.Tensor]]:
    """Published name -> our group, our name, and what is drawn at the percentile q."""
    even, normal = torch.full((n,), 2 * q - 1), torch.erfinv(torch.full((n,), 2 * q - 1))
    flip, turns = torch.full((n,), float(math.floor(2 * q))), torch.full((n,), float(math.floor(4 * q)))
    pair = torch.ones(2)
    return {
        "xflip": ("geometry", "x_flip", flip),
        "rotate90": ("geometry", "quarter_turns", turns),
        "xint": ("geometry", "integer_shift", even[:, None] * pair * 0.125),
        "scale": ("geometry", "scale", (0.2 * normal).exp2()),
        "rotate": ("geometry", "rotation", even[:, None] * torch.tensor([math.pi, 0])),
        "aniso": ("geometry", "stretch", (0.2 * normal).exp2()),
        "xfrac": ("geometry", "shift", normal[:, None] * pair * 0.125),
        "brightness": ("colour", "brightness", 0.2 * normal),
        "contrast": ("colour", "contrast", (0.5 * normal).exp2()),
        "lumaflip": ("colour", "luma_flip", flip),
        "hue": ("colour", "hue", math.pi * even),
        "saturation": ("colour", "saturation", normal.exp2()),
        "imgfilter": ("corruption", "filter", normal.exp2()[:, None] * torch.ones(4)),
        "cutout": ("corruption", "cutout", torch.tensor([0.5, q, q]).repeat(n, 1)),
    }


def draws_of(case: dict, n: int) -> Draws:
    """The draws of a golden case, which lists the transforms that fire and the percentile of all of them."""
    table = drawn_at(case["percentile"], n)
    fired = [table[op] for op in case["ops"]]
    return Draws(*(kind(**{name: v for g, name, v in fired if g == group}) for group, kind in GROUPS.items()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_ada_parity_with_published_pipeline(case, tensors):
    image, expected = (tensors[f"{case['name']}/{end}"] for end in "xy")
    result, _ = apply(image, {}, draws_of(case, len(image)))
    assert (result - expected).abs().max() <= 1e-4 * expected.abs().max()
