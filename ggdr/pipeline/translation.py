"""A saved translator: pictures of any size in, pictures out, both ways where the model goes both ways."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, Self

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ggdr.documents import one_line
from ggdr.errors import UserError
from ggdr.networks.base.module import Network
from ggdr.ops.tiles import Tiling, in_tiles, pad_to
from ggdr.pipeline.base import NetworksPipeline
from ggdr.pipeline.outputs import check_output, handed
from ggdr.pipeline.pictures import Shown, inputs_of
from ggdr.play.game import Game
from ggdr.play.view import View, Way
from ggdr.sampling.grid import picture, to_pil
from ggdr.sampling.labels import LabelInput, label_rows
from ggdr.saving.model import describe, save_model
from ggdr.saving.pretrained import INDEX, Hub, SavedModel, check_index, open_model, translator_index
from ggdr.seeding import word

LEAST = 4
"""sides of images that a network sees are at least this many of its divisors, where it was built for as many"""


class TranslationOutput(NamedTuple):
    """What a translation hands over."""

    images: list[PIL.Image.Image] | list[np.ndarray] | list[Tensor] | np.ndarray | Tensor
    """images in the order of the inputs, as `output_type` asks; arrays and tensors of several sizes as a list"""
    view: str
    """what was done, such as "horse_to_zebra\""""


class TranslationPipeline(NetworksPipeline):
    """The networks of a game that makes images of images; in eval mode, not learning.

    `ggdr.from_pretrained("runs/horses")("horse.jpg", to="zebra").images[0]` is a picture; `views` says which ways there
    are. Networks that no way needs are not read.
    """

    def __init__(self, networks: Mapping[str, Network], game: Game, domains: Sequence[str]):
        """Let a game's networks, by role, make images between domains; UserError if they make none of images."""
        self.game, self.domains = game, tuple(domains)
        try:
            found = game.views(networks, self.domains)
        except UserError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"game {game.name!r} is not played by the networks {', '.join(map(repr, networks))} between"
                f" {' and '.join(self.domains)}: {one_line(error).rstrip('.')}."
            ) from error
        self.views: dict[str, View] = {name: view for name, view in found.items() if view.way is not None}
        if not self.views:
            raise UserError(f"game {game.name!r} makes images of noise: load it by ggdr.Pipeline.")
        self.used = dict(networks)
        self.begin(next(iter(self.used.values())).precision)

    def networks(self) -> dict[str, Network]:
        return self.used

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        *,
        revision: str | None = None,
        torch_dtype: torch.dtype | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """The translator of a folder (of a run, a checkpoint, a model) or of a Hub repository "org/name".

        Only JSON and safetensors are read, and only networks that translate. The arguments are those of
        `ggdr.from_pretrained`. UserError if there is no such model, or it makes images of noise.
        """
        return cls.of(open_model(name_or_path, Hub(revision, token, local_files_only))).to(dtype=torch_dtype)

    @classmethod
    def of(cls, model: SavedModel) -> Self:
        """The pipeline of a saved model; UserError if it makes images of noise, or cannot be read."""
        if not model.translates:
            raise UserError(
                f"{model.name!r} makes images of noise, not of images: type `ggdr generate {model.name}`, or in Python"
                f" ggdr.from_pretrained({model.name!r})(seeds=[0, 1])."
            )
        return cls(ReadNetworks(model), *model.played())

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write a folder for each network, float32, and an index that names the game, the roles and the domains.

        OSError if the disk refuses, UserError if something else is there that would be replaced.
        """
        folder = Path(save_directory).expanduser()
        check_index(folder)
        for role, network in self.used.items():
            save_model(network, folder / role)
        described = {role: describe(network) for role, network in self.used.items()}
        (folder / INDEX).write_text(translator_index(described, self.game, self.domains))

    def __call__(
        self,
        images: Shown | Sequence[Shown] | None = None,
        *,
        to: str | None = None,
        labels: LabelInput | None = None,
        seed: int = 0,
        tile: int = 1024,
        overlap: int = 32,
        chunk_size: int = 1,
        output_type: Literal["pil", "np", "pt"] = "pil",
        seeds: object = None,
    ) -> TranslationOutput:
        """Each picture as one of the other domain, of the same size where the model keeps it.

        `images`: one or several paths, PIL images, arrays [H, W, C] or tensors [C, H, W], uint8 or float from 0 to 1,
        of any size; gray, RGB and RGBA become what the model takes.
        `to`: the domain to be made, or a view such as "horse_to_zebra"; None: the first of `self.views`.
        `labels`: of what is to be made, for a model that was trained with such, as in `ggdr.Pipeline`.
        `seed`: of models that draw as they translate; each image is a function of it and the picture alone.
        `tile`: pictures with a longer side, pixels, are made in tiles of this side; 0: whole, whatever it takes. A
        model that takes one size alone makes all others in tiles of it.
        `overlap`: how far tiles overlap, pixels, over which they fade into each other; half a tile at most.
        `chunk_size`: most pictures of one size that pass at once; models that compare those of a batch, as pix2pix's
        may, make other images of several.
        `output_type`: "pil"; or, as in diffusers, "np" [N, H, W, C], "pt" [N, C, H, W] in [0, 1].
        UserError if there is no picture, no such way, or `seeds`, which are for models that make images of noise.
        """
        if seeds is not None or images is None:
            self.refuse()
        check_output(output_type)
        name, view = self.find_view(to)
        assert view.way is not None and images is not None
        shown = inputs_of(images, view.way.takes)
        rows = label_rows(view.way.makes, labels, len(shown))
        passes = self.passes(shown, view.way, rows, seed, (tile, overlap), chunk_size)
        made = list(self.shown(passes, len(shown)) if len(shown) > 1 else passes)
        return TranslationOutput(hand_over(made, view.way.makes.classes, output_type), name)

    def find_view(self, to: str | None) -> tuple[str, View]:
        """The view of a name, or to a domain, and its name; UserError, with those there are, if there is none."""
        if to is None:
            return next(iter(self.views.items()))
        found = [(name, view) for name, view in self.views.items() if to in (name, view.target)]
        if not found:
            targets = dict.fromkeys(view.target for view in self.views.values())
            raise UserError(
                f"this model does not translate to {to!r}; give a domain, {' or '.join(map(repr, targets))}, or a view,"
                f" {' or '.join(map(repr, self.views))}."
            )
        return found[0]

    def passes(
        self, shown: list[Tensor], way: Way, rows: Tensor | None, seed: int, cut: tuple[int, int], chunk_size: int
    ) -> Iterator[Tensor]:
        """Images [n, C, H, W] of neighbours of one size, `chunk_size` at most; UserError if that is none."""
        tile, overlap = cut
        if chunk_size < 1 or tile < 0 or overlap < 0:
            raise UserError(
                f"chunk_size is {chunk_size}, tile {tile} and overlap {overlap}; give 1 or more, and 0 or more pixels."
            )
        first = 0
        while first < len(shown):
            size, last = shown[first].shape, first + 1
            while last < min(first + chunk_size, len(shown)) and shown[last].shape == size:
                last += 1
            images = torch.stack(shown[first:last]).to(self.device)
            labels = None if rows is None else rows[first:last].to(self.device)
            yield self.translate(images, way, labels, seed, tile, overlap)
            first = last

    @torch.no_grad()
    def translate(self, images: Tensor, way: Way, labels: Tensor | None, seed: int, tile: int, overlap: int) -> Tensor:
        """Images of images [N, C, H, W]: padded to what the way takes, in tiles where they are large, cut again."""
        height, width = images.shape[2:]
        tiling = tiling_for(way, (height, width), tile, overlap)
        padded = pad_to(images, *padded_size(way, (height, width), tiling))
        with self.computing(), torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(word(seed))
            made = in_tiles(lambda part: way.translate(part, labels, None), padded, tiling)
        return made[:, :, : height * way.makes.height // way.takes.height, : width * way.makes.width // way.takes.width]

    def refuse(self) -> NoReturn:
        """Say by a UserError that images are made of images, and how: what models of noise can do is refused so."""
        view = next(iter(self.views.values()))
        raise UserError(
            f"this model makes images of images ({', '.join(self.views)}), not of noise: give it pictures,"
            f" pipe(images, to={view.target!r})."
        )

    mix = interpolate = directions = edit = project = property(refuse)


class ReadNetworks(dict[str, Network]):
    """The networks of a saved model, each read when it is first asked for."""

    def __init__(self, model: SavedModel):
        super().__init__()
        self.model = model

    def __missing__(self, role: str) -> Network:
        self[role] = network = self.model.load(role)
        return network


def tiling_for(way: Way, size: tuple[int, int], tile: int, overlap: int) -> Tiling:
    """How images of a size, pixels, are cut for a way, whose only size is that of its tiles if it has but one."""
    takes, makes = way.takes, way.makes
    if not way.size_divisor:
        step = takes.height // math.gcd(takes.height, makes.height)
        height, width = takes.height, takes.width
    else:
        step = way.size_divisor
        longest = max(size) if tile == 0 else tile
        height, width = (
            up(max(min(side, longest), least(step, own)), step)
            for side, own in zip(size, (takes.height, takes.width), strict=True)
        )
    return Tiling(height, width, min(overlap, height // 2, width // 2), step)


def padded_size(way: Way, size: tuple[int, int], tiling: Tiling) -> tuple[int, int]:
    """Height and width, pixels, that images of a size are padded to: a tile at least, and multiples of the step."""
    return max(up(size[0], tiling.step), tiling.height), max(up(size[1], tiling.step), tiling.width)


def least(step: int, own: int) -> int:
    """The least side that a network is shown, pixels: edges are mirrored, and normalized maps have several pixels."""
    return min(LEAST * step, own)


def up(side: int, step: int) -> int:
    """The next multiple of a step."""
    return math.ceil(side / step) * step


def hand_over(made: list[Tensor], classes: int, output_type: str) -> Any:
    """Passes of images as `output_type` asks."""
    if output_type == "pil":
        return [each for images in made for each in to_pil(picture(images, classes))]
    if len({images.shape[1:] for images in made}) == 1:
        return handed(iter(made), output_type)
    return [each for images in made for each in handed(iter([images]), output_type)]
