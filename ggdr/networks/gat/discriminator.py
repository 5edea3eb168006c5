"""The GAT discriminator: a transformer whose class token becomes the logit (arXiv 2509.24935)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import require_labels
from ggdr.layers.tokens import check_patches, sine_codes, to_map, to_patches
from ggdr.layers.transformer import Attention, RMSNorm, Rotary, SlowLinear, SwiGLU, run_block, swiglu_width, xavier
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, Head, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.gat import GATDiscriminatorConfig
from ggdr.ops.precision import at_least_float32, without_autocast

LAYER_SCALE = 0.1
"""What the factors of each branch's channels begin at"""


class GATDiscriminator(Discriminator):
    """Maps images to logits, each sample by itself, and to tokens."""

    config: GATDiscriminatorConfig
    places: Tensor

    def __init__(self, config: GATDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        self.rows, columns = check_patches(spec.height, spec.width, config.patch, config.name)
        width = config.width
        self.map_channels = {self.rows: width}
        self.enter = nn.Linear(spec.channels * config.patch**2, width)
        self.register_buffer("places", sine_codes(self.rows, columns, width), persistent=False)
        self.class_token = nn.Parameter(torch.randn(width) * 0.02)
        self.rotary = Rotary(self.rows, columns, width // config.attention_heads)
        self.blocks = nn.ModuleList(GATJudgeBlock(width, config.attention_heads) for _ in range(config.depth))
        self.norm = RMSNorm(width)
        # without labels a bias would be the same for all, which the relativistic loss does not see
        self.out = nn.Linear(width, config.label_dim if spec.labels else 1, bias=bool(spec.labels))
        asked = {name: head for name, head in extra.heads.items() if head.tokens}
        self.token_heads = nn.ModuleDict({name: token_head(width, head) for name, head in asked.items()})
        xavier(self)
        self.embed = GATLabels(spec.labels, config.label_dim) if spec.labels else None

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits, maps and tokens; it draws none."""
        tokens = self.tokens(image)
        return DiscriminatorOutput(self.factors_of(tokens, labels).logits, maps=self.maps(tokens), tokens=tokens)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and the tokens as maps: rows r -> [N, width, r, r * W / H]."""
        factors, maps = self.factors(image, labels)
        return factors.logits, maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return the class token and what it is multiplied by, and the other tokens as maps."""
        tokens = self.tokens(image)
        return self.factors_of(tokens, labels), self.maps(tokens)

    def factors_of(self, tokens: Tensor, labels: Tensor | None) -> LogitFactors:
        """Return the class token of tokens [N, 1 + T, width], and the last layer, weighted by the label's embedding."""
        code = tokens[:, 0]
        with without_autocast(code):
            if self.embed is None:
                return LogitFactors(code, self.out.weight[0], 0.0)
            embedded = self.embed(require_labels(labels, self.spec.labels).to(code.dtype))
            return LogitFactors(code, embedded @ self.out.weight, embedded @ self.out.bias)

    def tokens(self, image: Tensor) -> Tensor:
        """Return the class token and the others of image [N, C, H, W], after the last block: [N, 1 + T, width] float32.

        They are normalized.
        """
        twice = self.is_differentiated_twice(image)
        with without_autocast(image):  # in bfloat16 a finite difference's step would be lost here
            patches = self.enter(to_patches(at_least_float32(image), self.config.patch)) + self.places
        x = torch.cat([self.class_token.expand(patches.shape[0], 1, -1), patches], dim=1)
        for block in self.blocks:
            x = run_block(block, x, self.rotary, twice, recompute=self.config.checkpointing and not twice)
        with without_autocast(x):
            return self.norm(at_least_float32(x))

    def is_differentiated_twice(self, image: Tensor) -> bool:
        """Whether a term differentiates with respect to the image while weights learn: then their gradient is a second
        derivative."""
        return image.requires_grad and any(parameter.requires_grad for parameter in self.parameters())

    def maps(self, tokens: Tensor) -> dict[int, Tensor]:
        """Return tokens [N, 1 + T, width], without the first, as maps of their resolution."""
        return {self.rows: to_map(tokens[:, 1:], self.rows)}

    def answers(self, said: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what each of its heads says of each token, [N, 1 + T, outputs] float32."""
        assert said.tokens is not None
        return {name: head(said.tokens).float() for name, head in self.token_heads.items()}

    def stages(self) -> list[nn.Module]:
        """Return the layer that the image enters by, each block, and what makes the logit."""
        return [self.enter, *self.blocks, nn.ModuleList([self.norm, self.out])]


class GATJudgeBlock(nn.Module):
    """A transformer block whose two branches have a learned factor for each channel, which starts small."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm0, self.attention = RMSNorm(width), Attention(width, heads)
        self.norm1, self.mlp = RMSNorm(width), SwiGLU(width, swiglu_width(width))
        self.scale0 = nn.Parameter(torch.full([width], LAYER_SCALE))  # LayerScale (arXiv 2103.17239)
        self.scale1 = nn.Parameter(torch.full([width], LAYER_SCALE))

    def forward(self, x: Tensor, rotary: Rotary, twice: bool) -> Tensor:
        """Map tokens x [N, T, width] to the same shape."""
        x = x + self.scale0 * self.attention(self.norm0(x), rotary, twice)
        return x + self.scale1 * self.mlp(self.norm1(x))


class GATLabels(nn.Module):
    """The embedding of labels, through two layers that learn a hundredth as fast as the rest."""

    def __init__(self, labels: int, width: int):
        super().__init__()
        self.embed = nn.Linear(labels, width, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.fc0, self.fc1 = SlowLinear(width, width), SlowLinear(width, width)

    def forward(self, labels: Tensor) -> Tensor:
        """Map labels [N, L] to [N, width]."""
        return self.fc1(F.silu(self.fc0(self.embed(labels))))


def token_head(width: int, head: Head) -> nn.Module:
    """Return a linear layer, or three with SiLU between, if the head has a width inside."""
    if not head.hidden:
        return nn.Linear(width, head.outputs)
    inside = nn.Linear(width, head.hidden), nn.Linear(head.hidden, head.hidden), nn.Linear(head.hidden, head.outputs)
    return nn.Sequential(inside[0], nn.SiLU(), inside[1], nn.SiLU(), inside[2])
