"""Conversion of a foreign file, whatever program wrote it, to networks of ours."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign import r3gan, rosinality, snapshot, sorts, translators, ugatit
from ggdr.foreign.stand_ins import CALLS, Module
from ggdr.foreign.torch_files import DTYPE_NAMES, IN_PICKLES, open_archive, pickle_of, read_archive, read_stream
from ggdr.foreign.unpickle import load
from ggdr.foreign.weights import Reading

LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of a file of `torch.save` before torch 1.6."""
LONGEST = 600
"""Largest number of characters of a message."""


def read(path: str | Path) -> Reading:
    """Return the networks in a file and what it states, with its name and sha256; nothing in it is run.

    UserError, one sentence that names the file, if it is not there, damaged, or none of what can be converted.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise UserError(f"{str(path)!r} {what}; give a checkpoint: a .pkl, .pt or .pth.")
    try:
        return read_file(path)
    except UserError as error:
        raise UserError(f"cannot convert {str(path)!r}: {printable(str(error))}.") from error
    except (RecursionError, MemoryError) as error:
        raise UserError(f"cannot convert {str(path)!r}: it asks for more memory than there is.") from error


def read_file(path: Path) -> Reading:
    """Read an existing file; UserError, a clause whose subject is the file."""
    data = path.read_bytes()
    content = unpack(data)
    if r3gan.fits(content):
        found = r3gan.read(content, len(data))
    elif isinstance(content, Module):
        found = snapshot.read_one(content, len(data))
    elif not isinstance(content, dict):
        raise UserError(sorts.of_content(content))
    elif {"G", "D", "G_ema"} & content.keys():
        found = snapshot.read(content, len(data))
    elif {"g", "d", "g_ema"} & content.keys():
        found = rosinality.read(content, len(data))
    elif rosinality.MARK in content:
        found = rosinality.read({"g_ema": content}, len(data))
    elif ugatit.TRANSLATORS.keys() & content.keys():
        found = ugatit.read(content, len(data))
    elif translators.is_one(content):
        found = translators.read(content, len(data))
    else:
        raise UserError(sorts.of_content(content))
    about = {"file": path.name, "sha256": hashlib.sha256(data).hexdigest()}
    return found._replace(facts=about | found.facts)


def printable(text: str) -> str:
    """Return a text that may quote a file, in one line that a terminal shows as it is."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST]).strip()


def unpack(data: bytes) -> Any:
    """Return the content of a pickle or of a file of `torch.save`."""
    if data.startswith(b"PK\x03\x04"):
        archive = open_archive(data)
        if (name := pickle_of(archive)) is None:
            raise UserError(sorts.of_archive(archive))
        return read_archive(archive, name, CALLS)
    if data.startswith(LEGACY):
        return read_stream(data, CALLS)
    if not data.startswith(b"\x80"):
        raise UserError(sorts.of_bytes(data))
    return load(BytesIO(data), {**IN_PICKLES, **CALLS}, DTYPE_NAMES)
