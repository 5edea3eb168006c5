"""What is trained in benchmarks: shipped recipes on generated images, changed by words such as `+ada` or `-ggdr`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ggdr.augment.ada import ADA
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.play.term import Regularizer
from ggdr.recipe import Recipe
from ggdr.recipe.files import load_recipe
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2_approximate import R2Approximate

RECIPES = Path(__file__).parent.parent / "recipes"


def stylegan2(resolution: int, base: int, limit: int, batch: int) -> Recipe:
    """StyleGAN2 with GGDR and R1, neither style mixing nor path length."""
    digits = load_recipe(RECIPES / "digits.py")
    width = {"channel_base": base, "channel_max": limit}
    return replace(
        digits,
        data=pictures(resolution),
        generator=StyleGAN2GeneratorConfig(**width, z_dim=limit, w_dim=limit, mapping_layers=2, style_mixing=0.0),
        discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(**width)),
        regularizers={"r1": R1(weight=0.1, every=16), "ggdr": GGDR(resolutions=(resolution // 4,))},
        batch_size=batch,
        metrics={},
    )


def r3gan(resolution: int, base: int, limit: int, batch: int) -> Recipe:
    """R3GAN on generated pictures, with R1 and R2 at each step."""
    small, width = load_recipe(RECIPES / "zoo" / "r3gan.py"), {"channel_base": base, "channel_max": limit}
    networks = {"generator": R3GANGeneratorConfig(**width), "discriminator": R3GANDiscriminatorConfig(**width)}
    return replace(small, data=pictures(resolution), batch_size=batch, metrics={}, **networks)


def pictures(resolution: int):
    """A folder of 64 generated pictures: speed does not depend on what they show."""
    import numpy as np
    from PIL import Image

    from ggdr.data.images import ImageFiles

    folder = Path(tempfile.gettempdir()) / f"ggdr-benchmark-{resolution}"
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(0)
    for index in range(64):
        if not (file := folder / f"{index:02}.png").exists():
            coarse = noise.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(coarse).resize((resolution, resolution), Image.Resampling.BICUBIC).save(file)
    return ImageFiles(source=str(folder), size=resolution, channels=3)


def shipped(name: str, resolution: int) -> Recipe:
    """A shipped recipe on generated pictures."""
    return replace(load_recipe(RECIPES / f"{name}.py"), data=pictures(resolution), num_workers=0)


CASES: dict[str, Callable[[], Recipe]] = {
    "digits": lambda: load_recipe(RECIPES / "digits.py"),
    "32px-64ch": lambda: stylegan2(32, 64 * 32, 64, 32),
    "32px-512ch": lambda: stylegan2(32, 512 * 32, 512, 16),
    "64px": lambda: stylegan2(64, 16384, 512, 8),
    "64px-narrow": lambda: stylegan2(64, 4096, 64, 16),
    "128px-narrow": lambda: stylegan2(128, 8192, 64, 16),
    "cifar": lambda: shipped("cifar10", 32),
    "r3gan": lambda: load_recipe(RECIPES / "zoo" / "r3gan.py"),
    "r3gan-64px": lambda: r3gan(64, 2048, 128, 8),
    "paper256": lambda: shipped("lsun_cat", 256),
    "1024px": lambda: stylegan2(1024, 32768, 512, 1),
}
WORDS: dict[str, Callable[[Recipe], Recipe]] = {
    "+ada": lambda recipe: replace(recipe, augment=ADA(fixed_p=0.5)),
    "-ggdr": lambda recipe: without(recipe, "ggdr"),
    "-r1": lambda recipe: without(recipe, "r1"),
    "-pl": lambda recipe: without(recipe, "path_length"),
    "+approximate": lambda recipe: replace(recipe, regularizers=approximate(recipe)),
    "+bf16": lambda recipe: replace(recipe, precision="bf16"),
    "+fp32": lambda recipe: replace(recipe, precision="fp32"),
}


def in_zoo(name: str, ggdr: bool) -> Recipe:
    """A recipe of the zoo, with GGDR or without."""
    if (scripts := str(RECIPES.parent / "scripts")) not in sys.path:
        sys.path.insert(0, scripts)
    from zoo_arms import arm

    return arm(RECIPES / "zoo" / f"{name}.py", ggdr)


def without(recipe: Recipe, name: str) -> Recipe:
    """The recipe without one of its regularizers."""
    return replace(recipe, regularizers={key: term for key, term in recipe.regularizers.items() if key != name})


def approximate(recipe: Recipe) -> dict[str, Regularizer]:
    """The regularizers of a recipe, R1 and R2 by finite differences, at the same steps."""
    r1, r2 = recipe.regularizers["r1"], recipe.regularizers["r2"]
    found = {
        "r1": R1Approximate(weight=r1.weight, every=r1.every),
        "r2": R2Approximate(weight=r2.weight, every=r2.every),
    }
    return recipe.regularizers | found


def case(text: str) -> Recipe:
    """The recipe of a text such as `cifar+ada-ggdr+bf16@8/4`: batches of 8 in micro-batches of 4; KeyError if none."""
    if zoo := re.fullmatch(r"zoo/(\w+)([+-])ggdr", text):
        return in_zoo(zoo[1], zoo[2] == "+")
    found = re.fullmatch(r"(\w+?|\w+-\w+?)((?:\+\w+|-(?:ggdr|r1|pl))*)(?:@(\d+))?(?:/(\d+))?", text)
    if not found:
        raise KeyError(text)
    name, words, batch, micro = found.groups()
    recipe = CASES[name]()
    for word in re.findall(r"[+-]\w+", words):
        recipe = WORDS[word](recipe)
    recipe = replace(recipe, batch_size=int(batch), micro_batch_size=None) if batch else recipe
    return replace(recipe, micro_batch_size=int(micro)) if micro else recipe
