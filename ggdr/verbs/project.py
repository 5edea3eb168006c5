"""`ggdr project MODEL PICTURE ...`: the codes whose images are nearest to pictures, found by gradient descent.

ggdr project runs/digits photo.png --space w+ --out projected

ggdr project org/name *.jpg --extractor lpips --steps 500 --video none

ggdr project models/faces ann.jpg --tune models/faces-ann

--tune makes a model whose weights are tuned so that the codes that were found make the pictures themselves, while its
other images stay nearly as they were (pivotal tuning, Roich et al. 2022, arXiv 2106.05744); edit it with the codes that
lie in --out: ggdr edit models/faces-ann --code projected/ann.safetensors.

--encoder begins at the code that an encoder of this very generator finds (game `encoder`: ggdr train digits_encoder
--game.generator runs/digits), rather than at the mean style; with --steps 0 that is the answer:

ggdr project runs/digits photo.png --encoder runs/encoder --steps 0

--identity compares what a network knows of who or what is shown, and no pixels beside it, as in Age-cGAN (Antipov et
al. 2017, arXiv 1702.01983); --to-label then makes the picture again of the same code under other labels:

ggdr project runs/labelled digit.png --labels 3 --identity digits --to-label 5 8

The extractor of what is compared is swapped by name, then set: --extractor timm --extractor.model resnet18.a1_in1k
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import tyro

from ggdr.documents import check_model_place
from ggdr.errors import UserError, above_zero, at, setting
from ggdr.features.base import Extractor
from ggdr.features.plain import Pixels
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import part_flags, swap_parts, take, take_use
from ggdr.formatting import significant
from ggdr.progress import Bar
from ggdr.registry import use
from ggdr.verbs.label_flags import Label, LabelFlags, parse_words
from ggdr.verbs.outputs import check_contents, check_folder, check_inputs, check_model_folder

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.latent.codes import Codes
    from ggdr.latent.projection import Projection, Search
    from ggdr.networks.base import ImageSpec
    from ggdr.networks.base.module import Encoder, Generator

FRAMES = 150
"""frames of a film at most, five seconds"""
FRAME_PX = 512
"""longer side of a film's images at most"""
BETTER = (
    "distances are of plain pixels; --extractor lpips is nearer to what people see: it takes the weights of VGG-16 from"
    " the Hub's cache or --extractor.weights FILE, and LPIPS' from torch.hub's or --extractor.linear FILE."
)


@dataclass(frozen=True)
class Parts:
    """What is swapped by name."""

    extractor: Extractor


@dataclass(frozen=True)
class Project(LabelFlags):
    """What to look for, where, and how."""

    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """image files of any size; they are cropped about the centre and resized to the generator's"""
    extractor: Extractor = Pixels()
    """what makes the features of picture and image whose squared difference counts"""
    space: Literal["w", "w+", "z"] | None = None
    """one style code for all layers, one for each, or the latent code; None: w where there are styles, else z"""
    encoder: str = ""
    """run or model of an encoder of this generator, whose code the search starts from; none: it starts from the mean
    style, or the nearest of 256 latent codes"""
    steps: int = 1000
    """steps of the search; 0, with --encoder: none, its code is what is found"""
    pixels: float | None = None
    """weight of plain pixels beside the features; 0: none, as in the paper; None: 0.1, with --identity 0"""
    identity: str = ""
    """name of a feature extractor that knows identities, which the search is to keep: --identity NAME is --extractor
    NAME --pixels 0, and --extractor.X sets it"""
    to_label: tuple[str, ...] = ()
    """labels under which what is found is made again, as those of --labels: further images of NAME.png, whose codes are
    NAME-as-LABEL.safetensors"""
    seed: int = 0
    """seed of all that is drawn"""
    batch_size: int = 8
    """pictures at once; what is found for one does not depend on the others"""
    video: Literal["mp4", "gif", "none"] = "mp4"
    """film of the search, the picture at its left"""
    tune: Path | None = None
    """folder of a model to make, tuned to the pictures; None: none is made"""
    tune_steps: int = 350
    """updates of the weights of --tune"""
    out: Path = Path("projected")
    """folder of NAME.png (picture, image, and images under other labels), NAME.safetensors (the code) and NAME.mp4, for
    each picture NAME"""

    def __post_init__(self) -> None:
        above_zero(self, "batch_size", "tune_steps", *(() if self.encoder and self.steps == 0 else ("steps",)))

    @property
    def pixel_weight(self) -> float:
        """Weight of plain pixels beside the features."""
        return (0.0 if self.identity else 0.1) if self.pixels is None else self.pixels

    def other_labels(self, spec: ImageSpec) -> list[Label]:
        """The labels of --to-label; UserError, with what to type, if they do not fit the generator."""
        if self.to_label and not spec.labels:
            raise UserError(
                "this generator was trained without labels, so that nothing can be made under another; leave --to-label"
                f" {' '.join(self.to_label)} out."
            )
        return parse_words("--to-label", self.to_label, spec)

    def as_label(self, picture: Path, label: str) -> Path:
        """The file of a picture's code under another label."""
        return self.out / f"{picture.stem}-as-{label}.safetensors"

    def files(self, picture: Path) -> Files:
        """What is written for a picture."""
        film = None if self.video == "none" else self.out / f"{picture.stem}.{self.video}"
        tuned = None if self.tune is None else self.out / f"{picture.stem}-tuned.png"
        return Files(self.out / f"{picture.stem}.png", self.out / f"{picture.stem}.safetensors", film, tuned)


class Files(NamedTuple):
    """What is written for one picture."""

    png: Path
    code: Path
    film: Path | None
    tuned: Path | None


class Batch(NamedTuple):
    """Pictures that were projected together."""

    targets: Tensor
    """[N, C, H, W] in [-1, 1], what was looked for"""
    found: Projection


def main(argv: list[str]) -> int:
    """Project the pictures that `argv` names and say how near that came; UserError if it cannot be done."""
    command = parse_command(argv)
    check_pictures(command)
    if command.encoder:
        check_model_place(command.encoder)
    command.announce()
    from ggdr.latent.encoding import encoder_of, space_from
    from ggdr.latent.projection import Search

    generator = command.generator()
    encoder = encoder_of(command.encoder, generator) if command.encoder else None
    space = command.space if encoder is None else space_from(encoder, command.space)
    search = Search(
        space=space, steps=command.steps, extractor=command.extractor, pixels=command.pixel_weight, seed=command.seed
    )
    others = command.other_labels(generator.spec)
    command.check_files([command.as_label(picture, label.text) for picture in command.pictures for label in others])
    rows, batches = command.label_rows(generator.spec, len(command.pictures)), []
    for first in range(0, len(command.pictures), command.batch_size):
        part = slice(first, first + command.batch_size)
        batches.append(
            project_batch(
                command,
                generator,
                search,
                command.pictures[part],
                None if rows is None else rows[part],
                encoder,
                others,
            )
        )
    if command.tune is not None:
        tune_model(command, generator, search, batches, command.tune)
    if command.extractor == Pixels():
        print(BETTER)
    return 0


def parse_command(argv: list[str]) -> Project:
    """The command; UserError or SystemExit with what is wrong and what to type instead."""
    files, flags = take_use(argv)
    for file in files:
        use(file)
    flags = with_identity(flags)
    parts, flags = swap_parts(Parts(Pixels()), flags)
    defaults = Project("", extractor=parts.extractor, use=tuple(map(str, files)))
    known = (*part_flags(parts), *flags_of(defaults))
    return parsed(Project, flags, "ggdr project", __doc__, defaults, known)


def with_identity(flags: list[str]) -> list[str]:
    """The flags, with the extractor that --identity names; UserError if --extractor names another."""
    names, _ = take(flags, "--identity", "the name of a feature extractor: --identity digits")
    if not names:
        return flags
    if any(flag.partition("=")[0] == "--extractor" for flag in flags):
        raise UserError("--identity and --extractor both name what is compared; give one of them.")
    return [*flags, "--extractor", names[-1]]


def check_pictures(command: Project) -> None:
    """UserError if a picture is missing, or what would be written is there already."""
    if not command.model or not command.pictures:
        raise UserError("give a model and pictures: ggdr project runs/digits photo.png")
    if lost := [picture for picture in command.pictures if not picture.is_file()]:
        raise UserError(f"there is no picture {str(lost[0])!r}; give the path of an image file.")
    stem, times = Counter(picture.stem for picture in command.pictures).most_common(1)[0]
    if times > 1:
        raise UserError(f"{times} pictures are called {stem!r}, as would be what is written; project one at a time.")
    check_folder(command.out)
    if command.tune is not None:
        check_model_folder(command.tune)
    files = [file for picture in command.pictures for file in command.files(picture) if file is not None]
    check_inputs(files, command.pictures)
    command.check_files(files)
    check_contents(command.out, files)


def project_batch(
    command: Project,
    generator: Generator,
    search: Search,
    pictures: tuple[Path, ...],
    rows: Tensor | None,
    encoder: Encoder | None = None,
    others: Sequence[Label] = (),
) -> Batch:
    """Project one batch, with these labels, write its files and print how near it came.

    `others`: labels under which what is found is made again.
    """
    from ggdr.features.weights import NoWeights
    from ggdr.latent.encoding import starts
    from ggdr.latent.projection import project
    from ggdr.latent.targets import open_picture, targets_of

    targets = targets_of([open_picture(picture) for picture in pictures], generator.spec)
    start = None if encoder is None else starts(encoder, generator, targets)
    frames: list[Tensor] = []
    with Bar("projecting", command.steps, "steps") as bar:
        watch = make_watcher(frames, command, bar.advance)
        try:
            with at("extractor"):
                found = project(
                    generator, targets, search, labels=rows, batch_size=command.batch_size, watch=watch, start=start
                )
        except NoWeights as error:
            error.move("", f"meanwhile {setting('extractor')} pixels needs none")
            raise
    for place, picture in enumerate(pictures):
        beside = as_others(command, generator, picture, found.codes.rows([place]), rows, place, others)
        write_files(
            command.files(picture), generator, targets[place], found, place, [each[place] for each in frames], beside
        )
        was, now = (float(each[place]) for each in (found.start, found.distance))
        nearer = f"{significant(was)} -> {significant(now)}"
        print(f"{picture}: distance by {command.extractor.name} {nearer}: {command.files(picture).png}")
    return Batch(targets, found)


def as_others(
    command: Project,
    generator: Generator,
    picture: Path,
    codes: Codes,
    rows: Tensor | None,
    place: int,
    labels: Sequence[Label],
) -> list[Tensor]:
    """Images [C, H, W] of a picture's code [1] under other labels, whose codes are written."""
    import torch

    from ggdr.latent.codes import images_of, save_codes
    from ggdr.latent.relabelling import relabelled

    made = []
    for label in labels:
        assert rows is not None
        wanted = torch.tensor([label.values])
        under = relabelled(generator, codes, rows[place : place + 1], wanted, command.seed)
        save_codes(under, generator, command.as_label(picture, label.text))
        with torch.no_grad():
            made.append(images_of(generator, under)[0].cpu())
    return made


def tune_model(command: Project, generator: Generator, search: Search, batches: list[Batch], out: Path) -> None:
    """Tune a copy of the generator to all pictures, save it, and print how near that came."""
    import torch

    from ggdr import __version__
    from ggdr.latent.projection import join
    from ggdr.latent.tuning import Tuning, tune
    from ggdr.sampling.grid import save_grid, to_uint8
    from ggdr.saving.model import save_new

    targets, found = torch.cat([batch.targets for batch in batches]), join([batch.found for batch in batches])
    tuning = Tuning(steps=command.tune_steps)
    with Bar("tuning", tuning.steps, "steps") as bar:
        tuned = tune(
            generator, targets, found, search, tuning, batch_size=command.batch_size, watch=lambda _: bar.advance()
        )
    source = {"format": "a model of ggdr, tuned to pictures", "model": command.model, "steps": tuning.steps}
    pictures = [str(picture) for picture in command.pictures]
    save_new(out, {"generator": tuned.generator}, source | {"pictures": pictures, "ggdr": __version__})
    for place, picture in enumerate(command.pictures):
        nearer = f"{significant(float(found.distance[place]))} -> {significant(float(tuned.distance[place]))}"
        file = command.files(picture).tuned
        assert file is not None
        save_grid(to_uint8(torch.stack([targets[place], tuned.images[place]])), file, columns=2)
        print(f"{picture}: tuned, distance {nearer}: {file}")
    print(f"{out}: makes these pictures of the codes in {command.out}")


def make_watcher(
    frames: list[Tensor], command: Project, advance: Callable[[int], object]
) -> Callable[[int, Tensor, Tensor], None]:
    """What moves the bar on and keeps the images uint8 of some steps, evenly spread, all of them if there is a film."""
    from ggdr.sampling.grid import to_uint8
    from ggdr.visualization.film import shrink

    every = max(1, -(-command.steps // FRAMES))

    def watch(step: int, images: Tensor, distance: Tensor) -> None:
        """Keep a frame if it is due."""
        if command.video != "none" and step % every == 0:
            frames.append(shrink(to_uint8(images).cpu(), FRAME_PX))
        advance(1)

    return watch


def write_files(
    files: Files,
    generator: Generator,
    target: Tensor,
    found: Projection,
    place: int,
    frames: list[Tensor],
    others: Sequence[Tensor] = (),
) -> None:
    """The picture beside its image and what is made of it under other labels, the code and the film."""
    import torch

    from ggdr.latent.codes import save_codes
    from ggdr.sampling.grid import save_grid, to_uint8
    from ggdr.visualization.film import enlarge, save_film, shrink

    pair = to_uint8(torch.stack([target, found.images[place]]))
    save_grid(torch.cat([pair, *(to_uint8(image[None]) for image in others)]), files.png, columns=2 + len(others))
    save_codes(found.codes.rows([place]), generator, files.code)
    if files.film is not None:
        beside, last = shrink(pair, FRAME_PX)
        film = (torch.cat([beside, frame], dim=2) for frame in [*frames, *[last] * 15])
        save_film(enlarge(film), files.film)
