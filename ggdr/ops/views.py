"""SimCLR's views of small images: a random part at full size, flips, colours (arXiv 2002.05709, appendix A and B.9).

Colours change half as much as those of large photographs, as for CIFAR-10 there, and nothing is blurred. A part is no
smaller than a fifth of the image (there 0.08), which is ours.
"""

from __future__ import annotations

import math

from ggdr.lazy import Tensor, torch

GRAY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in perceived brightness."""
LEAST_AREA = 0.2
"""Smallest share of the image's area in a view."""
RATIO = 4 / 3
"""Largest ratio of a view's width to its height, relative to the image's, and of height to width."""
JITTER_CHANCE = 0.8
"""Probability that the colours of a view change."""
STRENGTH = 0.4
"""Largest change of brightness, contrast and saturation, as a share."""
HUE = 0.1
"""Largest rotation of hue, as a share of a full turn."""
GRAYSCALE_CHANCE = 0.2
"""Probability that a view loses its colours."""


def simclr_view(image: Tensor, flip: bool) -> Tensor:
    """Return a random view of each image [N, C, H, W] in [-1, 1], differentiable, drawn from torch's global generator.

    Saturation, hue and the loss of colours are for three channels (the first three of four); others have brightness and
    contrast. Values stay in [-1, 1].
    """
    part = random_resized_crop(image, flip)
    if image.shape[1] == 4:
        return torch.cat([color_jitter(part[:, :3]), part[:, 3:]], dim=1)
    return color_jitter(part)


def random_resized_crop(image: Tensor, flip: bool) -> Tensor:
    """Crop a random part of each image [N, C, H, W], stretch it to full size, and mirror half of them if `flip`."""
    from ggdr.ops.bilinear import grid_sample

    n, device = len(image), image.device
    area = uniform(image, LEAST_AREA, 1.0)
    ratio = uniform(image, -math.log(RATIO), math.log(RATIO)).exp()
    extent = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1).clamp(max=1)  # of width and height
    centre = (1 - extent) * (2 * torch.rand(n, 2, device=device) - 1)
    mirrored = torch.where(torch.rand(n, device=device) < 0.5 * flip, -1.0, 1.0)
    height, width = image.shape[2:]
    x, y = (((torch.arange(k, device=device) + 0.5) * 2 / k - 1) for k in (width, height))
    x = (mirrored * extent[:, 0])[:, None] * x + centre[:, :1]
    y = extent[:, 1:] * y + centre[:, 1:]
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1)
    return grid_sample(image, grid.to(image.dtype), "border", align_corners=False)


def color_jitter(image: Tensor) -> Tensor:
    """Change brightness, contrast and, with three channels, colours of some of the images [N, C, H, W] in [-1, 1]."""
    light = (image + 1) / 2
    changed = light * random_factor(image)
    changed = changed.mean((1, 2, 3), keepdim=True).lerp(changed, random_factor(image))
    if image.shape[1] == 3:
        changed = luminance(changed).lerp(changed, random_factor(image))
        changed = rotate_hue(changed, uniform(image, -HUE, HUE) * 2 * math.pi)
    light = torch.where(bernoulli(image, JITTER_CHANCE), changed, light)
    if image.shape[1] == 3:
        light = torch.where(bernoulli(image, GRAYSCALE_CHANCE), luminance(light).expand_as(light), light)
    return 2 * light.clamp(0, 1) - 1


def luminance(light: Tensor) -> Tensor:
    """Return the brightness [N, 1, H, W] of colours [N, 3, H, W]."""
    red, green, blue = light.split(1, dim=1)  # by numbers: a tensor of them would have to come from the host
    return GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue


def rotate_hue(light: Tensor, angle: Tensor) -> Tensor:
    """Colours [N, 3, H, W] turned about gray by an angle [N], radians (Rodrigues' formula)."""
    cos, sin = (f(angle)[:, None, None, None] for f in (torch.cos, torch.sin))
    mean = light.mean(1, keepdim=True)
    across = (light.roll(1, 1) - light.roll(-1, 1)) / math.sqrt(3)
    return mean + cos * (light - mean) + sin * across


def random_factor(image: Tensor) -> Tensor:
    """Draw a factor about 1 for each image: [N, 1, 1, 1]."""
    return uniform(image, 1 - STRENGTH, 1 + STRENGTH)[:, None, None, None]


def bernoulli(image: Tensor, p: float) -> Tensor:
    """Draw True with probability p for each image: [N, 1, 1, 1]."""
    return (uniform(image, 0.0, 1.0) < p)[:, None, None, None]


def uniform(image: Tensor, low: float, high: float) -> Tensor:
    """Draw a number for each image, uniformly from low to high: [N]."""
    return low + (high - low) * torch.rand(len(image), device=image.device)
