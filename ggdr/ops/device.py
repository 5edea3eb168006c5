"""Devices: which one a command works on, what it is called, and how it is set up."""

from __future__ import annotations

import torch

from ggdr.errors import UserError
from ggdr.ops.precision import allow_tf32
from ggdr.ops.threads import limit_threads

CUDA_NUM_WORKERS = 3
"""Processes that read images for one GPU, as in StyleGAN2-ADA; set more where decoding is slow."""


def resolve_device(name: str) -> torch.device:
    """Return the device of this name, or for "" the accelerator if there is one, else the CPU.

    On the CPU torch is limited to as many threads as other processes leave free. UserError if the device is not there.
    """
    name = name or str(torch.accelerator.current_accelerator(check_available=True) or "cpu")
    try:
        torch.zeros(1, device=name).tolist()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"--device {name} is not possible here: {reason}; --device cpu always is.") from error
    if torch.device(name).type == "cpu":
        limit_threads()
    return torch.device(name)


def in_float64(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor in float64, on its device, or on the host if it is on MPS, which has no float64."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def device_name(device: torch.device) -> str:
    """Return the marketing name of a CUDA device ("NVIDIA H200"), and the type of any other ("cpu")."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def setup_device(device: torch.device, tf32: bool) -> None:
    """Set up a CUDA device for training: cuDNN's fastest convolutions by trial, and TF32 where `tf32`."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        allow_tf32(tf32, tf32)


def weight_memory_format(device: torch.device) -> torch.memory_format:
    """Return the memory format of convolutions' weights: channels last on CUDA, as the maps, to save permutations."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def default_num_workers(device: torch.device) -> int:
    """Return the number of processes that read images where the recipe sets none: 3 for a GPU, else 0."""
    return CUDA_NUM_WORKERS if device.type == "cuda" else 0
