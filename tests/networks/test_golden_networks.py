"""Parity with vectors made by the published implementation; GGDR_GOLDEN may name another folder of the same format."""

import re
from functools import cache

import pytest
import torch
from golden_vectors import below, close, pair_of, settings
from torch.func import functional_call

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.minibatch import minibatch_stddev
from ggdr.ops.activation import bias_act
from ggdr.ops.fir import upfirdn2d
from ggdr.ops.modulation import modulated_conv2d


def check_gradients(y, given, inputs):
    """The gradients of y for the golden gradient of the output."""
    wanted = [name for name in inputs if f"grad_{name}" in given]
    found = torch.autograd.grad(y, [inputs[name] for name in wanted], given["grad_y"])
    for name, gradient in zip(wanted, found, strict=True):
        close(gradient, given[f"grad_{name}"], 1e-5)


def run_op(case, t):
    """Our op on one golden case."""
    match case["op"]:
        case "upfirdn2d":
            up, down = (tuple(f) if isinstance(f, list) else f for f in (case["up"], case["down"]))
            padding = tuple(case["padding_x0x1y0y1"])
            return upfirdn2d(t["x"], case["taps"], up, down, padding, case["flip_filter"], case["gain"])
        case "bias_act":
            slope = 0.2 if case["alpha"] is None else case["alpha"]
            return bias_act(t["x"], t["b"], case["act"], slope=slope, gain=case["gain"], clamp=case["clamp"])
        case "modulated_conv2d":
            how = {"demodulate": case["demodulate"], "up": case["up"], "noise": t.get("noise")}
            return modulated_conv2d(t["x"], t["weight"], t["styles"], **how)
        case "conv_layer":
            how = {"activation": case["activation"], "up": case["up"], "down": case["down"]}
            layer = EqualizedConv2d(t["x"].shape[1], len(t["weight"]), case["kernel"], bias="bias" in t, **how)
            return functional_call(layer, {name: t[name] for name in ("weight", "bias") if name in t}, t["x"])
        case "minibatch_stddev":
            return minibatch_stddev(t["x"], case["group_size"], case["num_channels"])
    raise AssertionError(f"no such op: {case['op']}")


@pytest.mark.parametrize("case", settings("ops"), ids=lambda case: case["name"])
def test_op_parity(case):
    given = below("ops", f"{case['name']}/")
    inputs = {name: t.requires_grad_() for name, t in given.items() if not name.startswith(("grad_", "y", "f"))}
    y = run_op(case, inputs)
    close(y, given["y"], 1e-5)
    check_gradients(y, given, inputs)


@cache
def pair(name):
    """The pair of a case, and its golden tensors."""
    given = below("networks", f"{name}/")
    generator, discriminator = pair_of(settings("networks")[name], given)
    return generator.eval(), discriminator.eval(), given


NAMES = list(settings("networks"))


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_generator_parity(name):
    generator, _, given = pair(name)
    labels, resolutions = given.get("labels_onehot"), tuple(generator.feature_channels)
    sample = generator(given["z"], labels, resolutions=resolutions, noise="const")
    close(sample.ws, given["ws"], 1e-4)
    close(sample.image, given["image_noise_const"], 1e-4)
    for resolution in resolutions:
        close(sample.features[resolution], given[f"generator_features/{resolution}"], 1e-4)


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_truncation_parity(name):
    generator, _, given = pair(name)
    codes = {key: re.fullmatch(r"ws_psi([\d.]+)(?:_cutoff(\d+))?", key) for key in given}
    images = {key: re.fullmatch(r"image_psi([\d.]+)_noise_(\w+)", key) for key in given}
    z, labels = given["z"], given.get("labels_onehot")
    for key, found in codes.items():
        if found:
            cutoff = None if found[2] is None else int(found[2])
            close(generator.styles(z, labels, psi=float(found[1]), cutoff=cutoff), given[key], 1e-4)
    for key, found in images.items():
        if found:
            close(generator(z, labels, psi=float(found[1]), noise=found[2]).image, given[key], 1e-4)
    assert sum(map(bool, codes.values())) >= 2 and any(images.values())


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_discriminator_and_decoder_parity(name):
    _, discriminator, given = pair(name)
    resolutions = tuple(discriminator.extra.target_channels)
    verdict = discriminator(given["image_noise_const"], given.get("labels_onehot"), resolutions=resolutions)
    close(verdict.logits, given["logits"].squeeze(1), 1e-4)
    for resolution in resolutions:
        close(verdict.features[resolution], given[f"decoder_features/{resolution}"], 1e-4)
