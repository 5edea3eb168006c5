"""JSON and safetensors that a stranger may have written, read within bounds: a result, or UserError of one clause."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from ggdr.errors import UserError, setting
from ggdr.folders import RUNS
from ggdr.lazy import Tensor

MOST_BYTES = 4 * 2**20
"""most bytes of a JSON document; what this package writes takes some thousands"""
MOST_DEPTH = 64
"""most levels of objects and lists in one another"""
HUB_ID = r"\w[\w.-]*/[\w.-]*\w"
"""what names of Hub repositories look like"""
DESCRIBED = (
    *("networks.json", "config.json", "[!.]*/config.json", "model/config.json", "model/[!.]*/config.json"),
    "checkpoints/[0-9]*/networks.json",
)
"""where descriptions of networks lie in the folder of a run, a checkpoint, a model or one network"""
RECORD_FORMAT = 1
"""number of the format in which records of evaluations are written and read"""


class Header(NamedTuple):
    """What a safetensors file says of a tensor before it is read."""

    shape: tuple[int, ...]
    floating: bool
    """whether its numbers are fractions"""


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits; OSError if it cannot be read."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_hash(file: Path) -> str:
    """Return the first 16 hex digits of a file's sha256, by which records and cards name weights."""
    return file_sha256(file)[:16]


def one_line(error: object, most: int = 300) -> str:
    """What an error says, in a line that is not too long and that a terminal can show."""
    return printable(" ".join(str(error).split()) or type(error).__name__)[:most]


def printable(text: str) -> str:
    """The text as a terminal can show it: a name may hold line breaks, escapes and bytes that are no text."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def suggest_similar(missing: Path) -> str:
    """A question after what lies where something was looked for under a similar name; empty without any."""
    near = [printable(str(path)) for path in similar_paths(missing)]
    return f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""


def similar_paths(missing: Path) -> list[Path]:
    """What is there under a name like the last of a path, two at most; of a folder that is missing, in its like."""
    parent = missing.parent
    folders = [parent] if parent.is_dir() or parent == missing else similar_paths(parent)
    names = {folder: [path.name for path in folder.iterdir()] for folder in folders if folder.is_dir()}
    near = [folder / name for folder in names for name in difflib.get_close_matches(missing.name, names[folder], 2)]
    return near[:2]


def is_hub_id(name: str, revision: str | None = None) -> bool:
    """Whether a name is that of a repository of the Hub, org/name, and of nothing that is here, or is missing here.

    It counts as missing here, and the Hub is not asked, if the folder that it would lie in is there, or is that of
    runs; but for a `revision`, which nothing but a repository has.
    """
    folder = Path(name).parent
    is_path = folder == Path(RUNS) or folder.exists()
    return bool(re.fullmatch(HUB_ID, name)) and (revision is not None or not is_path)


def or_hub_id(name: str) -> str:
    """The end of a sentence on what may be given instead of a name that is not here: a repository of the Hub."""
    how = f" (if {name!r} is one, add {setting('revision')} main)" if is_hub_id(name, "main") else ""
    return f"or a Hub repository such as 'org/name'{how}"


def check_model_place(name: str | Path, revision: str | None = None) -> None:
    """UserError if no model can be at a place: there is no such folder, and no name of a Hub repository; or it is a
    file, or a folder that holds no description of a network. Nothing but names is read, and no torch is imported."""
    here = Path(name).expanduser()
    if here.is_file():
        raise UserError(
            f"{str(name)!r} is a file; networks are read from folders: a published checkpoint becomes one by"
            f" `ggdr convert {name} FOLDER`."
        )
    if here.is_dir():
        if not any(found for pattern in DESCRIBED for found in here.glob(pattern)):
            raise UserError(no_model(name))
    elif not is_hub_id(str(name), revision):
        raise UserError(
            f"there is no folder {str(name)!r} here{suggest_similar(Path(name))}; give the folder of a run, of a"
            f" checkpoint or of a model, {or_hub_id(str(name))}."
        )


def no_model(place: str | Path) -> str:
    """That a folder holds no network."""
    return f"{str(place)!r} holds no model; give the folder of a run, of a checkpoint, of a converted or saved model."


def check_regular(file: Path) -> None:
    """UserError for a pipe, a socket or a device, of which reading may never end; OSError if nothing is there."""
    import stat

    mode = file.stat().st_mode
    if not stat.S_ISREG(mode):
        raise UserError("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file; UserError, one clause, if it holds none, or OSError if it cannot be opened."""
    check_regular(file)
    if (size := file.stat().st_size) > MOST_BYTES:
        raise UserError(f"it has {size:,} bytes, more than the {MOST_BYTES:,} that such a file can need")
    try:
        found = json.loads(
            file.read_text(encoding="utf-8"), parse_constant=parse_constant, object_pairs_hook=unique_fields
        )
    except RecursionError:
        raise UserError("its objects and lists lie too deep in one another") from None
    except ValueError as error:  # also what is no UTF-8
        raise UserError(f"it is no JSON: {one_line(error)}") from error
    if not isinstance(found, dict):
        raise UserError(f"it holds no JSON object but {one_line(found, 40)}")
    check_depth(found)
    return found


def read_object_or_empty(file: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one if it is missing, torn, or something else."""
    try:
        return read_object(file)
    except (OSError, UserError):
        return {}


def parse_constant(name: str) -> float:
    """Infinity, which a setting may be; UserError for NaN, which none can be."""
    if name == "NaN":
        raise UserError("NaN is no setting")
    return float(name)


def unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these fields; UserError if one is there twice, for readers differ in which they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise UserError(f"it names {one_line(twice, 40)!r} twice")
    return found


def check_depth(document: dict[str, Any]) -> None:
    """UserError if it is so deep that what walks through it could not come back."""
    level: list[Any] = [document]
    for _ in range(MOST_DEPTH):
        inner = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return
    raise UserError("its objects and lists lie too deep in one another")


def read_header(file: Path) -> dict[str, Header]:
    """Names and shapes of the tensors of a safetensors file; no tensor is read. UserError or OSError if it is none."""
    from safetensors import safe_open

    check_regular(file)
    try:
        with safe_open(file, "pt") as tensors:
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}
            return {name: Header(tuple(each.get_shape()), "F" in each.get_dtype()) for name, each in slices.items()}
    except OSError:
        raise
    except Exception as error:  # what an edited header raises depends on what was edited
        raise UserError(f"it is no whole safetensors file: {one_line(error)}") from error


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the host; UserError, one clause, or OSError if it holds none."""
    from safetensors.torch import load_file

    check_regular(file)
    try:
        return load_file(file)
    except OSError:
        raise
    except Exception as error:  # as above
        raise UserError(f"it is no whole safetensors file: {one_line(error)}") from error
