"""A pickle read as data: a stack machine that has no instruction to import what a file names, or to call it.

What a file calls is only a name; a reader passes a table from such names to functions that are safe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.instructions import INSTRUCTIONS, SHORT, check_key, instructions

Call = Callable[..., Any]
ANY = "*"
"""Name that stands, in a table of what a file calls, for all names of a module, or of the modules in a package."""
LONGEST_NAME = 200
"""Largest number of characters of a name in a message."""


@dataclass(frozen=True)
class Global:
    """A name that a pickle refers to; it is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:LONGEST_NAME]


class StandIn:
    """An inert object in place of one that takes its state after it was made."""

    def take(self, state: Any) -> None:
        """Store the state as data; UserError if that is not possible."""
        raise NotImplementedError


class Machine:
    """Executes the instructions of one pickle; UserError for any that a checkpoint has no use for."""

    def __init__(self, calls: Mapping[Global, Call], names: Collection[Global], persistent: Call | None):
        """Set up an empty stack; `calls`: functions by the name a file calls. `names`: names it only refers to.

        `persistent`: resolves references to a storage outside the pickle; None: there is none.
        """
        self.calls, self.names, self.persistent = calls, names, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: BytesIO) -> Any:
        """Return the object of the pickle at the stream's position, and move behind it."""
        for name, argument in instructions(stream):
            if name == "STOP":
                return self.pop()
            if name not in INSTRUCTIONS:
                raise UserError(f"it holds the instruction {name}, which no checkpoint needs; nothing of it was run")
            INSTRUCTIONS[name](self, argument)
        raise UserError(f"it is damaged: {SHORT}")

    def push(self, value: Any) -> None:
        """Push a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Pop the top of the stack, which must be above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise UserError("it is damaged: an instruction lacks what it works on")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        """Return the top of the stack, which must be of a type."""
        self.push(value := self.pop())
        if not isinstance(value, kind):
            raise UserError(
                f"it is damaged: a value of type {type(value).__name__} stands where a {kind.__name__} should"
            )
        return value

    def since_mark(self) -> list[Any]:
        """Pop all that was pushed since the last mark."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def refer(self, module: Any, name: Any) -> None:
        """Push a name on the stack, if it is a known one."""
        if type(module) is not str or type(name) is not str:
            raise UserError("it is damaged: a name is no text")
        asked = Global(module, name)
        if self.find(asked) is None and asked not in self.names:
            raise UserError(f"it asks for {asked}, which {reason(module)}; nothing of it was run")
        self.push(asked)

    def refer_from_stack(self) -> None:
        """Pop name and module from the stack, and push the name they make."""
        name = self.pop()
        self.refer(self.pop(), name)

    def call(self) -> None:
        """Pop arguments and a name, and push what the reader's function for it returns."""
        arguments, asked = self.pop(), self.pop()
        function = self.find(asked) if isinstance(asked, Global) else None
        if function is None or type(arguments) is not tuple:
            what = asked if isinstance(asked, Global) else shown(asked)
            raise UserError(f"it calls {what}, which is nothing that can be called; nothing of it was run")
        self.push(function(*arguments))

    def find(self, asked: Global) -> Call | None:
        """Return the function for a name: its own, or that of any name of its module; None: it may not be called."""
        if asked.name != ANY and asked in self.calls:
            return self.calls[asked]
        parts = str(asked).split(".")
        for length in range(len(parts), 0, -1):
            if every := self.calls.get(Global(".".join(parts[:length]), ANY)):
                return partial(every, asked)
        return None

    def build(self) -> None:
        """Pass a state to the object below it. A dict has its items already, and takes no attributes."""
        state = self.pop()
        if not isinstance(target := self.pop(), dict | StandIn):
            raise UserError(f"it is damaged: an object of type {type(target).__name__} takes no state")
        if isinstance(target, StandIn):
            target.take(state)
        self.push(target)

    def fetch(self) -> None:
        """Pop a reference to a storage, and push what the reader resolves it to."""
        if self.persistent is None:
            raise UserError("it refers to data outside itself; nothing of it was run")
        self.push(self.persistent(self.pop()))

    def set_items(self, items: list[Any]) -> None:
        """Add keys and values to the dict on the stack."""
        target = self.top(dict)
        if len(items) % 2:
            raise UserError("it is damaged: a key has no value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[check_key(key)] = value


def load(
    stream: BytesIO,
    calls: Mapping[Global, Call] | None = None,
    names: Collection[Global] = (),
    persistent: Call | None = None,
) -> Any:
    """Return the object of the pickle at the stream's position, made of plain Python types and the reader's.

    UserError, one clause whose subject is the file, if it asks for anything else, or is damaged.
    """
    try:
        return Machine(calls or {}, names, persistent).run(stream)
    except UserError:
        raise
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UserError("it is damaged: an instruction does not fit what it works on") from error
    except (RecursionError, MemoryError) as error:
        raise UserError("it is damaged: it asks for more memory than there is") from error


def reason(module: str) -> str:
    """Return why a name of this module is refused."""
    found = (why for prefix, why in FOREIGN.items() if f"{module}.".startswith(f"{prefix}."))
    return next(found, "no checkpoint of StyleGAN2 or StyleGAN3 has a use for")


FOREIGN = {
    "dnnlib.tflib": "is of the TensorFlow era; take the network's PyTorch version",
    "tensorflow": "is of the TensorFlow era; take the network's PyTorch version",
    "torch.nn": "is a whole module of another network; StyleGAN2, StyleGAN3 and dicts of their tensors are read here",
    "pg_modules": "is of Projected GAN or StyleGAN-XL, whose snapshots cannot be converted",
    "vision_module": "is of Vision-aided GAN's discriminator, which cannot be converted",
    "feature_networks": "is of StyleGAN-XL, whose snapshots cannot be converted",
    "numpy": "is of NumPy, but neither an array nor a number",
    "timm": "is of a feature network, as in Projected GAN and StyleGAN-XL, whose snapshots cannot be converted",
}
"""Explanations by module, for modules of other programs."""
