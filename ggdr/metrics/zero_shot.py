"""Zero-shot learning: are classes recognised of which no example was seen, by examples that were generated?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.lazy import F, Tensor, torch
from ggdr.metrics.base import Metric, Numbers
from ggdr.registry import Capability, metrics
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData, Rows

PENALTY = 0.1
"""factor of the squares of the regression's coefficients"""
CHUNK = 1024
"""vectors whose distances to all others are in memory at a time"""


def foretold(seen: Rows, classes: Tensor) -> Tensor:
    """Means [C, K] of classes with label vectors [C, L], by ridge regression of those that were seen on theirs."""
    assert seen.labels is not None
    known, places = seen.labels.unique(dim=0, return_inverse=True)
    means = torch.stack([seen.images.flatten(1)[places == place].mean(0) for place in range(len(known))]).double()
    given, asked = (F.pad(each.double(), (0, 1), value=1.0) for each in (known, classes))  # with a constant
    gram = given.T @ given + PENALTY * torch.eye(given.shape[1], dtype=torch.float64)
    return (asked @ torch.linalg.solve(gram, given.T @ means)).float()


def share_right(told: Tensor, true: Tensor, classes: int) -> float:
    """Mean over classes of the share of their members that were told right."""
    return float(torch.stack([(told == place)[true == place].double().mean() for place in range(classes)]).mean())


@metrics.register("zero_shot", paper="1712.01381")
@dataclass(frozen=True, kw_only=True)
class ZeroShot(Metric):
    """Accuracy on classes that were never seen, by the nearest of vectors generated for them (Zhu et al. 2018, sec. 4).

    The generator makes `per_class` vectors of each class that the data holds out, and a held-out example is taken to be
    of the class that most of its `neighbours` nearest are of. `accuracy` is the mean over classes of the share that is
    right, `chance` one over their number. `regression` is the accuracy without a generator: of the nearest of the means
    that ridge regression (a penalty of 0.1) foretells of the label vectors, by those of the classes that were seen.
    """

    per_class: int = 60
    """generated vectors of each class"""
    neighbours: int = 1
    """how many nearest vectors vote"""
    better: ClassVar = "higher"
    baselines: ClassVar = frozenset({"chance", "regression"})
    requires: ClassVar = frozenset({Capability.GENERATOR})
    against: ClassVar = frozenset()

    def __post_init__(self) -> None:
        above_zero(self, "per_class", "neighbours")

    def numbers(self, data: EvalData) -> Numbers:
        """It looks at none of the images that others compare."""
        return Numbers(0, 0)

    def prepare(self, data: EvalData) -> None:
        """UserError if there is no generator of classes, or the data holds none out."""
        spec = None if data.generator is None else data.generator.spec
        if spec is None or not spec.labels or not spec.continuous or data.both_parts is None:
            raise UserError(
                f"{self.name} asks a generator for classes that the data holds out: measure one that takes classes, of"
                " --data vectors with --data.unseen NAMES, or leave it out."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return the accuracy on held-out classes, chance, and the regression's accuracy, shares from 0 to 1."""
        self.prepare(data)
        assert data.generator is not None and data.both_parts is not None
        seen, held_out = data.both_parts()
        assert held_out.labels is not None
        classes, true = held_out.labels.unique(dim=0, return_inverse=True)  # what is known of each tells it
        vectors = held_out.images.flatten(1)
        made = self.generated(data, classes.to(next(data.generator.parameters()).device))
        told = {
            "accuracy": self.nearest(vectors.to(made.device), made),
            "regression": self.nearest(vectors, foretold(seen, classes)[:, None]),
        }
        shares = {name: share_right(each.cpu(), true, len(classes)) for name, each in told.items()}
        return {"accuracy": shares["accuracy"], "chance": 1 / len(classes), "regression": shares["regression"]}

    def generated(self, data: EvalData, classes: Tensor) -> Tensor:
        """Vectors [classes, n, K] of the labels of classes [classes, L], drawn by the evaluation's seed alone."""
        generator = data.generator
        assert generator is not None
        with torch.random.fork_rng([classes.device] if classes.device.type == "cuda" else []):
            torch.manual_seed(word(data.seed))
            z = torch.randn(len(classes) * self.per_class, generator.z_dim).to(classes.device)
        with torch.no_grad():
            made = generator(z, classes.repeat_interleave(self.per_class, 0)).image
        return made.float().view(len(classes), self.per_class, -1)

    def nearest(self, vectors: Tensor, made: Tensor) -> Tensor:
        """The class [N] that most of the nearest of made [classes, n, K] are of; of a tie, the nearest's."""
        classes, count, _ = made.shape
        votes_of = torch.arange(classes, device=made.device).repeat_interleave(count)
        neighbours = min(self.neighbours, classes * count)
        favour = torch.linspace(1e-6, 0, neighbours, device=made.device).double()[:, None]
        found = []
        for some in vectors.split(CHUNK):
            near = torch.cdist(some, made.flatten(0, 1)).topk(neighbours, largest=False).indices
            votes = F.one_hot(votes_of[near], classes).double()
            found.append((votes * (1 + favour)).sum(1).argmax(1))
        return torch.cat(found)
