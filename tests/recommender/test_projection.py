import numpy as np
import pytest
from scipy.spatial import cKDTree

from recommender.film_map import NO_MAP, FilmMap
from recommender.training import projection


def clumps(seed: int = 0, films: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, vectors and counts of films in four clumps, each fourth film of one clump."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(4, 12))
    vectors = centres[np.arange(films) % 4] + 0.2 * random.normal(size=(films, 12))
    return np.arange(films) + 10, vectors.astype(np.float32), np.full(films, 9)


@pytest.fixture(scope="module")
def drawn() -> FilmMap:
    return projection.draw(*clumps())


def nearest(film_map: FilmMap) -> np.ndarray:
    away = np.linalg.norm(film_map.positions[:, None] - film_map.positions[None], axis=2)
    np.fill_diagonal(away, np.inf)
    return away.argmin(axis=1)


def test_what_is_alike_lies_together(drawn):
    assert (drawn.movie_ids[nearest(drawn)] % 4 == drawn.movie_ids % 4).mean() > 0.95
    assert np.abs(np.median(drawn.positions, axis=0)).max() < 0.2
    assert len(set(drawn.regions.tolist())) > 1


def test_the_next_map_lies_as_the_one_before(drawn):
    ids, vectors, counts = clumps(films=176)
    changed = vectors + 0.1 * np.random.default_rng(2).normal(size=vectors.shape)
    again = projection.draw(ids, changed.astype(np.float32), counts, drawn)
    alone = projection.draw(ids, changed.astype(np.float32), counts)
    moved, astray = (
        np.median(np.linalg.norm(found.positions[:160] - drawn.positions, axis=1))
        for found in (again, alone)
    )
    assert moved < astray / 2
    assert "half of them moved by less than" in projection.summary(again, drawn)


def test_films_with_few_ratings_lie_beside_those_that_they_are_like(drawn):
    ids, vectors, counts = clumps()
    counts[120:] = 1
    found = projection.draw(ids, vectors, counts)
    assert len(found) == 160
    assert (found.movie_ids[nearest(found)] % 4 == found.movie_ids % 4)[120:].mean() > 0.9


def test_films_that_nobody_has_rated_lie_by_what_sets_them_apart():
    ids, vectors, counts = clumps(films=280)
    counts[160:] = 0
    # Of the first clump's kind, as all that is told of them has it, and a little of their own.
    vectors[160:] = 0.2 * vectors[160:] + vectors[0]
    found = projection.draw(ids, vectors, counts)
    _, beside = cKDTree(found.positions[:160]).query(found.positions[160:])
    assert (found.movie_ids[beside] % 4 == found.movie_ids[160:] % 4).mean() > 0.9


def test_too_few_films_and_films_without_a_direction_have_no_map():
    ids, vectors, counts = clumps()
    assert projection.draw(ids[:60], vectors[:60], counts[:60]) is NO_MAP
    vectors[:10] = 0
    assert set(projection.draw(ids, vectors, counts).movie_ids) == set(ids[10:])


def test_progress_rises_to_the_end_and_may_end_it():
    told = []
    projection.draw(*clumps(), progress=lambda fraction, message: told.append(fraction))
    assert told == sorted(told) and 0.9 < told[-1] <= 1

    def stop(fraction: float, message: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        projection.draw(*clumps(), progress=stop)
