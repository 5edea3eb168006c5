"""Memory: the most a run has held, and an allocator that does not hand pages back between steps."""

from __future__ import annotations

import ctypes
import resource
import sys

import torch


def peak_memory(device: torch.device) -> float:
    """The most memory held so far, in GB of 1e9 bytes: of the accelerator, or of this process on CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    # psutil tells what is held now; the most that was held, it knows on Windows alone.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def retain_pages() -> None:
    """Tell glibc to keep freed memory: the system's zeroing of fresh pages costs up to half of a step on CPU."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        trim_threshold, mmap_max = -1, -4  # malloc.h
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_max, 0)
