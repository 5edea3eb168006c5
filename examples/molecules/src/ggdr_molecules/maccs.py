"""Molecules as MACCS keys, by RDKit, and the rules that every molecule's keys obey."""

from __future__ import annotations

import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ggdr.data.reading.indexed import IndexedImages
from ggdr.documents import file_hash
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

from ggdr_molecules.fingerprints import BUILT_IN, Fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

BITS = 166
"""MACCS keys, numbered from 1"""
UNDEFINED = "?"
"""what RDKit has in place of a pattern for a key that it computes otherwise, or not at all"""


class Library(NamedTuple):
    """Molecules that differ in their fingerprints, in the order of their file."""

    smiles: list[str]
    """canonical SMILES of the first molecule that has the fingerprint"""
    bits: np.ndarray
    """[N, 166] uint8, 0 or 1"""
    unreadable: int
    """lines that are no molecule"""
    repeated: int
    """molecules whose fingerprint is there before"""


class FingerprintVectors(IndexedImages):
    """Fingerprints in memory, known by the hash of their file."""

    revision = ""

    def content(self):
        return super().content()._replace(revision=self.revision)


def file_of(source: str) -> Path:
    """The file of a source."""
    from rdkit import RDConfig

    return Path(RDConfig.RDDataDir, "NCI", "first_5K.smi") if source == BUILT_IN else Path(source)


def maccs_bits(smiles: str) -> tuple[str, np.ndarray] | None:
    """Canonical SMILES of a molecule, and its keys [166] uint8, key 1 first; None if it is no molecule."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import MACCSkeys

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        return None
    # RDKit's fingerprint has 167 bits, of which bit 0 stands for no key.
    return Chem.MolToSmiles(molecule), np.array(list(MACCSkeys.GenMACCSKeys(molecule)), np.uint8)[1:]


def read_library(file: Path) -> Library:
    """The molecules of a file of SMILES; UserError if it cannot be read, or holds none."""
    try:
        words = [line.split()[0] for line in file.read_text().splitlines() if line.split()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{str(file)!r} is no readable file of SMILES ({error}); give another.") from error
    found = [maccs_bits(word) for word in words]
    molecules = [each for each in found if each is not None]
    if not molecules:
        raise UserError(f"no line of {str(file)!r} begins with the SMILES of a molecule; give another file.")
    bits = np.stack([keys for _, keys in molecules])
    first = np.sort(np.unique(bits, axis=0, return_index=True)[1])
    smiles = [molecules[place][0] for place in first]
    return Library(smiles, bits[first], len(found) - len(molecules), len(molecules) - len(first))


@cache
def cached_library(file: Path, changed: int) -> Library:
    """The molecules of a file as it was changed last, in nanoseconds: computing all keys takes seconds."""
    return read_library(file)


def library(settings: Fingerprints) -> Library:
    """The molecules of the part that the settings choose; UserError if fewer than two would be left to learn from."""
    file = file_of(settings.source)
    whole = cached_library(file, os.stat(file).st_mtime_ns)
    count = len(whole.bits)
    if not 0 <= settings.hold_out <= count - 2:
        raise UserError(
            f"{settings.source!r} has {count:,} different fingerprints, of which {settings.hold_out:,} cannot be held"
            f" out: set {setting('hold_out')} to a number from 0 to {max(0, count - 2):,}."
        )
    held_out = np.zeros(count, bool)
    held_out[np.random.default_rng(0).permutation(count)[: settings.hold_out]] = True
    chosen = held_out if settings.split == "test" else ~held_out
    if not chosen.any():
        raise UserError(f"nothing is held out: set {setting('hold_out')}, or {setting('split')} to train.")
    smiles = [smile for smile, kept in zip(whole.smiles, chosen, strict=True) if kept]
    return whole._replace(smiles=smiles, bits=whole.bits[chosen])


def open_fingerprints(settings: Fingerprints) -> FingerprintVectors:
    """The fingerprints that the settings choose, 0 as -1; UserError if there are none."""
    found = library(settings)
    vectors = found.bits.astype(np.float32) * 2 - 1
    notes = []
    if found.repeated:
        notes.append(f"{found.repeated:,} molecules are left out, whose fingerprint another has.")
    if found.unreadable:
        notes.append(f"{found.unreadable:,} lines are no molecule that RDKit can read, and are left out.")
    spec = ImageSpec(1, 1, BITS, continuous=True)
    images = FingerprintVectors(vectors[:, :, None, None], spec, notes=tuple(notes))
    images.revision = file_hash(file_of(settings.source))
    return images


@cache
def rules() -> tuple[tuple[int, int], ...]:
    """Pairs (a, b) of places of bits: no molecule has a without b, since a asks for more of what b asks for.

    They follow from RDKit's definitions alone: where two keys count one pattern, more of it holds less of it.
    """
    from rdkit.Chem import MACCSkeys

    counted = defaultdict(list)
    for key, (pattern, above) in MACCSkeys.smartsPatts.items():
        if pattern != UNDEFINED:
            counted[pattern].append((above, key - 1))
    found = []
    for keys in counted.values():
        keys.sort()
        found += [(more, fewer) for (_, fewer), (_, more) in zip(keys, keys[1:], strict=False)]
    return tuple(sorted(found))


def consistent(bits: np.ndarray) -> np.ndarray:
    """Whether each of fingerprints [N, 166] obeys all rules, bool [N]."""
    more, fewer = (list(places) for places in zip(*rules(), strict=True))
    return (bits[:, more] <= bits[:, fewer]).all(axis=1)


def nearest(bits: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place [N] and Tanimoto similarity [N] of the nearest of `known` [M, 166] to each of fingerprints [N, 166]."""
    similarity = tanimoto(bits, known)
    return similarity.argmax(axis=1), similarity.max(axis=1)


def tanimoto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Bits that both have over bits that either has, [N, M] from 0 to 1, of a [N, K] and b [M, K]; 1 of two empty."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    both = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - both
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def diversity(bits: np.ndarray) -> float:
    """One less the mean Tanimoto similarity of all pairs of different rows [N, K], 0 to 1; NaN of one row."""
    count = len(bits)
    return 1 - float((tanimoto(bits, bits).sum() - count) / (count * (count - 1))) if count > 1 else float("nan")


def independent(bits: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Fingerprints [count, K] whose bits are set as often as those of `bits` [N, K], each by itself."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, bits.shape[1])) < bits.mean(axis=0)).astype(np.uint8)


def texts(smiles: Sequence[str], places: np.ndarray) -> list[str]:
    """The SMILES at these places."""
    return [smiles[place] for place in places.tolist()]
