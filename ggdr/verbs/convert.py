"""`ggdr convert SNAPSHOT OUT`: a published StyleGAN2, StyleGAN3 or R3GAN as networks of ours; the file is not run.

ggdr convert lsun-cat.pkl models/lsun-cat

ggdr convert latest_net_G.pth models/horse2zebra

It reads snapshots (.pkl) of the published StyleGAN2-ADA code, of the StyleGAN3 code (StyleGAN2, T, R), of GGDR and of
R3GAN, state dicts (.pt) of rosinality's StyleGAN2 and of U-GAT-IT, and (.pth) of generators and discriminators of
CycleGAN and pix2pix.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.documents import suggest_similar
from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.progress import Bar, say_loading
from ggdr.verbs.outputs import check_model_folder

if TYPE_CHECKING:
    from ggdr.foreign.weights import FoundNetwork, Reading


@dataclass(frozen=True)
class Convert:
    """What to convert, and where to."""

    snapshot: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SNAPSHOT")]
    """the checkpoint: a .pkl, a .pt or a .pth on this disk"""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """folder to make: generator, generator_live and discriminator, or those of two domains, as far as they are there,
    and source.json"""


def main(argv: list[str]) -> int:
    """Convert what `argv` asks for and print a table of it; UserError if it cannot be done, and then OUT is as it was.

    OSError if the disk refuses.
    """
    command = parsed(Convert, argv, "ggdr convert", __doc__)
    check_model_folder(command.out)
    check_snapshot(command.snapshot)
    say_loading(str(command.snapshot))
    from ggdr.foreign.reading import read
    from ggdr.saving.model import describe, save_new
    from ggdr.saving.pretrained import translator_index

    with Bar("converting"):
        found = read(command.snapshot)
        networks = {name: each.network for name, each in found.networks.items()}
        described = {name: describe(network) for name, network in networks.items()}
        index = translator_index(described, found.game, ("a", "b")) if found.game else ""
        save_new(command.out, networks, source_document(found), index)
    print("\n".join(report_lines(found, command.out)))
    return 0


def check_snapshot(file: Path) -> None:
    """UserError if there is no such file; before torch is imported."""
    if not file.expanduser().is_file():
        what = "is a folder" if file.expanduser().is_dir() else f"is not there{suggest_similar(file)}"
        raise UserError(f"{str(file)!r} {what}; give a checkpoint: a .pkl, .pt or .pth.")


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
    """The cells of a network's row: name, size, channels, labels, number of weights, and what it was made from."""
    spec, weights = found.network.spec, sum(each.numel() for each in found.network.parameters())
    size = f"{spec.height}x{spec.width}"
    return name, size, str(spec.channels), str(spec.labels), f"{weights:,}", f"{found.origin} ({found.class_name})"
