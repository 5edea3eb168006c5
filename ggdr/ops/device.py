"""The device that a verb works on, and what it is called."""

from __future__ import annotations

import torch

from ggdr.errors import UserError
from ggdr.ops.precision import allow_tf32
from ggdr.ops.threads import settle

CUDA_WORKERS = 3
"""processes that read images for one GPU, as in StyleGAN2-ADA; more where decoding is slow"""


def device_of(name: str) -> torch.device:
    """The device of this name, or without a name the accelerator if there is one; UserError if it is not there.

    Of the CPU it takes as many threads as other work leaves free.
    """
    name = name or str(torch.accelerator.current_accelerator(check_available=True) or "cpu")
    try:
        torch.zeros(1, device=name).tolist()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"--device {name} is not possible here: {reason}; --device cpu always is.") from error
    if torch.device(name).type == "cpu":
        settle()
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """What the device is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def ready(device: torch.device, tf32: bool) -> None:
    """Set up a CUDA device for training: the fastest convolutions by trial, in TF32 where `tf32`. Others stay as is."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        allow_tf32(tf32, tf32)


def weights_format(device: torch.device) -> torch.memory_format:
    """How convolutions' weights lie in memory: on CUDA as the maps do, or each convolution would turn them over."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def workers_for(device: torch.device) -> int:
    """Processes that read images where the recipe leaves it open: a GPU waits for nothing else so long."""
    return CUDA_WORKERS if device.type == "cuda" else 0
