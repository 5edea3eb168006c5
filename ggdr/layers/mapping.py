"""The mapping network from latent code and label to a style (StyleGAN, arXiv 1812.04948; labels as in 2006.06676)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear
from ggdr.layers.statistics import RunningMean, replace_nonfinite
from ggdr.ops.precision import at_least_float32_dtype, without_autocast


class MappingNetwork(nn.Module):
    """Fully connected layers that learn a hundredth as fast as the rest of the network; always in float32."""

    def __init__(self, z_dim: int, labels: int, w_dim: int, depth: int):
        """Build `depth` layers of width `w_dim`; `z_dim`, `labels`: widths of latent code and label, either may be
        0."""
        super().__init__()
        self.labels = labels
        self.embed = EqualizedLinear(labels, w_dim) if labels else None
        widths = [z_dim + (w_dim if labels else 0)] + [w_dim] * depth
        for index, (in_features, out_features) in enumerate(zip(widths, widths[1:], strict=False)):
            self.add_module(
                f"fc{index}", EqualizedLinear(in_features, out_features, activation="lrelu", lr_multiplier=0.01)
            )
        self.depth = depth

    def forward(self, z: Tensor | None, labels: Tensor | None = None) -> Tensor:
        """Map z [N, z_dim] and labels [N, L] to [N, w_dim]; UserError if there is no label where one is required."""
        codes = [] if z is None else [normalize_second_moment(z.float())]
        if self.embed is not None:
            codes.append(self.embedding(self.embed, labels))
        x = torch.cat(codes, dim=1)
        with without_autocast(x):
            for index in range(self.depth):
                x = self.get_submodule(f"fc{index}")(x)
        return x

    def embedding(self, embed: EqualizedLinear, labels: Tensor | None) -> Tensor:
        """Embed labels [N, L] as [N, w_dim] of unit mean square."""
        if labels is None or labels.shape[1] != self.labels:
            given = "none" if labels is None else f"some of width {labels.shape[1]}"
            raise ValueError(
                f"this network needs labels of width {self.labels}; given {given}. Pass labels [N, {self.labels}]."
            )
        with without_autocast(labels):
            return normalize_second_moment(embed(labels.float()))


class StyleMapping(MappingNetwork):
    """A mapping network that tracks the mean of its styles for truncation."""

    w_avg: Tensor

    def __init__(self, z_dim: int, labels: int, w_dim: int, depth: int, beta: float):
        """Build the network; `beta`: decay of the running mean style, its share that a step leaves as it was."""
        super().__init__(z_dim, labels, w_dim, depth)
        self.beta = beta
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.seen = RunningMean()

    def codes(
        self, z: Tensor, labels: Tensor | None, count: int, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Return one style for `count` layers, [N, count, w_dim], truncated; in training it is recorded for the
        mean."""
        w = self(z, labels)
        if self.training:
            self.record(w)
        return self.truncate(w.unsqueeze(1).expand(-1, count, -1), psi, cutoff)

    def truncate(self, ws: Tensor, psi: float | Tensor, cutoff: int | None = None) -> Tensor:
        """Pull ws [N, L, w_dim], its first `cutoff` codes (None: all), towards the mean by 1 - psi."""
        if not isinstance(psi, Tensor) and psi == 1:
            return ws
        return torch.cat([self.w_avg.lerp(ws[:, :cutoff], psi), ws[:, ws.shape[1] if cutoff is None else cutoff :]], 1)

    def record(self, w: Tensor) -> None:
        """Record the mean of w [N, w_dim] until it is measured."""
        self.seen.add(w.detach().mean(dim=0))

    def measure(self) -> dict[str, Tensor]:
        """Return the mean of what was recorded since the last call, if anything was, as `w_mean` [w_dim]."""
        mean = self.seen.take()
        return {} if mean is None else {"w_mean": mean}

    def follow(self, mean: Tensor) -> None:
        """Move the running mean towards a step's mean [w_dim]."""
        # Unlike the published code: once a step for its two passes, over all micro-batches and processes, so that
        # every process holds the same.
        self.w_avg.lerp_(replace_nonfinite(mean, self.w_avg), 1 - self.beta**2)


def mix_random_layers(ws: Tensor, other: Tensor, probability: float, layers: int | None = None) -> Tensor:
    """Take the styles of ws [N, L, W] from one random layer on from other [N, W] (arXiv 1812.04948, sec. 3.1).

    probability: of mixing at all, per sample. layers: that layer is among this many first ones; None: among all.
    """
    count = ws.shape[1]
    crossover = torch.randint(1, layers or count, [], device=ws.device)
    stay = torch.rand([], device=ws.device) >= probability
    layer = torch.arange(count, device=ws.device)[:, None]
    return torch.where((layer < crossover) | stay, ws, other.unsqueeze(1))


def normalize_second_moment(x: Tensor) -> Tensor:
    """Scale each vector of x [N, C, ...], along C, to unit mean square."""
    with without_autocast(x):  # which would make float32 maps of it on CUDA
        # a sum, since the gradient of a mean comes in the other order in memory
        square = x.square().sum(dim=1, keepdim=True, dtype=at_least_float32_dtype(x)) / x.shape[1]
        return x * (square + 1e-8).rsqrt().to(x.dtype)
