"""A View: one kind of image that a model makes, as grids show it, metrics measure it and pipelines serve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import ImageSpec
from ggdr.registry import Capability
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.networks.base.module import Translator


class Reals(NamedTuple):
    """Real images of one domain, on the device."""

    images: Tensor
    """[N, C, H, W] in [-1, 1], or label maps, one-hot"""
    labels: Tensor | None = None
    """[N, L]; None: unconditional"""


FURTHER = ("second output", "third output")
"""columns of a grid that show what a way makes of the same image under other codes, where it draws them"""


def nothing(batch: Mapping[str, Reals], made: Tensor) -> dict[str, Tensor]:
    """Nothing stands beside what was made."""
    return {}


class Way(NamedTuple):
    """How images of one domain become those of another, of whatever size.

    What the result has beside the content of the source is its code: a style that the way draws, that of an image, or
    a mixture; codes mix as vectors do.
    """

    translate: Callable[[Tensor, Tensor | None, Tensor | None], Tensor]
    """(images of the source [N, C, H, W], labels of what is to be made [N, L] or None, codes [N, S] or None) -> images
    of the target; without codes one is drawn of each, by torch's random state, where `draws` says so"""
    takes: ImageSpec
    """the images that it was built for"""
    makes: ImageSpec
    """what becomes of them"""
    size_divisor: int
    """both sides of images that it takes are multiples of this, pixels; 0: it takes the size of `takes` alone"""
    draws: int = 0
    """width of the codes that it draws where none is given; 0: it draws none"""
    place_codes: bool = False
    """codes may also differ from place to place, [N, S, H, W]"""
    encode_style: Callable[[Tensor], Tensor] | None = None
    """images of `style_spec` [K, C, h, w] -> the code of each [K, S]; None: it takes no styles of images"""
    style_spec: ImageSpec | None = None
    """the images whose styles it takes"""
    needs_style: bool = False
    """it makes nothing without a style"""
    own_code: Callable[[Tensor], Tensor] | None = None
    """images of the source -> the code by which each stays as it is [N, S]; None: there is none"""
    heat_map: Callable[[Tensor, Tensor | None], Tensor] | None = None
    """(images of the source, labels of what is to be made) -> where the network looks, higher is more [N, 1, h, w];
    None: it does not say"""


def way_of(translator: Translator) -> Way:
    """How a translator of images is shown; the code that it takes, if any, is drawn."""
    return Way(
        translator.translate,
        translator.source,
        translator.spec,
        translator.size_divisor,
        draws=translator.z_dim,
        place_codes=Capability.PLACE_CODES in translator.config.provides,
        heat_map=translator.heat_map if Capability.CAM in translator.config.provides else None,
    )


def way_in_style(translator: Translator) -> Way:
    """How a translator that makes nothing without the style of an image is shown; each image's own keeps it."""
    return way_of(translator)._replace(
        draws=0,
        encode_style=translator.encode_style,
        style_spec=translator.spec,
        needs_style=True,
        own_code=translator.encode_style,
    )


@dataclass(frozen=True, kw_only=True)
class View:
    """What a game makes of a batch, of which domain, and which domain's images it is to resemble."""

    make: Callable[[Mapping[str, Reals], int], Tensor]
    """(a batch of each domain's reals, a seed) -> images [N, C, H, W] in [-1, 1]; seeds torch"""
    target: str
    """the domain that the images are of: the other side of FID"""
    source: str | None = None
    """the domain whose images they are made of; None: they are made of noise, and of the target's labels"""
    way: Way | None = None
    """how images of the source are translated; None: they are made of noise"""
    paired: bool = False
    """whether the target's image at the same place is what is to be made: the truth. The game says so, or the
    run, of its images"""
    generator: Any = None
    """the generator, where images are made of its noise and metrics may walk in it; None: there is no such walk"""
    least: int = 1
    """images of a batch that it takes at least, since it reads them together"""
    beside: Callable[[Mapping[str, Reals], Tensor], dict[str, Tensor]] = nothing
    """(a batch, what was made of it) -> further columns of a grid, by name, such as a cycle's end"""

    def columns(self, batch: Mapping[str, Reals], seed: int) -> dict[str, Tensor]:
        """What stands side by side in a grid, by name: the input, the output, and what is beside them."""
        made = self.make(batch, seed)
        given = {} if self.source is None else {"input": batch[self.source].images}
        truth = {"target": batch[self.target].images} if self.paired and self.source != self.target else {}
        return {**given, "output": made, **self.beside(batch, made), **truth}


@dataclass(frozen=True, kw_only=True)
class NoiseView(View):
    """Images of noise; where parts of a code mean something by themselves, a grid varies each of them in its row."""

    def columns(self, batch: Mapping[str, Reals], seed: int) -> dict[str, Tensor]:
        """The images, and the same of codes of which one part is made another."""
        reals, labels = batch[self.target]
        torch.manual_seed(word(seed))
        z = torch.randn(len(reals), self.generator.z_dim, device=reals.device)
        return {"output": self.generator(z, labels).image} | self.generator.variations(z, labels)


def translation(
    source: str,
    target: str,
    there: Way,
    back: Way | None = None,
) -> View:
    """The view of a translator from one domain to another, called `translation_name`.

    `there`: how it is made; `back`: the opposite, which shows the cycle's end.
    """

    def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
        """What becomes of the source's images, under the target's labels, and in the target's styles if it needs any.

        Drawn codes are those of the seed."""
        torch.manual_seed(word(seed))
        return there.translate(batch[source].images, batch[target].labels, style_of(batch))

    def style_of(batch: Mapping[str, Reals]) -> Tensor | None:
        """The styles of the target's images, if the way makes nothing without."""
        if not there.needs_style:
            return None
        assert there.encode_style is not None
        return there.encode_style(batch[target].images)

    def beside(batch: Mapping[str, Reals], made: Tensor) -> dict[str, Tensor]:
        """What shows the way's codes, where it looks, and the cycle's end, in the source's own style, if there is a way
        back."""
        images, labels = batch[source]
        beside = {"style": batch[target].images} if there.needs_style else {}
        if there.draws and not there.needs_style:
            beside = {name: there.translate(images, batch[target].labels, None) for name in FURTHER}
        if there.heat_map is not None:
            beside["attention"] = stretched(there.heat_map(images, batch[target].labels))
        if back is None:
            return beside
        own = None if back.encode_style is None else back.encode_style(images)
        return beside | {"cycle": back.translate(made, labels, own)}

    return View(make=make, target=target, source=source, way=there, beside=beside)


def of_noise(generator: Any, domain: str) -> View:
    """The view of a generator: images of noise, as many as there are reals of the domain, under their labels."""

    def fakes(batch: Mapping[str, Reals], seed: int) -> Tensor:
        """Images, whose noise is that of the seed."""
        reals, labels = batch[domain]
        torch.manual_seed(word(seed))
        return generator(torch.randn(len(reals), generator.z_dim, device=reals.device), labels).image

    return NoiseView(make=fakes, target=domain, generator=generator)


def check_label_names(makes: ImageSpec, shown: Sequence[ImageSpec], images: str) -> None:
    """UserError if what is made has labels by name, and the images of no domain `shown` have these, in their order.

    `images`: what the message calls these.
    """
    if makes.label_names and makes.label_names not in [spec.label_names for spec in shown]:
        known, there = (", ".join(spec.label_names) or "none" for spec in (makes, shown[-1]))
        raise UserError(f"the generator knows the labels {known}, and {images} have {there}: give these the same.")


def stretched(maps: Tensor) -> Tensor:
    """Return maps [N, 1, h, w] from -1, where each is lowest, to 1, where it is highest."""
    low, high = maps.amin(dim=(2, 3), keepdim=True), maps.amax(dim=(2, 3), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-12) * 2 - 1


def translation_name(source: str, target: str) -> str:
    """What duels and views from one domain to another are called."""
    return f"{source}_to_{target}"
