"""Autocast on CUDA, by tensors that say they are there and hold no numbers: which maps are bfloat16, and which not.

CUDA's autocast runs other operators in float32 than the CPU's: `interpolate`, `sum`, `pow`, `softmax`, norms.
"""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections import Counter
from pathlib import Path

import pytest
import torch
from registered import own
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

import ggdr
from ggdr.layers.minibatch import minibatch_stddev
from ggdr.layers.norm import BatchNorm2d, LayerNorm
from ggdr.networks.base import ImageSpec, TranslatorConfig
from ggdr.ops.moments import centre
from ggdr.registry import Capability

discriminators, generators = own("discriminator"), own("generator")
ROOT = Path(ggdr.__file__).parent
IMAGES, SIDE, LABELS = 6, 32, 3
MATRIX = {"mm", "addmm", "bmm", "convolution", "cudnn_convolution", "linear"}
WANTED = {
    ("g", "stylegan3"): "stylegan3/layers.py",  # Fourier features: they place every pixel
    ("d", "unet_gan"): "unet_gan/discriminator.py",  # the last layer of each pixel's logit
    ("d", "oasis"): "oasis/discriminator.py",  # the last layer of each pixel's classes
    ("d", "pixel"): "layers/projection.py",  # the same
    ("g", "adain"): "adain/translator.py",  # the variance of the encoder's maps
    ("d", "funit"): "funit/discriminator.py",  # the last layer of patches' logits of each class
    ("d", "stargan"): "layers/projection.py",  # the last layer of small patches' logits
    ("d", "ugatit"): "layers/projection.py",  # the last layer of small patches' logits
    ("g", "gat"): "layers/tokens.py",  # patches of the image itself, from a last layer in float32
    ("d", "gat"): "layers/tokens.py",  # patches of the image itself, before the first layer
    ("d", "mng"): "layers/tokens.py",  # the same, of several images
}
"""families with float32 maps that are meant to be so, and where those are made"""
OF_TOKENS = {"gat", "mng"}
"""families without maps: the products that make their tokens count instead"""


def fake_cuda() -> bool:
    """Whether this torch can move networks there; older ones ask for a driver."""
    network = torch.nn.Linear(1, 1)
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            network.to("cuda")
    except RuntimeError:
        return False
    return True


pytestmark = pytest.mark.skipif(not fake_cuda(), reason="this torch moves no networks to a CUDA that is not there")


@contextlib.contextmanager
def cuda_autocast():
    """What `torch.autocast("cuda", torch.bfloat16)` does where there is a CUDA."""
    before = torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", torch.bfloat16)
    try:
        yield
    finally:
        torch.set_autocast_enabled("cuda", False)
        torch.set_autocast_dtype("cuda", before)
        torch.clear_autocast_cache()


class Maps(TorchDispatchMode):
    """Counts the maps [N, C, H, W] that are made, by type; where float32 ones are; types of products in their order."""

    def __init__(self):
        super().__init__()
        self.made, self.where, self.products, self.multiplied = Counter(), [], [], None

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        out = operator(*args, **(kwargs or {}))
        name = operator.overloadpacket.__name__
        for x in [each for each in (out if isinstance(out, tuple | list) else [out]) if isinstance(each, torch.Tensor)]:
            if name in MATRIX:
                self.products.append(x.dtype)
            elif name == "mul" and x.ndim == 2:
                self.multiplied = x.dtype
            elif name == "sum" and x.shape == (IMAGES,) and self.multiplied:  # an inner product, in two steps
                self.products.append(self.multiplied)
            if large(x) and not operator.is_view:
                self.made[x.dtype] += 1
                if x.dtype != torch.bfloat16:
                    self.where.append(place())
        return out


def large(x: torch.Tensor) -> bool:
    """Maps of more channels than an image has with its labels, from 8 px on, or what a layer cuts them into."""
    return (x.ndim == 4 and x.shape[0] == IMAGES and x.shape[1] > 6 and min(x.shape[2:]) >= 8) or (
        x.ndim > 4 and x.shape[0] > 1 and x.shape[2] >= 8
    )


def place() -> str:
    """The line of ggdr that runs."""
    frames = [f for f in traceback.extract_stack() if f.filename.startswith(str(ROOT))]
    own = [f for f in frames if "/ops/" not in f.filename] or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else "?"


def watched(kind: str, config, labels: int = 0) -> Maps:
    """What a forward pass in training makes."""
    spec = ImageSpec(SIDE, SIDE, 3, labels)
    translates = isinstance(config, TranslatorConfig)
    network = config.build(spec, ImageSpec(SIDE, SIDE)) if translates else config.build(spec)
    with FakeTensorMode(allow_non_fake_inputs=True):
        network.to("cuda")
        if Capability.GROW in config.provides:
            network.grow(3)
        codes = kind == "g" and not translates
        x = torch.randn((IMAGES, network.z_dim) if codes else (IMAGES, 3, SIDE, SIDE), device="cuda")
        given = torch.zeros(IMAGES, labels, device="cuda") if labels else None
        with cuda_autocast(), Maps() as maps:
            network.translate(x, given) if translates else network(x, given)
    return maps


FAMILIES = [
    *(("g", name) for name in sorted(generators) if name != "mlp"),  # of vectors
    *(("d", name) for name in sorted(discriminators) if name not in ("timm", "mlp")),  # a backbone of timm's; vectors
]


@pytest.mark.parametrize("labels", [0, LABELS])
@pytest.mark.parametrize(("kind", "name"), FAMILIES)
def test_maps_are_bfloat16_but_for_those_that_must_not_be(kind, name, labels, monkeypatch):
    monkeypatch.setenv("GGDR_KERNELS", "plain")
    maps = watched(kind, {"g": generators, "d": discriminators}[kind][name].tiny(), labels)
    wanted = WANTED.get((kind, name), "nowhere")
    assert [line for line in maps.where if wanted not in line] == []
    assert (maps.products.count(torch.bfloat16) if name in OF_TOKENS else maps.made[torch.bfloat16]) >= 3


@pytest.mark.parametrize("labels", [0, LABELS])
@pytest.mark.parametrize("name", sorted(discriminators.keys() - {"timm", "autoencoder"}))
def test_a_discriminators_last_layer_is_float32(name, labels, monkeypatch):
    """But for one whose logit is an error of pixels, and that is float32: differences of logits need the digits."""
    monkeypatch.setenv("GGDR_KERNELS", "plain")
    products = watched("d", discriminators[name].tiny(), labels).products
    assert products[-1] == torch.float32 and torch.bfloat16 in products


@pytest.mark.parametrize("name", ["sngan", "biggan"])
def test_layer_normalization_makes_no_float32_maps(name, monkeypatch):
    monkeypatch.setenv("GGDR_KERNELS", "plain")
    config = dataclasses.replace(discriminators[name].tiny(), norm="layer")
    assert watched("d", config).where == []


def test_a_float32_map_is_seen(monkeypatch):
    with FakeTensorMode(), cuda_autocast(), Maps() as maps:
        x = torch.randn(IMAGES, 8, 16, 16, device="cuda", dtype=torch.bfloat16)
        torch.nn.functional.interpolate(x, scale_factor=2.0)
    assert maps.made[torch.float32] == 2


def off(shape: tuple[int, ...]) -> torch.Tensor:
    """Maps whose mean is large beside how they differ, as bfloat16 has them."""
    torch.manual_seed(0)
    return (3 + 0.3 * torch.randn(shape)).bfloat16()


def test_statistics_of_bfloat16_maps_are_those_of_float32():
    x = off((4, 8, 16, 16))
    norm, exact = BatchNorm2d(8), BatchNorm2d(8)
    y = norm(x)
    torch.testing.assert_close(y.float(), exact(x.float()), atol=0.02, rtol=0.01)
    torch.testing.assert_close(norm.measure(), exact.measure(), atol=1e-4, rtol=1e-4)
    less, left, var = centre(x, (2, 3))
    assert less.dtype == torch.bfloat16 and left.dtype == var.dtype == torch.float32
    true, mean = torch.var_mean(x.float(), (2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(var, true, atol=0, rtol=0.003)
    torch.testing.assert_close(less.float() - left, x.float() - mean, atol=0.01, rtol=0.01)
    spread = minibatch_stddev(x)[:, -1].float()
    torch.testing.assert_close(spread, minibatch_stddev(x.float())[:, -1], atol=0.002, rtol=0.003)
    layer = LayerNorm(8)
    assert layer(x).dtype == torch.bfloat16
    torch.testing.assert_close(layer(x).float(), layer(x.float()), atol=0.02, rtol=0.01)


def test_images_that_are_all_alike_spread_by_nothing_in_bfloat16():
    x = off((1, 8, 4, 4)).expand(4, -1, -1, -1).clone().requires_grad_()
    spread = minibatch_stddev(x)[:, -1]
    (slope,) = torch.autograd.grad(spread.float().sum(), x)
    assert spread.float().max() < 2e-4 and slope.isfinite().all()
