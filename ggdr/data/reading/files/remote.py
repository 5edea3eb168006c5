"""Sources behind an address (https, s3, gs and whatever else fsspec knows): copied once, then read as local files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ggdr.cache import cache_folder, write_whole
from ggdr.data.reading.file_types import system_folder
from ggdr.data.reading.files.patterns import expand_braces
from ggdr.data.reading.reader import failure_reason
from ggdr.errors import UserError
from ggdr.progress import Bar

KNOWN = ("http", "https", "s3", "s3a", "gs", "gcs")
"""how addresses begin whose packages are in the extra `sources`"""
TELL = (
    "size",
    "ETag",
    "etag",
    "md5Hash",
    "Content-MD5",
    "Last-Modified",
    "LastModified",
    "mtime",
    "created",
    "blob_id",
)
"""what storages say of a file that changes when its content does"""
BLOCK = 2**24
"""bytes asked for at once"""
ATTEMPTS = 4
"""how often a copy that breaks off is gone on with"""
AT_ONCE = 8
"""files that are copied at the same time"""
SPARED = 2**28
"""bytes of the disk that stay free"""


class RemoteFile(NamedTuple):
    """A file behind an address."""

    system: Any
    """file system of fsspec"""
    path: str
    """path, as its system writes it"""
    name: str
    """below the source, with forward slashes"""
    facts: dict[str, Any]
    """what its system says of it"""

    @property
    def size(self) -> int | None:
        """Bytes; None: not known."""
        size = self.facts.get("size")
        return size if isinstance(size, int) and size >= 0 else None

    @property
    def key(self) -> str:
        """A name that stays as long as the file does: a hash of its address and what its system says of its content."""
        tell = [str(self.facts.get(fact, "")) for fact in TELL]
        return hash_words(
            [str(self.system.protocol), self.path.partition("?")[0], *tell]
        )  # after ?: a signature that ends


def hash_words(words: Iterable[str]) -> str:
    """A hash of some words, 32 hex digits."""
    return hashlib.sha256(json.dumps([*words]).encode()).hexdigest()[:32]


def download_source(source: str) -> str:
    """The file or folder of this machine that holds what is behind an address, copied as far as it is not here yet.

    UserError, in one sentence, if it cannot be had and was not copied before.
    """
    note = cache_folder() / "sources" / f"{hash_words([source])}.json"
    try:
        files = number_duplicates([file for address in expand_braces(source) for file in list_address(address)])
    except Exception as caught:  # what a failing network raises depends on the storage
        error = caught.__cause__ if isinstance(caught.__cause__, OSError) else caught  # a dead server is no lost file
        if not isinstance(error, OSError) or (known := last_copy(note)) is None:
            raise UserError(download_error(source, error)) from caught
        warnings.warn(f"{source} cannot be reached ({failure_reason(error)}); its last copy is used", stacklevel=2)
        return known
    if not files:
        raise UserError(download_error(source, FileNotFoundError()))
    place = cache_folder() / "sources" / hash_words([source, *sorted(file.key + file.name for file in files)])
    download_all(files, place, source)
    whole = place if len(files) > 1 or source.endswith("/") or files[0].facts.get("listed") else place / files[0].name
    write_whole(note, lambda aside: aside.write_text(json.dumps(str(whole)), encoding="utf-8"))
    return str(whole)


def last_copy(note: Path) -> str | None:
    """Where the last copy of a source is; None if there is none."""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known if isinstance(known, str) and os.path.exists(known) else None


def number_duplicates(files: list[RemoteFile]) -> list[RemoteFile]:
    """The files, numbered if two have one name."""
    if len({file.name for file in files}) == len(files):
        return files
    return [file._replace(name=f"{number:06}-{file.name}") for number, file in enumerate(files)]


def list_address(address: str) -> list[RemoteFile]:
    """The files at an address, of a pattern, or below a folder."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(address, **storage_options(address))
    if "*" in path:
        found = [system.info(each) for each in sorted(system.glob(path))]
        return [RemoteFile(system, each["name"], file_name(each["name"]), each) for each in found]
    if not address.endswith("/"):
        facts = system.info(path)
        if facts["type"] == "file":
            return [RemoteFile(system, facts["name"], file_name(facts["name"]), facts)]
    return list(list_remote(system, path))


def storage_options(address: str) -> dict[str, Any]:
    """What a storage is opened with: large files may take their time."""
    if not address.startswith("http"):
        return {}
    from aiohttp import ClientTimeout

    return {"client_kwargs": {"timeout": ClientTimeout(total=None, sock_connect=30, sock_read=60)}}


def list_remote(system: Any, path: str) -> Iterator[RemoteFile]:
    """The files below a folder, those of the system aside; UserError if a listing names what lies elsewhere."""
    root = path.rstrip("/") + "/"
    found = sorted(system.find(path, detail=True).items())
    with ThreadPoolExecutor(AT_ONCE) as pool:  # a listing on the web says nothing but names
        facts_of = pool.map(lambda file: file[1] if file[1].get("size") is not None else system.info(file[0]), found)
    for (name, _), facts in zip(found, facts_of, strict=True):
        within = unquote(name.removeprefix(root)) if "://" in name else name.removeprefix(root)
        parts = PurePosixPath(within).parts
        if not name.startswith(root) or ".." in parts or within.startswith("/"):
            raise UserError(f"its listing names {name!r}, which does not lie below it")
        if not system_folder(within):
            yield RemoteFile(system, name, within, {**facts, "listed": True})


def file_name(path: str) -> str:
    """What a file is called."""
    return PurePosixPath(unquote(urlsplit(path).path) if "://" in path else path).name


def download_error(source: str, error: Exception) -> str:
    """Why nothing can be had from an address, in one sentence."""
    protocol = source.partition("://")[0]
    if isinstance(error, ImportError):
        how = "type: pip install 'ggdr[sources]'" if protocol in KNOWN else failure_reason(error)
        return f"{protocol}:// cannot be read without the package that knows it; {how}"
    if isinstance(error, FileNotFoundError):
        return f"there is nothing at {source}; correct the address (a folder on the web ends in /)."
    return f"{source} cannot be read: {failure_reason(error)}; look at the address, the network and your credentials."


def download_all(files: list[RemoteFile], place: Path, source: str) -> None:
    """Put copies of the files into a folder, by one process at a time; what was copied before is not asked for."""
    from filelock import FileLock

    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        missing = [file for file in files if not (place / file.name).is_file()]
        check_disk_space(missing, place.parent, source)
        total = sum(file.size or 0 for file in missing)
        with (
            ThreadPoolExecutor(AT_ONCE) as pool,
            Bar(source, total, "B", scale=True) as bar,
        ):
            for size in pool.map(lambda file: download_file(file, place, source), missing):
                bar.advance(size)


def check_disk_space(missing: list[RemoteFile], place: Path, source: str) -> None:
    """UserError if the disk cannot hold what is missing."""
    needed, free = sum(file.size or 0 for file in missing), shutil.disk_usage(place).free - SPARED
    if needed > free:
        raise UserError(
            f"{source} holds {needed / 1e9:,.1f} GB and {max(free, 0) / 1e9:,.1f} GB are free in {place}; name a larger"
            " disk by the environment variable GGDR_CACHE, or a part of the source."
        )


def download_file(file: RemoteFile, place: Path, source: str) -> int:
    """Copy a file into the folder, going on where an earlier copy broke off; its bytes. UserError if it cannot be."""
    blobs = place.parent / "files"
    blobs.mkdir(parents=True, exist_ok=True)
    blob, part = blobs / file.key, blobs / f"{file.key}.part"
    for attempt in range(ATTEMPTS if not blob.exists() else 0):
        try:
            resume_download(file, part)
            os.replace(part, blob)
            break
        except Exception as error:  # what a failing network raises depends on the storage
            if attempt + 1 == ATTEMPTS:
                raise UserError(
                    f"{source}: {file.name!r} cannot be copied ({failure_reason(error)}); type the same again to go on."
                ) from error
    target = place / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(blob, target)
    except OSError:  # a disk without hard links
        link_to(blob, target)
    return blob.stat().st_size


def link_to(file: Path, new: Path) -> None:
    """A symbolic link to a file; where there are none, as for most users of Windows, a copy, whole or not at all."""
    try:
        new.symlink_to(file)
    except FileExistsError:
        raise
    except OSError:
        write_whole(new, lambda aside: shutil.copyfile(file, aside))


def resume_download(file: RemoteFile, part: Path) -> None:
    """Read what a partial copy lacks of a file; any exception if that fails, or is not as long as was said."""
    start = part.stat().st_size if part.exists() and file.size is not None else 0
    try:
        copy_stream(file, part, start, BLOCK)
    except ValueError:  # a server that cannot begin in the middle
        copy_stream(file, part, 0, 0)


def copy_stream(file: RemoteFile, part: Path, start: int, block: int) -> None:
    """Read a file from `start` on to the end of its partial copy; `block`: bytes of a request, 0: all in one."""
    most = file.size if file.size is not None else shutil.disk_usage(part.parent).free - SPARED
    with (
        file.system.open(file.path, "rb", block_size=block, cache_type="none") as stream,
        part.open("r+b" if start else "wb") as out,
    ):
        if start:
            stream.seek(start)
        out.seek(start)
        while (chunk := stream.read(BLOCK)) and out.tell() <= most:
            out.write(chunk)
        length = out.tell()
    if length > most:
        raise OSError("it is longer than was said, or than the disk has room for")
    if file.size is not None and length != file.size:
        raise OSError(f"it ended after {length:,} of {file.size:,} bytes")
