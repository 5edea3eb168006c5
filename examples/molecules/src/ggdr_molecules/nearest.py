"""`python -m ggdr_molecules.nearest made.npz`: the molecule whose fingerprint is nearest to each that was generated.

A fingerprint is no molecule, and many molecules may have it: what is printed is a molecule that is known already, and
how near it is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from ggdr.errors import UserError

from ggdr_molecules.fingerprints import BUILT_IN, Fingerprints
from ggdr_molecules.maccs import BITS, library, nearest


def main(argv: list[str]) -> int:
    """Print a line for each fingerprint: the similarity of the nearest molecule, and its SMILES."""
    parser = argparse.ArgumentParser(prog="python -m ggdr_molecules.nearest", description=__doc__)
    parser.add_argument("file", type=Path, help="what `ggdr generate --out NAME.npz` wrote")
    parser.add_argument("--source", default=BUILT_IN, help="a file of SMILES to look in, or nci")
    given = parser.parse_args(argv)
    try:
        lines = nearest_lines(given.file, given.source)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


def nearest_lines(file: Path, source: str) -> list[str]:
    """A line for each fingerprint of a file; UserError if it holds none."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            vectors = arrays["vectors"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file} holds no array vectors: make one by ggdr generate MODEL --out NAME.npz.") from error
    if vectors.ndim != 2 or vectors.shape[1] != BITS:
        raise UserError(f"the vectors of {file} are {list(vectors.shape)}, and fingerprints are [N, {BITS}].")
    settings = Fingerprints(source=source, hold_out=0)
    settings.check_source()
    known = library(settings)
    places, similarity = nearest((vectors > 0).astype(np.uint8), known.bits)
    return [f"{near:.2f}  {known.smiles[place]}" for place, near in zip(places, similarity, strict=True)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
