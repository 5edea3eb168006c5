"""A Phase: the terms of one turn that share a rhythm; one optimizer step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.play.term import Term, Turn
from ggdr.registry import Capability


@dataclass(frozen=True)
class Phase:
    """One update of one player, by the terms that are due."""

    turn: Turn
    every: int
    """runs at each N-th step"""
    terms: Mapping[str, Term]
    """by the name under which their losses are logged"""
    repeats: int = 1
    """updates when it is due, each on fresh reals: n_critic in D's main phase"""
    strength: int = 1
    """factor of its losses: as often as its player's main phase updates between two runs of it"""
    first: int = 0
    """place of its first batch of reals among those of a step"""

    @property
    def name(self) -> str:
        """Such as "g", or "d every 16"."""
        return self.turn if self.every == 1 else f"{self.turn} every {self.every}"

    @property
    def reals(self) -> slice:
        """Its batches of reals among those of a step, one an update."""
        return slice(self.first, self.first + self.repeats)

    @property
    def requires(self) -> frozenset[Capability]:
        """What its terms need."""
        return frozenset().union(*(term.requires for term in self.terms.values()))

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Sides of the feature maps its terms read, pixels."""
        return tuple(sorted({resolution for term in self.terms.values() for resolution in term.feature_resolutions()}))

    @property
    def float32(self) -> bool:
        """Whether a term of it differentiates a gradient, so that it runs without autocast."""
        return any(term.float32 for term in self.terms.values())

    def check_gradients(self, losses: Mapping[str, Tensor]) -> None:
        """UserError if a term's loss has no gradient; a zero passes beside one that has: it is off at this step."""
        constant = [name for name, loss in losses.items() if not loss.requires_grad]
        for name in constant:
            if len(constant) == len(losses) or losses[name] != 0:
                raise UserError(
                    f"{self.terms[name].registry.kind} {name!r} gives no gradient to {self.turn} on {self.turn}'s turn:"
                    f" compute its {self.turn}_loss from what depends on {self.turn.upper()}'s weights, such as"
                    " duel.on_fake.logits, without detach() or item()."
                )


def phases(
    terms: Mapping[str, Term], n_critic: int = 1, fresh_reals: bool = False, turns: Sequence[Turn] = ("g", "d")
) -> list[Phase]:
    """Group terms by turn and rhythm; in the order of a step: G main, G lazy, D main (`n_critic` times), D lazy.

    `turns`: the game's, in the order of a step; of a term that joins others too, those count for nothing.

    `fresh_reals`: G's phases meet one batch more, which follows D's `n_critic`, instead of the first of those.
    """
    groups: dict[tuple[Turn, int], dict[str, Term]] = defaultdict(dict)
    for name, term in terms.items():
        for turn in term.turns:
            groups[turn, term.every][name] = term
    found = []
    in_play = (group for group in groups if group[0] in turns)
    for turn, every in sorted(in_play, key=lambda group: (turns.index(group[0]), group[1])):
        updates = n_critic if turn == "d" else 1
        repeats, strength = (updates, 1) if every == 1 else (1, every * updates)
        first = n_critic if fresh_reals and turn == "g" else 0
        found.append(Phase(turn, every, groups[turn, every], repeats, strength, first))
    return found
