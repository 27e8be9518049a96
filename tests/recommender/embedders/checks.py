"""What holds for every technique that places films."""

import numpy as np
import pytest

from recommender.catalogue import Material
from recommender.embedders import FilmEmbedder


def check_that_it_gives_the_same_twice(embedder: FilmEmbedder, material: Material) -> None:
    one, two = (embedder.fit(material).vectors for _ in range(2))
    np.testing.assert_array_equal(one, two)


def check_that_progress_rises_and_can_end_it(
    embedder: FilmEmbedder, material: Material, after: float = 0.5
) -> None:
    seen: list[float] = []
    embedder.fit(material, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(fraction: float, message: str) -> None:
        if fraction > after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedder.fit(material, cancel)
