"""The flags `--truncation-psi` and `--truncation-mean` of verbs that work on the codes of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ggdr.verbs.label_flags import LabelFlags

if TYPE_CHECKING:
    from ggdr.latent.codes import Codes
    from ggdr.networks.base.module import Generator


@dataclass(frozen=True)
class TruncationFlags(LabelFlags):
    """Which generator, which labels, and how far from the mean."""

    truncation_psi: float | None = None
    """truncation: 1 for the full variety, towards 0 for the mean image; None: as 1"""
    truncation_mean: Literal["all", "class"] = "all"
    """psi pulls towards the mean of all style codes, or of those of the image's own label"""

    def codes_of_seeds(self, generator: Generator, seeds: Sequence[int]) -> Codes:
        """The codes of seeds under the labels that are asked for; UserError if the generator does not take them."""
        from ggdr.latent.modes import centres_for, truncated_codes
        from ggdr.sampling import SamplingOptions

        rows = self.label_rows(generator.spec, len(seeds))
        centres = centres_for(generator, rows, self.truncation_mean)
        return truncated_codes(generator, seeds, rows, SamplingOptions(self.truncation_psi), centres)
