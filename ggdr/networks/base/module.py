"""The base classes of networks: what they take, hand over, and how they are saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from ggdr.errors import UserError
from ggdr.layers.equalized import clip_weights
from ggdr.layers.norm import moments, update_statistics
from ggdr.layers.spectral import update_spectral_norms as follow_norms
from ggdr.networks.base import (
    NO_EXTRA,
    Code,
    DiscriminatorConfig,
    DiscriminatorOutput,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    GeneratorOutput,
    ImageSpec,
    LogitFactors,
    NetworkConfig,
    ProjectorConfig,
    Reconstruction,
    TranslatorConfig,
)
from ggdr.ops.version import TORCH
from ggdr.priors.base import Prior

COMPILES = (2, 12)
"""the oldest torch whose compiler is right: 2.9, 2.10 and 2.11 make other fakes in `training/test_compiling.py`"""


class Network(nn.Module):
    """A network that knows the settings and the images it was built for."""

    extra: ExtraOutputs | None = None
    """what terms ask of it beside its logit; None: it is no discriminator"""
    source: ImageSpec | None = None
    """the images that it takes; None: it is no translator"""
    feature_channels: dict[int, int] = {}
    """resolution (height in pixels) -> channels of the feature maps that one which makes images can hand over"""
    size_divisor: int = 0
    """both sides of images that it translates, or encodes, are multiples of this, pixels; 0: it takes one size alone"""
    precision: torch.dtype = torch.float32
    """what a pipeline that is made of it computes in, until it is told otherwise"""

    def __init__(self, config: NetworkConfig, spec: ImageSpec):
        super().__init__()
        self.config, self.spec = config, spec

    def rebuild(self, spec: ImageSpec) -> Network:
        """A fresh network of the same settings for other images."""
        raise NotImplementedError

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        *,
        revision: str | None = None,
        torch_dtype: torch.dtype | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """The network of this base class in a folder or a Hub repository "org/name", in eval mode, float32.

        `ggdr.Generator.from_pretrained`, of a Discriminator, of a Translator: of a run, checkpoint or model. Only JSON
        and safetensors are read. `torch_dtype`: what a pipeline that is made of it computes in; weights stay float32.
        UserError if there is no such network.
        """
        from ggdr.saving.pretrained import Hub, load_one

        network = load_one(name_or_path, cls, Hub(revision, token, local_files_only))
        network.precision = torch_dtype or torch.float32
        return network

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Make the folder hold config.json and model.safetensors, and nothing else.

        OSError if the disk refuses, UserError if there is something else in it.
        """
        from ggdr.saving.pretrained import save_model

        save_model(self, Path(save_directory).expanduser())

    def compile_in_place(self) -> None:
        """Let torch.compile its passes; names of weights stay, and so does every draw.

        RuntimeError without a C++ compiler, at the first pass; UserError where torch's own is known to compute
        something else.
        """
        if TORCH < COMPILES:
            least = ".".join(map(str, COMPILES))
            raise UserError(
                f"torch {torch.__version__} compiles networks that then make other images; install torch {least} or"
                " newer, or go without."
            )
        self.compile(options={"fallback_random": True})

    def unwrap(self) -> Network:
        """The network that names are compared with when weights come from another: what wraps one says which."""
        return self

    def grow(self, level: float) -> None:
        """Play at a level: whole doublings above the base, and the next one's share; of one that provides GROW.

        Images keep their full size, and so do the maps it names; a fresh network is at its highest level.
        """
        raise NotImplementedError

    def after_update(self, kimg: float) -> None:
        """Called after each update of its weights: spectral normalization follows them by one power iteration.

        `kimg`: thousands of reals shown before the step, which `set_kimg` is told.
        """
        follow_norms(self)
        self.set_kimg(kimg)

    def set_kimg(self, kimg: float) -> None:
        """Follow its schedule, if it has one, in thousands of reals: PA-GAN draws more and more bits."""

    def resting(self, kimg: float) -> list[nn.Parameter]:
        """Its weights that learn nothing at this time, in thousands of reals; the same on every process.

        No gradient is computed for them, and no optimizer counts an update of them: they begin as fresh weights do.
        """
        return []

    def measure(self) -> dict[str, Tensor]:
        """Means of what it saw since the last call, for `after_step`; averaged over all micro-batches and processes.

        Of one with batch normalization `moments/NAME` [2, C], each such layer's mean and variance.
        """
        return moments(self)

    def check_resolutions(self, resolutions: tuple[int, ...]) -> None:
        """ValueError if a side is not one whose feature maps it has."""
        if strange := sorted(set(resolutions) - set(self.feature_channels)):
            raise ValueError(
                f"no feature maps of resolution {strange}; this generator has {sorted(self.feature_channels)}."
            )

    def after_step(self, stats: dict[str, Tensor]) -> None:
        """Take in the step's means (its own from `measure` among them), the same on every process."""
        update_statistics(self, stats)

    def rgb_weights(self) -> list[str]:
        """Names of weights that make shares of a sum which is the image, if it is one: such may start at zero."""
        return []

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What its weights are kept in."""
        return next(self.parameters()).dtype


class Generator(Network):
    """Noise to images. A subclass sets `z_dim` and, if its config provides G_FEATURES, `feature_channels`."""

    config: GeneratorConfig
    z_dim: int
    """width of the latent code"""
    w_dim: int = 0
    """width of a style code, of one whose config provides WS; else 0"""

    def rebuild(self, spec: ImageSpec) -> Generator:
        return self.config.build(spec)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] (None: unconditional) to images and the maps of `resolutions`.

        If its config provides TRUNCATION it also takes `psi` and `cutoff`, if it provides NOISE also `noise`, with the
        defaults and the meaning of `ggdr.sampling.SamplingOptions`, but that `psi` is a number (a tensor [] in a traced
        graph), and `noise` fresh by default.
        """
        raise NotImplementedError

    def codes(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The codes [N, z_dim] that noise z [N, z_dim] ~ N(0, 1) stands for: the noise itself, unless it has a prior.

        `labels` [N, L]: where these choose among the prior's codes.
        """
        return z

    def prior(self) -> Prior:
        """What its codes are drawn from, of one whose config provides PRIOR."""
        raise NotImplementedError

    def variations(self, z: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """By what a grid calls it: images of noise z [N, z_dim] of which one part of the code is made another.

        None, unless its prior has parts that mean something by themselves.
        """
        return {}

    def decode(
        self, codes: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Images of codes [N, z_dim], as `codes` makes them or an encoder finds them, and the maps of `resolutions`."""
        return self(codes, labels, resolutions=resolutions)

    def styles(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Style codes [N, L, W] of z [N, z_dim], of one whose config provides WS."""
        raise NotImplementedError

    @torch.no_grad()
    def num_style_codes(self) -> int:
        """How many style codes make an image, L, of one whose config provides WS."""
        label = torch.zeros(1, self.spec.labels, device=self.device) if self.spec.labels else None
        return self.styles(torch.zeros(1, self.z_dim, device=self.device), label).shape[1]

    def synthesize(self, ws: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Images [N, C, H, W] of style codes ws [N, L, W], with the same noise each time; of one that provides WS.

        If its config provides NOISE_MAPS, `maps` [H, W] or [N, 1, H, W] take the place of those of these names.
        """
        raise NotImplementedError

    def forward_from(self, maps: Tensor, resolution: int, w: Tensor) -> Tensor:
        """Images [N, C, H, W] of feature maps [N, K, r, r * W / H] of a side r, by the layers that follow them.

        w [N, w_dim]: the one style of all these layers. Noise is the same each time. Of one that provides FORWARD_FROM;
        ValueError if the resolution is none of its maps'.
        """
        raise NotImplementedError

    def noise_maps(self) -> dict[str, Tensor]:
        """Name -> the noise [H, W] that a layer keeps from the start, of one whose config provides NOISE_MAPS."""
        raise NotImplementedError

    def resolution_layers(self) -> dict[int, list[str]]:
        """Resolution r, the smallest first -> the names of its modules that make or read maps of that resolution.

        Of one whose config provides RESOLUTION_LAYERS; modules of no resolution, such as those that map z to style
        codes, are not among them.
        """
        raise NotImplementedError

    def input_matrices(self) -> list[Tensor]:
        """The matrices [K, D] by which its code enters its layers, of one whose config provides INPUT_MATRICES.

        One for each style code, all that it drives stacked, of one that provides WS; one for z of another.
        """
        raise NotImplementedError


class Translator(Network):
    """Images to images. A subclass sets `feature_channels` if its config provides G_FEATURES."""

    config: TranslatorConfig
    source: ImageSpec
    """the images that it takes; `spec` is of those that it makes"""
    z_dim: int = 0
    """width of the latent code that it takes beside the image; 0: none"""
    encoder_channels: tuple[int, ...] = ()
    """channels of each of its `encoder_maps`, of one whose config provides ENCODER_MAPS"""

    def __init__(self, config: TranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec)
        self.source = source

    def rebuild(self, spec: ImageSpec) -> Translator:
        return self.config.build(spec, self.source)

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """source [N, Cs, Hs, Ws] in [-1, 1] and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        `labels`: of the images to be made; None: unconditional. `z` [N, z_dim] ~ N(0, 1), of one whose z_dim is not 0.
        """
        raise NotImplementedError

    def encoder_maps(self, source: Tensor, labels: Tensor | None = None) -> list[Tensor]:
        """Maps [N, K, h, w] of its first layers, from the image itself inwards, with K as `encoder_channels` says.

        Of one whose config provides ENCODER_MAPS; arguments as of `forward`, of whose layers those that follow do not
        run. Places of maps are places of the image: a layer that looks at the whole image is none of these.
        """
        raise NotImplementedError

    def encode_content(self, source: Tensor) -> Tensor:
        """Where things are in source [N, Cs, Hs, Ws]: maps [N, K, h, w], of one whose config provides CONTENT_STYLE."""
        raise NotImplementedError

    def encode_style(self, images: Tensor) -> Tensor:
        """Style codes [N, z_dim] of images [N, C, H, W] as it makes them, of one whose config provides CONTENT_STYLE.

        Images may be of another size than it was built for.
        """
        raise NotImplementedError

    def decode(
        self, content: Tensor, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Images [N, C, H, W] of content [N, K, h, w] and style z [N, z_dim], of one that provides CONTENT_STYLE.

        The content may be that of another such translator, built for a source of the same size.
        """
        raise NotImplementedError

    def heat_map(self, source: Tensor, labels: Tensor | None = None) -> Tensor:
        """Where it looks in source [N, Cs, Hs, Ws], higher is more: [N, 1, h, w], of one whose config provides CAM."""
        raise NotImplementedError

    def translate(self, source: Tensor, labels: Tensor | None = None, code: Tensor | None = None) -> Tensor:
        """Images [N, C, H, W] of source [N, Cs, Hs, Ws] and labels [N, L]; `code` [N, z_dim]: None draws one of each.

        One whose z_dim is 0 takes no code; one whose config provides PLACE_CODES also a code of each place, [N, z_dim,
        Hs, Ws].
        """
        if code is None and self.z_dim:
            code = torch.randn(len(source), self.z_dim, device=source.device)
        return self(source, labels, z=code if self.z_dim else None).image


class Encoder(Network):
    """Images to codes, of as many numbers as `config.code_dim` says."""

    config: EncoderConfig

    def rebuild(self, spec: ImageSpec) -> Encoder:
        return self.config.build(spec)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Code:
        """images [N, C, H, W] in [-1, 1] and labels [N, L] (None: unconditional) to a code of each."""
        raise NotImplementedError

    def codes(self, said: Code, *, draw: bool = True) -> Tensor:
        """The codes [N, K] float32 that a generator decodes, of what `forward` said of images.

        Odds of classes become their probabilities. `draw`: the rest is drawn, by torch's random state, where there is a
        variance; else it is the mean.
        """
        code = (said.sample() if draw else said.mean).float()
        classes = len(self.config.class_names)
        return torch.cat([said.mean[:, :classes].float().softmax(1), code[:, classes:]], 1) if classes else code


class Projector(Network):
    """Features of a translator's maps to codes that are compared with each other; it learns, and is in no model."""

    config: ProjectorConfig

    def rebuild(self, spec: ImageSpec) -> Projector:
        return self.config.build(spec)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features of each map [N, P, K], of P places, with K as its config's `widths` say, to codes [N, P, codes].

        Codes have length 1 and are float32.
        """
        raise NotImplementedError


class Discriminator(Network):
    """Images to logits. One whose config provides PYRAMID writes `pyramid` and sets `map_channels`."""

    config: DiscriminatorConfig
    extra: ExtraOutputs
    map_channels: dict[int, int] = {}
    """resolution (height in pixels) -> channels of its encoder's maps, smallest resolution to half of the image"""
    code_spec: ImageSpec
    """what the codes of `encode` are, of one whose config provides ENCODE"""

    def __init__(self, config: DiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA):
        super().__init__(config, spec)
        self.extra = extra

    def rebuild(self, spec: ImageSpec) -> Discriminator:
        return self.config.build(spec, self.extra)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """image [N, C, H, W] in [-1, 1] and labels [N, L] to logits, and the maps of its pyramid.

        `resolutions`: the feature maps its decoder is to draw; one that has a decoder, or no pyramid, writes its own.
        """
        return self.output(*self.pyramid(image, labels), labels)

    def output(self, logits: Tensor, maps: dict[int, Tensor], labels: Tensor | None = None) -> DiscriminatorOutput:
        """All that it hands over beside logits and maps, from these: one that says more of its maps writes its own."""
        return DiscriminatorOutput(logits, maps=maps)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Logits, and the encoder's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        raise NotImplementedError

    def encode(self, images: Tensor) -> Tensor:
        """Codes [N, K, h, w], as `code_spec` says, of images [N, C, H, W], of one whose config provides ENCODE."""
        raise NotImplementedError

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """What its logits are the product of, and its maps as of `pyramid`; of one that provides LOGIT_FACTORS."""
        raise NotImplementedError

    def reconstruct(self, maps: dict[int, Tensor], image: Tensor) -> dict[str, Reconstruction]:
        """Pictures drawn from its maps of image [N, C, H, W], by name, of one whose config provides RECONSTRUCTION."""
        raise NotImplementedError

    def class_logits(self, said: DiscriminatorOutput) -> Tensor:
        """Logits [N, K + 1, H, W] of the pixels of what it has just judged; of one whose config provides CLASS_LOGITS.

        Those that it gave with its other logits. One that must still draw them from its maps writes its own.
        """
        assert said.class_logits is not None
        return said.class_logits

    def answers(self, said: DiscriminatorOutput) -> dict[str, Tensor]:
        """What its heads say of each token of what it has just judged, [N, 1 + T, outputs] by their names.

        Of one whose config provides TOKENS.
        """
        raise NotImplementedError

    def stages(self) -> list[nn.Module]:
        """Its parts from the image inwards, without decoder and what is only the labels'; none: it cannot be frozen."""
        return []

    def clip(self, limit: float) -> None:
        """Clamp the weights that make its logits to +-limit, as its layers use them (Wasserstein GAN)."""
        clip_weights(self, limit)
