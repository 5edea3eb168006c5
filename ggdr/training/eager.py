"""Optimizers of torch without torch's compiler, whose import takes as long as that of torch itself.

torch.optim imports it to tell it what it is not to compile; ggdr compiles networks, and no function that calls an
optimizer. Where a torch has these things elsewhere it imports its compiler, as before, and nothing else changes.
"""

from __future__ import annotations

import inspect

import torch
from torch.optim import Optimizer

BUILDING = (Optimizer.add_param_group, Optimizer.state_dict, Optimizer.load_state_dict)
"""methods of every optimizer that the compiler is told to leave alone, when they are first called"""


def without_compiler() -> None:
    """Let each such method stand where torch keeps what its compiler would make of it."""
    for method in BUILDING:
        plain = vars(method).get("__wrapped__")
        if plain is not None:
            vars(plain).setdefault("__dynamo_disable", plain)


def step_eagerly(optimizer: Optimizer) -> None:
    """Take a step: of an optimizer of torch's by the function within its wrappers, of which one imports the compiler.

    They are for gradients through a step and for hooks; an optimizer that has these is called as torch calls it.
    """
    kind = type(optimizer)
    hooks = {**vars(optimizer)["_optimizer_step_pre_hooks"], **vars(optimizer)["_optimizer_step_post_hooks"]}
    if kind.__module__.partition(".")[0] != "torch" or hooks or optimizer.defaults.get("differentiable"):
        optimizer.step()
        return
    with torch.no_grad():
        inspect.unwrap(kind.step)(optimizer)
