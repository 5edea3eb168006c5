"""What every metric is: settings, and numbers from the images and their features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ggdr.errors import UserError, above_zero, at, setting
from ggdr.features.base import Extractor
from ggdr.features.pixels import rgb
from ggdr.features.vgg16 import VGG16
from ggdr.features.weights import NoWeights
from ggdr.lazy import Tensor, torch
from ggdr.registry import Capability, Part, metrics

if TYPE_CHECKING:
    from ggdr.features.base import Embedder
    from ggdr.features.cache import FeatureCache
    from ggdr.metrics.data import EvalData

MEANWHILE = "swd and ms_ssim need no weights; nor do the features of `digits`, made for digits alone:"
"""what can be measured without any download, before the flag that takes these features"""


class Numbers(NamedTuple):
    """How many images a metric looks at."""

    real: int
    fake: int


@dataclass(frozen=True, kw_only=True)
class Metric(Part):
    """Compares generated images with real ones. A field `extractor` holds the features it reads, if it reads any."""

    registry = metrics

    images: int = 2048
    """generated images it looks at"""
    reals: int | None = None
    """real images it looks at, as far as there are that many; None: as many as generated ones"""
    least: ClassVar[int] = 2
    """fewer images than that make its value meaningless"""
    better: ClassVar[str] = "lower"
    """which way its values improve: "lower" or "higher" """
    baselines: ClassVar[frozenset[str]] = frozenset()
    """values that are for comparison: neither way is better"""
    covariance: ClassVar[bool] = False
    """whether it fits a covariance to features, which takes more images than features and is biased by few"""
    remark: ClassVar[str] = ""
    """what a model card says of the model's limits by its values, which it names in braces; empty: nothing"""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    """`Capability.GENERATOR`: it walks in the latent space, so a folder of images is not enough"""
    against: ClassVar[frozenset[str]] = frozenset({"images"})
    """what of the reals is enough: "images" or their "statistics"; empty: it does not look at them"""

    def numbers(self, data: EvalData) -> Numbers:
        """How many images it looks at, of those that there are; 0: at none of the kind."""
        return Numbers(data.real.size(self.reals or self.images), data.fake.size(self.images))

    def prepare(self, data: EvalData) -> None:
        """Load the networks it reads; UserError if one is not at hand or sees no such images, not hours later."""
        self.check_reals(data)
        if (extractor := extractor_of(self)) is not None and data.real.count != 0:
            rgb(data.real.make(range(1)))
        if extractor is not None:
            embedder_of(extractor, data.fake)

    def check_reals(self, data: EvalData) -> None:
        """UserError if it looks at real images, and there are none but their statistics."""
        if data.real.count == 0 and self.against == {"images"}:
            raise UserError(
                f"{self.name} looks at real images, and the data holds the statistics of their features alone; give"
                " images by --data, or leave it out."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        """Numbers by name, the chief one first, the same on every process; the same images give the same numbers."""
        raise NotImplementedError


def embedder_of(extractor: Extractor, fake: FeatureCache) -> Embedder:
    """A metric's loaded extractor; UserError, with what works meanwhile, if its weights are not at hand."""
    with at("extractor"):
        try:
            return fake.embedder(extractor)
        except NoWeights as error:
            error.move("", f"meanwhile {MEANWHILE} {setting()} digits")
            raise


def fewer(real: int, fake: int) -> int:
    """The smaller of two numbers of images, 0 for a kind that is not looked at aside."""
    return min(real or fake, fake or real)


def extractor_of(metric: Metric) -> Extractor | None:
    """The feature extractor that a metric reads, if it reads one."""
    held = vars(metric).get("extractor")
    return held if isinstance(held, Extractor) else None


@dataclass(frozen=True, kw_only=True)
class FeatureMetric(Metric):
    """A metric of two clouds of features."""

    extractor: Extractor
    """what turns images into features"""

    @property
    def fewest(self) -> int:
        """Images of each kind without which it cannot be computed."""
        return 2

    def prepare(self, data: EvalData) -> None:
        """Also UserError if there are too few images of a kind."""
        self.check_reals(data)
        real, fake = self.numbers(data)
        if fewer(real, fake) < self.fewest:
            raise UserError(self.too_few(real, fake))
        super().prepare(data)

    def measure(self, data: EvalData) -> dict[str, float]:
        """`compare`, of the features of as many images as asked for, or as there are."""
        device = data.fake.processes.device if data.fake.processes.device.type == "cuda" else torch.device("cpu")
        numbers = self.numbers(data)
        real = data.real.features(self.extractor, numbers.real)
        return self.compare(real.to(device), data.fake.features(self.extractor, numbers.fake).to(device))

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Numbers of the features real [N, D] and fake [M, D]; UserError if they cannot be compared."""
        raise NotImplementedError

    def checked(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Both, in float64; UserError if they are too few, differ in width, or hold what is not finite."""
        if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
            raise ValueError(
                f"{self.name} compares features of one width; given real {list(real.shape)} and fake"
                f" {list(fake.shape)}."
            )
        if min(len(real), len(fake)) < self.fewest:
            raise UserError(self.too_few(len(real), len(fake)))
        for kind, rows in (("real", real), ("generated", fake)):
            if broken := int((~rows.isfinite().all(dim=1)).sum()):
                raise UserError(
                    f"{self.name}: the features of {broken} {kind} images are not finite; look at the images and the"
                    " weights of the extractor."
                )
        return real.double(), fake.double()

    def too_few(self, real: int, fake: int) -> str:
        """What to say when there are not enough images."""
        return (
            f"{self.name} needs at least {self.fewest} real and {self.fewest} generated images; given {real} and"
            f" {fake}: take more, or leave it out."
        )


@dataclass(frozen=True, kw_only=True)
class NeighbourMetric(FeatureMetric):
    """A metric of balls that reach from each image's features to its k-th nearest neighbour's."""

    extractor: Extractor = VGG16()
    """what turns images into features"""
    neighbours: int
    """k: how many neighbours an image's ball reaches to"""
    least: ClassVar = 1000
    better: ClassVar = "higher"

    def __post_init__(self) -> None:
        above_zero(self, "neighbours")

    @property
    def fewest(self) -> int:
        return self.neighbours + 1
