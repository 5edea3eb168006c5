"""Features of digits: a small classifier that is trained once on scikit-learn's scans and needs no download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.base import Embedder
from ggdr.features.classifier import ClassifierEmbedder, SmallClassifier
from ggdr.features.trained import Weights, coarse, fit, kept, moved, reproducible, uniform
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.stack import StackSpec
from ggdr.registry import extractors

SIDE_PX = 16
FEATURES, CLASSES = 64, 10
EDITION = "digits-2"
"""name of the cached file; a change of the network or of its training is another edition"""
EPOCHS, BATCH, LEARNING_RATE = 28, 64, 5e-3
REACH = (0.15, 0.1, 0.12, 0.12)
"""most that training turns an image (radians), scales it (share) and moves it right and down (half sides)"""
STACK = StackSpec(("conv1 conv 5/2 16", "silu1 silu", "conv2 conv 3/2 32", "silu2 silu"), (0.0,), (1.0,))
"""the first layers of `network`"""


@extractors.register("digits", paper="10.1109/5.726791")
@dataclass(frozen=True, kw_only=True)
class Digits(SmallClassifier):
    """A small convolutional classifier of handwritten digits (after LeNet, LeCun et al. 1998), trained at first use.

    64 features and 10 classes from gray images of 16 px. Training takes ten seconds on one thread, in float64 with a
    fixed seed, and is kept in `$GGDR_CACHE` (default: `ggdr` in the user's cache folder).
    """

    convolutions: ClassVar = STACK

    def load(self, device: torch.device) -> Embedder:
        """The network, trained if the cache does not hold it whole."""
        return ClassifierEmbedder(network(torch.float32), self.weights(), device, EDITION, SIDE_PX, CLASSES)

    def weights(self) -> Weights:
        return kept(EDITION, lambda: train(*scans()), "digits classifier")


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
        nn.Linear(FEATURES, CLASSES, dtype=dtype),
    )


def scans() -> tuple[Tensor, Tensor]:
    """Load all 1,797 scans [N, 1, 16, 16] float64 in [0, 1], with a margin, and their digits [N]."""
    from ggdr.features.scans import digit_scans

    shades, digits = digit_scans()
    small = torch.from_numpy(shades)[:, None] / 16
    images = F.interpolate(F.pad(small, (1, 1, 1, 1)), (SIDE_PX, SIDE_PX), mode="bicubic")
    return images.clamp(0, 1), torch.from_numpy(digits)


def train(images: Tensor, digits: Tensor) -> dict[str, Tensor]:
    """Train a classifier on images [N, 1, 16, 16] float64 and their digits [N]; its weights, float32.

    The same on every machine, as far as float64 reaches; leaves torch's randomness and threads as they were.
    """
    with reproducible():
        net = network(torch.float64)

        def loss(picked: Tensor) -> Tensor:
            """Cross entropy of a batch."""
            return F.cross_entropy(net(augment(images[picked])), digits[picked])

        fit(net, loss, len(images), EPOCHS, BATCH, LEARNING_RATE)
    return coarse(net.state_dict())


def augment(images: Tensor) -> Tensor:
    """Rotate, scale, move, fade and add noise to images [N, 1, H, W] in [0, 1], a little, so that fakes fit too."""
    shown = moved(images, REACH)
    pale = 0.925 + 0.225 * uniform(len(images), 1, 1, 1)
    noise = 0.05 * (1 + uniform(len(images), 1, 1, 1)) * uniform(*images.shape)
    return (shown * pale + noise).clamp(0, 1)
