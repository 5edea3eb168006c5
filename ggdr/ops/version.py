"""The version of torch, for the few things that only newer ones do."""

import torch

TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
"""Major and minor number of torch's version."""
