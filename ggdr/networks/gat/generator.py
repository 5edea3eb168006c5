"""The GAT generator: a transformer whose blocks a style scales and gates, with image heads (arXiv 2509.24935)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.class_means import ClassMeans
from ggdr.layers.mapping import normalize_second_moment
from ggdr.layers.projection import require_labels
from ggdr.layers.tokens import check_patches, sine_codes, to_image, to_map
from ggdr.layers.transformer import Attention, Rotary, SlowLinear, SwiGLU, rms_norm, run_block, swiglu_width, xavier
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.gat import GATGeneratorConfig
from ggdr.ops.precision import at_least_float32, without_autocast

MODULATION_GAIN = 0.1
"""Gain of the initial weights that make scales and gates of a style: gates begin near zero"""


class GATGenerator(Generator):
    """Maps latent codes to styles, and tokens that know nothing but their places to images under these."""

    config: GATGeneratorConfig
    places: Tensor

    def __init__(self, config: GATGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        self.rows, columns = check_patches(spec.height, spec.width, config.patch, config.name)
        self.z_dim, self.w_dim = config.z_dim, config.width
        self.feature_channels = {self.rows: config.width}
        self.mapping = GATMapping(config, spec)
        # labels with ranges are attributes, of which several may hold at once
        classes = 1 if spec.label_ranges else max(spec.labels, 1)
        self.means = ClassMeans(classes, config.width, config.w_avg_beta)
        self.register_buffer("places", sine_codes(self.rows, columns, config.width), persistent=False)
        self.rotary = Rotary(self.rows, columns, config.width // config.attention_heads)
        self.blocks = nn.ModuleList(GATBlock(config.width, config.attention_heads) for _ in range(config.depth))
        outputs = spec.channels * config.patch**2
        self.heads = nn.ModuleList(GATHead(config.width, outputs) for _ in range(config.image_heads))

    def forward(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        resolutions: tuple[int, ...] = (),
        psi: float | Tensor = 1.0,
        cutoff: int | None = None,
    ) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images, what earlier heads made, and the maps of
        `resolutions`.

        psi: 1 for the full variety, towards 0 for the mean image of the class; a tensor [] stays an input of a traced
        graph. cutoff: number of style codes that psi pulls (None: all). UserError if a resolution is not that of the
        tokens, or a label is missing.
        """
        self.check_resolutions(resolutions)
        ws = self.styles(z, labels, psi=psi, cutoff=cutoff)
        images, tokens = self.images(ws, twice=z.requires_grad)
        *before, image = images
        maps = {resolution: to_map(tokens, self.rows).float() for resolution in resolutions}
        return GeneratorOutput(image, ws, maps, intermediates=tuple(before))

    def styles(
        self, z: Tensor, labels: Tensor | None = None, *, psi: float | Tensor = 1.0, cutoff: int | None = None
    ) -> Tensor:
        """Return style codes [N, depth, width] of z [N, z_dim], truncated: the same one for each block."""
        w = self.mapping(z, labels)
        if self.training:
            self.means.record(w, labels)
        return self.means.truncate(w[:, None].expand(-1, len(self.blocks), -1), labels, psi, cutoff)

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return images [N, C, H, W] of style codes ws [N, depth, width]; there is no noise."""
        return self.images(ws)[0][-1]

    def images(self, ws: Tensor, twice: bool = False) -> tuple[list[Tensor], Tensor]:
        """Return the images [N, C, H, W] float32 of all heads, and the tokens [N, T, width] of the tap.

        `twice`: in a way that can be differentiated twice.
        """
        images: list[Tensor] = []
        x = total = tapped = self.places.expand(ws.shape[0], -1, -1)
        stage = len(self.blocks) // len(self.heads)
        for place, (block, w) in enumerate(zip(self.blocks, ws.unbind(dim=1), strict=True), 1):
            recompute = self.config.checkpointing and not twice
            x = run_block(block, x, w, self.rotary, twice, recompute=recompute)
            if place % stage == 0:
                share = self.heads[place // stage - 1](x, w)
                total = total + share if images else share
                images.append(to_image(total, self.config.patch, self.rows))
                tapped = x if len(images) == self.config.tap else tapped
        return images, tapped

    def input_matrices(self) -> list[Tensor]:
        """Return the weights [K, width] by which each block's style enters it, and the head behind it."""
        stage = len(self.blocks) // len(self.heads)
        entered = [[self.matrix(f"blocks.{place}")] for place in range(len(self.blocks))]
        for place in range(len(self.heads)):
            entered[(place + 1) * stage - 1].append(self.matrix(f"heads.{place}"))
        return [torch.cat(matrices) for matrices in entered]

    def matrix(self, name: str) -> Tensor:
        """Return the weights [K, width] by which a style enters a block or a head."""
        return self.get_parameter(f"{name}.modulation.weight")

    def measure(self) -> dict[str, Tensor]:
        """Return the sums of styles since the last call, if some were made in training: `w_sums`."""
        return self.means.measure()

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Move the mean styles of truncation towards the step's."""
        if "w_sums" in stats:
            self.means.follow(stats["w_sums"])


class GATMapping(nn.Module):
    """Two layers from latent code and label to a style, which learn a hundredth as fast as the rest; in float32."""

    def __init__(self, config: GATGeneratorConfig, spec: ImageSpec):
        super().__init__()
        self.labels = spec.labels
        self.embed = nn.Linear(spec.labels, config.label_dim, bias=False) if spec.labels else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=0.02)
        inputs = config.z_dim + (config.label_dim if spec.labels else 0)
        self.fc0, self.fc1 = SlowLinear(inputs, config.width), SlowLinear(config.width, config.width)

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Map z [N, z_dim] and labels [N, L] to styles [N, width] float32; UserError if a label is missing."""
        with without_autocast(z):
            codes = [normalize_second_moment(at_least_float32(z))]
            if self.embed is not None:
                embedded = self.embed(require_labels(labels, self.labels).to(codes[0].dtype))
                codes.insert(0, normalize_second_moment(embedded))
            return self.fc1(F.silu(self.fc0(torch.cat(codes, dim=1))))


class GATBlock(nn.Module):
    """A transformer block: a style scales what each of its two branches reads, and gates what it adds."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = Attention(width, heads)
        self.mlp = SwiGLU(width, swiglu_width(width))
        xavier(self)
        self.modulation = modulation(width, 4 * width)

    def forward(self, x: Tensor, w: Tensor, rotary: Rotary, twice: bool) -> Tensor:
        """Map tokens x [N, T, width] to the same shape, under styles w [N, width]."""
        scale, gate, scale2, gate2 = self.modulation(F.silu(w))[:, None].chunk(4, dim=2)
        x = x + gate * self.attention(rms_norm(x) * (1 + scale), rotary, twice)
        return x + gate2 * self.mlp(rms_norm(x) * (1 + scale2))


class GATHead(nn.Module):
    """Makes patches of tokens, under a style; in float32, since the shares of several heads are added."""

    def __init__(self, width: int, outputs: int):
        super().__init__()
        self.out = nn.Linear(width, outputs)
        xavier(self)
        self.modulation = modulation(width, width)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map tokens x [N, T, width] to patches [N, T, outputs] float32, under styles w [N, width]."""
        with without_autocast(x):
            return self.out(rms_norm(at_least_float32(x)) * (1 + self.modulation(F.silu(w))[:, None]))


def modulation(width: int, outputs: int) -> nn.Linear:
    """Return the layer that makes scales and gates of a style."""
    layer = nn.Linear(width, outputs)
    nn.init.xavier_uniform_(layer.weight, gain=MODULATION_GAIN)
    nn.init.zeros_(layer.bias)
    return layer
