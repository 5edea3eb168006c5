"""The frozen half of Projected GAN's discriminator: a model of timm, and random mixing of its features."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.networks.timm import TimmDiscriminatorConfig, library
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import interpolate

PATIENCE_SEC = 5.0
"""Seconds that the Hub may take to answer."""


class FrozenModule(nn.Module):
    """A module that never learns: it stays in evaluation, and its weights take no gradient."""

    def train(self, mode: bool = True) -> FrozenModule:
        """Stay in evaluation, whatever `mode` is."""
        return super().train(False)


class Backbone(FrozenModule):
    """Maps images to the feature maps of a timm model, the largest first."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: TimmDiscriminatorConfig, spec: ImageSpec):
        super().__init__()
        gray = spec.channels in (1, 3)  # repeated where a model wants RGB; of others its first layer is adapted
        self.network = create_model(config, 3 if gray else spec.channels)
        settings = self.network.pretrained_cfg
        resolution = config.resolution or settings["input_size"][-1]
        longer = max(spec.height, spec.width)
        self.size = tuple(max(round(resolution * edge / longer), 1) for edge in (spec.height, spec.width))
        for name in ("mean", "std"):
            values = torch.tensor(settings[name])
            values = values if gray else values.mean().expand(spec.channels)
            self.register_buffer(name, values.reshape(1, -1, 1, 1).contiguous(), persistent=False)
        self.levels = choose_maps(config, self.network.feature_info.reduction())
        self.channels = [self.network.feature_info.channels()[level] for level in self.levels]
        self.requires_grad_(False).train()
        with torch.no_grad():
            blank = self(torch.zeros(1, spec.channels, *self.size))
        self.sizes = [tuple(maps.shape[2:]) for maps in blank]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map image [N, C, H, W] in [-1, 1] to maps [N, channels[i], *sizes[i]], resized and normalized as timm
        expects."""
        if image.shape[2:] != self.size:
            image = F.interpolate(image, self.size, mode="bilinear", antialias=True)
        x = ((image + 1) / 2 - self.mean) / self.std
        maps = self.network(channels_last(x))
        found = [maps[level] for level in self.levels]
        return [
            each if each.shape[1] == channels else each.movedim(-1, 1)  # some transformers put channels last
            for each, channels in zip(found, self.channels, strict=True)
        ]


class RandomFeatureMixing(FrozenModule):
    """Random convolutions that mix features over channels and scales (arXiv 2111.01007, sec. 3.2)."""

    def __init__(self, channels: list[int], kind: str):
        """Draw the weights; `channels`: of the maps, the largest maps first; they stay the same."""
        super().__init__()
        across = [] if kind == "none" else channels
        self.channels = nn.ModuleList(random_conv(each, each, 1) for each in across)
        pairs = zip(channels[1:], channels, strict=False) if kind == "scales" else ()
        self.scales = nn.ModuleList(random_conv(lower, upper, 3) for lower, upper in pairs)
        self.requires_grad_(False).train()

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Mix maps to as many of the same shapes: smaller ones are upsampled, convolved and added to the next
        larger."""
        if len(self.channels):
            maps = [conv(each) for conv, each in zip(self.channels, maps, strict=True)]
        mixed = list(maps)
        for level in reversed(range(len(self.scales))):
            height, width = maps[level].shape[2:]
            mixed[level] = maps[level] + self.scales[level](interpolate(mixed[level + 1], (height, width), "bilinear"))
        return mixed


def random_conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Return a convolution with the weights of He et al. 2015, which preserve variance."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    return conv


def create_model(config: TimmDiscriminatorConfig, channels: int) -> Any:
    """Return the timm model with the requested weights; UserError if they are not available."""
    timm = library()
    name = config.model
    model, _, tag = name.partition(".")
    known = timm.list_pretrained(f"{model}.*")
    if not timm.is_model(model) or tag and name not in known:
        close = difflib.get_close_matches(name, known or timm.list_pretrained(), n=3, cutoff=0.3)
        raise UserError(f"timm has no model {name!r}; near it are {', '.join(close) or 'none'}.")
    # on the meta device, where it is only seen whether parts fit, it is enough that the weights are at hand
    file = own_weights(name) if config.weights == "pretrained" else None
    loads = file is not None and torch.empty(0).device.type != "meta"
    overlay = {"file": str(file), "hf_hub_id": None} if loads else {}
    try:
        return timm.create_model(
            name, pretrained=loads, features_only=True, in_chans=channels, pretrained_cfg_overlay=overlay
        )
    except (AttributeError, RuntimeError, TypeError) as error:
        raise UserError(f"timm's {name} gives no feature maps here: {error}; choose another model.") from error


def own_weights(name: str) -> Path:
    """Return the file of a model's weights, from the Hub if it is not on this machine; UserError, soon, without it."""
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    settings = library().get_pretrained_cfg(name)
    repo, file = settings and settings.hf_hub_id, "model.safetensors"
    if not repo:
        raise UserError(f"timm has no weights of {name!r} on the Hub; choose another model, or weights random.")
    if isinstance(found := try_to_load_from_cache(repo, file, constants.HF_HUB_CACHE), str):
        return Path(found)
    address = f"{constants.ENDPOINT}/{repo}/resolve/main/{file}"
    try:
        if constants.HF_HUB_OFFLINE:
            raise OSError("HF_HUB_OFFLINE is set")
        # the Hub's client would try for most of a minute before it gives up
        urlopen(Request(address, method="HEAD", headers={"User-Agent": "ggdr"}), timeout=PATIENCE_SEC).close()
        return Path(hf_hub_download(repo, file))
    except OSError as error:  # so are those of the Hub's client
        raise UserError(
            f"the weights of timm's {name} are not on this machine and cannot be fetched from {address} ({error}): go"
            " online once, or set the discriminator's weights to random (--discriminator.weights random)."
        ) from error


def choose_maps(config: TimmDiscriminatorConfig, reductions: list[int]) -> list[int]:
    """Return the indices of the maps to judge, given each map's reduction of the image; UserError if there is none."""
    places = range(len(reductions))
    if strange := sorted(set(config.scales) - set(places)):
        raise UserError(f"timm's {config.model} has the scales 0 to {len(places) - 1}, not {strange}; set `scales`.")
    return sorted(set(config.scales)) or list(places)[-4:]
