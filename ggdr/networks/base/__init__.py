"""What every network is: settings that can be listed without torch, and what it is built for."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.registry import Part, discriminators, encoders, generators, projectors

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Encoder, Generator, Projector, Translator
    from ggdr.ops.random_state import RandomState


class Head(NamedTuple):
    """A small network on a discriminator's last maps, beside its logit."""

    outputs: int
    """numbers it says of an image"""
    hidden: int = 0
    """width of a layer between; 0: none, it is linear"""
    detached: bool = False
    """while it learns, what lies below it does not learn from it"""
    tokens: bool = False
    """it says them of the class token and of each other token, of one that provides TOKENS"""


class ImageSpec(NamedTuple):
    """What the data says of its images, once: what every network of a run is built for."""

    height: int
    """image height, pixels"""
    width: int
    """image width, pixels"""
    channels: int = 3
    """image channels: 1 gray, 3 RGB, 4 RGBA, or any other number"""
    labels: int = 0
    """width of the label vector; 0: unconditional"""
    label_names: tuple[str, ...] = ()
    """names of the label vector's entries: of classes, or of attributes; empty: they are not known"""
    label_ranges: tuple[tuple[float, float], ...] = ()
    """least and greatest value of each entry among the data; empty: label vectors are one-hot, an entry a class"""
    classes: int = 0
    """K, of label maps: batches hold class numbers uint8 [N, 1, H, W] (255: ignored), which networks see one-hot, in
    as many `channels`, zero where ignored; channels beyond K are binary maps behind the numbers; 0: they are images"""
    text_encoder: str = ""
    """how label vectors are made of texts: "words", of which `label_names` are those that count; empty: they are not"""
    continuous: bool = False
    """batches hold float32 numbers as networks see them, such as vectors of features, of any range; False: pixels"""

    def unlabelled(self) -> ImageSpec:
        """Return the spec of the same images without labels."""
        return self._replace(labels=0, label_names=(), label_ranges=(), text_encoder="")


class ExtraOutputs(NamedTuple):
    """What the terms of a run ask of a discriminator beside its logit; it is built to give that and no more."""

    target_channels: dict[int, int] = {}
    """height r (pixels) -> channels of the generator's feature maps that a decoder is to draw"""
    heads: dict[str, Head] = {}
    """name -> a small network on the last maps"""
    class_logits: int = 0
    """channels of the logits of each pixel's class: K of a label map, and one of being a fake; 0: none are read"""


NO_EXTRA = ExtraOutputs()
"""terms ask for nothing beside the logit"""


class GeneratorOutput(NamedTuple):
    """What a generator hands over."""

    image: Tensor
    """[N, C, H, W] in [-1, 1]"""
    ws: Tensor | None = None
    """[N, L, W] style codes, the very tensor the image was made from"""
    features: dict[int, Tensor] = {}
    """resolution r (height in pixels) -> [N, K, r, r * W / H]"""
    scales: dict[int, Tensor] = {}
    """resolution r -> [N, C, r, r * W / H], the same images at smaller sizes, of a generator that makes them itself"""
    head_outputs: dict[str, Tensor] = {}
    """name -> [N, outputs], of heads that the network has beside the image, such as a translator's classifier"""
    intermediates: tuple[Tensor, ...] = ()
    """[N, C, H, W] each, the same images as earlier heads make them, the first head's first, of one that provides
    INTERMEDIATES; `image` is the last head's"""


class Code(NamedTuple):
    """What an encoder says of a batch of images: a normal distribution of codes, or the codes themselves."""

    mean: Tensor
    """[N, K]"""
    log_variance: Tensor | None = None
    """[N, K]; None: the mean is the code, and nothing is drawn"""

    def sample(self) -> Tensor:
        """Codes [N, K], drawn from torch's random state where there is a variance."""
        if self.log_variance is None:
            return self.mean
        return self.mean + torch.randn_like(self.mean) * (self.log_variance / 2).exp()


class LogitFactors(NamedTuple):
    """What the logit of a discriminator with a linear last layer is made of: code times direction, plus bias."""

    code: Tensor
    """[N, K] float32, what the last layer reads of each image"""
    direction: Tensor
    """[K], or [N, K] where labels have a say: that layer's weights"""
    bias: Tensor | float
    """[], or [N] where labels have a say"""

    @property
    def logits(self) -> Tensor:
        """[N], code times direction plus bias."""
        return (self.code * self.direction).sum(dim=1) + self.bias


class DiscriminatorOutput(NamedTuple):
    """What a discriminator says of a batch of images."""

    logits: Tensor
    """[N], or [N, P] of P heads or patches, higher is more real"""
    features: dict[int, Tensor] = {}
    """resolution r -> [N, K, r, r * W / H], drawn by its decoder"""
    target_features: dict[int, Tensor] = {}
    """the generator's feature maps, moved exactly as the image was before it was judged: what a decoder is to draw"""
    maps: dict[int, Tensor] = {}
    """resolution r -> [N, K, r, r * W / H], of its encoder, up to half of the image, where it provides PYRAMID"""
    head_outputs: dict[str, Tensor] = {}
    """name -> [N, outputs], of its heads, or [N, 1 + T, outputs] of those of tokens"""
    pixel_logits: Tensor | None = None
    """[N, 1, H, W], of each pixel, higher is more real, where its config provides PIXEL_LOGITS; None elsewhere"""
    image: Tensor | None = None
    """[N, C, H, W] what it judged, in a duel: augmented"""
    random_state: RandomState | None = None
    """torch's random state before the image was augmented and judged, where a term requires REPLAY; None elsewhere"""
    direction_logits: Tensor | None = None
    """[N], the logit by which the last layer's direction learns, where it provides DIRECTION_LOGITS; None elsewhere"""
    more_logits: tuple[Tensor, ...] = ()
    """[N, P] each, of further heads or scales, whose losses are means apart; empty: `logits` is all"""
    codes: Tensor | None = None
    """[N, K, h, w], what generators make images of, where its config provides ENCODE; None elsewhere"""
    layer_maps: tuple[tuple[Tensor, ...], ...] = ()
    """maps [N, K, h, w] of its layers from the image inwards, for each scale at which it judges, of one that has
    several scales, or layers that are not in `maps`; empty: `maps` is all"""
    class_logits: Tensor | None = None
    """[N, K + 1, H, W] of each pixel: a logit of each class of a label map, the last of being a fake; of one whose
    config provides CLASS_LOGITS: in a duel where a term reads them, and from D itself if it has them at hand"""
    label_map: Tensor | None = None
    """[N, K, H, W] of the image that was judged, if one is known, moved exactly as the image was; in a duel alone"""
    tokens: Tensor | None = None
    """[N, 1 + T, K] float32, the class token first, of one whose config provides TOKENS; None elsewhere"""


class Reconstruction(NamedTuple):
    """A picture that a discriminator drew from its maps of an image."""

    drawn: Tensor
    """[N, C, h, w] about [-1, 1]"""
    true: Tensor
    """[N, C, h, w] in [-1, 1], what it is to be"""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Part):
    """The settings of a network."""

    @classmethod
    def tiny(cls) -> Self:
        """The smallest settings worth testing: the shared tests build every registered network with them."""
        return cls()

    @property
    def outputs(self) -> int:
        """How many images it makes of one code, the last of which counts: of a generator; 1 but for INTERMEDIATES."""
        return 1

    def described(self) -> Self:
        """The settings as they stand beside saved weights: what is built from them fetches nothing."""
        return self

    def module(self, file: str) -> Any:
        """The class of the network, found by its name: `StarDiscriminatorConfig` in package P is of P.`file`.

        It is called StarDiscriminator then, and may also lie in the file of the settings themselves. Settings that only
        change another's defaults share its network. UserError, saying what to write, if there is none.
        """
        for settings in type(self).__mro__[: type(self).__mro__.index(NetworkConfig)]:
            if (found := network_class(settings, file)) is not None:
                return found
        name = type(self).__name__
        raise UserError(
            f"{name} has no network: write the class {name.removesuffix('Config')} in {type(self).__module__} or"
            f" {type(self).__module__}.{file}, or define {name}.build."
        )


def network_class(settings: type[NetworkConfig], file: str) -> Any:
    """The class that the name of settings stands for, beside them or in `file` of their package; None without one."""
    name = settings.__name__.removesuffix("Config")
    beside = vars(sys.modules[settings.__module__])
    if name in beside and beside[name] is not settings:
        return beside[name]
    try:
        return vars(importlib.import_module(f"{settings.__module__}.{file}")).get(name)
    except ModuleNotFoundError as error:
        if error.name != f"{settings.__module__}.{file}":
            raise
        return None


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(NetworkConfig):
    """The settings of a generator. `StarGeneratorConfig` builds StarGenerator of its package's generator.py."""

    registry = generators
    makes: ClassVar[bool] = True
    """whether there is one; False: it stands for none, in a game that brings one"""

    def build(self, spec: ImageSpec) -> Generator:
        """The network, freshly initialised; UserError if it cannot make such images."""
        return self.module("generator")(self, spec)


@dataclass(frozen=True, kw_only=True)
class TranslatorConfig(NetworkConfig):
    """The settings of a generator that makes images of images. `StarTranslatorConfig` builds StarTranslator."""

    registry = generators

    def without_code(self) -> Self:
        """The settings of one that takes no code, of one that can do without; else its own."""
        return self

    def build(self, spec: ImageSpec, source: ImageSpec) -> Translator:
        """The network, freshly initialised; `spec`: of what it makes, `source`: of what it takes.

        UserError if it cannot make such images of such.
        """
        return self.module("translator")(self, spec, source)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig(NetworkConfig):
    """The settings of a discriminator. `StarDiscriminatorConfig` builds StarDiscriminator of discriminator.py."""

    registry = discriminators
    judges: ClassVar[bool] = True
    """whether there is one; False: it stands for nobody, is never built, and D has no turn"""

    def build(self, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA) -> Discriminator:
        """The network, freshly initialised; UserError if it cannot judge such images, or give what is asked beside."""
        return self.module("discriminator")(self, spec, extra)


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(NetworkConfig):
    """The settings of an encoder: images to codes. `StarEncoderConfig` builds StarEncoder of its package's encoder.py.

    A game that has one takes it as a field, and sets `code_dim` where another network settles how wide codes are.
    """

    registry = encoders
    encodes: ClassVar[bool] = True
    """whether there is one; False: it stands for none, and is never built"""

    code_dim: int = 8
    """width of its codes"""
    class_names: tuple[str, ...] = ()
    """names of classes, whose odds are the first numbers of a code; a semi-supervised game sets them to the data's"""
    space: Literal["z", "w", "w+"] = "z"
    """what its codes are to the generator: latent codes, a style for all layers, or one for each; the game sets it"""

    def build(self, spec: ImageSpec) -> Encoder:
        """The network, freshly initialised; UserError if it cannot read such images."""
        return self.module("encoder")(self, spec)


@dataclass(frozen=True, kw_only=True)
class ProjectorConfig(NetworkConfig):
    """The settings of a projector. `StarProjectorConfig` builds StarProjector of its package's projector.py."""

    registry = projectors
    widths: tuple[int, ...] = ()
    """channels of each map whose features it projects; a game sets them to those of its translator's encoder"""

    def build(self, spec: ImageSpec) -> Projector:
        """The network, freshly initialised; `spec`: of the images that the maps are of."""
        return self.module("projector")(self, spec)
