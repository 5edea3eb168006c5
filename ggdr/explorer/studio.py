"""The model that a page is about: read once, and again when a run has saved a newer one; images are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, images_of, seeded
from ggdr.latent.directions import Directions, Method, find
from ggdr.latent.mixing import mixed
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.ops.device import resolve_device
from ggdr.sampling import View, draw
from ggdr.sampling.grid import to_uint8
from ggdr.sampling.labels import label_rows
from ggdr.saving import checkpoint
from ggdr.saving.pretrained import Hub, load_pair

KEPT = 512
"""results kept of one model; the oldest go first"""
Made = TypeVar("Made")


class Look(NamedTuple):
    """Which image of a generator is looked at; all that a visitor of the page sets, so visitors share no state."""

    seed: int = 0
    psi: float | None = None
    label: int | tuple[float, ...] | None = None
    """a class, or a vector"""
    noise: Literal["const", "random", "none"] = "const"

    @property
    def view(self) -> View:
        """How the generator is to make it."""
        return View(self.psi, None, self.noise)


class Model:
    """A generator, the discriminator if there is one, and what was made of them; safe to use from many threads."""

    def __init__(self, generator: Generator, discriminator: Discriminator | None = None):
        self.generator, self.discriminator = generator, discriminator
        self.kept: dict[Hashable, object] = {}
        self.lock = threading.RLock()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made at the first call with this key.

        One thread computes at a time: fresh noise comes from torch's own random state, which threads share.
        """
        with self.lock:
            if key not in self.kept:
                made = make()
                while len(self.kept) >= KEPT:
                    self.kept.pop(next(iter(self.kept)))
                self.kept[key] = made
            return self.kept[key]  # type: ignore[return-value]

    def labels(self, look: Look) -> Tensor | None:
        """The label row [1, L] of a look; None without labels."""
        return self.rows(look, 1)

    def rows(self, look: Look, count: int) -> Tensor | None:
        """The label of a look for each of `count` images [count, L]; None without labels."""
        label = [list(look.label)] * count if isinstance(look.label, tuple) else look.label
        return label_rows(self.generator.spec, label, count)

    def image(self, look: Look) -> Tensor:
        """The image [C, H, W] uint8 of a look; UserError if the generator has no such image."""
        return self.once(look, lambda: self.drawn(look))

    def images(self, looks: Sequence[Look]) -> list[Tensor]:
        """The images of looks that differ by their seeds alone, those that are not kept made in one pass."""
        with self.lock:
            new = [look for look in looks if look not in self.kept]
            if new:
                rows = self.rows(new[0], len(new))
                made = torch.cat(list(draw(self.generator, [look.seed for look in new], rows, new[0].view)))
                for look, image in zip(new, to_uint8(made).cpu(), strict=True):
                    self.once(look, lambda image=image: image)  # type: ignore[misc]
            return [self.image(look) for look in looks]

    def drawn(self, look: Look) -> Tensor:
        """As `image`, made again."""
        (made,) = draw(self.generator, [look.seed], self.labels(look), look.view)
        return to_uint8(made)[0].cpu()

    def codes(self, look: Look) -> Codes:
        """What the image of a look is made from."""
        return self.once(
            ("codes", look), lambda: seeded(self.generator, [look.seed], self.labels(look), View(look.psi))
        )

    @torch.no_grad()
    def of_codes(self, codes: Codes) -> Tensor:
        """The image [C, H, W] uint8 of one code."""
        with self.lock:
            return to_uint8(images_of(self.generator, codes))[0].cpu()

    def mix(self, look: Look, lender: int, layers: tuple[int, ...]) -> Tensor:
        """The image [C, H, W] uint8 of a look with the styles of another seed at `layers`; without layers its own."""
        if not layers:
            return self.of_codes(self.codes(look))
        both = self.codes(look), self.codes(look._replace(seed=lender))
        return self.once(("mix", look, lender, layers), lambda: self.of_codes(mixed(self.generator, *both, layers)))

    def directions(self, method: Method, count: int) -> Directions:
        """The strongest directions of its codes."""
        return self.once(("directions", method, count), lambda: find(self.generator, method, count))

    def edit(self, look: Look, method: Method, amounts: tuple[float, ...]) -> Tensor:
        """The image [C, H, W] uint8 of a look, moved by an amount along each of the strongest directions."""
        codes, found = self.codes(look), self.directions(method, len(amounts))
        for which, amount in enumerate(amounts[: len(found.vectors)]):
            codes = found.moved(codes, which, [amount]) if amount else codes
        return self.of_codes(codes)


class Studio:
    """The model at a name: a folder or a Hub repository."""

    def __init__(self, name: str, hub: Hub | None = None, device: str = ""):
        """Read it; UserError if there is none."""
        self.name, self.hub, self.device = name, hub or Hub(), device
        self.stamp = newest(name)
        self.model = self.read()

    def read(self) -> Model:
        """The model as it lies there now."""
        device = resolve_device(self.device)
        generator, judge = load_pair(self.name, self.hub)
        return Model(generator.to(device), judge and judge.to(device))

    def refresh(self) -> bool:
        """Whether a run has saved a newer checkpoint, which then is the model; one that cannot be read is left out."""
        stamp = newest(self.name)
        if stamp == self.stamp:
            return False
        self.stamp = stamp
        try:
            self.model = self.read()
        except (UserError, OSError):  # being removed, or half of it gone: the next one comes
            return False
        return True


def newest(name: str) -> str:
    """Which checkpoint of a run is the newest, "" without any."""
    last = checkpoint.latest(Path(name)) if Path(name).is_dir() else None
    return last.name if last else ""
