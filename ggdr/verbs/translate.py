"""`ggdr translate MODEL IMAGES... --out FOLDER`: pictures as a translator makes them, each under its own name.

ggdr translate runs/horses photo.jpg --out made

ggdr translate runs/horses photos --out made --view zebra_to_horse --grid

ggdr translate org/name *.png --out made --tile 512 --overlap 64
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.folders import make_marked
from ggdr.verbs.label_flags import LabelFlags
from ggdr.verbs.outputs import check_contents, check_folder

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.pipeline.translation import TranslationPipeline


@dataclass(frozen=True)
class Translate(LabelFlags):
    """What to translate, which way, and where to put it."""

    images: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="IMAGES...")] = ()
    """pictures, or folders of such"""
    out: Path = Path("translated")
    """folder to write to: NAME.png of each picture, in the folders that they lie in"""
    view: str = ""
    """which way: a view, such as horse_to_zebra, or the domain that is to be made; none: the model's first"""
    grid: bool = False
    """put each picture beside what was made of it"""
    seed: int = 0
    """number that fixes what a model draws as it translates, if it draws"""
    tile: int = 1024
    """pictures with a longer side, pixels, are made in tiles of this side; 0: whole"""
    overlap: int = 32
    """how far tiles overlap, pixels, over which they fade into each other"""


def main(argv: list[str]) -> int:
    """Translate what `argv` asks for and say where it is; UserError if it cannot be, and a warning for what is none."""
    command = parsed(Translate, argv, "ggdr translate", __doc__)
    check_folder(command.out)
    files = output_files(command.images, command.out)
    command.check_files(list(files.values()))
    check_contents(command.out, files.values())
    pipeline = open_translator(command)
    name, view = pipeline.find_view(command.view or None)
    rows = command.label_rows(view.way.makes, 1) if view.way else None
    made = 0
    for picture, file in with_bar(files):
        try:
            shown = translated(command, pipeline, picture, name, rows)
        except UserError as error:
            print(f"ggdr: warning: skipped: {error}", file=sys.stderr)
            continue
        write(shown, file, command.out)
        made += 1
    if not made:
        raise UserError(f"none of {len(files)} files is a picture that can be translated; give others.")
    print(f"{command.out}: {made} image{'s' * (made > 1)}, {name} by {command.model}")
    return 0


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


def output_files(given: Iterable[Path], out: Path) -> dict[Path, Path]:
    """Picture -> the file that it becomes; UserError if there is none, or two would become the same."""
    from ggdr.data.reading.file_types import image_endings

    found: dict[Path, Path] = {}
    for place in given:
        if not place.exists():
            raise UserError(f"there is no file or folder {str(place)!r}; give pictures, or a folder of such.")
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in inside:
            if file == place or file.is_file() and file.suffix.lower() in image_endings() and file.name[0] != ".":
                below = file.relative_to(place) if place.is_dir() else Path(file.name)
                found[file] = out / below.with_suffix(".png")
    if not found:
        raise UserError("there is no picture to translate; give some, or a folder of such, behind the model.")
    taken: dict[Path, Path] = {}
    for file, new in found.items():
        if (other := taken.setdefault(new, file)) != file:
            raise UserError(
                f"{other} and {file} would both become {new}; translate them one by one, each with another --out."
            )
    return found


def with_bar(files: dict[Path, Path]) -> Iterator[tuple[Path, Path]]:
    """The files, with a progress bar on a terminal."""
    from tqdm import tqdm

    yield from tqdm(files.items(), unit=" images", leave=False, disable=None)


def translated(command: Translate, pipeline: TranslationPipeline, file: Path, view: str, rows: Any) -> Tensor:
    """What is made of a picture, uint8 [C, H, W]; with --grid the picture stands to the left of it."""
    from ggdr.pipeline.pictures import inputs_of
    from ggdr.sampling.grid import picture, side_by_side

    way = pipeline.views[view].way
    assert way is not None
    made: Any = pipeline(
        file, to=view, labels=rows, seed=command.seed, tile=command.tile, overlap=command.overlap, output_type="pt"
    ).images
    shown = picture(made * 2 - 1, way.makes.classes)
    if not command.grid:
        return shown[0].cpu()
    return beside(side_by_side([picture(inputs_of(file, way.takes)[0][None], way.takes.classes), shown]))


def beside(pictures: Tensor) -> Tensor:
    """Pictures uint8 [N, C, H, W] as one, from left to right [C, H, N W]."""
    return pictures.permute(1, 2, 0, 3).flatten(2)


def write(shown: Tensor, file: Path, out: Path) -> None:
    """Save a picture uint8 [C, H, W], in a folder that is marked as made here."""
    from ggdr.sampling.grid import save_png, to_pil

    make_marked(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    (picture,) = to_pil(shown[None])
    save_png(picture, file)
