"""Which torch this is, for the few things that only newer ones do."""

import torch

TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
"""major and minor number of torch's version"""
