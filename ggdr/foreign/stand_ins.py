"""Inert stand-ins for the few things besides tensors that checkpoints are made of."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.instructions import check_key
from ggdr.foreign.unpickle import ANY, Call, Global, StandIn

FORMATS = {"f2": "e", "f4": "f", "f8": "d", "b1": "?"}
FORMATS |= {f"i{size}": code for size, code in zip((1, 2, 4, 8), "bhiq", strict=True)}
FORMATS |= {f"u{size}": code for size, code in zip((1, 2, 4, 8), "BHIQ", strict=True)}
"""numpy's name of a number's type -> the `struct` module's; types of objects are not among them"""
FEW = 1024
"""Largest number of an array's elements that are listed."""
LONGEST_NAME = 200
"""Largest number of characters of an attribute's, a layer's or a weight's name."""


@dataclass(eq=False)
class Module:
    """A network or a layer as the published code pickles it: the name of its class, and its attributes."""

    class_name: str
    state: dict[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        """Return an attribute that is a dict by names, empty if it is missing; UserError if it is something else."""
        found = self.state.get(name, {})
        if not isinstance(found, dict) or not all(type(key) is str and len(key) <= LONGEST_NAME for key in found):
            raise UserError(f"it is damaged: {name} of a {self.class_name} is no dict")
        return found


@dataclass(eq=False)
class WholeModule(Module, StandIn):
    """A network or a layer that is pickled whole: the name of its class, which is never looked up, and its state."""

    def take(self, state: Any) -> None:
        """Store the attributes that the file gives this layer; UserError if they are no dict."""
        if not isinstance(state, dict):
            raise UserError("it is damaged: a layer has no attributes")
        self.state = state


def whole_module(asked: Global, *_: Any) -> WholeModule:
    """Return a layer of the class of this name, without attributes, which follow."""
    return WholeModule(asked.name, {})


@dataclass(eq=False)
class Namespace(StandIn):
    """Attributes by name, such as the arguments of a command line."""

    attributes: dict[str, Any] = field(default_factory=dict)

    def take(self, state: Any) -> None:
        """Store the attributes that the file gives this object; an error if they are no dict."""
        if not isinstance(state, dict):
            raise UserError("it is damaged: a namespace has no attributes")
        self.attributes = state


@dataclass(eq=False)
class NumberType(StandIn):
    """The type of a NumPy number."""

    code: str
    order: str = "<"

    def take(self, state: Any) -> None:
        """Store the byte order."""
        if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise UserError("it is damaged: a type of number has no byte order")
        self.order = state[1].replace("|", "=")


def number_type(code: Any = None, *_: Any) -> NumberType:
    """Return the type of this name; UserError if it is not one of plain numbers."""
    if type(code) is not str or code not in FORMATS:
        raise UserError(f"it holds a numpy object of type {shown(code)}, which is no number; nothing of it was run")
    return NumberType(code)


def make_number(kind: Any, data: Any) -> int | float | bool:
    """Convert a NumPy scalar to a Python number."""
    if not isinstance(kind, NumberType) or type(data) is not bytes or len(data) != int(kind.code[1]):
        raise UserError("it is damaged: a number has no value")
    return struct.unpack(kind.order + FORMATS[kind.code], data)[0]


@dataclass(eq=False)
class Array(StandIn):
    """A NumPy array, as its bytes."""

    kind: NumberType = field(default_factory=lambda: NumberType("u1"))
    shape: tuple[int, ...] = (0,)
    data: bytes = b""

    def take(self, state: Any) -> None:
        """Store shape, type and bytes; UserError if they do not go together."""
        if type(state) is not tuple or len(state) != 5:
            raise UserError("it is damaged: an array has no numbers")
        _, shape, kind, _, data = state
        self.fill(data, kind, shape)

    def fill(self, data: Any, kind: Any, shape: Any) -> None:
        """Fill the array from its pickled bytes, type and shape; UserError if they do not go together."""
        fits = isinstance(kind, NumberType) and type(shape) is tuple and type(data) is bytes
        fits = fits and all(type(resolution) is int and resolution >= 0 for resolution in shape)
        if not fits or prod(shape) * int(kind.code[1]) != len(data):
            raise UserError("it is damaged: an array has no numbers")
        self.kind, self.shape, self.data = kind, shape, data

    def __repr__(self) -> str:
        return f"an array {[*self.shape]} of numpy's type {self.kind.code}"

    def numbers(self) -> Any:
        """Return the elements as a list, if there is one axis and they are few; else a description."""
        if len(self.shape) != 1 or self.shape[0] > FEW:
            return repr(self)
        return [*struct.unpack(f"{self.kind.order}{self.shape[0]}{FORMATS[self.kind.code]}", self.data)]


def empty_array(*_: Any) -> Array:
    """Return an array without elements, which follow."""
    return Array()


def array_of(data: Any, kind: Any, shape: Any, *_: Any) -> Array:
    """Return the array of these bytes, as newer pickles spell it."""
    made = Array()
    made.fill(data, kind, shape)
    return made


def encode_bytes(text: Any, encoding: Any) -> bytes:
    """Return bytes as old pickles spell them."""
    if type(text) is not str or encoding != "latin1":
        raise UserError("it is damaged: it spells bytes in an unknown way")
    try:
        return text.encode("latin1")
    except UnicodeEncodeError as error:
        raise UserError("it is damaged: it spells bytes in an unknown way") from error


def make_dict(pairs: Any = ()) -> dict[Any, Any]:
    """Return an ordered dict's items; they may also follow."""
    if pairs != ():
        raise UserError("it is damaged: a dict begins with items")
    return {}


def make_set(items: Any = ()) -> set[Any]:
    """Return a set, as pickles spelt it before there was an instruction for it; frozen or not."""
    if type(items) not in (list, tuple):
        raise UserError("it is damaged: a set is made of no list")
    return {check_key(item) for item in items}


def make_tuple(items: Any = ()) -> tuple[Any, ...]:
    """Return a shape as a tuple."""
    if type(items) not in (list, tuple):
        raise UserError("it is damaged: a shape is made of no list")
    return tuple(items)


def namespace() -> Namespace:
    """Return a namespace without attributes, which follow."""
    return Namespace()


def module(meta: Any) -> Module:
    """Return a network or layer from the record that the published code makes of it; its source text is left out."""
    said = meta if isinstance(meta, dict) else {}
    name, state = said.get("class_name"), said.get("state")
    if said.get("type") != "class" or type(name) is not str or not isinstance(state, dict):
        raise UserError("it is damaged: a layer is not described")
    return Module(name, state)


WHOLE: Mapping[Global, Call] = {
    Global("R3GAN", ANY): whole_module,
    Global("training.networks", ANY): whole_module,
    Global("torch.nn.modules.container.ModuleList", ANY): whole_module,
    Global("torch.nn.modules.linear.Linear", ANY): whole_module,
    Global("torch.nn.modules.conv.Conv2d", ANY): whole_module,
}
"""Modules, and classes, whose objects R3GAN's snapshots hold whole."""
CALLS: Mapping[Global, Call] = {
    **WHOLE,
    Global("collections", "OrderedDict"): make_dict,
    Global("dnnlib.util", "EasyDict"): make_dict,
    Global("torch_utils.persistence", "_reconstruct_persistent_obj"): module,
    Global("torch", "Size"): make_tuple,
    Global("argparse", "Namespace"): namespace,
    Global("builtins", "set"): make_set,
    Global("builtins", "frozenset"): make_set,
    Global("__builtin__", "set"): make_set,
    Global("__builtin__", "frozenset"): make_set,
    Global("numpy", "dtype"): number_type,
    Global("numpy", "ndarray"): empty_array,
    Global("numpy.core.multiarray", "scalar"): make_number,
    Global("numpy._core.multiarray", "scalar"): make_number,
    Global("numpy.core.multiarray", "_reconstruct"): empty_array,
    Global("numpy._core.multiarray", "_reconstruct"): empty_array,
    Global("numpy.core.numeric", "_frombuffer"): array_of,
    Global("numpy._core.numeric", "_frombuffer"): array_of,
    Global("_codecs", "encode"): encode_bytes,
}
"""Names that a checkpoint may call -> functions that are called instead."""
