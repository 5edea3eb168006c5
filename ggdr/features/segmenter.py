"""A small segmenter that is trained once on a data set's own pairs of images and label maps, and kept.

It tells which class each pixel of a generated image shows. What it gets wrong of real images bounds what numbers by it
can say, and is shown beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from ggdr.features.trained import Weights, coarse, fit, kept, reproducible, uniform
from ggdr.features.weights import fingerprint
from ggdr.lazy import F, Tensor, torch

EDITION = "segmenter-1"
"""begins the cached file's name; a change of the network or of its training is another edition"""
LONGEST = 128
"""pixels of the longer side of what the network sees; larger images are reduced to it, and its answer is enlarged"""
STEPS, BATCH_PIXELS, LEARNING_RATE = 1400, 16 * 32 * 32, 8e-3
BALANCE = 0.5
"""a class's weight in the loss is its share of all pixels to the power of minus this"""
NOISE = 0.1
"""standard deviation of the strongest noise in training, of colours from -1 to 1"""


class LabelledImages(NamedTuple):
    """Images and the class of each of their pixels."""

    images: Tensor
    """[N, C, H, W] uint8"""
    maps: Tensor
    """class numbers [N, H, W] uint8, 255 where ignored"""
    classes: int

    def reduced(self) -> LabelledImages:
        """Pairs whose longer side is at most LONGEST: larger images are averaged, of their maps pixels are picked."""
        size = seen_size(self.images)
        maps = F.interpolate(self.maps[:, None].float(), size, mode="nearest-exact")[:, 0].to(torch.uint8)
        return self._replace(images=resized(self.images.float(), size).round().to(torch.uint8), maps=maps)

    def content(self) -> str:
        """First 16 hex digits of a sha256 of all of it."""
        found = hashlib.sha256(f"{list(self.images.shape)} {self.classes}".encode())
        for part in (self.images, self.maps):
            found.update(part.contiguous().numpy().tobytes())
        return found.hexdigest()[:16]


class Segmenter:
    """Tells the class of each pixel of an image."""

    def __init__(self, state: Weights, pairs: LabelledImages, device: torch.device):
        """Load the weights; `pairs`: what they were trained on."""
        from ggdr.layers.segmentation import SegmentationUNet
        from ggdr.ops.shapes import shapes_only

        channels, height, width = pairs.images.shape[1:]
        self.classes, self.device = pairs.classes, device
        with shapes_only():  # nothing is drawn
            self.network = SegmentationUNet(channels, pairs.classes)
        self.network.load_state_dict(state, assign=True)
        self.network.to(device).eval().requires_grad_(False)
        self.protocol = {
            "network": EDITION,
            "weights": fingerprint(state),
            "pairs": len(pairs.images),
            "content": pairs.content(),
            "resolution": [height, width],
        }

    def __call__(self, images: Tensor) -> Tensor:
        """The class of each pixel of images [N, C, H, W] uint8: numbers [N, H, W] uint8, on the host."""
        from ggdr.ops.pixels import network_input

        seen, size = resized(network_input(images.to(self.device)), seen_size(images)), images.shape[2:]
        with torch.no_grad():
            return resized(self.network(seen), (size[0], size[1])).argmax(dim=1).to(torch.uint8).cpu()


def find_segmenter(
    pairs: LabelledImages, device: torch.device, say: Callable[[str], None] = lambda line: None
) -> Segmenter:
    """The segmenter of these pairs, trained now if the cache does not hold it: a minute and a half on one thread.

    `say`: told that it is trained now. The pairs themselves are its name in the cache.
    """
    pairs = pairs.reduced()

    def train() -> Weights:
        say(f"training a segmenter on {len(pairs.images):,} label maps and their images, once")
        return train_segmenter(pairs)

    return Segmenter(kept(f"{EDITION}-{pairs.content()}", train, "segmenter"), pairs, device)


def train_segmenter(pairs: LabelledImages, steps: int = STEPS) -> Weights:
    """Train a network on pairs, in float32 on one thread: the same weights each time on one kind of processor.

    Leaves torch's randomness and threads as they were.
    """
    from ggdr.layers.segmentation import SegmentationUNet
    from ggdr.ops.pixels import IGNORED, network_input

    batch = min(len(pairs.images), max(2, BATCH_PIXELS // pairs.maps[0].numel()))
    weights = class_weights(pairs)
    with reproducible():
        network = SegmentationUNet(pairs.images.shape[1], pairs.classes)

        def loss(picked: Tensor) -> Tensor:
            """Cross entropy of a batch, averaged over the weights of its pixels."""
            images, maps = flipped(network_input(pairs.images[picked]), pairs.maps[picked])
            known = F.cross_entropy(
                network(worsened(images)), maps.long(), weights, ignore_index=IGNORED, reduction="sum"
            )
            return known / maps.numel()

        epochs = max(1, round(steps * batch / len(pairs.images)))
        fit(network, loss, len(pairs.images), epochs, batch, LEARNING_RATE)
    return coarse(network.state_dict())


def class_weights(pairs: LabelledImages) -> Tensor:
    """The weight of each class [K] in the loss, 1 on average over pixels."""
    from ggdr.ops.pixels import IGNORED

    counts = torch.bincount(pairs.maps[pairs.maps != IGNORED].long(), minlength=pairs.classes).float()
    shares = counts / counts.sum()
    weights = shares.clamp(min=1e-6) ** -BALANCE
    return weights / (weights * shares).sum()


def flipped(images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the images [N, C, H, W] mirrored, and their maps [N, H, W] with them."""
    mirrored = uniform(len(images)) < 0
    return (
        torch.where(mirrored[:, None, None, None], images.flip(3), images),
        torch.where(mirrored[:, None, None], maps.flip(2), maps),
    )


def worsened(images: Tensor) -> Tensor:
    """Images [N, C, H, W], each blurred and noisy by a random amount, half of them sharp, as fakes may be."""
    amounts = uniform(2, len(images), 1, 1, 1).float()
    blurred = F.avg_pool2d(F.avg_pool2d(F.pad(images, [1] * 4, mode="replicate"), 2, 1), 2, 1)
    softer = images + amounts[0].clamp(min=0) * (blurred - images)
    return softer + NOISE * amounts[1].abs() * torch.randn_like(images)


def seen_size(images: Tensor) -> tuple[int, int]:
    """Height and width that images [N, C, H, W] have where the network sees them."""
    height, width = images.shape[2:]
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [N, C, H, W] at another size, linear between pixels and averaged where they become smaller."""
    if tuple(maps.shape[2:]) == size:
        return maps
    return F.interpolate(maps, size, mode="bilinear", antialias=True, align_corners=False)
