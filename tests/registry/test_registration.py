"""A class whose settings would not count is refused where it is registered, with the line to write."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import pytest

from ggdr.errors import UserError
from ggdr.networks.base import GeneratorConfig
from ggdr.play.callback import Callback
from ggdr.play.term import Regularizer
from ggdr.registry import Registry

KIND = Registry("part", "ggdr.regularizers")


class NoDataclass(Regularizer):
    """It would train with a weight of 1."""

    weight: float = 5.0
    strength: float = 2.0


class Network(GeneratorConfig):
    """Settings of a network, lost."""

    depth: int = 3


class Moves(Callback):
    """A callback is a dataclass that is not frozen."""

    every_kimg: float = 5.0


FROZEN = "@dataclass(frozen=True, kw_only=True)"


@pytest.mark.parametrize(
    ("part", "fields", "decorator"),
    [
        (NoDataclass, "weight, strength", FROZEN),
        (Network, "depth", FROZEN),
        (Moves, "every_kimg", "@dataclass(kw_only=True)"),
        (type("Evaluated", (Regularizer,), {"__doc__": "Said.", "__annotations__": {"p": float}}), "p", FROZEN),
    ],
)
def test_fields_without_a_dataclass_are_refused_with_the_decorator_to_write(part, fields, decorator):
    with pytest.raises(UserError) as refusal:
        KIND.register("mine")(part)
    said = str(refusal.value)
    assert said.startswith(f"{part.__qualname__} declares {fields} but is no dataclass itself")
    assert said.endswith(f"put {decorator} between the line that registers it and `class {part.__name__}`.")
    assert "mine" not in KIND


@dataclass(frozen=True, kw_only=True)
class NoType(Regularizer):
    """The dataclass does not see its weight."""

    weight = 5.0


def test_a_default_without_a_type_is_refused_with_the_line_to_write():
    with pytest.raises(UserError) as refusal:
        KIND.register("mine")(NoType)
    assert str(refusal.value) == (
        "NoType.weight = 5.0 has no type, so that it does not count: write weight: float = 5.0."
    )


class Silent(Regularizer):
    """It has no fields, and needs no dataclass."""

    float32: ClassVar = True
    least: ClassVar[int] = 2


@dataclass(frozen=True)
class Whole(Regularizer):
    """Fields with types, in a dataclass."""

    _: KW_ONLY
    weight: float = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Slots(Regularizer):
    """Its class holds descriptors in the place of the defaults."""

    strength: float = 2.0


@pytest.mark.parametrize("part", [Silent, Whole, Slots])
def test_class_variables_and_dataclasses_are_taken(part):
    assert KIND.register(part.__name__)(part) is part and KIND[part.__name__] is part
