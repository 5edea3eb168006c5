"""Fitting a recipe to its data: defaults that depend on the images, and whether the parts go together.

Networks are built on the meta device, so nothing is allocated before it is known that they fit.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple, TypeVar

from ggdr.errors import UserError, at, setting
from ggdr.networks.base import NO_EXTRA, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.wrappers import WrapperConfig
from ggdr.ops.shapes import shapes_only
from ggdr.play.game import Game, Networks
from ggdr.play.term import Adaptive, Term
from ggdr.recipe import Recipe
from ggdr.registry import Capability, discover, discriminators, games, generators, listed
from ggdr.schedules.base import Schedule
from ggdr.transfer.freeze import check_stages

Of = TypeVar("Of", bound=Adaptive)


class Fitted(NamedTuple):
    """A recipe whose parts fit its images."""

    recipe: Recipe
    """a copy in which nothing is left open"""
    domains: Mapping[str, ImageSpec]
    """what the networks are built for, the last of which is to be made"""
    extra: ExtraOutputs
    """what its terms ask of discriminators beside a logit"""
    reasons: dict[str, str]
    """part -> what was filled in, and why"""
    parameters: dict[str, int]
    """network -> number of weights"""


def fit(recipe: Recipe, domains: Mapping[str, ImageSpec]) -> Fitted:
    """Fit a recipe to the images of its domains; UserError, in one sentence, if its parts do not go together."""
    check_judge(recipe)
    for name, term in recipe.terms().items():
        check_turns(recipe, name, term)
        check_requires(recipe, name, term)
        check_label_map(recipe, name, term, domains)
    for part in recipe.parts():
        part.check_recipe(recipe)
    check_stages_of_precision(recipe)
    moving: dict[str, str] = {}
    written = with_schedules(recipe, recipe.total_kimg, "", moving)
    spec = [*domains.values()][-1]
    recipe, reasons = resolved(written, spec)
    with shapes_only():
        networks = build(recipe, domains, NO_EXTRA)
        makers = makers_of(networks)
        recipe, aimed = aimed_at(recipe, written, makers[0], spec)
        reasons |= aimed
        extra = extra_outputs(recipe, domains, makers)
        if extra != NO_EXTRA:
            networks = build(recipe, domains, extra)
    check_learning(recipe, networks)
    recipe.game.check_networks(networks, frozenset().union(*(term.requires for term in recipe.terms().values())))
    judges = networks.learning.get("d", {})
    check_stages(judges, recipe.freeze_d)
    for term in recipe.terms().values():
        term.check_networks(list(judges.values()))
    sizes = {name: sum(p.numel() for p in network.parameters()) for name, network in networks.named().items()}
    return Fitted(
        recipe, domains, extra, {name: reason for name, reason in (reasons | moving).items() if reason}, sizes
    )


def build(recipe: Recipe, domains: Mapping[str, ImageSpec], extra: ExtraOutputs) -> Networks:
    """The networks of the recipe's game, freshly initialised, for these domains and with these extra outputs."""
    return recipe.game.build_networks(recipe.generator, recipe.discriminator, domains, extra)


def makers_of(networks: Networks) -> list[Any]:
    """Those that make images among the networks that learn; where none of them does, among the frozen ones."""
    learning = {name: network for nets in networks.learning.values() for name, network in nets.items()}
    found = [[n for n in nets.values() if n.config.registry is generators] for nets in (learning, networks.frozen)]
    return found[0] or found[1]


def extra_outputs(recipe: Recipe, domains: Mapping[str, ImageSpec], makers: Sequence[Any]) -> ExtraOutputs:
    """What terms ask of discriminators beside a logit; UserError if one of the `makers` has no such feature maps."""
    terms, spec = recipe.terms(), [*domains.values()][-1]
    for name, term in terms.items():
        for maker in makers:
            check_resolutions(recipe, name, term, maker)
    channels = makers[0].feature_channels
    targets = {r: channels[r] for term in terms.values() for r in term.feature_resolutions()}
    heads = {head: what for term in terms.values() for head, what in term.heads(spec, makers[0]).items()}
    asked = any(Capability.CLASS_LOGITS in term.requires for term in terms.values())
    classes = max(spec.classes for spec in domains.values()) + 1 if asked else 0
    return ExtraOutputs(targets, heads, classes)


def check_turns(recipe: Recipe, name: str, term: Term) -> None:
    """UserError if a term has no loss, or none on a turn that the game has."""
    kind, turns = term.registry.kind, recipe.turns
    if not term.turns:
        raise UserError(f"{kind} {name!r} has no loss; write d_loss(self, duel), g_loss, or both.")
    if not {*term.turns} & {*turns}:
        judged = "" if recipe.discriminator.judges else " without a discriminator"
        raise UserError(
            f"{kind} {name!r} has a loss for {' and '.join(term.turns)}, whose turn it never is in game"
            f" {recipe.game.name!r}{judged}, which has {' and '.join(turns)}: {drop(recipe, term)}."
        )


def check_judge(recipe: Recipe) -> None:
    """UserError if loss, game and discriminator disagree on whether there is one, or a setting is about none."""
    game, discriminator, loss = recipe.game, recipe.discriminator, recipe.loss
    if discriminator.judges and not loss.adversarial:
        raise UserError(
            f"loss {loss.name!r} trains no discriminator, and discriminator {discriminator.name!r} is one: take"
            " --discriminator none as well, or a loss, such as --loss least_squares."
        )
    if loss.adversarial and not discriminator.judges:
        raise UserError(
            f"loss {loss.name!r} reads what a discriminator says, and discriminator {discriminator.name!r} is none:"
            " take --loss none as well, or a discriminator, such as --discriminator patch."
        )
    if discriminator.judges and game.judges == "never":
        raise UserError(
            f"game {game.name!r} is played without a discriminator: take --discriminator none --loss none in place of"
            f" {discriminator.name!r} and {loss.name!r}."
        )
    if discriminator.judges:
        return
    if game.judges == "always":
        discover()
        able = sorted(name for name, other in games.items() if issubclass(other, Game) and other.judges != "always")
        raise UserError(
            f"game {game.name!r} needs a discriminator, and discriminator {discriminator.name!r} is none: take"
            " another and a loss, such as --discriminator patch --loss least_squares, or a game that does without,"
            f" --game {' or '.join(able)}."
        )
    for term in recipe.regularizers.values():
        if term.reads_logits:
            raise UserError(
                f"regularizer {term.name!r} reads a discriminator's logits, and there is none: {drop(recipe, term)}."
            )
    idle = {"augment": recipe.augment.acts, "n_critic": recipe.n_critic > 1, "freeze_d": recipe.freeze_d > 0}
    idle["game.fresh_reals"] = game.fresh_reals
    if told := [setting(name) for name, given in idle.items() if given]:
        raise UserError(
            f"{' and '.join(told)} {'is' if len(told) == 1 else 'are'} of a discriminator, and there is none: leave"
            f" {'it' if len(told) == 1 else 'them'} out, or take a discriminator and a loss."
        )


def check_learning(recipe: Recipe, networks: Networks) -> None:
    """UserError if networks are to learn on a turn for which no term has a loss."""
    for turn, learning in networks.learning.items():
        if not any(turn in term.turns for term in recipe.terms().values()):
            raise UserError(
                f"nothing trains {' and '.join(learning)} on {turn}'s turn in game {recipe.game.name!r}: add a"
                f" regularizer that has a loss there, {turn}_loss."
            )


def resolved(recipe: Recipe, spec: ImageSpec) -> tuple[Recipe, dict[str, str]]:
    """The recipe with nothing left open, and part -> what was chosen and why, "" for nothing.

    Its parts are copies: a run gives them a state, and the recipe that a person holds may start another run.
    """
    reasons = {}

    def of(name: str, part: Of) -> Of:
        """A part's copy without anything left open."""
        with at(recipe.path(name)):
            chosen, reasons[name] = part.resolve(spec, recipe.batch_size)
        return copy.copy(chosen)

    loss = of(recipe.loss.name, recipe.loss)
    regularizers = {name: of(name, term) for name, term in recipe.regularizers.items()}
    augment, game = of("augment", recipe.augment), of("game", recipe.game)
    return replace(recipe, loss=loss, regularizers=regularizers, augment=augment, game=game), reasons


def aimed_at(recipe: Recipe, written: Recipe, maker: Any, spec: ImageSpec) -> tuple[Recipe, dict[str, str]]:
    """The recipe whose terms read feature maps that the maker has, where they may choose; and term -> what they read.

    `written`: the recipe before anything in it was chosen.
    """
    found, told = dict(recipe.regularizers), {}
    for name, term in written.regularizers.items():
        if (aimed := term.among(maker)) is not term:
            found[name] = copy.copy(aimed.resolve(spec, recipe.batch_size)[0])
            told[name] = f"resolutions {aimed.feature_resolutions()}, of those of generator {maker.config.name!r}"
    return (replace(recipe, regularizers=found), told) if told else (recipe, told)


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
    """UserError if the networks and the duels of the game do not provide what a term requires."""
    generator, discriminator = recipe.generator, recipe.discriminator
    missing = term.requires - generator.provides - discriminator.provides - recipe.game.provides
    if not missing:
        return
    raise UserError(
        f"{term.registry.kind} {name!r} requires {listed(missing)}; generator {generator.name!r} provides"
        f" {listed(generator.provides)}, discriminator {discriminator.name!r} provides"
        f" {listed(discriminator.provides)}: {remedy(recipe, term, missing)}."
    )


def check_label_map(recipe: Recipe, name: str, term: Term, domains: Mapping[str, ImageSpec]) -> None:
    """UserError if a term reads label maps and the data has none."""
    if Capability.LABEL_MAP in term.requires and not any(spec.classes for spec in domains.values()):
        raise UserError(
            f"{term.registry.kind} {name!r} requires a label map of the reals, and the data has {', '.join(domains)}"
            " alone: take data of label maps and images, such as --data openmoji --data.task label_map, or --data pairs"
            f" with --data.maps.of a; or {drop(recipe, term)}."
        )


def remedy(recipe: Recipe, term: Term, missing: frozenset[Capability]) -> str:
    """What to do about a term whose requirements are not met: wrap D, take another network, or drop the term."""
    instead = drop(recipe, term)
    discover()
    encoder = recipe.discriminator
    wanted = term.requires - recipe.generator.provides - recipe.game.provides
    for name, part in sorted(discriminators.items()):
        if issubclass(part, WrapperConfig) and part.requires <= encoder.provides and wanted <= part.around(encoder):
            return (
                f"wrap it: discriminator={part.__name__}(encoder={type(encoder).__name__}(...)) in the recipe, or on"
                f" the command line --discriminator {name} --discriminator.encoder {encoder.name}; or {instead}"
            )
    for registry in (discriminators, generators, games):
        if able := sorted(name for name, part in registry.items() if missing <= part.provides):
            return f"take --{registry.kind} {' or '.join(able)}; or {instead}"
    return instead


def drop(recipe: Recipe, term: Term) -> str:
    """How to do without a term."""
    if term is recipe.loss:
        return "take another loss, such as --loss non_saturating"
    return f"drop it: {recipe.flag(term)} none"


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
