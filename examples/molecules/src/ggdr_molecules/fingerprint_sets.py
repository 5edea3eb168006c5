"""What a set of generated fingerprints is worth: MOSES' numbers, as far as they mean something without a molecule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.metrics.base import Metric, Numbers
from ggdr.registry import metrics

if TYPE_CHECKING:
    import numpy as np
    from ggdr.lazy import Tensor
    from ggdr.metrics.data import EvalData


@metrics.register("fingerprint_sets", paper="1811.12823")
@dataclass(frozen=True, kw_only=True)
class FingerprintSets(Metric):
    """Similarity to held-out molecules, diversity, uniqueness, novelty of fingerprints (after Polykovskiy et al. 2020).

    A number above 0 is a bit. `similarity`: Tanimoto similarity of each generated fingerprint to the nearest that was
    held out, in the mean (SNN). `diversity`: one less the mean similarity of all pairs of generated ones (IntDiv).
    `unique`: the share that differ. `novel`: the share of these that no training molecule has. `consistent`: the share
    that break none of the rules that hold of every molecule by the keys' definitions, such as "more than three oxygens,
    so more than two". That is necessary and far from enough: there is no validity of a fingerprint, for it is no
    molecule. Each name is followed by what the training molecules have (`..._data`), and fingerprints whose bits are
    drawn each by itself, as often as in the training set (`..._independent`): a model of bits has to beat that.
    """

    better: ClassVar = "higher"
    baselines: ClassVar = frozenset(
        f"{name}_{of}" for name in ("similarity", "diversity", "consistent") for of in ("data", "independent")
    )
    against: ClassVar = frozenset()

    def numbers(self, data: EvalData) -> Numbers:
        """It looks at none of the reals that others compare: it reads both parts of the data by itself."""
        return Numbers(0, data.fake.size(self.images))

    def prepare(self, data: EvalData) -> None:
        """UserError if nothing is held out, or these are no fingerprints."""
        from ggdr_molecules.maccs import BITS

        if data.both_parts is None or data.fake.make(range(1)).shape[1:] != (BITS, 1, 1):
            raise UserError(
                f"{self.name} compares fingerprints with some that are held out: measure a model of --data fingerprints"
                " with --data.hold-out N, or leave it out."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return the five shares, 0 to 1, and those of the training set and of independent bits."""
        from ggdr_molecules.maccs import diversity, independent

        assert data.both_parts is not None
        train, test = (as_bits(rows.images) for rows in data.both_parts())
        made = as_bits(data.fake.images(self.numbers(data).fake))
        drawn = independent(train, len(made), data.seed)
        some = train[: len(made)]
        found: dict[str, float] = {}
        for name, of in (("similarity", similarity), ("consistent", consistent_share)):
            each = [of(rows, test) for rows in (made, some, drawn)]
            found |= dict(zip((name, f"{name}_data", f"{name}_independent"), each, strict=True))
        found["unique"], found["novel"] = unique_and_novel(made, train)
        each = [diversity(rows) for rows in (made, some, drawn)]
        return found | dict(zip(("diversity", "diversity_data", "diversity_independent"), each, strict=True))


def as_bits(images: Tensor) -> np.ndarray:
    """Vectors [N, K, 1, 1] as bits [N, K] uint8: 1 above 0."""
    return (images.flatten(1) > 0).to("cpu").numpy().astype("uint8")


def similarity(bits: np.ndarray, test: np.ndarray) -> float:
    """Mean Tanimoto similarity of fingerprints [N, K] to the nearest of others [M, K] each."""
    from ggdr_molecules.maccs import nearest

    return float(nearest(bits, test)[1].mean())


def consistent_share(bits: np.ndarray, test: np.ndarray) -> float:
    """The share of fingerprints that obey all rules."""
    from ggdr_molecules.maccs import consistent

    return float(consistent(bits).mean())


def unique_and_novel(bits: np.ndarray, train: np.ndarray) -> tuple[float, float]:
    """The share of fingerprints [N, K] that differ, and of those the share that no row of `train` [M, K] is."""
    different, known = set(map(bytes, bits)), set(map(bytes, train))
    return len(different) / len(bits), len(different - known) / len(different)
