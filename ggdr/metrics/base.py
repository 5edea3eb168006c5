"""The base classes of metrics: settings, and a method that turns images into numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ggdr.errors import UserError, above_zero, at, setting
from ggdr.features.base import Extractor
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
    """Numbers of images that a metric looks at, of each kind."""

    real: int
    fake: int


@dataclass(frozen=True, kw_only=True)
class Metric(Part):
    """Compares generated images with real ones. A field `extractor` holds the features it reads, if it reads any."""

    registry = metrics

    images: int = 2048
    """number of generated images it looks at"""
    reals: int | None = None
    """number of real images it looks at, or all if there are fewer; None: as many as generated ones"""
    reliable_images: ClassVar[int] = 2
    """number of images from which on its value is reliable; an evaluation warns below"""
    better: ClassVar[str] = "lower"
    """which way its values improve: "lower" or "higher" """
    baselines: ClassVar[frozenset[str]] = frozenset()
    """names of values that are for comparison alone: neither way is better"""
    covariance: ClassVar[bool] = False
    """whether it fits a covariance to features, which takes more images than features and is biased by few"""
    remark: ClassVar[str] = ""
    """what a model card says of the model's limits by its values, which it names in braces; empty: nothing"""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    """`Capability.GENERATOR`: it walks in the latent space, so a folder of images is not enough"""
    against: ClassVar[frozenset[str]] = frozenset({"images"})
    """what of the reals is enough: "images" or their "statistics"; empty: it does not look at them"""

    def numbers(self, data: EvalData) -> Numbers:
        """Return how many of the available images it looks at; 0: none of the kind."""
        return Numbers(data.real.size(self.reals or self.images), data.fake.size(self.images))

    def prepare(self, data: EvalData) -> None:
        """Load the networks it reads; UserError if one is not at hand or sees no such images, not hours later."""
        self.check_reals(data)
        if (extractor := extractor_of(self)) is not None and data.real.count != 0:
            extractor.check_images(data.real.make(range(1)))
        if extractor is not None:
            embedder_of(extractor, data.fake)

    def check_reals(self, data: EvalData) -> None:
        """Raise UserError if it looks at real images, and the data holds nothing but their statistics."""
        if data.real.count == 0 and self.against == {"images"}:
            raise UserError(
                f"{self.name} looks at real images, and the data holds the statistics of their features alone; give"
                " images by --data, or leave it out."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return numbers by name, the chief one first, equal on all processes; equal images give equal numbers."""
        raise NotImplementedError

    def describe(self, data: EvalData) -> dict[str, Any]:
        """Return what its values depend on beside images, settings and features, as JSON can hold it, by name."""
        return {}


def embedder_of(extractor: Extractor, fake: FeatureCache) -> Embedder:
    """A metric's loaded extractor; UserError, with what works meanwhile, if its weights are not at hand."""
    with at("extractor"):
        try:
            return fake.embedder(extractor)
        except NoWeights as error:
            error.move("", f"meanwhile {MEANWHILE} {setting()} digits")
            raise


def fewer(real: int, fake: int) -> int:
    """Return the smaller of two numbers of images; 0 stands for a kind that is not looked at, and is left aside."""
    return min(real or fake, fake or real)


def extractor_of(metric: Metric) -> Extractor | None:
    """Return the feature extractor that a metric reads; None if it reads none."""
    held = vars(metric).get("extractor")
    return held if isinstance(held, Extractor) else None


@dataclass(frozen=True, kw_only=True)
class FeatureMetric(Metric):
    """Compares the features of real and of generated images."""

    extractor: Extractor
    """feature extractor that turns images into features"""

    @property
    def min_images(self) -> int:
        """Number of images of each kind without which it cannot be computed."""
        return 2

    def prepare(self, data: EvalData) -> None:
        """Load the networks it reads; UserError if that fails, or there are too few images of a kind."""
        self.check_reals(data)
        real, fake = self.numbers(data)
        if fewer(real, fake) < self.min_images:
            raise UserError(self.too_few(real, fake))
        super().prepare(data)

    def measure(self, data: EvalData) -> dict[str, float]:
        """Compute the features of as many images as `numbers` says, and `compare` them."""
        device = data.fake.processes.device if data.fake.processes.device.type == "cuda" else torch.device("cpu")
        numbers = self.numbers(data)
        real = data.real.features(self.extractor, numbers.real)
        return self.compare(real.to(device), data.fake.features(self.extractor, numbers.fake).to(device))

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Return numbers by name from features real [N, D] and fake [M, D]; UserError if they cannot be compared."""
        raise NotImplementedError

    def check_features(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return both in float64; UserError if they are too few, differ in width, or are not finite."""
        if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
            raise ValueError(
                f"{self.name} compares features of one width; given real {list(real.shape)} and fake"
                f" {list(fake.shape)}."
            )
        if min(len(real), len(fake)) < self.min_images:
            raise UserError(self.too_few(len(real), len(fake)))
        for kind, rows in (("real", real), ("generated", fake)):
            if broken := int((~rows.isfinite().all(dim=1)).sum()):
                raise UserError(
                    f"{self.name}: the features of {broken} {kind} images are not finite; look at the images and the"
                    " weights of the extractor."
                )
        return real.double(), fake.double()

    def too_few(self, real: int, fake: int) -> str:
        """Return the message for too few images."""
        least = self.min_images
        return (
            f"{self.name} needs at least {least} real and {least} generated images; given {real} and {fake}: take more,"
            " or leave it out."
        )


@dataclass(frozen=True, kw_only=True)
class NeighbourMetric(FeatureMetric):
    """Compares sets by balls around each image's features that reach to its k-th nearest neighbour."""

    extractor: Extractor = VGG16()
    """feature extractor that turns images into features"""
    neighbours: int
    """k, the neighbour that an image's ball reaches to"""
    reliable_images: ClassVar = 1000
    better: ClassVar = "higher"

    def __post_init__(self) -> None:
        above_zero(self, "neighbours")

    @property
    def min_images(self) -> int:
        return self.neighbours + 1
