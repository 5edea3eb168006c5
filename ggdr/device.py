"""The device that a verb works on, and what it is called."""

from __future__ import annotations

import torch


def device_of(name: str) -> torch.device:
    """The device of this name, or without a name the accelerator if there is one; ValueError if it is not there."""
    if not name:
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        torch.zeros(1, device=name).tolist()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"--device {name} is not possible here: {reason}; --device cpu always is.") from error
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """What the device is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
