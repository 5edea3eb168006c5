"""The recipe that `ggdr data check` recommends for what it has seen, why, and the whole command to type."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ggdr.data.domains import TwoDomains
from ggdr.data.images import ImageFiles
from ggdr.data.pairs import Pairs
from ggdr.data.super_resolution import SuperResolution
from ggdr.formatting import significant
from ggdr.networks.base import ImageSpec

FEW = 2_000
"""images up to which the paper finds GGDR no help beside ADA (arXiv 2207.13320, table 1)"""
FOR_ADA = 1_000
"""images from which ADA's paper has tried it (arXiv 2006.06676); DiffAugment's has 100 (arXiv 2006.10738)"""
MANY = 50_000
"""images up to which ADA is known to help beside GGDR: CIFAR-10's (arXiv 2207.13320, table 2); 70,000 it harms"""
VERY_FEW = 50
"""images below which nobody has shown that a GAN learns more than to repeat them"""
SMALL = 32
"""px up to which the recipe of CIFAR-10 is the nearest"""
PUBLISHED = 256
"""px of the other recipes, whose gamma and maps hold there"""


class Advice(NamedTuple):
    """A recipe for a set of images."""

    recipe: str
    """name of one that comes with ggdr"""
    why: list[str]
    """sentences, the first of which says why this one"""
    flags: list[str]
    """what it takes beside the flags of the data"""

    def lines(self, data: Sequence[str], source: str) -> list[tuple[str, list[str]]]:
        """Sections of the report: the reasons, and the command, with the flags of the data, for images in `source`."""
        command = ["ggdr", "train", self.recipe, *data, *self.flags, "--out", f"runs/{run_name(source)}"]
        return [("recipe", [f"{self.recipe}: {self.why[0]}", *self.why[1:]]), ("train", [shlex.join(command)])]


def run_name(source: str) -> str:
    """A name for the run of images in `source`, of letters, digits, dots and hyphens."""
    stem = Path(source.rstrip("/")).name.partition(".")[0]
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in stem).strip("-") or "mine"


def for_images(settings: ImageFiles, count: int, spec: ImageSpec) -> Advice:
    """A recipe for `count` images (without mirrored copies) of one kind, as the trainer opens them."""
    side = max(spec.height, spec.width)
    if count <= FEW:
        advice = for_few(count)
    elif side <= SMALL:
        advice = Advice(
            "cifar10", [f"{count:,} images of {side} px: StyleGAN2 with ADA and GGDR, as the paper has it"], []
        )
    elif count <= MANY:
        enough = f"{count:,} images are few enough for ADA and enough for GGDR beside it"
        found = "the paper finds it better on sets of some thousand and of 10,000"
        advice = Advice("afhq_cat", [f"{enough}: {found}"], [])
    else:
        advice = Advice("ffhq256", [f"{count:,} images: GGDR without ADA, which the paper finds better at 70,000"], [])
    return with_sizes(advice, settings, spec)


def with_sizes(advice: Advice, settings: ImageFiles, spec: ImageSpec) -> Advice:
    """The advice, with what other sizes than the recipe's, mirror images, channels and labels ask for."""
    side, why, flags = max(spec.height, spec.width), [*advice.why], [*advice.flags]
    if advice.recipe in ("afhq_cat", "ffhq256") and side != PUBLISHED:
        why.append(f"R1 and GGDR as they come, which suits any size: the recipe's are those of {PUBLISHED} px")
        flags += ["--regularizers.r1", "r1", "--regularizers.ggdr", "ggdr"]
    if advice.recipe != "cifar10" and not settings.mirror:
        why.append("mirror images double them: drop --data.mirror where left and right matter, as in writing")
        flags.append("--data.mirror")
    if side > PUBLISHED:
        part = significant(PUBLISHED**2 / (spec.height * spec.width), 2)
        why.append(f"begin with --data.size {PUBLISHED}: {part} of the pixels, and of the time")
    return Advice(advice.recipe, why + looks(spec), flags)


def for_few(count: int) -> Advice:
    """A recipe for at most `FEW` images."""
    why = [f"{count:,} images are few: GGDR is off, since the paper finds it worse beside ADA with 2,000"]
    flags = []
    if count < FOR_ADA:
        why.append(f"DiffAugment, since ADA was tried with {FOR_ADA:,} and more")
        flags = ["--augment", "diffaug"]
    else:
        why.append("ADA raises its p as far as D overfits")
    if count < VERY_FEW:
        why.append("so few are likely to be repeated whole: look by ggdr evaluate --metrics memorization")
    why.append(
        "its networks ask for a GPU: --dry-run says how long this machine takes, and --generator.channel-max 64"
        " --discriminator.encoder.channel-max 64 makes them small enough to try on a CPU"
    )
    why.append("a model of something similar helps most: add --init-from MODEL --freeze-d 4 --total-kimg 1000")
    return Advice("few", why, flags)


def looks(spec: ImageSpec) -> list[str]:
    """What their channels and labels mean to the networks; whole sentences, mostly none."""
    found = []
    if spec.channels == 1:
        found.append("gray: networks of one channel")
    if spec.channels == 4:
        found.append("RGBA: opacity is learned as a fourth channel; --data.channels 3 puts them on white instead")
    if spec.channels not in (1, 3, 4):
        found.append(f"{spec.channels} channels, all of them learned; --data.channels 3 is for RGB alone")
    if spec.labels:
        told = "words of the text" if spec.text_encoder else "numbers" if spec.label_ranges else "class"
        numbers = f"{spec.labels} number{'s' * (spec.labels > 1)}"
        found.append(f"conditional: G and D are told the {told}, {numbers}")
    return found


def for_two(settings: TwoDomains | SuperResolution) -> Advice:
    """A recipe for pairs, for two domains without pairs, or for pictures to be enlarged."""
    if isinstance(settings, SuperResolution):
        why = "pixels alone first; then div2k_srgan begins with what it has learned"
        return Advice("div2k_srresnet", [why], [])
    if not isinstance(settings, Pairs):
        return Advice("horse2zebra_cyclegan", ["two kinds of images without pairs"], jitter(settings))
    if settings.maps.of != "none":
        return Advice("ade20k_oasis", ["label maps and what they are of"], [])
    return Advice("facades_pix2pix", ["pairs"], jitter(settings))


def jitter(settings: TwoDomains) -> list[str]:
    """The flags of the random parts and mirror images that translators learn from, where a size is known."""
    if settings.size is None or settings.load_size is not None:
        return []
    sides = settings.size if isinstance(settings.size, tuple) else (settings.size,)
    larger = [str(round(side * 286 / 256)) for side in sides]
    return ["--data.load-size", *larger, *([] if settings.flip else ["--data.flip"])]
