"""`ggdr stylize CONTENT STYLE --out FILE`: a picture in the style of another, by a frozen network (arXiv 1508.06576).

ggdr stylize photo.jpg painting.jpg --out made.png

ggdr stylize photo.jpg painting.jpg --out made.png --style-weight 1000 --init noise --steps 500

ggdr stylize photo.jpg painting.jpg --out made.png --extractor emoji --size 256

No network is trained: the picture itself is changed, step by step. VGG-19 is fetched once (574 MB), or read from
--extractor.weights FILE; --extractor.random takes random weights, which know textures and colours but no objects;
--extractor emoji is a small network that needs no download.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.errors import UserError, setting
from ggdr.features.base import Extractor
from ggdr.features.vgg19 import VGG19
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import part_flags, swap_parts, take_use
from ggdr.formatting import significant
from ggdr.progress import Bar, say_loading
from ggdr.registry import use
from ggdr.stylization import StyleTransfer
from ggdr.verbs.outputs import check_inputs, check_out

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.stylization.descent import Stylised


@dataclass(frozen=True)
class Swapped:
    """What is swapped by name."""

    extractor: Extractor


@dataclass(frozen=True, kw_only=True)
class Stylize(StyleTransfer):
    """Which picture, in whose style, and how."""

    content: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CONTENT")]
    """picture whose content stays"""
    style: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="STYLE")]
    """picture whose style it gets"""
    out: Path = Path("stylized.png")
    """file to write, a PNG"""
    size: int = 512
    """longer side of both pictures, pixels; smaller ones stay as they are; 0: all do"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; none: the accelerator if there is one"""
    overwrite: bool = False
    """replace the file if it is there; without it nothing is made"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 0:
            raise UserError(f"{setting('size')} is {self.size}; give pixels, or 0 to leave pictures as they are.")
        if self.out.suffix.lower() != ".png":
            raise UserError(f"{setting('out')} is {self.out}; give the name of a PNG, such as made.png.")


def main(argv: list[str]) -> int:
    """Change the picture and say how near it came; UserError if it cannot be done."""
    command = parse_command(argv)
    if Path() in (command.content, command.style):
        raise UserError("give two pictures, content and style: ggdr stylize photo.jpg painting.jpg --out made.png")
    if lost := [file for file in (command.content, command.style) if not file.is_file()]:
        raise UserError(f"there is no picture {str(lost[0])!r}; give the path of an image file.")
    check_out([command.out], command.overwrite)
    check_inputs([command.out], [command.content, command.style])
    say_loading(f"{command.extractor.name}, for {command.content} in the style of {command.style}")
    command.chosen()
    made = stylised(command)
    write_picture(made, command.out)
    nearer = f"{significant(made.first)} -> {significant(made.last)}"
    print(
        f"{command.out}: {command.content} in the style of {command.style}, loss by {command.extractor.name} {nearer}"
    )
    return 0


def parse_command(argv: list[str]) -> Stylize:
    """The command; UserError or SystemExit with what is wrong and what to type instead."""
    files, flags = take_use(argv)
    for file in files:
        use(file)
    parts, flags = swap_parts(Swapped(VGG19()), flags)
    defaults = Stylize(content=Path(), style=Path(), extractor=parts.extractor, use=tuple(map(str, files)))
    known = (*part_flags(parts), *flags_of(defaults))
    return parsed(Stylize, flags, "ggdr stylize", __doc__, defaults, known)


def stylised(command: Stylize) -> Stylised:
    """The picture that was made, with a progress bar on a terminal."""
    from ggdr.features.weights import NoWeights
    from ggdr.ops.device import resolve_device
    from ggdr.stylization.descent import stylize

    device = resolve_device(command.device)
    content, style = (opened(file, command.size).to(device) for file in (command.content, command.style))
    with Bar("stylizing", command.steps, "steps") as bar:
        try:
            return stylize(content, style, command, lambda step, loss: bar.advance())
        except NoWeights as error:
            either = f"{setting('extractor')} emoji and {setting('extractor.random')}"
            error.move("", f"meanwhile {either} need none")
            raise


def opened(file: Path, size: int) -> Tensor:
    """A picture [1, 3, H, W] in [-1, 1], its longer side `size` at most; UserError if it is none."""
    from ggdr.networks.base import ImageSpec
    from ggdr.pipeline.pictures import inputs_of
    from ggdr.pipeline.styles import resized

    picture = inputs_of(file, ImageSpec(1, 1, 3))[0][None]
    height, width = picture.shape[2:]
    scale = min(1.0, size / max(height, width)) if size else 1.0
    return resized(picture, max(round(height * scale), 1), max(round(width * scale), 1))


def write_picture(made: Stylised, out: Path) -> None:
    """Save the picture that was made as a PNG file, whole or not at all."""
    from ggdr.sampling.grid import save_png, to_pil, to_uint8

    (picture,) = to_pil(to_uint8(made.image))
    save_png(picture, out)
