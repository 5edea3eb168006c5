"""`ggdr encode MODEL [IMAGES...] --out codes.npz`: the codes of images, and their classes, by a model with an encoder.

ggdr encode runs/aae

ggdr encode runs/aae photo.png scans --out codes.parquet

ggdr encode runs/aae --map map.png

ggdr encode runs/fingerprints mine.npz

Without IMAGES those are encoded that the run's data hold out, or all of them, and where their classes are known it is
said how many are told wrong. `--map` draws where they lie, and what the decoder makes of the plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.verbs.model_flags import ModelFlags, is_png
from ggdr.verbs.outputs import check_inputs

if TYPE_CHECKING:
    from ggdr.latent.encoding import Encodings
    from ggdr.networks.base.module import Encoder

ENDINGS = (".npz", ".parquet")
CHUNK = 1024
"""vectors that are encoded at a time"""


@dataclass(frozen=True)
class Encode(ModelFlags):
    """What to encode, and where to put the codes."""

    images: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="IMAGES...")] = ()
    """pictures, or folders of such, of any size; of a model of vectors .npz files of `vectors` [N, K], as it sees them;
    none: those that the run's data hold out, or all of them"""
    out: Path = Path("codes.npz")
    """NAME.npz or NAME.parquet: a code of each image, its class, where the encoder tells it, and its label, if known"""
    map: Path | None = None
    """NAME.png: where the codes lie, coloured by class, and what the decoder makes of the plane; none: no picture"""


def main(argv: list[str]) -> int:
    """Encode the images that `argv` names and say where the codes are; UserError if they cannot be."""
    from ggdr.verbs.translate import find_pictures

    command = parsed(Encode, argv, "ggdr encode", __doc__)
    check_names(command)
    pictures = [*find_pictures(command.images)] if command.images else []
    written = [command.out, *([command.map] if command.map else [])]
    check_inputs(written, pictures)
    command.check_files(written)
    command.announce()
    from ggdr.latent.encoding import open_encoder, save_encodings
    from ggdr.ops.device import resolve_device
    from ggdr.registry import use
    from ggdr.saving.pretrained import Hub

    for file in command.use:
        use(file)
    model, encoder = open_encoder(command.model, Hub(command.revision), resolve_device(command.device))
    found = of_files(encoder, pictures) if pictures else of_data(command, encoder)
    save_encodings(found, command.out)
    wrong = "" if found.error is None else f", {found.error:.1%} of their classes told wrong"
    what = "vectors" if encoder.spec.continuous else "images"
    print(f"{command.out}: codes of {len(found.images)} {what} by {command.model}{wrong}")
    if command.map is not None:
        from ggdr.networks.base.module import Generator
        from ggdr.saving.pretrained import loaded
        from ggdr.visualization.latent_map import draw_map

        saved = model.networks.get("generator")
        styles = encoder.config.space != "z"  # no plane of which a picture is made
        generator = None if saved is None or styles else loaded(saved, Generator).to(encoder.device)
        draw_map(found, generator, f"{Path(command.model).name}: codes", command.map)
        print(f"{command.map}: a map of them")
    return 0


def check_names(command: Encode) -> None:
    """UserError if files are called so that it is not known what they are to be."""
    if command.out.suffix not in ENDINGS:
        raise UserError(f"--out {command.out} is neither a .npz nor a .parquet; give one, such as codes.npz.")
    if command.map is not None and not is_png(command.map):
        raise UserError(f"--map {command.map} is no .png; give one, such as map.png.")


def of_files(encoder: Encoder, files: list[Path]) -> Encodings:
    """Codes of pictures, or of the vectors in files, as the encoder asks; UserError if they are of the other kind."""
    strange = [file for file in files if (file.suffix == ".npz") != encoder.spec.continuous]
    if strange:
        reads, give = ("vectors", ".npz files of vectors") if encoder.spec.continuous else ("images", "pictures")
        raise UserError(f"this model reads {reads}, and {strange[0]} is none of such: give {give}.")
    return of_vectors(encoder, files) if encoder.spec.continuous else of_pictures(encoder, files)


def of_vectors(encoder: Encoder, files: list[Path]) -> Encodings:
    """Codes of the vectors in files, called FILE:PLACE; UserError if they hold none such as it reads."""
    from ggdr.data.reading.vectors import read_table
    from ggdr.latent.encoding import encode

    spec = encoder.spec
    found = {file: read_table(file).vectors for file in files}
    width = spec.channels * spec.height * spec.width
    for file, rows in found.items():
        if rows.shape[1] != width:
            raise UserError(f"the encoder reads vectors of {width} numbers, and those of {file} have {rows.shape[1]}.")
    import torch

    parts = [part for rows in found.values() for part in torch.from_numpy(rows).split(CHUNK)]
    batches = ((part.view(-1, spec.channels, spec.height, spec.width), None) for part in parts)
    return encode(encoder, batches, tuple(f"{file}:{n}" for file, rows in found.items() for n in range(len(rows))))


def of_pictures(encoder: Encoder, pictures: list[Path]) -> Encodings:
    """Codes of pictures, each made as large as the encoder's images, its middle; UserError if one is no picture."""
    from ggdr.latent.encoding import encode
    from ggdr.pipeline.pictures import inputs_of
    from ggdr.pipeline.styles import fitted

    batches = ((fitted(inputs_of(picture, encoder.spec)[0], encoder.spec)[None], None) for picture in pictures)
    return encode(encoder, batches, tuple(map(str, pictures)))


def of_data(command: Encode, encoder: Encoder) -> Encodings:
    """Codes of the images that the run's data hold out, or of all; UserError if it is not known which these are."""
    from ggdr.evaluation.inputs import data_of_run
    from ggdr.latent.encoding import encode_data

    try:
        data = data_of_run(command.model)
    except UserError as error:
        raise UserError(
            f"{command.model!r} does not say which images it was trained on; name some, such as: ggdr encode"
            f" {command.model} photos"
        ) from error
    return encode_data(encoder, (data.held_out() or data).open(), command.batch_size)
