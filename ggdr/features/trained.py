"""Small classifiers that are trained at first use and kept: what feature networks without a download share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ggdr.cache import cache_folder, write_whole
from ggdr.features.base import NamedLayers
from ggdr.features.weights import fingerprint
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.stack import StackSpec
from ggdr.progress import track

Weights = dict[str, Tensor]
GRID = 2.0**-12
"""weights are rounded to multiples of it, which hides the last bits, in which processors differ"""


def kept(edition: str, train: Callable[[], Weights], what: str) -> Weights:
    """Load the weights of an edition; where the cache has no whole ones, one process trains and writes them first.

    `what`: the network, for the warning that they cannot be kept.
    """
    from filelock import FileLock

    file = cache_folder() / f"{edition}.safetensors"
    if (known := read_intact(file)) is not None:
        return known
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # whoever waits here finds the file that the first one made
            return read_intact(file) or train_into(file, train)
    except OSError as error:
        warnings.warn(f"the {what} cannot be kept in {file.parent}: {error}", stacklevel=2)
        return train()


def first_layers(stack: StackSpec, state: Weights, device: torch.device) -> NamedLayers:
    """The layers that a classifier, which is a torch.nn.Sequential of this state, begins with."""
    from ggdr.networks.stack.stack import Stack

    layers = Stack(stack)
    layers.take(state)
    return NamedLayers(layers, device)


def train_into(file: Path, train: Callable[[], Weights]) -> Weights:
    """Train the weights, write them to `file` and return them; OSError if they cannot be written."""
    state = train()
    write_whole(file, lambda aside: save(state, aside))
    return state


def save(state: Weights, file: Path) -> None:
    """Write weights and their fingerprint as safetensors; OSError if they cannot be written."""
    from safetensors.torch import save

    file.write_bytes(save(state, metadata={"fingerprint": fingerprint(state)}))


def read_intact(file: Path) -> Weights | None:
    """Read the weights in `file`; None if it is missing or is not what was written."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as stored:
            state = {name: stored.get_tensor(name) for name in stored.keys()}
            kept = (stored.metadata() or {}).get("fingerprint")
    except (SafetensorError, OSError):
        return None
    return state if kept == fingerprint(state) else None


def coarse(state: Mapping[str, Tensor]) -> Weights:
    """Weights as float32, rounded to GRID."""
    return {name: (value / GRID).round().mul(GRID).float() for name, value in state.items()}


@contextmanager
def reproducible() -> Iterator[None]:
    """Context in which torch draws from seed 0, learns, and takes sums in one order, on one thread.

    Its randomness and threads are afterwards what they were.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(0)
            yield
    finally:
        torch.set_num_threads(threads)


def fit(network: torch.nn.Module, loss: Callable[[Tensor], Tensor], count: int, epochs: int, batch: int, lr: float):
    """Train by Adam, whose rate falls to zero, on `epochs` shuffles of `count` places; `loss` takes a batch of them."""
    steps = epochs * (count // batch)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for _ in track(range(epochs), "training a feature network, once", "epochs"):
        for picked in torch.randperm(count).split(batch)[: count // batch]:
            optimizer.zero_grad()
            loss(picked).backward()
            optimizer.step()
            decay.step()


def moved(images: Tensor, reach: tuple[float, float, float, float], outside: float = 0.0) -> Tensor:
    """Images [N, C, H, W] float64, each rotated, scaled and shifted a little.

    `reach`: the most of each: radians, a share, and half sides right and down. `outside`: what comes in at the edges.
    """
    turn, scale, right, down = uniform(4, len(images)).mul(torch.tensor(reach, dtype=torch.float64)[:, None])
    cos, sin = turn.cos() / (1 + scale), turn.sin() / (1 + scale)
    moves = torch.stack([cos, -sin, right, sin, cos, down], dim=1).view(len(images), 2, 3)
    grid = F.affine_grid(moves, list(images.shape), align_corners=False)
    return F.grid_sample(images - outside, grid, align_corners=False) + outside


def uniform(*shape: int) -> Tensor:
    """Draw float64 numbers uniformly from [-1, 1]."""
    return 2 * torch.rand(shape, dtype=torch.float64) - 1
