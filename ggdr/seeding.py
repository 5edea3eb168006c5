"""Seeds of independent random streams, one for each purpose."""

from __future__ import annotations

import hashlib

WORDS = 2**32
"""seeds that torch's generator on the host can tell apart"""


def seed_of(*what: int | str) -> int:
    """A seed below 2**56 that is a function of all that is given.

    Torch's generator on the host looks at the low 32 bits alone, so that seeds such as `a << 32 | b` are all one.
    """
    return int.from_bytes(hashlib.blake2b(repr(what).encode(), digest_size=7).digest(), "big")


def word(seed: int) -> int:
    """A seed below 2**32 for a random stream: the seed itself if it is below, else 32 bits of its hash.

    More is lost on torch's generator on the host, and refused by NumPy's RandomState.
    """
    return seed if 0 <= seed < WORDS else seed_of(seed) % WORDS
