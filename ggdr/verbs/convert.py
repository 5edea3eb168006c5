"""`ggdr convert SNAPSHOT OUT`: a published StyleGAN2 or StyleGAN3 as networks of ours; nothing in the file is run.

ggdr convert lsun-cat.pkl models/lsun-cat

It reads snapshots (.pkl) of the published StyleGAN2-ADA code, of the StyleGAN3 code (StyleGAN2, T, R) and of GGDR,
and state dicts (.pt) of rosinality's StyleGAN2.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed

if TYPE_CHECKING:
    from ggdr.foreign.weights import FoundNetwork, Reading


@dataclass(frozen=True)
class Convert:
    """What to convert, and where to."""

    snapshot: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SNAPSHOT")]
    """the checkpoint: a .pkl or a .pt on this disk"""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """folder to make: generator, generator_live and discriminator, as far as they are there, and source.json"""


def main(argv: list[str]) -> int:
    """Convert what `argv` asks for and print a table of it; UserError if it cannot be done, and then OUT is as it was.

    OSError if the disk refuses.
    """
    command = parsed(Convert, argv, "ggdr convert", __doc__)
    check_free(command.out)
    from ggdr.foreign.reading import read

    found = read(command.snapshot)
    write_networks(found, command.out)
    print("\n".join(report_lines(found, command.out)))
    return 0


def check_free(out: Path) -> None:
    """UserError if there is something at `out` that would be lost."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise UserError(f"{str(out)!r} is there already; give the name of a new folder, or remove it first.")


def write_networks(found: Reading, out: Path) -> None:
    """Make the folder `out`, whole or not at all; OSError if the disk refuses."""
    from ggdr.saving.checkpoint import flush
    from ggdr.saving.model import save_model

    out = out.absolute()
    aside = out.with_name(f".writing-{out.name}-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, network in found.networks.items():
            save_model(network.network, aside / name)
        (aside / "source.json").write_text(json.dumps(source_document(found), indent=1) + "\n")
        flush(aside / "source.json")
        flush(aside)
        aside.rename(out)
        flush(out.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def source_document(found: Reading) -> dict[str, object]:
    """Where it all came from, as JSON can hold it."""
    networks = {
        name: {"from": each.origin, "class": each.class_name, "arguments": each.arguments}
        for name, each in found.networks.items()
    }
    return {"format": found.kind, **found.facts, "networks": networks, "notes": found.notes}


def report_lines(found: Reading, out: Path) -> list[str]:
    """A line for each network, then what a person should know."""
    rows: list[tuple[str, ...]] = [("network", "size px", "channels", "labels", "weights", "from")]
    rows += [network_row(name, each) for name, each in found.networks.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    return [*lines, *(f"note: {note}." for note in found.notes), f"written to {out}"]


def network_row(name: str, found: FoundNetwork) -> tuple[str, ...]:
    """A network's cells."""
    spec, weights = found.network.spec, sum(each.numel() for each in found.network.parameters())
    size = f"{spec.height}x{spec.width}"
    return name, size, str(spec.channels), str(spec.labels), f"{weights:,}", f"{found.origin} ({found.class_name})"
