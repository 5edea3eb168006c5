"""The Accelerator, and launches that are not what they seem."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch

from ggdr.memory import keep_pages

if TYPE_CHECKING:
    from accelerate import Accelerator

TWO = "ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 -m ggdr.train RECIPE.py"


def make_accelerator(precision: str) -> Accelerator:
    """The runtime for `precision` ("fp32" or "bf16"); ValueError if processes do not know of each other."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    launched = {
        "ACCELERATE_MIXED_PRECISION",
        "MASTER_PORT",
    } <= os.environ.keys()  # by accelerate, for several processes
    if launched and "WORLD_SIZE" not in os.environ:
        raise ValueError(f"this launch made one process (`--cpu --num_processes N` does that); on CPU type: {TWO}")
    if world > 1 and not {"RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys():
        raise ValueError(f"{world} processes were launched that cannot find each other; for two on CPU type: {TWO}")
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision == "fp32" and asked != "no":
        raise ValueError(f"launched with --mixed_precision {asked}, but the recipe says fp32; add --precision bf16.")
    from accelerate import Accelerator

    keep_pages()
    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    accelerator = Accelerator(mixed_precision={"fp32": "no"}.get(precision, precision), cpu=not accelerated)
    if world != accelerator.num_processes:
        raise ValueError(
            f"{world} processes were launched, this one knows of {accelerator.num_processes}; on CPU type: {TWO}"
        )
    return accelerator
