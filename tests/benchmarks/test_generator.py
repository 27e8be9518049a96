"""Generated ratings: as many as asked for, of the shape asked for, the same each time."""

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.dataset import read
from benchmarks.scale.generator import Generator, Source, gini, write
from benchmarks.scale.shapes import FEWEST_RATINGS, SHAPES, Shape

SMALL = Shape(
    "small",
    people=300,
    films=200,
    ratings=12_000,
    film_gini=0.5,
    activity=(19, 15, 0.9),
    most_active=90,
    best_known=220,
    first=datetime(2000, 1, 1, tzinfo=UTC),
    last=datetime(2003, 1, 1, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    """What is learnt of two camps of people, each of whom rates films of its own."""
    folder = tmp_path_factory.mktemp("real")
    random = np.random.default_rng(0)
    lines = [
        f"{person},{film},{random.choice([2, 3.5, 4, 5])},{person * 1000 + 60 * place}"
        for person in range(1, 81)
        for place, film in enumerate(random.permutation(30)[:20] * 2 + 1 + person % 2)
    ]
    films = [f"{film},Film {film} (1990),Drama" for film in range(1, 61)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *lines]))
    return Source(read(folder))


@pytest.fixture(scope="module")
def generated(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    write(Generator(source, SMALL), folder)
    return read(folder)


def test_each_person_gives_as_many_ratings_as_the_shape_says(generated):
    counts = np.unique(generated.ratings.user_ids, return_counts=True)[1]
    assert len(counts) == SMALL.people
    assert counts.min() >= FEWEST_RATINGS
    assert counts.max() <= SMALL.most_active
    assert counts.sum() == pytest.approx(SMALL.ratings, rel=0.01)


def test_nobody_rates_a_film_twice(generated):
    pairs = np.stack([generated.ratings.user_ids, generated.ratings.movie_ids])
    assert np.unique(pairs, axis=1).shape == pairs.shape


def test_films_have_the_tail_that_the_shape_says(generated):
    counts = np.bincount(generated.ratings.movie_ids, minlength=SMALL.films + 1)[1:]
    assert gini(counts) == pytest.approx(SMALL.film_gini, abs=0.05)
    assert counts.max() == pytest.approx(SMALL.best_known, rel=0.1)


def test_values_are_those_of_the_real_ratings_and_times_within_the_days(source, generated):
    values, counts = np.unique(generated.ratings.values, return_counts=True)
    assert values.tolist() == [4, 7, 8, 10]
    assert counts / counts.sum() == pytest.approx(source.values[values], abs=0.03)
    seconds = generated.ratings.rated_at / 1e6
    assert seconds.min() >= SMALL.first.timestamp()
    assert seconds.max() <= SMALL.last.timestamp()


def test_people_keep_to_their_camp(source, generated):
    """What one camp of the real people likes comes together in the generated ones' lists too."""
    ratings = generated.ratings
    matrix = np.zeros((SMALL.people, SMALL.films))
    matrix[ratings.user_ids - 1, ratings.movie_ids - 1] = 1
    centred = matrix - matrix.mean(axis=0)
    shares = np.linalg.svd(centred, compute_uv=False) ** 2
    shuffled = np.random.default_rng(0).permuted(centred, axis=0)
    by_chance = np.linalg.svd(shuffled, compute_uv=False) ** 2
    assert shares[0] > 3 * by_chance[0]


def test_the_same_seed_gives_the_same_ratings(source):
    first, second = (next(Generator(source, SMALL, seed=5).blocks()) for _ in range(2))
    assert np.array_equal(first.film, second.film)
    assert np.array_equal(first.seconds, second.seconds)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_published_shapes_add_up(shape):
    counts = shape.counts(np.random.default_rng(0))
    assert len(counts) == shape.people
    assert counts.sum() == pytest.approx(shape.ratings, rel=0.001)
    assert counts.min() == FEWEST_RATINGS
