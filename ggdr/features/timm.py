"""Features of any image model of the timm library."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ggdr.errors import UserError, setting
from ggdr.features.base import Embedder, Extractor, Features, PatchEmbedder, Patches
from ggdr.features.pixels import normalize, resize, rgb
from ggdr.features.weights import fingerprint, hf_file, hub_file, read_weights
from ggdr.lazy import Tensor, torch
from ggdr.networks.timm import library
from ggdr.registry import Capability, extractors

if TYPE_CHECKING:
    from collections.abc import Callable


@extractors.register("timm")
@dataclass(frozen=True, kw_only=True)
class Timm(Extractor):
    """Any model of timm by its name, up to its classifier (Wightman 2019, github.com/huggingface/pytorch-image-models).

    Images are resized whole to the model's own side, not cropped, and normalised as it was trained.
    """

    model: str = "resnet50.a1_in1k"
    """name of the model and, after a dot, of its weights"""
    weights: str | None = None
    """file of the weights; None: from the cache of the Hub, fetched if they are not there"""
    random: bool = False
    """use random weights, equal each time: for tests that need no trained features"""
    provides: ClassVar = frozenset({Capability.SMOOTH, Capability.PATCHES})

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if there is no such model or its weights are not at hand."""
        return TimmEmbedder(self.built(), device)

    def patch_width(self) -> int:
        """The width of a token of a transformer, or the channels of another's last map."""
        with torch.device("meta"):
            return int(library().create_model(check_name(self.model), pretrained=False, num_classes=0).num_features)

    def load_patches(self, device: torch.device) -> PatchEmbedder:
        """The network; UserError if there is no such model or its weights are not at hand."""
        return TimmPatches(self.built(), device)

    def built(self) -> TimmModel:
        """The model with its weights; UserError if there is no such model or they are not at hand."""
        if self.random and self.weights is not None:
            raise UserError("random weights and a file of weights are given; choose one.")
        return random_model(self.model) if self.random else model(self.model, self.weights)


class TimmModel(NamedTuple):
    """A model of timm with its weights; it has a classifier only if that was requested."""

    network: torch.nn.Module
    name: str
    weights: str
    """name or file of the weights, for protocols"""
    resolution: int | None = None
    """height and width of its input, pixels; None: those its weights were trained with"""


class TimmEmbedder(Embedder):
    """Computes features by a model of timm, after its own preprocessing."""

    def __init__(self, built: TimmModel, device: torch.device, filter: str | None = None):
        """`filter`: of the resizing; None: the model's own."""
        timm = library()
        config = timm.data.resolve_model_data_config(built.network)
        self.network: Any = built.network.to(device).eval().requires_grad_(False)
        self.resolution, self.mean, self.std = (
            built.resolution or config["input_size"][-1],
            config["mean"],
            config["std"],
        )
        self.filter = filter or ("bilinear" if config["interpolation"] == "bilinear" else "bicubic")
        self.weights_hash = fingerprint(self.network.state_dict())
        self.width = self.embed(torch.zeros(1, 3, 8, 8, device=device)).shape[1]
        self.protocol = {
            "network": built.name,
            "weights": built.weights,
            "resolution": self.resolution,
            "resize": f"{self.filter}, antialiased (torch), not cropped",
            "range": f"less {list(self.mean)}, over {list(self.std)}",
            "layer": "last before the classifier",
            "library": f"timm {timm.__version__}",
        }

    def __call__(self, images: Tensor) -> Features:
        return Features(self.embed(rgb(images).float()))

    def embed(self, images: Tensor) -> Tensor:
        """Features [N, D] of float images [N, 3, H, W] in [0, 255]."""
        pixels = normalize(resize(images, self.resolution, self.resolution, self.filter), self.mean, self.std)
        return self.network.forward_head(self.network.forward_features(pixels), pre_logits=True).flatten(1)


class TimmPatches(PatchEmbedder):
    """Computes the tokens, or the last map, of a model of timm, after its own preprocessing."""

    def __init__(self, built: TimmModel, device: torch.device, filter: str | None = None):
        """`filter`: of the resizing; None: the model's own."""
        config = library().data.resolve_model_data_config(built.network)
        self.network: Any = built.network.to(device).eval().requires_grad_(False)
        self.resolution = built.resolution or config["input_size"][-1]
        self.filter = filter or ("bilinear" if config["interpolation"] == "bilinear" else "bicubic")
        # on the device from here on, so that no step copies them there
        self.mean, self.std = (255 * torch.tensor(config[of], device=device).view(-1, 1, 1) for of in ("mean", "std"))

    def __call__(self, images: Tensor) -> Patches:
        pixels = resize(rgb(images), self.resolution, self.resolution, self.filter)
        made = self.network.forward_features((pixels - self.mean) / self.std)
        if made.ndim == 4:
            maps = made if made.shape[1] == self.network.num_features else made.permute(0, 3, 1, 2)
            return Patches(maps.mean(dim=(2, 3)), maps)
        first = self.network.num_prefix_tokens
        parts = made[:, first:].transpose(1, 2)
        whole = made[:, 0] if first else parts.mean(dim=2)
        return Patches(whole, parts.unflatten(2, (int(parts.shape[2] ** 0.5), -1)))


def model(
    name: str,
    weights: str | None,
    *,
    classes: int = 0,
    resolution: int | None = None,
    adapt: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
) -> TimmModel:
    """Load timm's model `name` with the weights of a file (None: its own, found or fetched).

    `classes`: of its classifier; 0: none. `resolution`: of its input in pixels, None: its own. `adapt`: done to the
    weights before they are loaded. UserError if there is no such model or its weights are not at hand or another's.
    """
    path = weights or str(own_weights(name))
    state = read_weights(path)
    state = dict(adapt(state)) if adapt else state
    try:
        network = create(name, classes, resolution, state)
    except (RuntimeError, KeyError) as error:
        raise UserError(f"{path!r} holds the weights of another network than timm's {name}.") from error
    return TimmModel(network, name, Path(path).name if weights else f"timm/{name}", resolution)


def random_model(name: str) -> TimmModel:
    """Build timm's model `name` with random weights, equal each time; UserError if there is no such model."""
    return TimmModel(create(check_name(name), 0, None, None), name, "random, seed 0")


def create(name: str, classes: int, resolution: int | None, state: Mapping[str, Tensor] | None) -> torch.nn.Module:
    """Build the model; without `state` its weights are random, equal each time."""
    given: dict[str, Any] = {} if resolution is None else {"img_size": resolution}
    overlay = {} if state is None else {"state_dict": dict(state), "custom_load": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return library().create_model(
            name, pretrained=state is not None, num_classes=classes, pretrained_cfg_overlay=overlay, **given
        )


def own_weights(name: str) -> Path:
    """Return the file of a model's own weights, fetched if it is not on this machine; UserError if that fails."""
    config = library().get_pretrained_cfg(check_name(name))
    if config is None or not (config.hf_hub_id or isinstance(config.url, str)) or config.custom_load:
        raise UserError(
            f"timm has no weights of {name!r} that can be read safely; choose another model, or give a file by"
            f" {setting('weights')} FILE."
        )
    if config.hf_hub_id:
        return hf_file(config.hf_hub_id, "model.safetensors", f"timm's {name}")
    return hub_file(str(config.url), f"timm's {name}")


def check_name(name: str) -> str:
    """Return the name if timm has such a model; UserError with the nearest names if not."""
    timm = library()
    model, _, tag = name.partition(".")
    if timm.is_model(model) and (not tag or name in timm.list_pretrained(f"{model}.*")):
        return name
    names = timm.list_pretrained(f"{model}.*" if timm.is_model(model) else "")
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or names[:3]
    raise UserError(f"timm has no model {name!r}; near it are {', '.join(close)}.")
