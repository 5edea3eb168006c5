"""Features of digits: a small classifier that is trained once on scikit-learn's scans and needs no download."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ggdr.cache import cache_folder, write_whole
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.pixels import gray, resize
from ggdr.features.weights import fingerprint
from ggdr.lazy import F, Tensor, torch
from ggdr.registry import Capability, extractors

SIDE_PX = 16
FEATURES = 64
SCALE = 4.0
"""divisor of the features, which brings them to the size of Inception's"""
EDITION = "digits-2"
"""name of the cached file; a change of the network or of its training is another edition"""
GRID = 2.0**-12
"""weights are rounded to multiples of it, which hides the last bits, in which processors differ"""
EPOCHS, BATCH, LEARNING_RATE = 28, 64, 5e-3
REACH = (0.15, 0.1, 0.12, 0.12)
"""most that training turns an image (radians), scales it (share) and moves it right and down (half sides)"""


@extractors.register("digits", paper="10.1109/5.726791")
@dataclass(frozen=True, kw_only=True)
class Digits(Extractor):
    """A small convolutional classifier of handwritten digits (after LeNet, LeCun et al. 1998), trained at first use.

    64 features and 10 classes from gray images of 16 px. Training takes ten seconds on one thread, in float64 with a
    fixed seed, and is kept in `$GGDR_CACHE` (default: `ggdr` in the user's cache folder).
    """

    batch_size: int = 256
    """number of images in a batch of the network"""
    provides: ClassVar = frozenset({Capability.CLASSES, Capability.SMOOTH})

    def load(self, device: torch.device) -> Embedder:
        """The network, trained if the cache does not hold it whole."""
        return DigitsEmbedder(load_or_train(cache_folder() / f"{EDITION}.safetensors"), device)


class DigitsEmbedder(Embedder):
    """Computes the classifier's last hidden layer, and its class logits."""

    def __init__(self, state: dict[str, Tensor], device: torch.device):
        self.network = network(torch.float32)
        self.network.load_state_dict(state)
        self.network.to(device).eval().requires_grad_(False)
        self.weights_hash, self.width = fingerprint(state), FEATURES
        self.protocol = {
            "network": EDITION,
            "resolution": SIDE_PX,
            "resize": "bilinear, antialiased (torch)",
            "range": "gray, 0 to 1",
            "layer": f"last hidden, after SiLU, over {SCALE:g}",
        }

    def __call__(self, images: Tensor) -> Features:
        rows = self.network[:-1](resize(gray(images), SIDE_PX, SIDE_PX, "bilinear") / 255)
        return Features(rows / SCALE, self.network[-1](rows))


def network(dtype: torch.dtype) -> torch.nn.Sequential:
    """Build the untrained network, which maps gray images [N, 1, 16, 16] in [0, 1] to class logits [N, 10]."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2, dtype=dtype),
        nn.SiLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1, dtype=dtype),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(512, FEATURES, dtype=dtype),
        nn.SiLU(),
        nn.Linear(FEATURES, 10, dtype=dtype),
    )


def load_or_train(file: Path) -> dict[str, Tensor]:
    """Load the weights in `file`; where it is missing or damaged, one process trains and writes them first."""
    from filelock import FileLock

    if (known := read_intact(file)) is not None:
        return known
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # whoever waits here finds the file that the first one made
            return read_intact(file) or train_into(file)
    except OSError as error:
        warnings.warn(f"the digits classifier cannot be kept in {file.parent}: {error}", stacklevel=2)
        return train(*scans())


def train_into(file: Path) -> dict[str, Tensor]:
    """Train the weights, write them to `file` and return them; OSError if they cannot be written."""
    state = train(*scans())
    write_whole(file, lambda aside: save(state, aside))
    return state


def save(state: dict[str, Tensor], file: Path) -> None:
    """Write weights and their fingerprint as safetensors; OSError if they cannot be written."""
    from safetensors.torch import save

    file.write_bytes(save(state, metadata={"fingerprint": fingerprint(state)}))


def read_intact(file: Path) -> dict[str, Tensor] | None:
    """Read the weights in `file`; None if it is missing or is not what was written."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as stored:
            state = {name: stored.get_tensor(name) for name in stored.keys()}
            kept = (stored.metadata() or {}).get("fingerprint")
    except (SafetensorError, OSError):
        return None
    return state if kept == fingerprint(state) else None


def scans() -> tuple[Tensor, Tensor]:
    """Load all 1,797 scans [N, 1, 16, 16] float64 in [0, 1], with a margin, and their digits [N]."""
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images)[:, None] / 16
    images = F.interpolate(F.pad(small, (1, 1, 1, 1)), (SIDE_PX, SIDE_PX), mode="bicubic")
    return images.clamp(0, 1), torch.from_numpy(found.target)


def train(images: Tensor, digits: Tensor) -> dict[str, Tensor]:
    """Train a classifier on images [N, 1, 16, 16] float64 and their digits [N]; its weights, float32.

    The same on every machine, as far as float64 reaches; leaves torch's randomness and threads as they were.
    """
    with single_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        net, steps = network(torch.float64), EPOCHS * (len(images) // BATCH)
        optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
        decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
        for _ in range(EPOCHS):
            for picked in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
                optimizer.zero_grad()
                F.cross_entropy(net(augment(images[picked])), digits[picked]).backward()
                optimizer.step()
                decay.step()
    return {name: (value / GRID).round().mul(GRID).float() for name, value in net.state_dict().items()}


@contextmanager
def single_thread():
    """Context in which torch uses one thread, so that sums are taken in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def augment(images: Tensor) -> Tensor:
    """Rotate, scale, move, fade and add noise to images [N, 1, H, W] in [0, 1], a little, so that fakes fit too."""
    count = len(images)
    turn, scale, right, down = uniform(4, count).mul(torch.tensor(REACH, dtype=torch.float64)[:, None])
    cos, sin = turn.cos() / (1 + scale), turn.sin() / (1 + scale)
    moves = torch.stack([cos, -sin, right, sin, cos, down], dim=1).view(count, 2, 3)
    grid = F.affine_grid(moves, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, align_corners=False)
    pale = 0.925 + 0.225 * uniform(count, 1, 1, 1)
    noise = 0.05 * (1 + uniform(count, 1, 1, 1)) * uniform(*images.shape)
    return (moved * pale + noise).clamp(0, 1)


def uniform(*shape: int) -> Tensor:
    """Draw float64 numbers uniformly from [-1, 1]."""
    return 2 * torch.rand(shape, dtype=torch.float64) - 1
