"""The two arms of each recipe of the zoo: without GGDR, and the same with it where its networks can carry it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import torch

from ggdr.errors import UserError
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.recipe.fitting import fit
from ggdr.registry import Capability
from ggdr.regularizers.ggdr import GGDR

ZOO = Path(__file__).parent.parent / "recipes" / "zoo"
FAVOURITE_PX = 8
"""the resolution to draw that is sought where the default cannot be: a quarter of the zoo's images"""


def zoo(names: tuple[str, ...] = ()) -> dict[str, Path]:
    """Name -> file, of these recipes or of all; ValueError if there is none of such a name."""
    files = {file.stem: file for file in sorted(ZOO.glob("*.py"))}
    if unknown := sorted(set(names) - files.keys()):
        raise UserError(f"no recipe {', '.join(unknown)} in {ZOO}; there are: {', '.join(files)}.")
    return {name: file for name, file in files.items() if not names or name in names}


def arm(file: Path, ggdr: bool) -> Recipe:
    """The recipe of a file with or without GGDR; ValueError, in the words of `ggdr train`, if it cannot carry it."""
    recipe = load_recipe(file)
    return with_ggdr(recipe) if ggdr else without_ggdr(recipe)


def without_ggdr(recipe: Recipe) -> Recipe:
    """The recipe but for its GGDR, if it has any; a U-Net stays, and has no decoder then."""
    terms = {name: term for name, term in recipe.regularizers.items() if not isinstance(term, GGDR)}
    return dataclasses.replace(recipe, regularizers=terms)


def with_ggdr(recipe: Recipe) -> Recipe:
    """Return the recipe with GGDR: its own, else at the default resolution or, of those that fit, the nearest to 8.

    ValueError, what `fit` says of the first try, if no resolution fits.
    """
    spec = recipe.data.open().spec
    refusals = []
    for guided in tries(recipe):
        try:
            fit(guided, {"real": spec})
        except ValueError as error:
            refusals.append(error)
        else:
            return guided
    raise refusals[0]


def tries(recipe: Recipe) -> Iterator[Recipe]:
    """The recipe with GGDR, one resolution after another."""
    if any(isinstance(term, GGDR) for term in recipe.regularizers.values()):
        yield recipe
        return
    discriminator, provides = recipe.discriminator, recipe.discriminator.provides
    if Capability.PYRAMID in provides and Capability.D_FEATURES not in provides:
        discriminator = UNetDiscriminatorConfig(encoder=discriminator)
    for chosen in ((), *resolutions(recipe)):
        terms = {**recipe.regularizers, GGDR.name: GGDR(resolutions=chosen)}
        yield dataclasses.replace(recipe, discriminator=discriminator, regularizers=terms)


def resolutions(recipe: Recipe) -> list[tuple[int]]:
    """Each resolution of the generator's feature maps alone, the nearest to 8 px first; none if it hands over none."""
    if Capability.G_FEATURES not in recipe.generator.provides:
        return []
    with torch.device("meta"):
        found = recipe.generator.build(recipe.data.open().spec).feature_channels
    return [
        (resolution,) for resolution in sorted(found, key=lambda resolution: abs(math.log2(resolution / FAVOURITE_PX)))
    ]
