"""What every prior is: a distribution of codes, drawn by what it makes of noise ~ N(0, 1) of the same width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.registry import Part, priors


class Parted(NamedTuple):
    """A code's parts, one after the other."""

    categories: tuple[Tensor, ...]
    """[N, k] of each category, one-hot in a code that was drawn"""
    uniform: Tensor
    """[N, uniform] in [-1, 1]"""
    rest: Tensor
    """[N, what is left]"""


@dataclass(frozen=True, kw_only=True)
class Prior(Part):
    """The settings of a distribution of codes.

    Codes are a function of noise ~ N(0, 1), so that whatever draws noise for a generator, by seed or in a walk, draws
    from any prior.
    """

    registry = priors

    def check(self, width: int, labels: int = 0) -> None:
        """UserError if it has no codes of this width; `labels`: width of those that choose among them, 0: none do."""

    def codes(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Codes [N, K] of noise [N, K] ~ N(0, 1).

        `labels` [N, L], one-hot: where these choose among parts of the distribution; None: all of it.
        """
        raise NotImplementedError

    @property
    def explained(self) -> int:
        """Width of the parts of a code that mean something by themselves, its first numbers."""
        return 0

    def parts(self, codes: Tensor) -> Parted:
        """The parts of codes [N, K], or of anything as wide that speaks of these; all is rest, unless it has some."""
        return Parted((), codes[:, :0], codes)

    def variations(self, codes: Tensor) -> dict[str, Tensor]:
        """Codes [N, K] of which one part is made another, by what a grid calls it."""
        return {}

    def check_plane(self, width: int) -> None:
        """UserError unless codes have two numbers, of a prior that lies in the plane."""
        if width != 2:
            raise UserError(
                f"prior {self.name!r} lies in the plane, and the generator takes codes of {width} numbers: give it two,"
                " its z_dim 2, or take --game.prior gaussian."
            )
