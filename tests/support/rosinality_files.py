"""Generators in the format of rosinality's StyleGAN2, with random weights."""

from __future__ import annotations

import torch
from torch import Tensor

STYLE, DEPTH = 6, 3
WIDTHS = {4: 8, 8: 8, 16: 4, 32: 2}
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])
KERNEL = torch.outer(TAPS, TAPS) / 64


def random_generator(resolution: int, base: int = 4) -> dict[str, Tensor]:
    """Weights of a generator, all of them random, under the format's names; `base`: width of its constant."""
    state = {"input.input": torch.randn(1, WIDTHS[4], 4, base)}
    for index in range(DEPTH):
        state[f"style.{index + 1}.weight"] = torch.randn(STYLE, STYLE) / 0.01
        state[f"style.{index + 1}.bias"] = torch.randn(STYLE) * 30

    def convolution(name: str, inputs: int, outputs: int, size: int) -> None:
        state[f"{name}.conv.weight"] = torch.randn(1, outputs, inputs, size, size)
        state[f"{name}.conv.modulation.weight"] = torch.randn(inputs, STYLE)
        state[f"{name}.conv.modulation.bias"] = 1 + 0.3 * torch.randn(inputs)

    def styled(name: str, inputs: int, outputs: int) -> None:
        convolution(name, inputs, outputs, 3)
        state[f"{name}.noise.weight"] = torch.randn(1)
        state[f"{name}.activate.bias"] = torch.randn(outputs)

    def to_rgb(name: str, inputs: int) -> None:
        convolution(name, inputs, 3, 1)
        state[f"{name}.bias"] = torch.randn(1, 3, 1, 1)

    styled("conv1", WIDTHS[4], WIDTHS[4])
    to_rgb("to_rgb1", WIDTHS[4])
    state["noises.noise_0"] = torch.randn(1, 1, 4, base)
    for block, r in enumerate(r for r in WIDTHS if 4 < r <= resolution):
        styled(f"convs.{2 * block}", WIDTHS[r // 2], WIDTHS[r])
        state[f"convs.{2 * block}.conv.blur.kernel"] = KERNEL * 4
        styled(f"convs.{2 * block + 1}", WIDTHS[r], WIDTHS[r])
        to_rgb(f"to_rgbs.{block}", WIDTHS[r])
        state[f"to_rgbs.{block}.upsample.kernel"] = KERNEL * 4
        for index in (2 * block + 1, 2 * block + 2):
            state[f"noises.noise_{index}"] = torch.randn(1, 1, r, r * base // 4)
    return state
