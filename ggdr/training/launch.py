"""The Accelerator, and launches that are not what they seem."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ggdr.errors import UserError, no_memory
from ggdr.folders import is_run
from ggdr.ops.device import resolve_device
from ggdr.processes import PeerLost, Processes
from ggdr.training.memory import retain_pages

if TYPE_CHECKING:
    from accelerate import Accelerator

SHARDED = {
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism config",
}
"""environment variable of Accelerate -> what splits networks over processes"""
TWO = "ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 -m "


def make_accelerator(precision: str, module: str = "ggdr.train RECIPE.py") -> Accelerator:
    """The runtime for `precision` ("fp32" or "bf16").

    `module`: what is launched, for messages. UserError if processes do not know of each other, or the launch asks for
    what would have no effect.
    """
    check_settings(os.environ, precision)
    two = TWO + module
    world = int(os.environ.get("WORLD_SIZE", "1"))
    launched = {
        "ACCELERATE_MIXED_PRECISION",
        "MASTER_PORT",
    } <= os.environ.keys()  # by accelerate, for several processes
    if launched and "WORLD_SIZE" not in os.environ:
        raise UserError(f"this launch made one process (`--cpu --num_processes N` does that); on CPU type: {two}")
    if world > 1 and not {"RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys():
        raise UserError(f"{world} processes were launched that cannot find each other; for two on CPU type: {two}")
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()  # an earlier run in this process may have had another precision
    retain_pages()
    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    accelerator = Accelerator(mixed_precision={"fp32": "no"}.get(precision, precision), cpu=not accelerated)
    if world != accelerator.num_processes:
        raise UserError(
            f"{world} processes were launched, this one knows of {accelerator.num_processes}; on CPU type: {two}"
        )
    return accelerator


def check_settings(settings: Mapping[str, str], precision: str) -> None:
    """UserError if a launch, by its flags or by what `accelerate config` saved, asks for what ggdr does not do.

    `settings`: the environment, by which Accelerate hands them on.
    """
    for variable, name in SHARDED.items():
        if settings.get(variable, "").lower() in ("true", "1"):
            raise UserError(
                f"launched with {name}, by a flag or by what `accelerate config` saved; ggdr holds whole networks in"
                " each process: launch with --multi_gpu, or start one process without `accelerate launch`."
            )
    mixed = settings.get("ACCELERATE_MIXED_PRECISION", "no")
    if mixed not in ("no", "bf16"):
        raise UserError(
            f"launched with --mixed_precision {mixed}, and ggdr computes in fp32 or bf16; launch with"
            " --mixed_precision no, and choose by --precision."
        )
    if precision == "fp32" and mixed != "no":
        raise UserError(
            f"launched with --mixed_precision {mixed}, but the recipe says fp32; add --precision {mixed}, or launch"
            " with --mixed_precision no."
        )
    if (dynamo := settings.get("ACCELERATE_DYNAMO_BACKEND", "no").lower()) != "no":
        raise UserError(
            f"launched with --dynamo_backend {dynamo}, and ggdr compiles its networks itself, by torch's own backend;"
            " launch with --dynamo_backend no, and add --compile."
        )
    if (steps := settings.get("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "1")) not in ("1", "auto"):
        raise UserError(
            f"launched with {steps} steps of gradient accumulation, and ggdr accumulates a batch over its"
            " micro-batches; launch with 1, and choose by --batch-size and --micro-batch-size."
        )
    if settings.get("PJRT_DEVICE", "").startswith("TPU") and settings.get("ACCELERATE_USE_CPU", "").lower() != "true":
        raise UserError(
            "launched for a TPU, and ggdr runs on CUDA, MPS and CPUs; set ACCELERATE_USE_CPU=true to train on the CPU."
        )


@contextmanager
def propagate_failure(accelerator: Accelerator, out: Path) -> Iterator[None]:
    """What ends one process ends all, each with the message of the first, which it leaves in the folder `out`.

    A process that waits for one that has gone is told so by the broken connection. UserError in a process that ends
    for another's sake, and where memory ran out.
    """
    mine = f"process {accelerator.process_index} of {accelerator.num_processes}"
    note = out / "failure.txt"
    if accelerator.is_main_process and note.is_file() and is_run(out):
        note.unlink()
    try:
        yield
    except PeerLost as error:
        lost = f"it was killed from outside, or lost its network ({error})"
        why = note.read_text(encoding="utf-8").strip() if note.is_file() else lost
        raise UserError(f"{mine} ends because another did: {why}") from error
    except Exception as error:
        said = error.in_flags() if isinstance(error, UserError) else str(error) or type(error).__name__
        if lacking := no_memory(error):
            said = f"{lacking}; lower --micro-batch-size, which changes memory and speed but not the batch."
        if accelerator.num_processes > 1 and is_run(out):
            note.write_text(f"{mine}: {said}\n", encoding="utf-8")
        if lacking:
            raise UserError(said) from error
        raise


@contextmanager
def processes_for(device: str) -> Iterator[Processes]:
    """The processes that were launched, or this one on a device; UserError if both are chosen."""
    if not {"WORLD_SIZE", "ACCELERATE_MIXED_PRECISION"} & os.environ.keys():
        yield Processes(device=resolve_device(device))
        return
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked != "no":
        raise UserError(f"launched with --mixed_precision {asked}; metrics are float32: launch with no.")
    if device:
        raise UserError(f"launched processes choose their devices themselves; leave --device {device} out.")
    accelerator = make_accelerator("fp32", "ggdr evaluate WHAT")
    yield Processes(accelerator.process_index, accelerator.num_processes, accelerator.device)
    accelerator.end_training()  # not after an error: it may wait for processes that wait for this one
