"""`ggdr translate MODEL IMAGES... --out FOLDER`: pictures as a translator makes them, each under its own name.

ggdr translate runs/horses photo.jpg --out made

ggdr translate runs/horses photos --out made --view zebra_to_horse --grid

ggdr translate runs/cats photos --out made --seeds 0-3

ggdr translate runs/styles photos --out table.png --style monet.jpg wave.jpg --each-style

ggdr translate org/name *.png --out made --tile 512 --overlap 64

A model that draws makes an output of a picture for each seed. One that takes styles gives it that of --style: of
several pictures their mean, or what --style-weights make of them, and with --each-style an output for each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import tyro

from ggdr.documents import suggest_similar
from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.flags.ranges import parse_ranges
from ggdr.folders import SHEET, SOFTWARE, make_marked
from ggdr.progress import track
from ggdr.verbs.label_flags import Label, LabelFlags
from ggdr.verbs.model_flags import is_png
from ggdr.verbs.outputs import check_contents, check_folder, check_inputs

if TYPE_CHECKING:
    import PIL.Image

    from ggdr.pipeline.styles import Style
    from ggdr.pipeline.translation import TranslationPipeline

CELL_PX = 512
"""longer side of a table's cells, at most"""


@dataclass(frozen=True)
class Translate(LabelFlags):
    """What to translate, which way, and where to put it."""

    images: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="IMAGES...")] = ()
    """pictures, or folders of such"""
    out: Path = Path("translated")
    """folder to write to: NAME.png of each picture, in the folders that they lie in; of several outputs of one
    NAME-STYLE-CLASS-seed1.png, as far as they differ. FILE.png: the one output, or a table of several"""
    view: str = ""
    """which way: a view, such as horse_to_zebra, or the domain that is to be made; none: the model's first"""
    seeds: tuple[str, ...] = ()
    """numbers and ranges (0 1 2, 0-3,7), of a model that draws: an output for each; none: that of seed 0"""
    style: tuple[Path, ...] = ()
    """pictures, or folders of such, whose style is taken, of a model that takes styles"""
    style_weights: tuple[float, ...] = ()
    """how much each style picture counts, 0 or more; none: all alike"""
    each_style: bool = False
    """an output for each style picture, instead of one for all of them"""
    strength: float | None = None
    """how far to go towards the style, from 0, the picture's own, to 1; None: all the way"""
    grid: bool = False
    """put each picture beside all that was made of it, below its styles"""
    noise: Literal["image", "segment", "pixel"] = "image"
    """for what one code is drawn, by a model that takes one of each place, as OASIS's does: the picture, all pixels of
    a class, or each pixel"""
    batch_size: int = 1
    """outputs of a picture that are made at once"""
    tile: int = 1024
    """pictures with a longer side, pixels, are made in tiles of this side; 0: whole"""
    overlap: int = 32
    """how far tiles overlap, pixels, over which they fade into each other"""


class Variants(NamedTuple):
    """The outputs that each picture has."""

    styles: dict[str, Style | None]
    """styles by what names of files call them"""
    labels: list[Label]
    """none: the model was trained without"""
    seeds: list[int]
    """none: nothing is drawn, or seed 0"""

    def names(self) -> list[str]:
        """What is added to a picture's name, of each of its outputs: that in which they differ."""
        labels = [f"-{label.text}" for label in self.labels] if len(self.labels) > 1 else [""]
        seeds = [f"-seed{seed}" for seed in self.seeds] if len(self.seeds) > 1 else [""]
        return [style + label + seed for style in self.styles for label in labels for seed in seeds]

    def each(self) -> int:
        """How many outputs a picture has in each style."""
        return max(1, len(self.labels)) * max(1, len(self.seeds))


def main(argv: list[str]) -> int:
    """Translate what `argv` asks for and say where it is; UserError if it cannot be, and a warning for what is none."""
    command = parsed(Translate, argv, "ggdr translate", __doc__)
    check_places(command)
    pictures = find_pictures(command.images)
    command.announce()
    pipeline = open_translator(command)
    name, variants = plan_outputs(command, pipeline)
    as_one = is_png(command.out)
    files = {} if as_one else output_files(pictures, command.out, [""] if command.grid else variants.names())
    written = [command.out] if as_one else [file for own in files.values() for file in own]
    check_inputs(written, [*pictures, *(find_pictures(command.style) if command.style else ())])
    command.check_files(written)
    if not as_one:
        check_contents(command.out, written)
    rows, made = [], 0
    for picture in track(pictures, "translating"):
        try:
            row = translated(command, pipeline, picture, name, variants)
        except UserError as error:
            print(f"ggdr: warning: skipped: {error.in_flags()}", file=sys.stderr)
            continue
        made += len(row) - 1
        if as_one:
            rows.append(row)
            continue
        shown = [draw_table(command, pipeline, name, variants, [row])] if command.grid else row[1:]
        for image, file in zip(shown, files[picture], strict=True):
            write(image, file, command.out, SHEET if command.grid else SOFTWARE)
    if not made:
        raise UserError(f"none of {len(pictures)} files is a picture that can be translated; give others.")
    if as_one:
        write_one(command, pipeline, name, variants, rows)
    print(f"{command.out}: {made} image{'s' * (made > 1)}, {name} by {command.model}")
    return 0


def check_places(command: Translate) -> None:
    """UserError if nothing can be written to where it is to be, or styles are asked for in two ways."""
    if not is_png(command.out):
        check_folder(command.out, "NAME.png for one picture, or the name of a folder for a file each")
    if command.each_style and not command.style:
        raise UserError("--each-style makes an output for each style picture; give those by --style.")
    if command.each_style and command.style_weights:
        raise UserError(
            "--style-weights make one style of several, and --each-style takes each; leave one of them out."
        )


def open_translator(command: Translate) -> TranslationPipeline:
    """The model, where it is to work; UserError if it makes no images of images."""
    from ggdr.ops.device import resolve_device
    from ggdr.pipeline.translation import TranslationPipeline
    from ggdr.registry import use

    for file in command.use:
        use(file)
    pipeline = TranslationPipeline.from_pretrained(command.model, revision=command.revision)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(resolve_device(command.device))


def plan_outputs(command: Translate, pipeline: TranslationPipeline) -> tuple[str, Variants]:
    """The view, and the outputs that each picture is to have; UserError if the model does not take what is asked."""
    name, view = pipeline.find_view(command.view or None)
    assert view.way is not None
    labels = command.parse_labels(view.way.makes)
    seeds = list(dict.fromkeys(seed for word in command.seeds for seed in parse_ranges("seeds", word)))
    files = find_pictures(command.style) if command.style else {}
    styles: dict[str, Style | None] = {}
    for file in files if command.each_style else ():
        called = f"-{file.stem}" if len(files) > 1 else ""
        if called in styles:
            raise UserError(
                f"two style pictures are called {file.stem!r}, as outputs would be; give others by --style."
            )
        styles[called] = pipeline.encode_style(file, to=name)
    weights = command.style_weights or None
    if not command.each_style:
        styles[""] = pipeline.encode_style([*files], style_weights=weights, to=name) if files else None
    style = next(iter(styles.values()))
    pipeline.ask(
        name, seeds or None, style, None if files else weights, command.strength, command.tile, command.overlap,
        command.batch_size, command.noise,
    )  # fmt: skip
    return name, Variants(styles, labels, seeds)


def find_pictures(given: Iterable[Path]) -> dict[Path, Path]:
    """Picture -> what it is called, with the folders that it lies in; UserError if there is none."""
    from ggdr.data.reading.file_types import image_endings

    found: dict[Path, Path] = {}
    for place in given:
        if not place.exists():
            like = suggest_similar(place)
            raise UserError(f"there is no file or folder {str(place)!r}{like}; give pictures, or a folder of such.")
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in inside:
            if file == place or file.is_file() and file.suffix.lower() in image_endings() and file.name[0] != ".":
                below = file.relative_to(place) if place.is_dir() else Path(file.name)
                found[file] = below.with_suffix("")
    if not found:
        what = "there is no picture to translate; give some, or a folder of such, behind the model."
        raise UserError(f"there is no picture in {' or '.join(map(str, given))}; give others." if given else what)
    return found


def output_files(pictures: dict[Path, Path], out: Path, endings: list[str]) -> dict[Path, list[Path]]:
    """Picture -> the files that it becomes; UserError if two would become the same."""
    files = {
        picture: [out / name.with_name(f"{name.name}{ending}.png") for ending in endings]
        for picture, name in pictures.items()
    }
    taken: dict[Path, Path] = {}
    for picture, own in files.items():
        for new in own:
            if (other := taken.setdefault(new, picture)) != picture:
                raise UserError(
                    f"{other} and {picture} would both become {new}; translate them one by one, each with another"
                    " --out."
                )
    return files


def translated(
    command: Translate, pipeline: TranslationPipeline, file: Path, view: str, variants: Variants
) -> list[PIL.Image.Image]:
    """A picture as the network is shown it, and all that is made of it."""
    from ggdr.pipeline.pictures import as_shown

    way = pipeline.views[view].way
    assert way is not None
    labels: Any = [label.values for label in variants.labels] or None
    made: list[Any] = [as_shown(file, way.takes)]
    for style in variants.styles.values():
        made += pipeline(
            file, to=view, labels=labels, seeds=variants.seeds or None, style=style, strength=command.strength,
            tile=command.tile, overlap=command.overlap, chunk_size=command.batch_size, noise=command.noise,
        ).images  # fmt: skip
    return made


def draw_table(
    command: Translate,
    pipeline: TranslationPipeline,
    view: str,
    variants: Variants,
    rows: list[list[PIL.Image.Image]],
    most: int = 0,
) -> PIL.Image.Image:
    """Pictures beside what was made of them, below the styles that they took; `most`: pixels of a cell, 0: as made."""
    from ggdr.pipeline.pictures import as_shown
    from ggdr.visualization.table import make_table

    way = pipeline.views[view].way
    assert way is not None
    made = [image for row in rows for image in row[1:]]
    size = max(image.width for image in made), max(image.height for image in made)
    scale = min(1.0, most / max(size)) if most else 1.0
    above: list[PIL.Image.Image | None] = []
    for file in find_pictures(command.style) if command.style else ():
        assert way.style_spec is not None
        above += [as_shown(file, way.style_spec)] + [None] * (variants.each() - 1 if command.each_style else 0)
    head = [[None, *above]] if above else []
    return make_table([*head, *rows], (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))))


def write_one(
    command: Translate,
    pipeline: TranslationPipeline,
    view: str,
    variants: Variants,
    rows: list[list[PIL.Image.Image]],
) -> None:
    """All in one file: the only output as it is, or a table of several."""
    from ggdr.sampling.grid import save_png

    if len(rows) == 1 and len(rows[0]) == 2 and not command.grid:
        return save_png(rows[0][1], command.out)
    return save_png(draw_table(command, pipeline, view, variants, rows, CELL_PX), command.out, SHEET)


def write(image: PIL.Image.Image, file: Path, out: Path, software: str) -> None:
    """Save a picture, in a folder that is marked as made here."""
    from ggdr.sampling.grid import save_png

    make_marked(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_png(image, file, software)
