"""The place of a text in a version's space."""

import numpy as np
from numpy.typing import NDArray

from recommender import vectors
from recommender.embedders import FILM_EMBEDDERS, Unavailable, words
from recommender.models import ModelVersion


def place_of(version: ModelVersion, text: str) -> NDArray[np.float32] | None:
    """Return the text's place (d,), or None where there is none.

    That is so for a text without a known word, for a technique that takes no texts, and where
    what the technique needs is not installed in this process.
    """
    encode = getattr(FILM_EMBEDDERS[version.space].get(version.embedder), "encode", None)
    if encode is None:
        return _by_words(version, text)
    try:
        (place,) = encode([text], version.numbers)
    except Unavailable:
        return None
    return place if np.any(place) else None


def _by_words(version: ModelVersion, text: str) -> NDArray[np.float32] | None:
    """Return the sum of what the database knows of the text's words."""
    found = vectors.of_words(version, words.keys(text, version.numbers))
    try:
        return words.place(text, found, version.numbers)
    except ValueError:
        return None
