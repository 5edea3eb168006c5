"""Features of emoji: a small classifier that is trained once on OpenMoji's drawings and needs no download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.base import Embedder
from ggdr.features.classifier import ClassifierEmbedder, SmallClassifier
from ggdr.features.trained import Weights, coarse, fit, kept, moved, reproducible, uniform
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.stack import StackSpec
from ggdr.registry import extractors

SIDE_PX = 32
FEATURES = 128
EDITION = "emoji-1"
"""name of the cached file; a change of the network or of its training is another edition"""
EPOCHS, BATCH, LEARNING_RATE = 16, 64, 3e-3
REACH = (0.15, 0.12, 0.1, 0.1)
"""most that training turns an image (radians), scales it (share) and moves it right and down (half sides)"""
CONVOLUTIONS = ((1, 16), (2, 32), (2, 64), (2, 128))
"""stride and channels of each"""
STACK = StackSpec(
    tuple(
        layer
        for place, (stride, channels) in enumerate(CONVOLUTIONS, 1)
        for layer in (f"conv{place} conv 3/{stride} {channels}", f"silu{place} silu")
    )
)
"""the first layers of `classifier`"""


@extractors.register("emoji")
@dataclass(frozen=True, kw_only=True)
class Emoji(SmallClassifier):
    """A small convolutional classifier of OpenMoji's emoji, over white, trained at first use.

    128 features and 10 classes, Unicode's groups, from RGB images of 32 px; the skin tone is learned beside them.
    Training takes a minute and a half on one thread, in float64 with a fixed seed, and is kept in `$GGDR_CACHE`
    (default: `ggdr` in the user's cache folder). The emoji come by `pip install 'ggdr[openmoji]'`.
    """

    convolutions: ClassVar = STACK

    def load(self, device: torch.device) -> Embedder:
        """The network, trained if the cache does not hold it whole; MissingPackage without the emoji."""
        return embedder(self.weights(), device)

    def weights(self) -> Weights:
        return kept(EDITION, lambda: train_classifier(*drawings()), "emoji classifier")


def embedder(state: Weights, device: torch.device) -> ClassifierEmbedder:
    """The classifier of these weights, whose classes are the groups."""
    return ClassifierEmbedder(classifier(torch.float32), state, device, EDITION, SIDE_PX, classes()[0])


def classes() -> tuple[int, int]:
    """How many groups and how many skin tones there are."""
    from ggdr.openmoji.code_points import GROUPS, TONES

    return len(GROUPS), len(TONES)


def classifier(dtype: torch.dtype) -> torch.nn.Sequential:
    """Build the untrained network: RGB images [N, 3, 32, 32] in [0, 1] to logits [N, 17] of group and of tone."""
    nn, layers, width = torch.nn, list[torch.nn.Module](), 3
    for stride, channels in CONVOLUTIONS:
        layers += [nn.Conv2d(width, channels, 3, stride, padding=1, dtype=dtype), nn.SiLU()]
        width = channels
    side = SIDE_PX // 8
    ends = [nn.Linear(width * side**2, FEATURES, dtype=dtype), nn.SiLU(), nn.Linear(FEATURES, sum(classes()))]
    return nn.Sequential(*layers, nn.Flatten(), *(end.to(dtype) for end in ends))


def drawings() -> tuple[Tensor, Tensor, Tensor]:
    """All emoji over white [N, 3, 32, 32] float64 in [0, 1], the group of each [N], and its skin tone [N]."""
    import numpy as np

    from ggdr.openmoji.code_points import GROUPS, TONES, group, tone
    from ggdr.openmoji.drawings import Drawings, emoji_files, over_white

    names, drawn = [file.stem for file in emoji_files()], Drawings("picture", SIDE_PX)
    images = torch.from_numpy(np.stack([over_white(drawn[place]) for place in range(len(names))]))
    groups = torch.tensor([[*GROUPS.values()].index(group(name)) for name in names])
    return images.double() / 255, groups, torch.tensor([TONES.index(tone(name)) for name in names])


def train_classifier(images: Tensor, groups: Tensor, tones: Tensor) -> dict[str, Tensor]:
    """Train a classifier on images [N, 3, 32, 32] float64, their groups [N] and skin tones [N]; its weights, float32.

    The same on every machine, as far as float64 reaches; leaves torch's randomness and threads as they were.
    """
    with reproducible():
        net, split = classifier(torch.float64), classes()[0]

        def loss(picked: Tensor) -> Tensor:
            """Cross entropies of a batch, of groups and of tones."""
            logits = net(augment(images[picked]))
            of_group = F.cross_entropy(logits[:, :split], groups[picked])
            return of_group + F.cross_entropy(logits[:, split:], tones[picked])

        fit(net, loss, len(images), EPOCHS, BATCH, LEARNING_RATE)
    return coarse(net.state_dict())


def augment(images: Tensor) -> Tensor:
    """Mirror, rotate, scale, move and add noise to images [N, 3, H, W] in [0, 1], a little, so that fakes fit too."""
    flipped = torch.where(uniform(len(images), 1, 1, 1) < 0, images.flip(3), images)
    noise = 0.05 * (1 + uniform(len(images), 1, 1, 1)) * uniform(*images.shape)
    return (moved(flipped, REACH, outside=1.0) + noise).clamp(0, 1)
