"""Where the two domains of a set are: from the settings as typed to two settings of images."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from os.path import commonprefix
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ggdr.data.images import ImageFiles
from ggdr.data.reading.detect import open_reader, place_of, reader_for
from ggdr.data.reading.domains.folders import TwoFolders, find_two_folders, tree_of_folder, tree_of_names
from ggdr.data.reading.files.base import FileReader
from ggdr.data.reading.labels.base import list_some
from ggdr.data.reading.labels.folders import ALL, TESTS, find_split
from ggdr.data.reading.reader import Columns
from ggdr.data.reading.tables.base import TableReader, image_columns
from ggdr.data.reading.tables.hub import HubTable
from ggdr.errors import UserError, setting

if TYPE_CHECKING:
    from ggdr.data.domains import Domain, Domains, TwoDomains

TOLD_APART = ("image_column", "config", "only")
"""settings of a domain that tell it from the other within one source"""
NAME = re.compile(r"[^\W_]\w*")
"""names of domains: they are parts of the names of files and of numbers"""


class Layout(NamedTuple):
    """Where two domains are."""

    kind: str
    """what reports call it"""
    a: ImageFiles
    b: ImageFiles
    names: tuple[str, str] = ("a", "b")
    rows: bool = False
    """both are columns of one table, so that they have as many items"""


def files_of(whole: TwoDomains, domain: Domain, found: Mapping[str, str] = MappingProxyType({})) -> ImageFiles:
    """The settings of one domain's images: its own, else what was `found` of it, else those of both.

    A pattern of files that was found holds its own within it.
    """
    found = {**found, "files": found["files"].removesuffix("*") + (domain.files or "*")} if "files" in found else found
    own = {name: vars(domain)[name] for name in ("source", *TOLD_APART, "files", "labels") if vars(domain)[name]}
    place = {"source": whole.source, "config": whole.config, "split": read_split(whole), **found, **own}
    place |= {"files": found["files"]} if "files" in found else {}
    return ImageFiles(
        **place,
        size=domain.size or whole.size,
        load_size=whole.load_size,
        flip=whole.flip,
        channels=domain.channels or whole.channels,
        crop=whole.crop,
        fill=whole.fill,
        subset=whole.subset,
        cache_mb=whole.cache_mb // 2,
    )


def read_split(whole: TwoDomains) -> str:
    """The split that is read: what is held out is a part of the one for training."""
    return "train" if whole.hold_out else whole.split


def find_domains(whole: Domains) -> Layout:
    """The two domains of a set without pairs; UserError, with what to type, if they cannot be told."""
    found = given_apart(whole)
    if found is None and whole.labels:
        found = classes_of(whole)
    if found is None:
        found = two_folders(whole) or two_patterns(whole) or two_columns(whole) or two_configs(whole)
    if found is None:
        raise UserError(
            f"{whole.source!r} does not tell two domains apart: it has no trainA and trainB, no two folders, no two"
            f" columns of images and no two configurations; type {setting('labels')} LABELS {setting('names')} CLASS"
            f" CLASS, or {setting('a.source')} A {setting('b.source')} B."
        )
    check_apart(found)
    return named(whole, found)


def given_apart(whole: TwoDomains) -> Layout | None:
    """Both domains as `a` and `b` say; None where nothing is said of either. UserError if one of them is missing."""
    sources = [domain.source for domain in (whole.a, whole.b)]
    apart = [any(vars(domain)[name] for name in TOLD_APART) for domain in (whole.a, whole.b)]
    if not (whole.source or any(sources)):
        raise UserError(
            f"no source of images; give one with both domains by {setting('source')}, or {setting('a.source')} A"
            f" {setting('b.source')} B."
        )
    if not any(sources) and not any(apart):
        return None
    for letter, source in zip("ab", sources, strict=True):
        if not (source or whole.source):
            raise UserError(f"one domain alone, {max(sources)!r}; give the other by {setting(f'{letter}.source')}.")
    a, b = (files_of(whole, domain, {"labels": whole.labels if domain.only else ""}) for domain in (whole.a, whole.b))
    return Layout("two sources", a, b, names_of_sources(whole))


def names_of_sources(whole: TwoDomains) -> tuple[str, str]:
    """The domains are called as what tells them apart: classes, configurations, columns, or the ends of their paths."""
    for told in ("only", "config", "image_column"):
        pair = vars(whole.a)[told], vars(whole.b)[told]
        if all(pair) and pair[0] != pair[1]:
            return bare(*pair)
    return bare(*(Path(domain.source).stem for domain in (whole.a, whole.b)))


def classes_of(whole: Domains) -> Layout:
    """Both domains are classes of the labels: those of `names`, or the only two; UserError if there are others."""
    if whole.names is None:
        reader = open_reader(whole.source, Columns(split=read_split(whole), config=whole.config))
        classes = reader.labels(whole.labels).names
        if len(classes) != 2:
            raise UserError(
                f"labels {whole.labels!r} have {len(classes)} classes ({list_some(classes)}); choose two, as"
                f" {setting('names')} {' '.join(classes[:2])}."
            )
    else:
        classes = whole.names
    a, b = (
        files_of(whole, d, {"labels": whole.labels, "only": c})
        for d, c in zip((whole.a, whole.b), classes, strict=True)
    )
    return Layout("two classes", a, b, bare(*classes))


def two_folders(whole: TwoDomains) -> Layout | None:
    """Both domains are folders of a folder or an archive; None: the source is another, or has no two."""
    found = folders_in(whole.source, read_split(whole), whole.config)
    if found is None:
        return None
    a, b = (
        files_of(whole, domain, {"split": ALL, **place_within(whole.source, folder)})
        for domain, folder in ((whole.a, found.a), (whole.b, found.b))
    )
    names = bare(*found.names) if all(found.names) else names_in(whole.source)
    return Layout("two folders", a, b, names)


def folders_in(source: str, split: str, config: str = "") -> TwoFolders | None:
    """The two folders of a folder or an archive; None: the source is another, or has no two. UserError as theirs."""
    place = place_of(source)
    kind = reader_for(place)
    if os.path.isdir(place):
        return (
            None
            if kind and not issubclass(kind, FileReader)
            else find_two_folders(tree_of_folder(place), split, source)
        )
    if kind is None or not issubclass(kind, FileReader):
        return None
    reader = open_reader(source, Columns(split=ALL, config=config))
    return find_two_folders(tree_of_names(reader.name(item) for item in range(len(reader))), split, source)


def place_within(source: str, folder: PurePosixPath) -> dict[str, str]:
    """How a folder of a source is given: by its path, or, of an archive, by the names of its files."""
    place = place_of(source)
    if os.path.isdir(place):
        return {"source": str(Path(source) / folder)}
    return {"files": f"{glob.escape(folder.as_posix())}/*"}


def two_patterns(whole: TwoDomains) -> Layout | None:
    """Both domains are files of one source whose names match patterns; None: there are no two patterns."""
    if not (whole.a.files and whole.b.files):
        return None
    return Layout("two patterns of names", files_of(whole, whole.a), files_of(whole, whole.b))


def two_columns(whole: TwoDomains) -> Layout | None:
    """Both domains are columns of a table; None: the source is no table, or has no two columns of images."""
    columns = columns_in(whole.source, Columns(split=read_split(whole), config=whole.config))
    if len(columns) < 2:
        return None
    if len(columns) > 2:
        raise UserError(
            f"{whole.source!r} has the image columns {', '.join(columns)}; choose two, as"
            f" {setting('a.image_column')} {columns[0]} {setting('b.image_column')} {columns[1]}."
        )
    a, b = (files_of(whole, d, {"image_column": c}) for d, c in zip((whole.a, whole.b), columns, strict=True))
    names = bare(*columns)
    return Layout("two columns", a, b, names_in(whole.source) if names == ("a", "b") else names, rows=True)


def columns_in(source: str, columns: Columns) -> list[str]:
    """The columns of a table that hold images; none of what is no table, or has configurations to choose from."""
    place = place_of(source)
    kind = reader_for(place)
    if kind is None or not issubclass(kind, TableReader) or not columns.config and len(configs_in(source)) > 1:
        return []
    return image_columns(kind.load(place, columns).features)


def two_configs(whole: TwoDomains) -> Layout | None:
    """Both domains are configurations of a Hub data set; None: it has not just two."""
    configs = configs_in(whole.source)
    if len(configs) != 2 or whole.config:
        return None
    a, b = (files_of(whole, d, {"config": c}) for d, c in zip((whole.a, whole.b), configs, strict=True))
    return Layout("two configurations", a, b, bare(*configs))


def configs_in(source: str) -> Sequence[str]:
    """The configurations of a Hub data set; none of what is none, or cannot be reached."""
    if not HubTable.fits(source):
        return ()
    import datasets

    try:
        return datasets.get_dataset_config_names(source)
    except Exception:  # no network; what cannot be read is said where it is read
        return ()


def bare(one: str, other: str) -> tuple[str, str]:
    """Two names in lower case without what they share at their ends, as imageA and imageB; a, b if nothing is left."""
    words = [re.sub(r"\W+", "_", name.lower()).strip("_") for name in (one, other)]
    head = commonprefix(words)
    tail = commonprefix([word[len(head) :][::-1] for word in words])
    short = [word[len(head) : len(word) - len(tail)].strip("_") for word in words]
    if min(map(len, short), default=0) and max(map(len, short)) == 1:
        words = short  # imageA, imageB; but trees and trains stay what they are
    return (words[0], words[1]) if words[0] != words[1] and all(map(NAME.fullmatch, words)) else ("a", "b")


def names_in(source: str) -> tuple[str, str]:
    """The names that a source's own holds, as horse2zebra does; else a and b."""
    found = re.fullmatch(r"([^\W\d_]+)(?:2|_to_|-to-)([^\W\d_]+)(?:_\w+)?", PurePosixPath(place_of(source)).stem)
    return bare(found[1], found[2]) if found else ("a", "b")


def check_apart(layout: Layout) -> None:
    """UserError if both domains are the same images."""
    keys = [
        (*(vars(files)[name] for name in ("source", "split", "labels", "files", *TOLD_APART)),)
        for files in (layout.a, layout.b)
    ]
    if keys[0] == keys[1]:
        raise UserError(
            f"both domains are {layout.a.source!r}; give two, by {setting('a.source')} and {setting('b.source')}, or"
            f" tell them apart by {setting('a.only')}, {setting('a.image_column')} or {setting('a.config')}."
        )


def named(whole: TwoDomains, layout: Layout) -> Layout:
    """The layout with the names that the settings give; UserError if they are none, or the same."""
    if whole.names is None:
        return layout
    one, other = whole.names
    if one == other or not all(map(NAME.fullmatch, whole.names)):
        raise UserError(
            f"{setting('names')} {one!r} {other!r}: give two names of letters and digits, as"
            f" {setting('names')} horse zebra."
        )
    return layout._replace(names=(one, other))


def test_split(whole: TwoDomains) -> str:
    """The split that is for tests; empty: there is none."""
    if whole.hold_out:
        return TESTS[0]
    return next((split for split in TESTS if has_split(whole, split)), "")


def has_split(whole: TwoDomains, split: str) -> bool:
    """Whether the source of both domains has a split."""
    try:
        folders = folders_in(whole.source, split, whole.config) if whole.source else None
    except UserError:  # trainA and trainB alone
        return False
    if folders is not None:
        return True
    sources = [each for each in (whole.a.source, whole.b.source) if each] or [whole.source]
    return all(find_split(split, splits_in(source, whole)) for source in sources)


def splits_in(source: str, whole: TwoDomains) -> Sequence[str]:
    """The splits of a source; none of what cannot be read."""
    if not source:
        return ()
    columns = columns_in(source, Columns(split="train", config=whole.config))
    image = whole.a.image_column or (columns[0] if columns else "")
    configs = configs_in(source)
    config = whole.a.config or whole.config or (configs[0] if len(configs) == 2 else "")
    try:
        return open_reader(source, Columns(image, "train", config)).split_names()
    except UserError:
        return ()
