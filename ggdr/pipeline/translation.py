"""A saved translator: pictures of any size in, pictures out, both ways where the model goes both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, Self

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ggdr.documents import one_line
from ggdr.errors import UserError, setting
from ggdr.layers.dropout import drops_at_test
from ggdr.networks.base.module import Network
from ggdr.ops.tiles import Tiling, in_tiles, pad_to
from ggdr.pipeline.base import NetworksPipeline
from ggdr.pipeline.noise import Noise, check_noise, draw_codes
from ggdr.pipeline.outputs import check_output, handed
from ggdr.pipeline.pictures import Shown, inputs_of
from ggdr.pipeline.sizes import padded_size, tiling_for
from ggdr.pipeline.styles import Style, check_strength, encode, resized
from ggdr.play.game import Game
from ggdr.play.view import View, Way
from ggdr.sampling import check_seeds
from ggdr.sampling.grid import picture, to_pil
from ggdr.sampling.labels import LabelInput, label_rows
from ggdr.saving.model import describe, save_model
from ggdr.saving.pretrained import INDEX, Hub, SavedModel, check_index, open_model, translator_index
from ggdr.seeding import word


class TranslationOutput(NamedTuple):
    """What a translation hands over."""

    images: list[PIL.Image.Image] | list[np.ndarray] | list[Tensor] | np.ndarray | Tensor
    """images, all of the first input, then those of the next, as `output_type` asks; arrays and tensors of several
    sizes as a list"""
    view: str
    """what was done, such as "horse_to_zebra\""""
    inputs: list[int]
    """the place of the input that each was made of"""
    seeds: list[int]
    """the seed of each, to make it again; empty where nothing was drawn"""
    labels: Tensor | None
    """the label vector of each [N, L]; None: unconditional"""


class Asked(NamedTuple):
    """What is to be made of each picture."""

    view: str
    way: Way
    seeds: list[int]
    """an output for each; one, where nothing is drawn"""
    draws: bool
    """whether outputs differ by their seeds"""
    style: Tensor | None
    """the code [1, S] of the style to take; None: what the way draws, if it draws"""
    strength: float | None
    """how far towards that style, from the picture's own, 0 to 1; None: all the way"""
    tile: int
    overlap: int
    chunk_size: int
    noise: Noise = "image"
    """for what one code is drawn"""


class Output(NamedTuple):
    """One image that is to be made."""

    place: int
    """that of its input"""
    seed: int
    label: Tensor | None
    """[L]"""


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
        self.drops = any(map(drops_at_test, self.used.values()))
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
        (folder / INDEX).write_text(translator_index(described, self.game, self.domains), encoding="utf-8")

    def __call__(
        self,
        images: Shown | Sequence[Shown] | None = None,
        *,
        to: str | None = None,
        labels: LabelInput | None = None,
        seeds: int | Sequence[int] | Tensor | None = None,
        style: Shown | Sequence[Shown] | Style | None = None,
        style_weights: Sequence[float] | None = None,
        strength: float | None = None,
        tile: int = 1024,
        overlap: int = 32,
        chunk_size: int = 1,
        noise: Noise = "image",
        output_type: Literal["pil", "np", "pt"] = "pil",
    ) -> TranslationOutput:
        """Each picture as one of the other domain, of the same size where the model keeps it, or as several.

        `images`: one or several paths, PIL images, arrays [H, W, C] or tensors [C, H, W], uint8 or float from 0 to 1,
        of any size; gray, RGB and RGBA become what the model takes.
        `to`: the domain to be made, or a view such as "horse_to_zebra"; None: the first of `self.views`.
        `labels`: of what is to be made, for a model that was trained with such, as in `ggdr.Pipeline`: one for all
        pictures or one for each, and several of one picture make an image of each.
        `seeds`: of models that draw as they translate, an image of each picture for each; each is a function of it and
        the picture alone, up to rounding. None: 0.
        `style`: one or several pictures of any size whose style is taken, for models that can; of several the mean,
        or what `style_weights` make of them, which are 0 or more. `encode_style` encodes them once for many calls.
        `strength`: how far to go towards that style, from 0, the picture's own, to 1; None: all the way.
        `tile`: pictures with a longer side, pixels, are made in tiles of this side; 0: whole, whatever it takes. A
        model that takes one size alone makes all others in tiles of it. What is drawn, and the style, is the same in
        all of a picture's tiles.
        `overlap`: how far tiles overlap, pixels, over which they fade into each other; half a tile at most.
        `chunk_size`: most images of one size that pass at once; models that compare those of a batch, as pix2pix's
        may, make other images of several.
        `noise`: for what one code is drawn, by models that take one of each place, as OASIS's does: the "image", each
        "segment", which is all pixels of a class of its label map, or each "pixel".
        `output_type`: "pil"; or, as in diffusers, "np" [N, H, W, C], "pt" [N, C, H, W] in [0, 1].
        UserError if there is no picture, no such way, or the model does not take what is given.
        """
        if images is None:
            self.refuse()
        check_output(output_type)
        asked = self.ask(to, seeds, style, style_weights, strength, tile, overlap, chunk_size, noise)
        way = asked.way
        shown = inputs_of(images, way.takes)
        alone = len(shown) == 1
        rows = label_rows(way.makes, labels, None if alone else len(shown))
        wanted = [
            Output(place, seed, label)
            for place in range(len(shown))
            for label in ([None] if rows is None else rows if alone else rows[place : place + 1])
            for seed in asked.seeds
        ]
        passes = self.passes(shown, wanted, asked)
        made = list(self.shown(passes, len(wanted)) if len(wanted) > 1 else passes)
        return TranslationOutput(
            hand_over(made, way.makes.classes, output_type),
            asked.view,
            [output.place for output in wanted],
            [output.seed for output in wanted] if asked.draws else [],
            stack([output.label for output in wanted]),
        )

    def encode_style(
        self, style: Shown | Sequence[Shown], *, style_weights: Sequence[float] | None = None, to: str | None = None
    ) -> Style:
        """The style of one or several pictures, to be given as `style` again and again.

        `to`: the way that takes it, as in a call. UserError if that takes none, or they are no pictures.
        """
        name, view = self.find_view(to)
        assert view.way is not None
        if view.way.encode_style is None:
            ways = [other for other, each in self.views.items() if each.way and each.way.encode_style]
            others = f" ({' and '.join(ways)} would)" if ways else ""
            raise UserError(f"{name} takes no style of other pictures{others}; leave {setting('style')} out.")
        with self.computing():
            return Style(encode(style, style_weights, view.way, self.device), name)

    def ask(
        self,
        to: str | None = None,
        seeds: int | Sequence[int] | Tensor | None = None,
        style: Shown | Sequence[Shown] | Style | None = None,
        style_weights: Sequence[float] | None = None,
        strength: float | None = None,
        tile: int = 1024,
        overlap: int = 32,
        chunk_size: int = 1,
        noise: Noise = "image",
    ) -> Asked:
        """What the arguments of a call ask for; UserError if the model does not take it."""
        name, view = self.find_view(to)
        way = view.way
        assert way is not None
        for length, given in (("tile", tile), ("overlap", overlap)):
            if given < 0:
                raise UserError(f"{setting(length)} is {given}; give 0 or more pixels.")
        if chunk_size < 1:
            raise UserError(f"a pass of {chunk_size} images makes none; give 1 or more.")
        if style is None and style_weights is not None:
            raise UserError(f"{setting('style_weights')} weigh style pictures; give those by {setting('style')} too.")
        if style is None and way.needs_style:
            raise UserError(f"{name} makes pictures in the style of others; give one or several by {setting('style')}.")
        if style is not None and not isinstance(style, Style):
            style = self.encode_style(style, style_weights=style_weights, to=name)
        elif style is not None and style.view != name:
            raise UserError(f"this style is one for {style.view}, not for {name}; encode it with to={name!r}.")
        check_strength(strength, style is not None, name, way)
        check_noise(noise, style is not None, name, way)
        draws = self.draws(name) and (self.drops or style is None)
        if seeds is not None and not draws:
            why = "takes its style from pictures" if self.draws(name) else "draws nothing"
            raise UserError(f"{name} {why}, so that seeds make no difference; leave {setting('seeds')} out.")
        chosen = [0] if seeds is None else [*dict.fromkeys(check_seeds(seeds))]
        return Asked(name, way, chosen, draws, style and style.code, strength, tile, overlap, chunk_size, noise)

    def draws(self, name: str) -> bool:
        """Whether what a view makes of a picture depends on what it draws: a code, or what dropout drops."""
        way = self.views[name].way
        return self.drops or way is not None and way.draws > 0

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

    def passes(self, shown: list[Tensor], wanted: list[Output], asked: Asked) -> Iterator[Tensor]:
        """Images [n, C, H, W] of neighbours of one size, `chunk_size` at most."""
        first, at_once = 0, 1 if self.drops else asked.chunk_size  # dropout depends on the place in a batch
        while first < len(wanted):
            size, last = shown[wanted[first].place].shape, first + 1
            while last < min(first + at_once, len(wanted)) and shown[wanted[last].place].shape == size:
                last += 1
            part = wanted[first:last]
            yield self.translate(torch.stack([shown[each.place] for each in part]), part, asked)
            first = last

    @torch.no_grad()
    def translate(self, images: Tensor, wanted: list[Output], asked: Asked) -> Tensor:
        """Images of images [N, C, H, W]: padded to what the way takes, in tiles where they are large, cut again."""
        way, (height, width), device = asked.way, images.shape[2:], self.device
        tiling = tiling_for(way, (height, width), asked.tile, asked.overlap)
        padded = pad_to(images.to(device), *padded_size(way, (height, width), tiling))
        labels = stack([each.label for each in wanted])
        rows = None if labels is None else labels.to(device)
        with self.computing(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            code = self.code_of(padded, [each.seed for each in wanted], asked, tiling)
            torch.manual_seed(word(wanted[0].seed))
            channels = padded.shape[1]
            if code is not None and code.dim() > 2:  # codes of places are cut as the picture is
                laid = torch.cat([padded, code], dim=1)
                made = in_tiles(lambda p: way.translate(p[:, :channels], rows, p[:, channels:]), laid, tiling)
            else:
                made = in_tiles(lambda part: way.translate(part, rows, code), padded, tiling)
        return made[:, :, : height * way.makes.height // way.takes.height, : width * way.makes.width // way.takes.width]

    def code_of(self, images: Tensor, seeds: list[int], asked: Asked, tiling: Tiling) -> Tensor | None:
        """The code [N, S] of each image, of all its tiles: drawn by its seed, or that of a style; None if it has none.

        One that is drawn may differ from place to place: [N, S, H, W].

        Of pictures larger than a tile the own style, from which strength leads, is that of the picture made as small.
        """
        way, style = asked.way, asked.style
        if style is None:
            return draw_codes(asked.noise, seeds, way, images).to(self.device) if way.draws else None
        style = style.to(self.device).expand(len(images), -1)
        if asked.strength is None or way.own_code is None:
            return style
        larger = images.shape[2] > tiling.height or images.shape[3] > tiling.width
        seen = resized(images, tiling.height, tiling.width, way.takes.classes) if larger else images
        return way.own_code(seen).float().lerp(style, asked.strength)

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


def stack(labels: list[Tensor | None]) -> Tensor | None:
    """Label vectors [N, L] of some; None if they have none."""
    given = [label for label in labels if label is not None]
    return torch.stack(given) if given else None


def hand_over(made: list[Tensor], classes: int, output_type: str) -> Any:
    """Passes of images as `output_type` asks."""
    if output_type == "pil":
        return [each for images in made for each in to_pil(picture(images, classes))]
    if len({images.shape[1:] for images in made}) == 1:
        return handed(iter(made), output_type)
    return [each for images in made for each in handed(iter([images]), output_type)]
