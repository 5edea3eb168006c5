"""Fingerprints of molecules for ggdr: importing this package registers its parts, so each file with one has a line."""

from ggdr_molecules import bit_cross_entropy, fingerprint_sets, fingerprints

__all__ = ["bit_cross_entropy", "fingerprint_sets", "fingerprints"]
