"""A report of what `--init-from` did: counts of what was taken, and each tensor that was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from os.path import commonprefix

from ggdr.formatting import significant
from ggdr.transfer.start import Move, Start


def table(starts: Iterable[Start], means: Iterable[Start]) -> list[str]:
    """Return a few lines for each network; `means`: where the running means start."""
    lines = [line for start in starts for line in section(start)]
    return lines + [f"running mean of {mean.name}: likewise from {mean.file}" for mean in means if mean.file]


def section(start: Start) -> list[str]:
    """Return the lines of one network: totals, then what was loaded or stays fresh by block, and the rest by name."""
    if start.file is None:
        return [f"{start.name}: not in the source, starts fresh"]
    by_kind: dict[str, list[Move]] = {}
    for move in start.moves:
        by_kind.setdefault(move.how, []).append(move)
    lines = [f"{start.name}: {totals(start)} from {start.file}", row("source", start.what)]
    lines += [row("setting", difference) for difference in start.settings]
    lines += [
        row("loaded", count_by_block(by_kind.get("loaded", []))),
        *list_tensors("reshaped", by_kind),
        *list_tensors("zero", by_kind),
    ]
    lines += [row("fresh", count_by_block(by_kind.get("fresh", []))), *list_tensors("skipped", by_kind)]
    return [*filter(None, lines), *list_surplus(by_kind.get("surplus", []))]


def totals(start: Start) -> str:
    """Return how much of the network comes from the source: tensors, and weights as a share."""
    weights = {name: parameter.numel() for name, parameter in start.network.named_parameters()}
    share = sum(count for name, count in weights.items() if name in start.taken) / sum(weights.values())
    here = sum(move.how != "surplus" for move in start.moves)
    millions = significant(sum(weights.values()) / 1e6, 3)
    return f"{len(start.taken)} of {here} tensors, {significant(100 * share, 3)} % of {millions} M weights"


def list_tensors(kind: str, by_kind: dict[str, list[Move]]) -> list[str]:
    """Return a line for each tensor of this kind."""
    return [row(kind, f"{move.name}: {move.note}") for move in by_kind.get(kind, [])]


def list_surplus(moves: list[Move]) -> list[str]:
    """List the source's tensors without a place: one by name, several of a block by their common prefix."""
    blocks: dict[str, list[list[str]]] = {}
    for move, block in zip(moves, block_names(moves), strict=True):
        blocks.setdefault(block, []).append(move.name.split("."))
    heads = {block: ".".join(commonprefix(names)) for block, names in blocks.items()}
    return [row("skipped", f"{heads[block]} {len(names)}: no place here") for block, names in blocks.items()]


def count_by_block(moves: list[Move]) -> str:
    """Return the blocks and their numbers of tensors, in the network's order."""
    return ", ".join(f"{block} {count}" for block, count in Counter(block_names(moves)).items())


def block_names(moves: list[Move]) -> list[str]:
    """Return each tensor's block: the innermost module around its layer, at most two deep."""
    layers = [move.name.split(".")[:-1] for move in moves]
    around = {".".join(layer[:-1][:2]) for layer in layers}
    return [block_name(layer, around) for layer in layers]


def block_name(layer: list[str], around: set[str]) -> str:
    """Return the block of one layer, given the parts of its name: itself if it is one, or stands alone."""
    own = ".".join(layer[:2])
    return own if own in around else ".".join(layer[:-1]) or own


def row(kind: str, text: str) -> str:
    """Return kind in one column and text in the next; nothing where there is no text."""
    return f"  {kind:<10}{text}" if text else ""
