"""The place of a text in a version's space."""

import numpy as np
from numpy.typing import NDArray

from recommender.embedders import FILM_EMBEDDERS, Unavailable
from recommender.models import ModelVersion


def place_of(version: ModelVersion, text: str) -> NDArray[np.float32] | None:
    """Return the text's place (d,), or None where there is none.

    That is so for a text without a known word, for a technique that takes no texts, and where
    what the technique needs is not installed in this process.
    """
    encode = getattr(FILM_EMBEDDERS[version.space].get(version.embedder), "encode", None)
    if encode is None:
        return None
    try:
        (place,) = encode([text], version.numbers)
    except Unavailable:
        return None
    return place if np.any(place) else None
