"""The model that a page shows: read once, and again when a run has saved a newer one; images are cached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, images_of
from ggdr.latent.directions import Directions, Method, find_directions
from ggdr.latent.mixing import mix_styles
from ggdr.latent.modes import Modes, TruncationMean, centres_for, draw_with_modes, truncated_codes
from ggdr.networks.base.module import Discriminator, Generator
from ggdr.ops.device import resolve_device
from ggdr.sampling import SamplingOptions
from ggdr.sampling.grid import to_uint8
from ggdr.sampling.labels import label_rows
from ggdr.saving import checkpoint
from ggdr.saving.pretrained import Hub, load_pair

MAX_RESULTS = 512
"""Number of results cached for one model; the oldest are dropped first."""
MOMENT_SEC = 0.001
"""How long those who do long work stand aside, seconds."""
Result = TypeVar("Result")


class ImageSettings(NamedTuple):
    """The settings of one image: all that a visitor of the page sets, so visitors share no state."""

    seed: int = 0
    psi: float | None = None
    label: int | str | tuple[float, ...] | None = None
    """Class of the image, or its label vector."""
    noise: Literal["const", "random", "none"] = "const"
    mean: TruncationMean = "all"
    """What psi pulls towards."""

    @property
    def view(self) -> SamplingOptions:
        """Return how the generator makes the image."""
        return SamplingOptions(self.psi, None, self.noise)


class Model:
    """A generator, the discriminator if there is one, and a cache of their results; safe to use from many threads."""

    def __init__(self, generator: Generator, discriminator: Discriminator | None = None):
        self.generator, self.discriminator = generator, discriminator
        self.results: dict[Hashable, object] = {}
        self.lock = threading.RLock()

    def get_or_make(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return the cached result of this key, or call `make` and cache what it returns.

        One thread computes at a time: fresh noise comes from torch's own random state, which threads share.
        """
        with self.lock:
            if key not in self.results:
                made = make()
                while len(self.results) >= MAX_RESULTS:
                    self.results.pop(next(iter(self.results)))
                self.results[key] = made
            return self.results[key]  # type: ignore[return-value]

    def give_way(self) -> None:
        """Let other threads compute for a moment; called by the thread that holds the lock, at long work."""
        self.lock.release()
        time.sleep(MOMENT_SEC)  # a thread that waits takes the lock
        self.lock.acquire()

    def labels(self, settings: ImageSettings) -> Tensor | None:
        """Return the label row [1, L] of the settings; None without labels."""
        return self.rows(settings, 1)

    def rows(self, settings: ImageSettings, count: int) -> Tensor | None:
        """Return the label of the settings for each of `count` images [count, L]; None without labels."""
        label = [list(settings.label)] * count if isinstance(settings.label, tuple) else settings.label
        return label_rows(self.generator.spec, label, count)

    def modes(self, settings: ImageSettings) -> Modes | None:
        """Return what psi pulls codes of the settings' label towards; None: the mean of all codes."""
        return self.get_or_make(
            ("modes", settings.label, settings.mean),
            lambda: centres_for(self.generator, self.labels(settings), settings.mean),
        )

    def image(self, settings: ImageSettings) -> Tensor:
        """Return the image [C, H, W] uint8 of the settings; UserError if the generator has no such image."""
        return self.get_or_make(settings, lambda: self.draw(settings))

    def images(self, settings_list: Sequence[ImageSettings]) -> list[Tensor]:
        """Return the images of settings that differ by their seeds alone; those that are not cached are made in one
        pass, which may round otherwise than `image` does: up to 1 of 255."""
        with self.lock:
            new = [settings for settings in settings_list if ("tile", settings) not in self.results]
            if new:
                rows = self.rows(new[0], len(new))
                seeds, modes = [settings.seed for settings in new], self.modes(new[0])
                made = torch.cat(list(draw_with_modes(self.generator, seeds, rows, new[0].view, modes)))
                for settings, image in zip(new, to_uint8(made).cpu(), strict=True):
                    self.get_or_make(("tile", settings), lambda image=image: image)  # type: ignore[misc]
            return [
                self.get_or_make(("tile", settings), lambda settings=settings: self.draw(settings))  # type: ignore[misc]
                for settings in settings_list
            ]

    def draw(self, settings: ImageSettings) -> Tensor:
        """Make the image [C, H, W] uint8 of the settings."""
        modes = self.modes(settings)
        (made,) = draw_with_modes(self.generator, [settings.seed], self.labels(settings), settings.view, modes)
        return to_uint8(made)[0].cpu()

    def codes(self, settings: ImageSettings) -> Codes:
        """Return the codes that the image of the settings is made from."""
        return self.get_or_make(
            ("codes", settings),
            lambda: truncated_codes(
                self.generator,
                [settings.seed],
                self.labels(settings),
                SamplingOptions(settings.psi),
                self.modes(settings),
            ),
        )

    @torch.no_grad()
    def render(self, codes: Codes) -> Tensor:
        """Return the image [C, H, W] uint8 of one code."""
        with self.lock:
            return to_uint8(images_of(self.generator, codes))[0].cpu()

    def mix(self, settings: ImageSettings, lender: int, layers: tuple[int, ...]) -> Codes:
        """Return the code of an image with the styles of another seed at `layers`; without layers its own."""
        codes = self.codes(settings)
        lent = self.codes(settings._replace(seed=lender))
        return mix_styles(self.generator, codes, lent, layers) if layers else codes

    def directions(self, method: Method, count: int) -> Directions:
        """Return the strongest directions of the generator's codes."""
        return self.get_or_make(("directions", method, count), lambda: find_directions(self.generator, method, count))

    def edit(self, settings: ImageSettings, method: Method, amounts: tuple[float, ...]) -> Codes:
        """Return the code of an image, moved by an amount along each of the strongest directions."""
        codes, found = self.codes(settings), self.directions(method, len(amounts))
        for which, amount in enumerate(amounts[: len(found.vectors)]):
            codes = found.move(codes, which, [amount]) if amount else codes
        return codes


class Followed(Generic[Result]):
    """What is saved in a folder or a Hub repository, kept up to date."""

    def __init__(self, name: str, hub: Hub | None = None, device: str = "", use: tuple[str, ...] = ()):
        """Read the model; UserError if there is none. `use`: files that register its parts, for commands."""
        self.name, self.hub, self.device, self.use = name, hub or Hub(), device, use
        self.stamp = newest(name)
        self.model = self.read()

    def read(self) -> Result:
        """Return the model as it is saved now."""
        raise NotImplementedError

    def refresh(self) -> bool:
        """Load a newer checkpoint if a run has saved one, and return whether it did; one that cannot be read is
        skipped."""
        stamp = newest(self.name)
        if stamp == self.stamp:
            return False
        self.stamp = stamp
        try:
            self.model = self.read()
        except (UserError, OSError):  # being removed, or half of it gone: the next one comes
            return False
        return True


class Studio(Followed[Model]):
    """A generator of images of noise, and its discriminator."""

    def read(self) -> Model:
        device = resolve_device(self.device)
        generator, judge = load_pair(self.name, self.hub)
        return Model(generator.to(device), judge and judge.to(device))


def newest(name: str) -> str:
    """Return the name of a run's newest checkpoint, "" without any."""
    last = checkpoint.latest(Path(name)) if Path(name).is_dir() else None
    return last.name if last else ""
