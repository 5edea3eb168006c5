"""Memory: the most a run has held, and an allocator that does not hand pages back between steps."""

from __future__ import annotations

import ctypes
import sys

import psutil
import torch


def peak_memory(device: torch.device) -> float:
    """The most memory held so far, in GB of 1e9 bytes: of the accelerator, or of this process on CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        import resource
    except ModuleNotFoundError:  # Windows, where psutil knows it; elsewhere it tells what is held now
        held = psutil.Process().memory_info()._asdict()
        return held.get("peak_wset", held["rss"]) / 1e9
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
