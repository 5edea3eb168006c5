"""SimCLR's views of small images: a random part at full size, flips, colours (arXiv 2002.05709, appendix A and B.9).

Colours change half as much as those of large photographs, as for CIFAR-10 there, and nothing is blurred. A part is no
smaller than a fifth of the image (there 0.08), which is ours.
"""

from __future__ import annotations

import math

from ggdr.lazy import Tensor, torch

GRAY = (0.299, 0.587, 0.114)
"""shares of red, green and blue in what the eye takes for brightness"""
LEAST_AREA, RATIO = 0.2, 4 / 3
"""least share of the image in a view, and its longest side over its shorter, before it is stretched"""
JITTER, STRENGTH, HUE = 0.8, 0.4, 0.1
"""how often colours change, by how much at most, and by what part of a turn hue does"""
TO_GRAY = 0.2
"""how often a view loses its colours"""


def view(image: Tensor, flip: bool) -> Tensor:
    """A view of each image [N, C, H, W] in [-1, 1], differentiable, drawn from torch's global generator.

    Saturation, hue and the loss of colours are for three channels (the first three of four); others have brightness
    and contrast. Values stay in [-1, 1].
    """
    part = cropped(image, flip)
    if image.shape[1] == 4:
        return torch.cat([recoloured(part[:, :3]), part[:, 3:]], dim=1)
    return recoloured(part)


def cropped(image: Tensor, flip: bool) -> Tensor:
    """A random part of each image [N, C, H, W], stretched to the whole; every other one mirrored if `flip`."""
    from ggdr.ops.bilinear import bilinear

    n, device = len(image), image.device
    area = uniform(image, LEAST_AREA, 1.0)
    ratio = uniform(image, -math.log(RATIO), math.log(RATIO)).exp()
    sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1).clamp(max=1)  # of width and height
    centre = (1 - sides) * (2 * torch.rand(n, 2, device=device) - 1)
    mirrored = torch.where(torch.rand(n, device=device) < 0.5 * flip, -1.0, 1.0)
    height, width = image.shape[2:]
    x, y = (((torch.arange(k, device=device) + 0.5) * 2 / k - 1) for k in (width, height))
    x = (mirrored * sides[:, 0])[:, None] * x + centre[:, :1]
    y = sides[:, 1:] * y + centre[:, 1:]
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1)
    return bilinear(image, grid.to(image.dtype), "border", align_corners=False)


def recoloured(image: Tensor) -> Tensor:
    """image [N, C, H, W] in [-1, 1] with brightness, contrast and, of three channels, colours changed now and then."""
    light = (image + 1) / 2
    changed = light * factor(image)
    changed = changed.mean((1, 2, 3), keepdim=True).lerp(changed, factor(image))
    if image.shape[1] == 3:
        changed = gray(changed).lerp(changed, factor(image))
        changed = hued(changed, uniform(image, -HUE, HUE) * 2 * math.pi)
    light = torch.where(chance(image, JITTER), changed, light)
    if image.shape[1] == 3:
        light = torch.where(chance(image, TO_GRAY), gray(light).expand_as(light), light)
    return 2 * light.clamp(0, 1) - 1


def gray(light: Tensor) -> Tensor:
    """The brightness [N, 1, H, W] of colours [N, 3, H, W]."""
    red, green, blue = light.split(1, dim=1)  # by numbers: a tensor of them would have to come from the host
    return GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue


def hued(light: Tensor, angle: Tensor) -> Tensor:
    """Colours [N, 3, H, W] turned about gray by an angle [N], radians (Rodrigues' formula)."""
    cos, sin = (f(angle)[:, None, None, None] for f in (torch.cos, torch.sin))
    mean = light.mean(1, keepdim=True)
    across = (light.roll(1, 1) - light.roll(-1, 1)) / math.sqrt(3)
    return mean + cos * (light - mean) + sin * across


def factor(image: Tensor) -> Tensor:
    """A factor about 1 for each image: [N, 1, 1, 1]."""
    return uniform(image, 1 - STRENGTH, 1 + STRENGTH)[:, None, None, None]


def chance(image: Tensor, p: float) -> Tensor:
    """True with probability p, for each image: [N, 1, 1, 1]."""
    return (uniform(image, 0.0, 1.0) < p)[:, None, None, None]


def uniform(image: Tensor, low: float, high: float) -> Tensor:
    """A number for each image, evenly from low to high: [N]."""
    return low + (high - low) * torch.rand(len(image), device=image.device)
