"""State dicts in rosinality's format, held against a forward pass of that format written here from the paper.

The forward passes below know nothing of ggdr: plain torch, one line for each equation of arXiv 1912.04958, weights by
the format's names. They fix the orientation of kernels, scales, biases, the order of styles and of the last layers.
"""

from __future__ import annotations

import argparse
import math

import pytest
import torch
from rosinality_files import DEPTH, KERNEL, STYLE, WIDTHS, random_generator
from torch import Tensor
from torch.nn import functional as F

from ggdr.foreign.reading import read


def filtered(x: Tensor, kernel: Tensor, pad: tuple[int, int]) -> Tensor:
    """Every channel convolved with the low-pass filter."""
    x = F.pad(x, (*pad, *pad))
    return F.conv2d(x.flatten(0, 1).unsqueeze(1), kernel[None, None].flip(2, 3)).unflatten(0, x.shape[:2]).squeeze(2)


def zeros_between(x: Tensor) -> Tensor:
    """Twice the size, the new rows and columns zero."""
    y = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    y[:, :, ::2, ::2] = x
    return y


def fused(x: Tensor, bias: Tensor) -> Tensor:
    """Bias, leaky ReLU, times the square root of two."""
    return F.leaky_relu(x + bias.reshape(1, -1, *[1] * (x.ndim - 2)), 0.2) * math.sqrt(2)


def styles(g: dict[str, Tensor], z: Tensor) -> Tensor:
    """The mapping network: normalised code, layers of a hundredth of the learning rate."""
    w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    for index in range(1, DEPTH + 1):
        scale = 0.01 / math.sqrt(w.shape[1])
        w = fused(w @ (g[f"style.{index}.weight"] * scale).T, g[f"style.{index}.bias"] * 0.01)
    return w


def modulated(g: dict[str, Tensor], name: str, x: Tensor, w: Tensor, *, demodulate: bool, up: bool = False) -> Tensor:
    """Sample by sample: scaled weights (eq. 1), demodulated (eq. 3), one convolution each."""
    weight = g[f"{name}.conv.weight"]
    style = w @ (g[f"{name}.conv.modulation.weight"] / math.sqrt(w.shape[1])).T + g[f"{name}.conv.modulation.bias"]
    weight = weight / math.sqrt(weight[0, 0].numel()) * style[:, None, :, None, None]
    if demodulate:
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    rows = []
    for sample, kernel in zip(x.split(1), weight, strict=True):
        if up:
            wide = F.conv_transpose2d(sample, kernel.transpose(0, 1), stride=2)
            rows.append(filtered(wide, g[f"{name}.conv.blur.kernel"], (1, 1)))
        else:
            rows.append(F.conv2d(sample, kernel, padding=kernel.shape[-1] // 2))
    return torch.cat(rows)


def generated(g: dict[str, Tensor], w: Tensor, resolution: int) -> Tensor:
    """Images of styles w [N, STYLE], the noise the one that is stored."""

    def styled(name: str, x: Tensor, noise: int, up: bool = False) -> Tensor:
        y = modulated(g, name, x, w, demodulate=True, up=up)
        return fused(y + g[f"{name}.noise.weight"] * g[f"noises.noise_{noise}"], g[f"{name}.activate.bias"])

    def to_rgb(name: str, x: Tensor) -> Tensor:
        return modulated(g, name, x, w, demodulate=False) + g[f"{name}.bias"]

    x = styled("conv1", g["input.input"].repeat(len(w), 1, 1, 1), 0)
    image = to_rgb("to_rgb1", x)
    for block in range(int(math.log2(resolution)) - 2):
        x = styled(f"convs.{2 * block}", x, 2 * block + 1, up=True)
        x = styled(f"convs.{2 * block + 1}", x, 2 * block + 2)
        image = filtered(zeros_between(image), g[f"to_rgbs.{block}.upsample.kernel"], (2, 1))
        image = image + to_rgb(f"to_rgbs.{block}", x)
    return image


def random_discriminator(resolution: int, base: int = 4) -> dict[str, Tensor]:
    """Weights of a discriminator, all of them random, under the format's names; `base`: width of its last maps."""
    state = {
        "convs.0.0.weight": torch.randn(WIDTHS[resolution], 3, 1, 1),
        "convs.0.1.bias": torch.randn(WIDTHS[resolution]),
    }
    r, block = resolution, 1
    while r > 4:
        inputs, outputs, name = WIDTHS[r], WIDTHS[r // 2], f"convs.{block}"
        state[f"{name}.conv1.0.weight"] = torch.randn(inputs, inputs, 3, 3)
        state[f"{name}.conv1.1.bias"] = torch.randn(inputs)
        state[f"{name}.conv2.0.kernel"] = KERNEL
        state[f"{name}.conv2.1.weight"] = torch.randn(outputs, inputs, 3, 3)
        state[f"{name}.conv2.2.bias"] = torch.randn(outputs)
        state[f"{name}.skip.0.kernel"] = KERNEL
        state[f"{name}.skip.1.weight"] = torch.randn(outputs, inputs, 1, 1)
        r, block = r // 2, block + 1
    last = WIDTHS[4]
    state["final_conv.0.weight"] = torch.randn(last, last + 1, 3, 3)
    state["final_conv.1.bias"] = torch.randn(last)
    state |= {"final_linear.0.weight": torch.randn(last, last * 4 * base), "final_linear.0.bias": torch.randn(last)}
    return state | {"final_linear.1.weight": torch.randn(1, last), "final_linear.1.bias": torch.randn(1)}


def judged(d: dict[str, Tensor], image: Tensor) -> Tensor:
    """Logits [N] of images, each four of the batch compared with each other."""

    def convolved(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv2d(x, weight / math.sqrt(weight[0].numel()), stride=stride, padding=padding)

    x = fused(convolved(image, d["convs.0.0.weight"]), d["convs.0.1.bias"])
    for block in range(1, int(math.log2(image.shape[2])) - 1):
        name = f"convs.{block}"
        y = fused(convolved(x, d[f"{name}.conv1.0.weight"], padding=1), d[f"{name}.conv1.1.bias"])
        y = convolved(filtered(y, d[f"{name}.conv2.0.kernel"], (2, 2)), d[f"{name}.conv2.1.weight"], stride=2)
        y = fused(y, d[f"{name}.conv2.2.bias"])
        skip = convolved(filtered(x, d[f"{name}.skip.0.kernel"], (1, 1)), d[f"{name}.skip.1.weight"], stride=2)
        x = (y + skip) / math.sqrt(2)
    groups = x.reshape(4, -1, *x.shape[1:])
    spread = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    x = torch.cat([x, spread.repeat(4)[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1)
    x = fused(convolved(x, d["final_conv.0.weight"], padding=1), d["final_conv.1.bias"]).flatten(1)
    x = fused(x @ (d["final_linear.0.weight"] / math.sqrt(x.shape[1])).T, d["final_linear.0.bias"])
    return (x @ (d["final_linear.1.weight"] / math.sqrt(x.shape[1])).T + d["final_linear.1.bias"]).squeeze(1)


@pytest.fixture
def checkpoint():
    """All that such a file holds after some training."""
    torch.manual_seed(0)
    g = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(g.parameters())
    g(torch.randn(2)).sum().backward()
    optimizer.step()
    return {
        "g": random_generator(32),
        "d": random_discriminator(32),
        "g_ema": random_generator(32),
        "g_optim": optimizer.state_dict(),
        "d_optim": optimizer.state_dict(),
        "args": argparse.Namespace(size=32, channel_multiplier=2, r1=10.0, path=None),
        "ada_aug_p": torch.tensor(0.25),
    }


def saved(tmp_path, content, zipped=True):
    torch.save(content, tmp_path / "550000.pt", _use_new_zipfile_serialization=zipped)
    return tmp_path / "550000.pt"


def close(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "before archives"])
@torch.no_grad()
def test_images_and_logits_are_those_of_the_format(tmp_path, checkpoint, zipped):
    found = read(saved(tmp_path, checkpoint, zipped))
    networks = {name: each.network for name, each in found.networks.items()}
    z = torch.randn(8, STYLE)
    for name, state in (("generator", checkpoint["g_ema"]), ("generator_live", checkpoint["g"])):
        w = styles(state, z)
        close(networks[name].styles(z)[:, 0], w)
        close(networks[name](z, noise="const").image, generated(state, w, 32))
    image = generated(checkpoint["g"], styles(checkpoint["g"], z), 32)
    close(networks["discriminator"](image).logits, judged(checkpoint["d"], image))
    assert found.facts["args"]["r1"] == 10.0 and found.facts["ada_aug_p"] == 0.25


@torch.no_grad()
def test_each_layer_has_a_style_of_its_own_and_in_the_same_order(tmp_path, checkpoint):
    """Styles that differ by layer: first those of 4 px, then two convolutions a side; to-image takes the next one."""
    g = checkpoint["g_ema"]
    network = read(saved(tmp_path, {"g_ema": g})).networks["generator"].network
    ws = torch.randn(2, 8, STYLE)
    order = {"conv1": 0, "to_rgb1": 1}
    for block in range(3):
        order |= {f"convs.{2 * block}": 2 * block + 1, f"convs.{2 * block + 1}": 2 * block + 2}
        order[f"to_rgbs.{block}"] = 2 * block + 3
    image = network.synthesis(ws, noise="const")[0]
    for name, index in order.items():
        moved = ws.clone()
        moved[:, index] += 1  # the same change, made by the bias of the affine layers that read this style
        readers = [each for each, place in order.items() if place == index]
        assert name in readers
        changed = dict(g)
        for each in readers:
            shift = g[f"{each}.conv.modulation.weight"].sum(1) / math.sqrt(STYLE)
            changed[f"{each}.conv.modulation.bias"] = g[f"{each}.conv.modulation.bias"] + shift
        other = read(saved(tmp_path, {"g_ema": changed})).networks["generator"].network
        close(network.synthesis(moved, noise="const")[0], other.synthesis(ws, noise="const")[0])
        assert not torch.allclose(image, other.synthesis(ws, noise="const")[0], rtol=1e-3)


@pytest.mark.parametrize("shape", [(STYLE,), (1, STYLE)])
def test_the_mean_style_is_taken_over(tmp_path, checkpoint, shape):
    mean = torch.randn(shape)
    found = read(saved(tmp_path, {"g_ema": checkpoint["g_ema"], "latent_avg": mean}))
    assert torch.equal(found.networks["generator"].network.mapping.w_avg, mean.flatten()) and not found.notes


@torch.no_grad()
def test_a_mean_style_that_is_not_there_is_made_and_that_is_said(tmp_path, checkpoint):
    found = read(saved(tmp_path, {"g_ema": checkpoint["g_ema"]}))
    mean = found.networks["generator"].network.mapping.w_avg
    many = styles(checkpoint["g_ema"], torch.randn(1 << 16, STYLE))
    assert ((mean - many.mean(0)).abs() < 5 * many.std(0) / 128).all()
    assert "no mean style for g_ema" in found.notes[0]
    again = read(saved(tmp_path, {"g_ema": checkpoint["g_ema"]})).networks["generator"].network
    assert torch.equal(mean, again.mapping.w_avg)


@pytest.mark.parametrize("resolution", [8, 16])
def test_sizes_come_from_the_weights(tmp_path, resolution):
    torch.manual_seed(0)
    found = read(saved(tmp_path, {"g": random_generator(resolution), "d": random_discriminator(resolution)}))
    assert [each.network.spec.height for each in found.networks.values()] == [resolution, resolution]
    assert found.networks["generator"].origin == "g" and "no g_ema" in found.notes[-1]
    assert found.networks["generator"].network.config.channel_max == 8


@torch.no_grad()
def test_images_that_are_half_as_wide_as_high_are_those_of_the_format(tmp_path):
    """As StyleGAN-Human's, whose constant is 4 x 2."""
    torch.manual_seed(0)
    g, d, z = random_generator(16, 2), random_discriminator(16, 2), torch.randn(4, STYLE)
    found = read(saved(tmp_path, {"g_ema": g, "d": d})).networks
    image = generated(g, styles(g, z), 16)
    assert image.shape == (4, 3, 16, 8)
    close(found["generator"].network(z, noise="const").image, image)
    close(found["discriminator"].network(image).logits, judged(d, image))


CHANGES = {
    "conv1.conv.extra": lambda c: c["g_ema"].update({"conv1.conv.extra": torch.ones(1)}),
    "lacks synthesis.b8.conv0.noise_strength": lambda c: c["g_ema"].pop("convs.0.noise.weight"),
    "lacks to_rgb1.conv.weight": lambda c: c["g_ema"].pop("to_rgb1.conv.weight"),
    "lacks mapping.fc0.weight": lambda c: [c["g_ema"].pop(f"style.{i}.weight") for i in (1, 2, 3)],
    "to_rgbs.0.upsample.kernel is not [1, 3, 3, 1]": lambda c: c["g_ema"]["to_rgbs.0.upsample.kernel"].mul_(0.5),
    "should be of size 1": lambda c: c["g_ema"].update({"noises.noise_0": torch.ones(2, 1, 4, 4)}),
    "which is not min(base / side, most)": lambda c: c["g_ema"].update(
        {"to_rgb1.conv.weight": torch.ones(1, 3, 3, 1, 1)}
    ),
    "its synthesis.b4.const is [8, 5, 5]": lambda c: c["g_ema"].update({"input.input": torch.ones(1, 8, 5, 5)}),
    "is no tensor": lambda c: c["g_ema"].update({"input.input": 3}),
    "convs.9.dwt": lambda c: c["d"].update({"convs.9.dwt": torch.ones(1)}),
    "lacks b4.fc.bias": lambda c: c["d"].pop("final_linear.0.bias"),
    "lacks b4.fromrgb.weight": lambda c: c["d"].clear(),
    "no dict of weights": lambda c: c.update(d=3),
    "all empty": lambda c: c.update(g=None, d=None, g_ema=None),
}


@pytest.mark.parametrize("words", CHANGES)
def test_what_is_not_the_format_is_refused_by_name(tmp_path, checkpoint, words):
    CHANGES[words](checkpoint)
    with pytest.raises(ValueError) as raised:
        read(saved(tmp_path, checkpoint))
    assert words in str(raised.value)
