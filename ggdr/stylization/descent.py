"""Neural style: one picture is changed until a frozen network sees its content in the style of another (1508.06576)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError, at
from ggdr.features.base import NamedLayers
from ggdr.networks.stack import StackSpec
from ggdr.networks.stack.stack import Stack
from ggdr.seeding import word
from ggdr.stylization import StyleTransfer

Watch = Callable[[int, float], object]
"""(number of the step, loss) -> anything"""
START = 0.3
"""standard deviation of the noise to start from, of pixels from -1 to 1"""


class Stylised(NamedTuple):
    """What style transfer came to."""

    image: Tensor
    """[1, 3, H, W] in [-1, 1], on the host"""
    first: float
    """loss at the start"""
    last: float
    """loss at the end"""


class Objective:
    """The loss of an image, for one content and one style."""

    def __init__(self, settings: StyleTransfer, content: Tensor, style: Tensor):
        """`content`, `style`: pictures [1, 3, H, W] in [-1, 1], of any sizes, on the device to work on."""
        self.settings, self.network = settings, frozen(settings, content.device)
        self.content_layers, self.style_layers = settings.chosen()
        stack = self.network.stack.spec
        for name, image in (("content", content), ("style", style)):
            check_size(stack, (*self.content_layers, *self.style_layers), name, image)
        with torch.no_grad():
            self.content = self.maps(content, self.content_layers)
            self.style = [gram(each) for each in self.maps(style, self.style_layers)]

    def maps(self, image: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Maps of layers, of an image in [-1, 1]."""
        found = self.network((image + 1) * 127.5, names)
        return [found[name] for name in names]

    def __call__(self, image: Tensor) -> Tensor:
        """Scalar: weighted distances of an image [1, 3, H, W] in [-1, 1] (eq. 7)."""
        found = self.network((image + 1) * 127.5, {*self.content_layers, *self.style_layers})
        contents = [relative(found[name], own) for name, own in zip(self.content_layers, self.content, strict=True)]
        styles = [relative(gram(found[name]), own) for name, own in zip(self.style_layers, self.style, strict=True)]
        total = self.settings.content_weight * torch.stack(contents).mean()
        total = total + self.settings.style_weight * torch.stack(styles).mean()
        return total + self.settings.tv_weight * variation(image) if self.settings.tv_weight else total


def stylize(
    content: Tensor, style: Tensor, settings: StyleTransfer | None = None, watch: Watch | None = None
) -> Stylised:
    """The content [1, 3, H, W] in the style of another picture [1, 3, h, w], both in [-1, 1] and on one device.

    `watch` is called after each step. UserError if the network's weights are not at hand or the pictures too small.
    """
    settings = settings or StyleTransfer()
    objective = Objective(settings, content, style)
    image = started(content, settings).requires_grad_()
    with torch.no_grad():
        first = float(objective(image))
    optimizer: torch.optim.Optimizer
    if settings.optimizer == "lbfgs":
        optimizer = torch.optim.LBFGS([image], max_iter=1, max_eval=12, history_size=20, line_search_fn="strong_wolfe")
    else:
        optimizer = torch.optim.Adam([image], lr=settings.lr)

    def loss_with_gradient() -> float:
        """The loss of the image as it is, whose gradient is taken."""
        optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = objective(image)
        loss.backward(inputs=[image])
        return loss.item()

    for step in range(settings.steps):
        now = optimizer.step(loss_with_gradient)
        with torch.no_grad():
            image.clamp_(-1, 1)  # a picture can show no more
        if watch is not None:
            watch(step, float(now))
    with torch.no_grad():
        return Stylised(image.detach().cpu(), first, float(objective(image)))


def started(content: Tensor, settings: StyleTransfer) -> Tensor:
    """What to start from, as large as the content."""
    if settings.init == "content":
        return content.clone()
    noise = torch.randn(content.shape, generator=torch.Generator().manual_seed(word(settings.seed)))
    return START * noise.to(content.device)


def gram(maps: Tensor) -> Tensor:
    """Inner products of each channel of maps [N, K, h, w] with each, over the number of places: [N, K, K] (eq. 3)."""
    rows = maps.flatten(2)
    return rows @ rows.transpose(1, 2) / rows.shape[2]


def relative(found: Tensor, wanted: Tensor) -> Tensor:
    """Scalar: the squared difference of two tensors as a share of the second's square."""
    # Unlike the paper: it has sums of squares, whose size depends on the network and on the picture's.
    return (found - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


def variation(image: Tensor) -> Tensor:
    """Scalar: the mean absolute difference of neighbouring pixels of an image [N, C, H, W]."""
    return image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()


def check_size(stack: StackSpec, layers: Sequence[str], name: str, image: Tensor) -> None:
    """UserError if a picture is too small for the layers."""
    least = max(stack.until(layer).reductions()[-1] for layer in layers)
    if min(image.shape[2:]) < least:
        raise UserError(
            f"the {name} is {image.shape[2]} x {image.shape[3]} px, and layers {', '.join(dict.fromkeys(layers))} need"
            f" {least} px at least: give a larger picture, or a larger size."
        )


def frozen(settings: StyleTransfer, device: torch.device) -> NamedLayers:
    """The extractor's layers, pooled as the settings say; UserError if their weights are not at hand."""
    with at("extractor"):
        layers = settings.extractor.load_layers(device)
    stack = Stack(layers.stack.spec.pooled_by(settings.pooling))
    stack.take(layers.stack.layers.state_dict())
    return NamedLayers(stack, device)
