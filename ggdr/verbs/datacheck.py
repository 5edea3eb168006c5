"""`ggdr data check SOURCE`: what is in a source of images, what the trainer would make of it, and what to type."""

from __future__ import annotations

import shlex
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ggdr.data.base import DataSet, Images
from ggdr.data.domains import Domains, TwoDomains
from ggdr.data.images import ImageFiles
from ggdr.data.pairs import Pairs
from ggdr.data.super_resolution import SuperResolution
from ggdr.documents import printable
from ggdr.errors import UserError, at
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import fresh
from ggdr.formatting import significant
from ggdr.networks.size import possible
from ggdr.progress import say_loading, track
from ggdr.registry import datasets

if TYPE_CHECKING:
    import numpy as np

    from ggdr.data.reading.labels.base import Labels
    from ggdr.data.reading.pixels.decode import ImageInfo
    from ggdr.data.reading.pixels.depth import ValueSummary
    from ggdr.data.reading.pixels.framing import Frame
    from ggdr.data.reading.reader import Reader


SOURCE = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
"""the type of the source on the command line"""


@dataclass(frozen=True)
class Check:
    """What is to be looked at."""

    source: SOURCE = ""
    """the images: what `--data.source` takes"""
    data: ImageFiles | Domains | Pairs | SuperResolution = ImageFiles()
    """how the trainer would read them; its flags may be typed without `data.`, as --size 256"""


KINDS: dict[str, type[DataSet]] = {kind.name: kind for kind in (ImageFiles, Domains, Pairs, SuperResolution)}
"""data sets of which every file is looked at, by what is typed after `--data`; of all others what they open as"""


LEAST_CUT = 0.005
"""share of an image's area of which it is told that it is cut away"""
SHOWN = 8
"""entries of a list before the rest is only counted"""


@dataclass(frozen=True)
class ItemReport:
    """One item, read in full."""

    name: str
    info: ImageInfo | None
    """None: it cannot be read"""
    digest: bytes = b""
    """hash of its bytes"""
    why: str = ""
    """why it cannot be read"""
    animated: bool = False
    """it has frames after the one that is used"""
    values: ValueSummary | None = None
    """what its values are"""


def main(argv: list[str]) -> int:
    """`check SOURCE [flags]`: print the report; 0, or 1 if no image can be read. UserError if there is no source."""
    verb, *flags = argv or ["--help"]
    if verb not in ("check", "-h", "--help"):
        close = Path(verb).exists() and not flags
        raise UserError(f"`ggdr data {verb}` is no command; type: ggdr data check {verb if close else 'SOURCE'}.")
    kind, flags = take_kind(flags)
    wanted = ["--help"] if verb != "check" else complete_flags(flags, kind)
    check = Check if issubclass(kind, tuple(KINDS.values())) else check_of(kind)
    command = parsed(check, wanted, "ggdr data check", __doc__, check(data=fresh(kind, "--data")))
    settings = with_source(command.data, command.source)
    with at("data"):
        settings.check_source()
        say_loading(command.source or settings.identity())
        lines, readable = report(settings)
    print("\n".join(map(printable, lines)))
    return 0 if readable else 1


def with_source(settings: DataSet, source: str) -> DataSet:
    """The settings with the source that was typed before the flags; UserError if there are two, or none is taken."""
    given = vars(settings).get("source")
    if given is None and source:
        raise UserError(f"--data {settings.name} takes no source, and {source!r} is given; leave it out.")
    if source and given and given != fresh_source(settings):
        raise UserError(f"two sources, {source!r} and {given!r}; give one.")
    if not source:
        return settings
    named: Any = {"source": source}
    return replace(settings, **named)


def fresh_source(settings: DataSet) -> str:
    """The source of a data set of which nothing was said: that of `vectors` is digits."""
    return str(vars(type(settings)())["source"])


def check_of(kind: type[DataSet]) -> type:
    """What a command line says of a data set of any other kind, such as a plug-in's."""
    return make_dataclass(
        "Check",
        [(each.name, hint, each) for each, hint in zip(fields(Check), (SOURCE, kind), strict=True)],
        frozen=True,
    )


def report(settings: DataSet) -> tuple[list[str], int]:
    """The lines of the report on a data set, and how many images can be read."""
    from ggdr.verbs.domaincheck import guess, report_parts, report_two
    from ggdr.verbs.setcheck import guess_vectors, report_set

    if not isinstance(settings, ImageFiles | TwoDomains | SuperResolution):
        return report_set(settings)

    if isinstance(settings, SuperResolution):
        return report_parts(settings)
    if isinstance(settings, TwoDomains):
        return report_two(settings)
    if (vectors := guess_vectors(settings)) is not None:
        return report_set(vectors)
    two = guess(settings)
    return report_source(settings) if two is None else report_two(two)


def take_kind(flags: list[str]) -> tuple[type[DataSet], list[str]]:
    """The data set after `--data`, images if there is none, and the other flags; UserError if it is no such set."""
    place = flags.index("--data") if "--data" in flags else len(flags)
    name = (flags[place + 1 : place + 2] or [ImageFiles.name])[0]
    kind: Any = KINDS.get(name) or datasets.find(name)
    return kind, flags[:place] + flags[place + 2 :]


def complete_flags(flags: list[str], kind: type[DataSet]) -> list[str]:
    """The flags as the trainer has them: `--size 256` may be typed for `--data.size 256`."""
    bare = {flag for flag in flags_of(kind())}
    named = [f"--data.{flag[2:]}" if flag.partition("=")[0] in bare else flag for flag in flags]
    if named[:1] and named[0].startswith("-"):  # a source behind flags would be taken for the value of one of them
        there = [n for n, word in enumerate(named) if Path(word).exists() and named[n - 1] != "--data.source"]
        named = [named[n] for n in there[-1:]] + [word for n, word in enumerate(named) if n not in there[-1:]]
    return named


def report_source(settings: ImageFiles) -> tuple[list[str], int]:
    """The lines of the report, and how many images can be read; UserError if the source cannot even be opened."""
    from ggdr.data.reading.detect import open_reader
    from ggdr.data.reading.opening import select_subset
    from ggdr.data.reading.pixels.depth import merge_by_dtype
    from ggdr.data.reading.reader import Columns
    from ggdr.verbs.recommend import for_images

    reader = open_reader(settings.source, Columns(settings.image_column, settings.split, settings.config))
    items = select_subset(len(reader), settings.subset, settings.subset_seed)
    with warnings.catch_warnings(action="ignore"):  # the report tells the same, counted
        findings = list(inspect_items(reader, items))
    infos = [finding.info for finding in findings if finding.info]
    if not infos:
        bad = lines_of(("not read", unread_lines(reader)), ("unreadable", unreadable_lines(findings)))
        return [f"{reader.kind} {settings.source}", *bad], 0
    flags = replace(settings, size=settings.size or suggest_size(infos))
    depths = merge_by_dtype(finding.values for finding in findings if finding.values)
    flags = replace(flags, range=flags.range or suggest_range(depths))
    images, warned = open_as_trainer(reader, flags)
    flags = replace(flags, channels=images.spec.channels)
    advice = for_images(flags, len(infos) * images.originals // len(findings), images.spec)
    return [
        f"{reader.kind} {settings.source}",
        *lines_of(
            ("images", [count_items(findings, len(reader))]),
            ("folders", [*reader.notes]),
            ("not read", unread_lines(reader)),
            ("unreadable", unreadable_lines(findings)),
            ("sizes", [tally(Counter(f"{info.height}x{info.width}" for info in infos)) + "  (height x width)"]),
            ("modes", [tally(Counter(info.mode for info in infos))]),
            ("values", value_lines(depths, flags.range)),
            ("profiles", profile_lines(infos)),
            ("labels", label_lines(reader, items, settings)),
            ("trainer", trainer_lines(images, infos, len(findings))),
            ("cut off", cropped_lines(findings, frame_of(images, flags))),
            ("warnings", warned),
            ("flags", [as_flags(flags)]),
            *advice.lines(data_words(flags), settings.source),
        ),
    ], len(infos)


def inspect_items(reader: Reader, items: np.ndarray) -> Iterator[ItemReport]:
    """Read and decode every item, several at a time, with a progress bar on a terminal."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda item: inspect_item(reader, int(item)), items)
        yield from track(found, "reading", total=len(items))


def inspect_item(reader: Reader, item: int) -> ItemReport:
    """Read and decode one item."""
    import hashlib

    from ggdr.data.reading.pixels.decode import decode_image, image_info, is_animated, read_values
    from ggdr.data.reading.pixels.depth import summarize_values
    from ggdr.data.reading.pixels.framing import Frame
    from ggdr.data.reading.reader import failure_reason

    name = reader.name(item)
    try:
        data = reader.read(item)
        seen = image_info(data)
        plain = decode_image(data, Frame(seen.height, seen.width, seen.channels))
        found = summarize_values(read_values(data) if seen.deep else plain[: 3 if seen.mode == "RGBA" else None])
    except Exception as error:  # a broken file may raise anything in a decoder
        return ItemReport(name, None, why=failure_reason(error))
    return ItemReport(name, seen, hashlib.sha256(data).digest(), animated=is_animated(data), values=found)


def lines_of(*sections: tuple[str, list[str]]) -> Iterator[str]:
    """Titles in one column, text in the next; sections without text are left out."""
    for title, texts in sections:
        for number, text in enumerate(texts):
            yield f"  {'' if number else title:<12}{text}"


def count_items(findings: list[ItemReport], total: int) -> str:
    """How many there are, can be read, and are the same file twice."""
    readable = [finding for finding in findings if finding.info]
    copies = len(readable) - len({finding.digest for finding in readable})
    parts = [f"{len(readable):,} readable", f"{len(findings) - len(readable):,} unreadable"]
    parts += [f"{copies:,} identical to another one"] if copies else []
    moving = sum(finding.animated for finding in readable)
    parts += [f"{moving:,} animated, of which the first frame is used"] if moving else []
    parts += [f"a subset of {total:,}"] if len(findings) < total else []
    return ", ".join(parts)


def unreadable_lines(findings: list[ItemReport]) -> list[str]:
    """The items that cannot be read, by name, and why."""
    return [f"{finding.name}: {finding.why}" for finding in findings if not finding.info]


def unread_lines(reader: Reader) -> list[str]:
    """Files that are taken for no images, by kind."""
    from ggdr.data.reading.file_types import describe_unread
    from ggdr.folders import describe_skipped

    lines = [describe_unread(reader.unread)] if reader.unread else []
    lines += [describe_skipped(reader.own_output)] if reader.own_output else []
    hidden = ", ".join(f"{count:,} {place}" for place, count in sorted(reader.hidden.items()))
    return lines + ([f"passed over as the system's own: {hidden}"] if hidden else [])


def tally(counter: Counter[str]) -> str:
    """The most frequent first, the rest in one number."""
    text = ", ".join(f"{name}: {count:,}" for name, count in counter.most_common(SHOWN))
    rest = len(counter) - SHOWN
    return f"{text}, and {rest:,} others" if rest > 0 else text


def label_lines(reader: Reader, items: np.ndarray, settings: ImageFiles) -> list[str]:
    """The labels asked for, or else those there are, with counts."""
    lines = []
    for choice in [settings.labels] if settings.labels else reader.label_choices():
        try:
            used = reader.labels(choice, settings.label_kind).select(items)
        except UserError as error:
            error.move("data")
            lines.append(f"none from {choice}: {error.in_flags().removeprefix(f'{choice}: ')}")
            continue
        hint = "" if settings.labels else f" (to train with them: --data.labels {choice})"
        lines += [f"{used.width} from {choice}{hint}", *class_lines(used), *used.notes]
    return lines


def class_lines(labels: Labels) -> list[str]:
    """Items of each class, or the range of each number; and items without a label."""
    if not labels.ranges:
        return [tally(Counter(labels.counts()))]
    ranges = zip(labels.names, labels.ranges, strict=True)
    shown = [f"{name}: {significant(low)} to {significant(high)}" for name, (low, high) in ranges]
    lines = [", ".join(shown[:SHOWN]) + (f", and {len(shown) - SHOWN} others" if len(shown) > SHOWN else "")]
    return lines + ([f"no label: {int(labels.missing.sum()):,}"] if labels.missing is not None else [])


def suggest_size(infos: list[ImageInfo]) -> tuple[int, int]:
    """The size of the images, if they agree and networks can make it; else a power of two that half of them reach."""
    sizes = {(info.height, info.width) for info in infos}
    if len(sizes) == 1 and possible(*(size := sizes.pop())):
        return size
    sides = sorted(min(info.height, info.width) for info in infos)
    side = 1 << (sides[len(sides) // 2].bit_length() - 1)
    return side, side


def suggest_range(depths: list[ValueSummary]) -> tuple[float, float] | None:
    """The range that keeps all values, where the one that is taken without it would lose most; else None."""
    from ggdr.data.reading.pixels.depth import describe_loss, full_range

    spans = [full_range(each) for each in depths if describe_loss(each)]
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None


def value_lines(depths: list[ValueSummary], chosen: tuple[float, float] | None) -> list[str]:
    """What the values of the images are, and what becomes of them."""
    from ggdr.data.reading.pixels.depth import default_range, describe_loss, describe_values, six_digits

    lines = []
    for each in depths:
        low, high = map(six_digits, chosen or default_range(each.dtype))
        kept = f"; 8 bits are kept: {low} to {high} become 0 to 255" if chosen or each.dtype != "uint8" else ""
        lines.append(describe_values(each) + kept)
        lines += [f"without --data.range, {lost}"] if (lost := describe_loss(each)) else []
    return lines


def profile_lines(infos: list[ImageInfo]) -> list[str]:
    """The colour profiles that images have, and what is done about them."""
    from ggdr.data.reading.pixels.profiles import BROKEN

    named = Counter(info.profile for info in infos if info.profile)
    broken = named.pop(BROKEN, 0)
    lines = [tally(named) + ", converted to sRGB"] if named else []
    return lines + ([f"{broken:,} with a colour profile that cannot be used, taken to be sRGB"] if broken else [])


def frame_of(images: Images, settings: ImageFiles) -> Frame:
    """The frame that these images are made to fit."""
    from ggdr.data.reading.pixels.framing import Frame

    return Frame(images.spec.height, images.spec.width, images.spec.channels, settings.crop, settings.fill)


def cropped_lines(findings: list[ItemReport], frame: Frame) -> list[str]:
    """How much of the images is cut away to make them fit."""
    from statistics import median

    from ggdr.data.reading.pixels.framing import cropped_share

    share = {each.name: cropped_share(each.info.height, each.info.width, frame) for each in findings if each.info}
    worst = max(share, key=lambda name: share[name])
    if share[worst] < LEAST_CUT:
        return []
    return [
        f"{share[worst]:.0%} of the area of {worst}, the worst, and {median(share.values()):.0%} of the median image;"
        " --data.crop pad keeps all"
    ]


def open_as_trainer(reader: Reader, settings: ImageFiles) -> tuple[Images, list[str]]:
    """The data set as the trainer opens it, and what it is warned of; UserError if it cannot be opened."""
    from ggdr.data.reading.opening import index_images

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return index_images(reader, settings), [str(each.message) for each in caught]


def trainer_lines(images: Images, infos: list[ImageInfo], items: int) -> list[str]:
    """What the trainer sees of `items` items, of which `infos` can be read."""
    spec, broken = images.spec, items - len(infos)
    size = f"{spec.height}x{spec.width}, {spec.channels} channel{'s' * (spec.channels > 1)}"
    labels = f"labels {spec.labels} wide" if spec.labels else "no labels"
    lines = [f"{len(infos) * len(images) // items:,} images an epoch, {size}, {labels}"]
    lines += [f"{broken:,} unreadable: the next readable one stands in for each"] if broken else []
    small = sum(info.height < spec.height or info.width < spec.width for info in infos)
    return lines + ([f"{small:,} of them enlarged: smaller than {spec.height}x{spec.width}"] if small else [])


def as_flags(settings: DataSet) -> str:
    """The settings as flags of the trainer: the source, and whatever is not the default."""
    return shlex.join(data_words(settings))


def data_words(settings: DataSet) -> list[str]:
    """The words of these flags."""
    return ["--data", settings.name, *flag_words(settings, type(settings)(), "--data.")]


def flag_words(settings: Any, default: Any, head: str) -> Iterator[str]:
    """Each setting that is not the default as a flag, which begins with `head`, and its values."""
    for field in fields(settings):
        value, flag = vars(settings)[field.name], f"{head}{field.name.replace('_', '-')}"
        usual = vars(default)[field.name]
        if value == usual:
            continue
        if is_dataclass(value):
            yield from flag_words(value, usual, f"{flag}.")
            continue
        yield flag if value is not False else f"{head}no-{field.name}"
        if not isinstance(value, bool):
            each = value if isinstance(value, tuple) else (value,)
            yield from (str(part).removesuffix(".0") for part in each)
