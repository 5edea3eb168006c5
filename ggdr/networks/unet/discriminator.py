"""The U-Net discriminator: an encoder, a decoder that predicts G's feature maps (arXiv 2207.13320, fig. 3), and
heads."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.stages import Staged
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.networks.unet.heads import Heads
from ggdr.networks.wrappers import discriminator as around
from ggdr.ops.precision import at_least_float32, without_autocast
from ggdr.registry import Capability


class UNetDiscriminator(around.WrapperDiscriminator):
    """Adds to an encoder a decoder, which draws feature maps when they are requested, and heads."""

    def __init__(self, config: UNetDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra, spec)
        # what an encoder provides was built into it
        classes = 0 if Capability.CLASS_LOGITS in config.encoder.provides else extra.class_logits
        self.decoder = UNetDecoder(config, self.map_channels, extra.target_channels, classes)
        asked = {name: head for name, head in extra.heads.items() if not head.tokens}  # those are the encoder's
        heads = {} if Capability.HEADS in config.encoder.provides else asked
        self.code_resolution = min(self.map_channels, default=0)
        self.heads = Heads(self.map_channels.get(self.code_resolution, 0), heads)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits, and feature maps of `resolutions`, if any.

        UserError if a resolution is not one the decoder was built to draw.
        """
        said = self.encoder(image, labels)
        drawn = self.decoder(said.maps, resolutions) if resolutions else {}
        # spelled out: the compiler of torch 2.9 cannot follow `_replace`
        return DiscriminatorOutput(
            said.logits,
            drawn,
            said.target_features,
            said.maps,
            {**said.head_outputs, **self.head_outputs(said.maps)},
            said.pixel_logits,
            said.image,
            direction_logits=said.direction_logits,
            more_logits=said.more_logits,
            codes=said.codes,
            layer_maps=said.layer_maps,
            class_logits=said.class_logits,
            tokens=said.tokens,
        )

    def class_logits(self, said: DiscriminatorOutput) -> Tensor:
        """Return logits [N, K + 1, H, W] float32, which the decoder draws now, unless the encoder provides them."""
        return self.decoder.class_logits(said.maps) if self.decoder.classes else super().class_logits(said)

    def head_outputs(self, maps: dict[int, Tensor]) -> dict[str, Tensor]:
        """What its heads say of the means of the smallest maps; nothing where it has none."""
        return self.heads(maps[self.code_resolution].float().mean(dim=(2, 3))) if self.heads else {}


class UNetDecoder(Staged):
    """Decoder from the smallest maps up: each step concatenates the encoder's maps, convolves and upsamples."""

    def __init__(
        self, config: UNetDiscriminatorConfig, encoder: dict[int, int], targets: dict[int, int], classes: int = 0
    ):
        """`encoder`: resolution -> channels of what it reads; `targets`: of what it draws, up to the largest.

        `classes`: channels of the logits of pixels, for which it goes on to the whole image; 0: none.
        """
        super().__init__()
        check_resolutions(targets, encoder)
        self.targets, self.base = dict(targets), min(encoder, default=0)
        self.whole = 2 * max(encoder, default=0)
        last = self.whole if classes else max(targets, default=0)
        self.resolutions = [2 * resolution for resolution in sorted(encoder) if 2 * resolution <= last]
        if self.base in targets:  # drawn from the encoder's maps of this resolution, which nothing is doubled to reach
            step = EqualizedConv2d(encoder[self.base], targets[self.base], config.kernel, activation=config.activation)
            self.add_module(f"b{self.base}", step)
        previous = 0
        for resolution in self.resolutions:
            # the last doubling may reach the whole image, where the encoder has no maps to take the width from
            width = encoder.get(resolution) or targets.get(resolution, encoder[resolution // 2])
            in_channels = previous + encoder[resolution // 2]
            step = EqualizedConv2d(in_channels, width, config.kernel, activation=config.activation, up=2)
            self.add_module(f"b{resolution}", step)
            if targets.get(resolution, width) != width:
                self.add_module(f"project{resolution}", EqualizedConv2d(width, targets[resolution], 1))
            previous = width
        self.classes = EqualizedConv2d(previous, classes, 1) if classes else None

    def forward(self, maps: dict[int, Tensor], resolutions: tuple[int, ...]) -> dict[int, Tensor]:
        """The encoder's maps to drawn maps, resolution r -> [N, targets[r], r, r * W / H] float32."""
        if strange := set(resolutions) - set(self.targets):
            raise ValueError(f"no decoder for the resolutions {sorted(strange)}; built for {sorted(self.targets)}.")
        drawn = {}
        if self.base in resolutions:
            step = self.get_submodule(f"b{self.base}")
            drawn[self.base] = self.run_stage(self.base, step, maps[self.base]).float()
        for resolution, x in self.steps(maps, max(resolutions)):
            if resolution in resolutions:
                drawn[resolution] = self.project(x, resolution).float()
        return drawn

    def steps(self, maps: dict[int, Tensor], last: int) -> Iterator[tuple[int, Tensor]]:
        """Yield each resolution up to the last, and the decoder's own maps there, before they get their channels."""
        x = None
        for resolution in (resolution for resolution in self.resolutions if resolution <= last):
            below = maps[resolution // 2]
            x = below if x is None else torch.cat([x, below], dim=1)
            x = self.run_stage(resolution, self.get_submodule(f"b{resolution}"), x)
            yield resolution, x

    def class_logits(self, maps: dict[int, Tensor]) -> Tensor:
        """The encoder's maps to logits of the whole image's pixels [N, classes, H, W] float32."""
        assert self.classes is not None
        *_, (_, x) = self.steps(maps, self.whole)
        with without_autocast(x):
            return self.classes(at_least_float32(x))

    def project(self, x: Tensor, resolution: int) -> Tensor:
        """x with the target's number of channels."""
        project = self._modules.get(f"project{resolution}")
        return x if project is None else self.run_stage(resolution, project, x)


def check_resolutions(targets: dict[int, int], encoder: dict[int, int]) -> None:
    """UserError if the target has a side that neither the encoder's smallest maps have nor doubling reaches."""
    possible = [*sorted(encoder)[:1], *(2 * resolution for resolution in sorted(encoder))]
    if strange := sorted(set(targets) - set(possible)):
        raise UserError(
            f"a U-Net decoder cannot draw feature maps of resolution {strange}; set the term's among {possible}."
        )
