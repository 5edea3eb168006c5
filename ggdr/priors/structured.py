"""A prior with parts of several kinds: categories, uniform numbers, and what is left."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.errors import UserError, not_negative, setting
from ggdr.lazy import F, Tensor, torch
from ggdr.priors.base import Parted, Prior
from ggdr.priors.gaussian import Gaussian
from ggdr.registry import priors

SHOWN = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""values of a uniform number in grids, beyond those that are drawn, as in the paper's figure 2"""


@priors.register("structured", paper="1606.03657")
@dataclass(frozen=True, kw_only=True)
class Structured(Prior):
    """Categories, one-hot, then uniform numbers, then noise that is not explained (Chen et al. 2016, sec. 4).

    The categorical and continuous codes of InfoGAN, and the class and style of a semi-supervised adversarial
    autoencoder (Makhzani et al. 2015, sec. 5).
    """

    categories: tuple[int, ...] = (10,)
    """classes of each category, all as likely; none: there are no categories"""
    uniform: int = 0
    """numbers from -1 to 1"""
    rest: Prior = Gaussian()
    """what the rest of a code is drawn from"""

    def __post_init__(self) -> None:
        not_negative(self, "uniform")
        if any(count < 2 for count in self.categories):
            raise UserError(
                f"{setting('categories')} are {' '.join(map(str, self.categories))}; a category has 2 classes or more."
            )

    @property
    def explained(self) -> int:
        """Width of the categories and uniform numbers together."""
        return sum(self.categories) + self.uniform

    def check(self, width: int, labels: int = 0) -> None:
        """UserError if a code is too narrow for the parts."""
        if width < self.explained:
            raise UserError(
                f"prior {self.name!r} has parts of {self.explained} numbers, and the generator takes codes of {width}:"
                f" give it {self.explained} or more, by its z_dim."
            )
        if width > self.explained:
            self.rest.check(width - self.explained, labels)

    def parts(self, codes: Tensor) -> Parted:
        """Categories, uniform numbers and the rest of codes [N, K], or of anything that wide which speaks of these."""
        sizes = [*self.categories, self.uniform, codes.shape[1] - self.explained]
        *categories, uniform, rest = codes.split(sizes, dim=1)
        return Parted(tuple(categories), uniform, rest)

    def codes(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """A class is that whose number of the noise is the largest: each is as likely."""
        categories, uniform, rest = self.parts(noise)
        classes = [F.one_hot(each.argmax(dim=1), each.shape[1]).to(noise.dtype) for each in categories]
        rest = self.rest.codes(rest, labels) if rest.shape[1] else rest
        return torch.cat([*classes, torch.special.ndtr(uniform) * 2 - 1, rest], dim=1)

    def variations(self, codes: Tensor) -> dict[str, Tensor]:
        """Each class of each category, then five values of each uniform number."""
        parts, others = self.parts(codes), {}
        for place, category in enumerate(parts.categories):
            for number in range(category.shape[1]):
                told = F.one_hot(torch.full((len(codes),), number, device=codes.device), category.shape[1])
                changed = [*parts.categories[:place], told.to(codes.dtype), *parts.categories[place + 1 :]]
                others[f"category {place} is {number}"] = torch.cat([*changed, parts.uniform, parts.rest], dim=1)
        first = sum(self.categories)
        for place in range(self.uniform):
            for value in SHOWN:
                changed_codes = codes.clone()
                changed_codes[:, first + place] = value
                others[f"uniform {place} is {value:g}"] = changed_codes
        return others
