"""Fitting a recipe to its data: defaults that depend on the images, and whether the parts go together.

Networks are built on the meta device, so nothing is allocated before it is known that they fit.
"""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple, TypeVar

import torch

from ggdr.errors import UserError, at, setting
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.wrappers import WrapperConfig
from ggdr.play.duel import Duel
from ggdr.play.term import Adaptive, Term
from ggdr.recipe import Recipe
from ggdr.registry import Capability, discover, discriminators, generators, listed
from ggdr.schedules.base import Schedule
from ggdr.transfer.freeze import check_stages

Of = TypeVar("Of", bound=Adaptive)


class Fitted(NamedTuple):
    """A recipe whose parts fit its images."""

    recipe: Recipe
    """a copy in which nothing is left open"""
    spec: ImageSpec
    """what the networks are built for"""
    extra: ExtraOutputs
    """what its terms ask of discriminators beside a logit"""
    reasons: dict[str, str]
    """part -> what was filled in, and why"""
    parameters: dict[str, int]
    """network -> number of weights"""


def fit(recipe: Recipe, spec: ImageSpec) -> Fitted:
    """Fit a recipe to images; UserError, in one sentence, if its parts do not go together."""
    for name, term in recipe.terms().items():
        check_requires(recipe, name, term)
    for part in recipe.parts():
        part.check_recipe(recipe)
    check_stages_of_precision(recipe)
    moving: dict[str, str] = {}
    recipe = with_schedules(recipe, recipe.total_kimg, "", moving)
    recipe, reasons = resolved(recipe, spec)
    terms = recipe.terms()
    with torch.device("meta"):
        generator = recipe.game.of_noise(recipe.generator).build(spec)
        for name, term in terms.items():
            check_resolutions(recipe, name, term, generator)
        targets = {r: generator.feature_channels[r] for term in terms.values() for r in term.feature_resolutions()}
        heads = {head: what for term in terms.values() for head, what in term.heads(spec, generator).items()}
        extra = ExtraOutputs(targets, heads)
        networks = recipe.game.build_networks(recipe.generator, recipe.discriminator, spec, extra)
    check_stages(networks["d"], recipe.freeze_d)
    for term in terms.values():
        term.check_networks(list(networks["d"].values()))
    sizes = {name: sum(p.numel() for p in net.parameters()) for nets in networks.values() for name, net in nets.items()}
    return Fitted(recipe, spec, extra, {name: reason for name, reason in (reasons | moving).items() if reason}, sizes)


def resolved(recipe: Recipe, spec: ImageSpec) -> tuple[Recipe, dict[str, str]]:
    """The recipe with nothing left open, and part -> what was chosen and why, "" for nothing.

    Its parts are copies: a run gives them a state, and the recipe that a person holds may start another run.
    """
    reasons = {}

    def of(name: str, part: Of) -> Of:
        """A part's copy without anything left open."""
        chosen, reasons[name] = part.resolve(spec, recipe.batch_size)
        return copy.copy(chosen)

    loss = of(recipe.loss.name, recipe.loss)
    regularizers = {name: of(name, term) for name, term in recipe.regularizers.items()}
    return replace(recipe, loss=loss, regularizers=regularizers, augment=of("augment", recipe.augment)), reasons


def with_schedules(owner: Any, total_kimg: float, path: str, told: dict[str, str]) -> Any:
    """A dataclass whose schedules, at any depth, have nothing left open; `told` takes each in words, by its path.

    UserError, which names the setting, if one of them does not fit a run of `total_kimg` thousand reals.
    """
    changes: dict[str, Any] = {}
    for name in (field.name for field in fields(owner)):
        value, place = vars(owner)[name], f"{path}{name}"
        if isinstance(value, Schedule):
            with at(place):
                changes[name] = value.resolve(total_kimg)
            told[place] = str(changes[name])
        elif isinstance(value, dict):
            held = {
                key: with_schedules(item, total_kimg, f"{place}.{key}.", told) if is_dataclass(item) else item
                for key, item in value.items()
            }
            changes |= {name: held} if held != value else {}
        elif is_dataclass(value):
            changes |= {name: inner} if (inner := with_schedules(value, total_kimg, f"{place}.", told)) != value else {}
    return replace(owner, **changes) if changes else owner


def check_requires(recipe: Recipe, name: str, term: Term) -> None:
    """UserError if a term has no loss, or the networks do not provide what it requires."""
    generator, discriminator = recipe.generator, recipe.discriminator
    if not term.turns:
        raise UserError(f"{term.registry.kind} {name!r} has no loss; write d_loss(self, duel), g_loss, or both.")
    missing = term.requires - generator.provides - discriminator.provides - Duel.provides
    if not missing:
        return
    raise UserError(
        f"{term.registry.kind} {name!r} requires {listed(missing)}; generator {generator.name!r} provides"
        f" {listed(generator.provides)}, discriminator {discriminator.name!r} provides"
        f" {listed(discriminator.provides)}: {remedy(recipe, term, missing)}."
    )


def remedy(recipe: Recipe, term: Term, missing: frozenset[Capability]) -> str:
    """What to do about a term whose requirements are not met: wrap D, take another network, or drop the term."""
    drop = "take another loss, such as --loss non_saturating"
    if term is not recipe.loss:
        drop = f"drop it: {recipe.flag(term)} none"
    discover()
    encoder = recipe.discriminator
    wanted = term.requires - recipe.generator.provides - Duel.provides
    for name, part in sorted(discriminators.items()):
        if issubclass(part, WrapperConfig) and part.requires <= encoder.provides and wanted <= part.around(encoder):
            return (
                f"wrap it: discriminator={part.__name__}(encoder={type(encoder).__name__}(...)) in the recipe, or on"
                f" the command line --discriminator {name} --discriminator.encoder {encoder.name}; or {drop}"
            )
    for registry in (discriminators, generators):
        if able := sorted(name for name, part in registry.items() if missing <= part.provides):
            return f"take --{registry.kind} {' or '.join(able)}; or {drop}"
    return drop


def check_stages_of_precision(recipe: Recipe) -> None:
    """UserError if a network is to keep some stages in float32 and has no stages that can be told apart."""
    for part in (recipe.generator, recipe.discriminator) if recipe.bf16_stages is not None else ():
        if Capability.STAGES not in part.provides:
            discover()
            able = sorted(name for name, other in part.registry.items() if Capability.STAGES in other.provides)
            raise UserError(
                f"{setting('bf16_stages')} is {recipe.bf16_stages}, and {part.registry.kind} {part.name!r} provides no"
                f" stages of one resolution each: take {' or '.join(able)}, or leave bf16_stages out, so that all of"
                " it computes in bf16."
            )


def check_resolutions(recipe: Recipe, name: str, term: Term, generator: Generator) -> None:
    """UserError if a term reads feature maps that the generator does not have."""
    if missing := sorted(set(term.feature_resolutions()) - generator.feature_channels.keys()):
        raise UserError(
            f"{term.registry.kind} {name!r} reads feature maps of resolution {', '.join(map(str, missing))}; generator"
            f" {recipe.generator.name!r} has {', '.join(map(str, generator.feature_channels)) or 'none'} for images of"
            f" {generator.spec.height} x {generator.spec.width} px: set --regularizers.{name}.resolutions to those."
        )
