"""The instructions of a pickle that a checkpoint may be made of, and what each does to the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pickletools import genops
from typing import TYPE_CHECKING, Any

from ggdr.errors import UserError

if TYPE_CHECKING:
    from ggdr.foreign.unpickle import Machine


SHORT = "it ends too early, as a download that was cut off does; download it again"
"""Explanation for a file that is incomplete."""


def instructions(stream: BytesIO) -> Iterator[tuple[str, Any]]:
    """Yield names and arguments of the instructions of the pickle at the stream's position."""
    try:
        yield from ((opcode.name, argument) for opcode, argument, _ in genops(stream))
    except ValueError as error:  # also of texts that are no Unicode
        cut = any(word in str(error) for word in ("exhausted", "remain"))
        raise UserError(f"it is damaged: {error}{f'; {SHORT}' if cut else ''}") from error


def check_key(key: Any) -> Any:
    """Return a key or an element of a set, if it is a text or a number: hashing nested tuples can take for ever."""
    if type(key) not in (str, int, float, bool, bytes, type(None)):
        raise UserError(f"it is damaged: a value of type {type(key).__name__} cannot be a key")
    return key


LITERALS = """INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING
BINBYTES SHORT_BINBYTES BINBYTES8 UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8""".split()
"""Instructions that push their argument on the stack."""

INSTRUCTIONS: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys(LITERALS, lambda machine, value: machine.push(value)),
    "BYTEARRAY8": lambda machine, value: machine.push(bytes(value)),
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "POP": lambda machine, _: forget(machine.pop()),
    "POP_MARK": lambda machine, _: forget(machine.since_mark()),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_SET": lambda machine, _: machine.push(set()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push(pop_many(machine, 1)),
    "TUPLE2": lambda machine, _: machine.push(pop_many(machine, 2)),
    "TUPLE3": lambda machine, _: machine.push(pop_many(machine, 3)),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "DICT": lambda machine, _: from_items(machine),
    "FROZENSET": lambda machine, _: machine.push(frozenset(map(check_key, machine.since_mark()))),
    "APPEND": lambda machine, _: append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: append(machine, machine.since_mark()),
    "ADDITEMS": lambda machine, _: add(machine, machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items([*pop_many(machine, 2)]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "GET": lambda machine, index: machine.push(machine.memo[index]),
    "BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "PUT": lambda machine, index: keep(machine, index),
    "BINPUT": lambda machine, index: keep(machine, index),
    "LONG_BINPUT": lambda machine, index: keep(machine, index),
    "MEMOIZE": lambda machine, _: keep(machine, len(machine.memo)),
    "GLOBAL": lambda machine, names: machine.refer(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.refer_from_stack(),
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
    "BINPERSID": lambda machine, _: machine.fetch(),
}
"""All that a pickle may do; extension codes, instances of old classes and buffers are not supported."""


def pop_many(machine: Machine, count: int) -> tuple[Any, ...]:
    """Pop the last `count` values, and return them in the order in which they were pushed."""
    return tuple(reversed([machine.pop() for _ in range(count)]))


def append(machine: Machine, items: list[Any]) -> None:
    """Append items to the list on the stack."""
    machine.top(list).extend(items)


def add(machine: Machine, items: list[Any]) -> None:
    """Add items to the set on the stack."""
    machine.top(set).update(map(check_key, items))


def from_items(machine: Machine) -> None:
    """Push a dict of the keys and values since the last mark."""
    items = machine.since_mark()
    machine.push({})
    machine.set_items(items)


def keep(machine: Machine, index: int) -> None:
    """Store the top of the stack in the memo."""
    machine.memo[index] = machine.top(object)


def forget(_: Any) -> None:
    """Drop a popped value."""
