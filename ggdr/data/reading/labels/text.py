"""Texts as labels: a bag of words, an entry a word, as long as one (Salton et al. 1975)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ggdr.data.reading.labels.base import Labels, missing_or_none
from ggdr.errors import UserError

ENCODER = "words"
"""what a description calls this way from texts to vectors"""
MOST_WORDS, LEAST_TEXTS = 512, 2
"""words of a vocabulary, at most, and texts in which each occurs, at least"""


def text_labels(texts: Sequence[str | None]) -> Labels:
    """The labels of texts, None: there is none; their vocabulary is the names of the vector's entries.

    The words that occur in most texts, in the order of the alphabet. UserError if no word occurs twice.
    """
    counts = Counter(word for text in texts if text is not None for word in set(words_of(text)))
    often = sorted((word for word, count in counts.items() if count >= LEAST_TEXTS), key=lambda w: (-counts[w], w))
    vocabulary = tuple(sorted(often[:MOST_WORDS]))
    if not vocabulary:
        raise UserError(f"these texts have no word in common, of which {LEAST_TEXTS} or more have one; give others.")
    rows = np.array([text_vector(text or "", vocabulary) for text in texts], np.float32)
    missing = np.array([text is None for text in texts], bool)
    return Labels(rows, vocabulary, missing_or_none(missing), text_encoder=ENCODER)


def text_vector(text: str, vocabulary: Sequence[str]) -> list[float]:
    """The vector of a text: the same number for each word that it has, of length 1; zeros if it has none of them."""
    known = set(words_of(text)) & set(vocabulary)
    return [len(known) ** -0.5 if word in known else 0.0 for word in vocabulary]


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case, without punctuation."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold())
