"""The game of SGAN: generators that invert a frozen encoder, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

from ggdr.errors import UserError, at, not_negative
from ggdr.features.base import Embedder, Extractor
from ggdr.features.digits import Digits
from ggdr.games.standard import StandardGame
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import (
    DiscriminatorConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPGeneratorConfig
from ggdr.networks.stacked import StackedGeneratorConfig
from ggdr.play.codes import as_images, code_spec
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.stack import FeatureDuel, LevelDuel
from ggdr.play.term import State
from ggdr.play.view import Reals
from ggdr.registry import Capability, games


@games.register("stack", paper="1612.04357")
@dataclass(frozen=True, kw_only=True)
class StackGame(StandardGame):
    """Classes to features of a frozen classifier to images: a generator and a judge each (Huang et al. 2017, SGAN).

    The recipe's generator makes images of features, another one features of classes; regularizers `conditional` and
    `entropy` hold them together. The model is both, one generator with class labels; the classifier is in no model.
    """

    extractor: Extractor = Digits()
    """the frozen classifier, whose classes are the data's: digits, emoji, or one that provides `classes` and `smooth`;
    features are those of its last hidden layer"""
    features: GeneratorConfig = field(default_factory=MLPGeneratorConfig)
    """makes features of classes"""
    discriminator_features: DiscriminatorConfig = field(default_factory=MLPDiscriminatorConfig)
    """judges features; `discriminator` judges images"""
    joint_kimg: float | None = 0.0
    """thousands of reals after which the lower generator is given what the upper one makes, and both learn of it; until
    then what the classifier finds in the reals; None: always that (independent training)"""
    levels: Literal[1, 2] = 2
    """generators of the stack; 1: images are made of classes at once, as the paper's ablation has it (table 2)"""
    turns: ClassVar = ("d", "g")
    provides: ClassVar = LevelDuel.provides

    def __post_init__(self) -> None:
        if self.joint_kimg is not None:
            not_negative(self, "joint_kimg")

    @cached_property
    def loaded(self) -> dict[torch.device, Embedder]:
        """The classifier on each device where it has been asked for."""
        return {}

    def start(self, device: torch.device) -> State:
        self.encoder(device)  # now, so that missing weights are told now
        return {}

    def encoder(self, device: torch.device) -> Embedder:
        """The classifier on a device, loaded at first use; UserError if it is not at hand."""
        if device not in self.loaded:
            with at("game"):
                for capability in (Capability.CLASSES, Capability.SMOOTH):
                    self.extractor.check_provides(capability)
            with at("game.extractor"), device:  # also where networks are only tried on the meta device
                self.loaded[device] = self.extractor.load(device)
        return self.loaded[device]

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The stack and its judges; UserError if the images have no classes, or others than the classifier tells."""
        settings = self.of_noise(generator)
        if len(domains) > 1:
            raise UserError(f"game {self.name!r} has images of one kind, and the data has {', '.join(domains)}.")
        (spec,) = domains.values()
        self.check_classes(spec)
        judges = {"discriminator": discriminator.build(spec.unlabelled(), extra)}
        if self.levels == 1:
            return Networks({"d": judges, "g": {"generator": settings.build(spec)}})
        width = self.encoder(torch.device("cpu")).width
        stacked = StackedGeneratorConfig(features=self.features, image=settings, width=width).build(spec)
        judges["discriminator_features"] = self.discriminator_features.build(
            code_spec(width), ExtraOutputs(heads=extra.heads)
        )
        return Networks({"d": judges, "g": {"generator": stacked}})

    def check_classes(self, spec: ImageSpec) -> None:
        """UserError if the labels are not as many classes as the classifier tells."""
        if not spec.labels or spec.label_ranges:
            what = "labels that are no classes" if spec.labels else "no labels"
            raise UserError(
                f"game {self.name!r} makes images of classes, and the data has {what}: give classes, such as"
                " --data.labels of digits, or take --game standard."
            )
        encoder = self.encoder(torch.device("cpu"))
        with torch.device("cpu"):
            told = encoder.classify(torch.zeros(1, encoder.width)).shape[1]
        if told != spec.labels:
            raise UserError(
                f"game {self.name!r} inverts a classifier, and feature extractor {self.extractor.name!r} tells"
                f" {told} classes where the data has {spec.labels}: take one that was trained on these classes"
                " (--game.extractor), or data of its classes."
            )

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """The duel of features, then that of images; of images alone where there is one level."""
        (reals,) = batch.values()
        images, labels = reals
        assert labels is not None
        stack, judge = networks["generator"], networks["discriminator"]
        if self.levels == 1:
            return [
                LevelDuel(
                    stack, judge, images, labels, context, above=lambda: labels, find=self.classes, finds_classes=True
                )
            ]
        with torch.no_grad():
            known = self.rows(images)
        upper = FeatureDuel(
            stack.features,
            networks["discriminator_features"],
            as_images(known),
            labels,
            context,
            name="features",
            above=lambda: labels,
            find=lambda made: self.encoder(made.device).classify(made.flatten(1)),
            finds_classes=True,
        )
        joint = self.joint_kimg is not None and context.kimg >= self.joint_kimg
        lower = LevelDuel(
            stack.image,
            judge,
            images,
            labels,
            context,
            name="images",
            above=(lambda: upper.fake.image.flatten(1)) if joint else (lambda: known),
            find=self.rows,
            finds_classes=False,
        )
        return [upper, lower]

    def rows(self, images: Tensor) -> Tensor:
        """What the classifier's last hidden layer says of images [N, C, H, W] in [-1, 1]: features [N, K] float32."""
        return self.encoder(images.device)((images.float() + 1) * 127.5).rows

    def classes(self, images: Tensor) -> Tensor:
        """Logits of the classes [N, L] of images [N, C, H, W] in [-1, 1]."""
        return self.encoder(images.device).classify(self.rows(images))
