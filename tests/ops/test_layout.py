"""The order of maps in memory: channels last on the way there and back, or each operator takes ten times as long."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from registered import own
from tiny import STYLEGAN2
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.networks.base import ImageSpec, TranslatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.ops.layout import channels_last

discriminators, generators = own("discriminator"), own("generator")
SMALLEST = 8
"""side from which on the order matters"""


class Watch(TorchDispatchMode):
    """Notes each operator on maps [N, C, H, W] of which one has its channels last and another has not."""

    def __init__(self):
        super().__init__()
        self.mixed = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        out = operator(*args, **(kwargs or {}))
        maps = [x for x in (*args, *(out if isinstance(out, tuple | list) else [out])) if large(x)]
        turns = operator.is_view or operator is torch.ops.aten._to_copy.default
        if not turns and len({x.is_contiguous(memory_format=torch.channels_last) for x in maps}) > 1:
            self.mixed.append(f"{operator} {[tuple(x.shape) for x in maps]} {[x.stride() for x in maps]}")
        return out


def large(x) -> bool:
    """Maps of some channels, all there in memory."""
    return isinstance(x, Tensor) and x.ndim == 4 and x.shape[1] > 3 and min(x.shape[2:]) >= SMALLEST and whole(x)


def whole(x: Tensor) -> bool:
    """Whether it is in either order: not a view whose strides tell of neither."""
    return x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_no_gradient_arrives_in_the_other_order(channels, architecture):
    spec = ImageSpec(32, 32, channels)
    generator = STYLEGAN2.build(spec)
    network = StyleGAN2DiscriminatorConfig(channel_base=256, channel_max=8, architecture=architecture).build(spec)
    with Watch() as watch:
        network(generator(torch.randn(4, generator.z_dim)).image).logits.sum().backward()
    assert not watch.mixed
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_watch_sees_a_gradient_that_does():
    """In place on a permuted view: autograd hands the gradient on in the other order."""
    x, weight = channels_last(torch.randn(2, 4, 8, 8)), torch.randn(8, 4, requires_grad=True)
    with Watch() as watch:
        y = torch.nn.functional.linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
        torch.nn.functional.leaky_relu_(y, 0.2).sum().backward()
    assert any("leaky_relu_backward" in line for line in watch.mixed)


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 1, 8, 16), (2, 3, 8, 8)], ids=str)
def test_what_enters_channels_last_leaves_so(shape):
    x = torch.randn(shape)
    assert torch.equal(channels_last(x), x) and channels_last(x).stride(1) == 1
    y = EqualizedConv2d(shape[1], 8, 1, activation="lrelu")(channels_last(x))
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", sorted(discriminators.keys() - {"timm", "srgan"}))
def test_every_discriminator_reads_gray_images_channels_last(name):
    """But for one: what a dense layer reads of SRGAN's last maps, all their pixels, comes back in the other order."""
    config = discriminators[name].tiny()
    if name == "biggan_deep":  # whose bottlenecks would have one channel, which lies in either order
        config = dataclasses.replace(config, channels=8, channel_max=16)
    network = config.build(ImageSpec(32, 32, 1))
    with Watch() as watch:
        logits, maps = network.pyramid(torch.randn(2, 1, 32, 32))
        logits.sum().backward()
    assert not watch.mixed
    assert not [
        resolution
        for resolution, x in maps.items()
        if large(x) and not x.is_contiguous(memory_format=torch.channels_last)
    ]


@pytest.mark.parametrize("name", sorted(generators.keys() - {"fastgan", "biggan_deep", "srresnet"}))
def test_every_generator_draws_channels_last(name):
    """But for three: gradients of torch's gated linear unit and of slices come in the other order; and SRResNet's
    kernels of 9 pixels would be taken for maps."""
    config, spec = generators[name].tiny(), ImageSpec(32, 32, 1)
    translates = isinstance(config, TranslatorConfig)
    generator = config.build(spec, spec) if translates else config.build(spec)
    x = torch.randn(2, 1, 32, 32) if translates else torch.randn(2, generator.z_dim)
    with Watch() as watch:
        (generator.translate(x) if translates else generator(x).image).square().sum().backward()
    assert not watch.mixed
