"""The game of adversarial autoencoders: codes are judged, not images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Literal

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.play.codes import CodeDuel, as_images, code_spec
from ggdr.play.decoded import ClassifiedDuel, DecodedDuel, Encoded, reconstruction
from ggdr.play.duel import NOBODY, Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.view import Reals, View, of_noise
from ggdr.priors.base import Prior
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.structured import Structured
from ggdr.registry import Capability, games


@games.register("autoencoder", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class AutoencoderGame(Game):
    """Adversarial autoencoder: codes of images are to be distributed as a prior (Makhzani et al. 2015).

    An encoder and the generator, which decodes, learn to make images again of their codes, by regularizer
    `image_reconstruction`; the discriminator judges codes, beside samples of the prior, and the encoder learns to fool
    it. `--discriminator none --loss none` is an autoencoder alone.

    Data of two domains, one with labels and one without (`--data semi_supervised`), make it semi-supervised (sec. 5):
    the first numbers of a code are probabilities of the classes, judged beside one-hot samples by a second
    discriminator, and learn from the labelled images by regularizer `classification`.
    """

    encoder: EncoderConfig = field(default_factory=ConvEncoderConfig)
    """an image to its code, as wide as the generator's `z_dim`; `stochastic` draws codes, as in a variational one"""
    prior: Prior = Gaussian()
    """what codes are to be distributed as"""
    labels: Literal["decoder", "prior"] = "decoder"
    """who is told labels, if the data has any: the decoder, whose code is the style that is left (sec. 4), or the
    discriminator, so that they choose where in the prior an image lies (sec. 2.3)"""
    turns: ClassVar = ("e", "d", "g")
    judges: ClassVar = "either"
    provides: ClassVar = DecodedDuel.provides | ClassifiedDuel.provides | CodeDuel.provides

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The encoder, its decoder, and a discriminator of each part of codes; UserError if the data is none for it."""
        spec, classes = [*domains.values()][-1], self.classes(domains)
        settings = self.of_noise(generator)
        told = not classes and spec.labels > 0 and self.labels == "prior"
        prior = Structured(categories=(len(classes),), rest=self.prior) if classes else self.prior
        if told or prior != Gaussian():
            chosen: Literal["prior", "generator"] = "prior" if told else "generator"
            settings = FromPriorGeneratorConfig(generator=settings, prior=prior, labels=chosen)
        decoder = settings.build(spec)
        found = replace(self.encoder, code_dim=decoder.z_dim, class_names=classes)
        encoder = found.build(spec.unlabelled())
        both, model = {"encoder": encoder, "generator": decoder}, ("generator", "encoder")
        if not discriminator.judges:
            return Networks({"e": both}, model=model)
        labelled = spec if told else None
        parts = {"z": decoder.z_dim - len(classes)} | ({"y": len(classes)} if classes else {})
        if not parts["z"]:
            raise UserError(
                f"game {self.name!r} has codes of {len(classes)} classes and a style, and the generator takes"
                f" {decoder.z_dim} numbers: give it more, such as --generator.z-dim {len(classes) + 10}."
            )
        judges = {
            f"discriminator_{part}": discriminator.build(code_spec(width, labelled), extra)
            for part, width in parts.items()
        }
        return Networks({"e": both, "d": judges, "g": {"encoder": encoder}}, model=model)

    def classes(self, domains: Mapping[str, ImageSpec]) -> tuple[str, ...]:
        """Names of the classes that are told of a labelled domain beside one without labels; none of one domain.

        UserError if two domains are other than that.
        """
        labelled, spec = [*domains.values()][0], [*domains.values()][-1]
        if len(domains) == 1:
            return ()
        if len(domains) > 2 or not labelled.labels or labelled.label_ranges or spec.labels:
            raise UserError(
                f"game {self.name!r} is played on images of one kind, or on a domain with labels of classes and one"
                f" without, and the data has {', '.join(domains)}: take other data, such as --data images or --data"
                " semi_supervised."
            )
        return labelled.label_names or tuple(map(str, range(labelled.labels)))

    def check_networks(self, networks: Networks, requires: frozenset[Capability]) -> None:
        """UserError if a term learns from labelled images and there are none apart."""
        if Capability.CLASSIFIED in requires and not networks["encoder"].config.class_names:
            raise UserError(
                f"game {self.name!r} tells classes where a domain has labels and another none: take --data"
                " semi_supervised, or drop regularizer 'classification'."
            )

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """The autoencoder's and the classifier's, on the turn on which they learn; else those of codes."""
        labelled, (images, labels) = [*batch.values()][0], [*batch.values()][-1]
        generator, encoder = networks["generator"], networks["encoder"]
        classes, encoded = len(encoder.config.class_names), Encoded(encoder, images, context)
        nobody: Any = NOBODY
        if context.turn == "e":
            again = DecodedDuel(generator, nobody, images, labels, context, encoded=encoded)
            told = Encoded(encoder, labelled.images, context)
            known = ClassifiedDuel(encoder, nobody, *labelled, context, name="classes", encoded=told)
            return [again, known] if classes else [again]
        shown = labels if self.labels == "prior" and not classes else None
        noise = torch.randn(len(images), generator.z_dim, device=images.device)
        prior = generator.codes(noise, shown)
        parts = {"z": ("codes", slice(classes, None))} | ({"y": ("classes", slice(0, classes))} if classes else {})
        return [
            CodeDuel(
                encoder,
                networks[f"discriminator_{part}"],
                as_images(prior[:, place]),
                shown,
                context,
                name=name,
                find=partial(part_of, encoded, place),
            )
            for part, (name, place) in parts.items()
        ]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """What is made of codes of the prior, and what becomes of images on the way to their codes and back."""
        encoder, generator, domain = networks["encoder"], networks["generator"], domains[-1]
        return {
            "fakes": of_noise(generator, domain),
            "reconstruction": reconstruction(encoder, generator, domain),
        }


def part_of(encoded: Encoded, place: slice) -> Tensor:
    """The numbers of the codes that were found at a place [N, k]."""
    return encoded.codes[:, place]
