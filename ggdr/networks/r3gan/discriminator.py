"""The R3GAN discriminator: the generator's stages in reverse, then one logit per sample (arXiv 2501.05441, sec. 4)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.projection import require_labels
from ggdr.layers.stages import Staged
from ggdr.networks.base import ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.r3gan import R3GANDiscriminatorConfig
from ggdr.networks.r3gan.blocks import R3GANTransition, initialise, stage, stages_of
from ggdr.networks.size import pyramid_of
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast


class R3GANDiscriminator(Staged, Discriminator):
    """Maps images to logits, each sample by itself."""

    def __init__(self, config: R3GANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        resolutions, widths, blocks = stages_of(config, spec)
        self.map_channels = dict(zip(resolutions[:-1], widths, strict=False))
        self.fromimage = nn.Conv2d(spec.channels, widths[-1], 1, bias=False)
        initialise(self.fromimage, slope=1.0)
        for level, (resolution, width) in enumerate(zip(resolutions, widths, strict=True)):
            self.add_module(f"b{resolution}", stage(width, blocks[level], config, sum(blocks)))
            if level:
                self.add_module(f"down{resolution}", R3GANTransition(width, widths[level - 1], down=2))
        base = pyramid_of(spec.height, spec.width).size(0)
        self.gather = nn.Conv2d(widths[0], widths[0], base, groups=widths[0], bias=False)
        compared = (config.label_dim or widths[0]) if spec.labels else 1
        self.out = nn.Linear(widths[0], compared, bias=False)
        self.embed = nn.Linear(spec.labels, compared, bias=False) if spec.labels else None
        initialise(self.gather, slope=1.0)
        initialise(self.out, slope=1.0)
        if self.embed is not None:
            initialise(self.embed, compared**-0.5, slope=1.0)  # so that the sum over `compared` products starts small

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each stage's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        code, maps = self.code(image)
        with without_autocast(code):
            product = self.out(code)
            if self.embed is None:
                return product.flatten(), maps
            return product.mul(self.embed(require_labels(labels, self.spec.labels).float())).sum(dim=1), maps

    def code(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the image's last vector [N, C] float32, and each stage's maps."""
        x = self.fromimage(channels_last(image))
        x, maps = self.run_stage(self.spec.height, self.get_submodule(f"b{self.spec.height}"), x), {}
        for resolution in sorted(self.map_channels, reverse=True):
            x = self.run_stage(2 * resolution, self.get_submodule(f"down{2 * resolution}"), x)
            maps[resolution] = x = self.run_stage(resolution, self.get_submodule(f"b{resolution}"), x)
        with without_autocast(x):
            return self.gather(at_least_float32(x)).flatten(1), maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return the image's last vector, and the linear layer's weights, weighted by the label's embedding."""
        code, maps = self.code(image)
        with without_autocast(code):
            if self.embed is None:
                return LogitFactors(code, self.out.weight[0], 0.0), maps
            embedded = self.embed(require_labels(labels, self.spec.labels).float())
            return LogitFactors(code, embedded @ self.out.weight, 0.0), maps

    def stages(self) -> list[nn.Module]:
        """Return the first layer with its stage, each transition with the stage after it, and what makes the logit."""
        first = nn.ModuleList([self.fromimage, self.get_submodule(f"b{self.spec.height}")])
        others = [
            nn.ModuleList([self.get_submodule(f"down{2 * resolution}"), self.get_submodule(f"b{resolution}")])
            for resolution in sorted(self.map_channels, reverse=True)
        ]
        return [first, *others, nn.ModuleList([self.gather, self.out])]
