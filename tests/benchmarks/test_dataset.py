"""A dataset read for a benchmark, and parts of it that the site imports."""

import numpy as np
import pytest

from benchmarks.dataset import Dataset, core_of, read
from movies.importers.progress import progress
from recommender.interactions import Ratings
from recommender.training import snapshot
from users.importers.movielens.load import load

MOVIES = 'movieId,title,genres\n10,"Bank, The (1915)",Comedy|Drama\n20,Tramp (1915),Comedy\n'


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    rows = ["1,10,4.5,100", "1,20,1,101", "2,20,3.0,5", "2,20,3.5,4"]
    (tmp_path / "movies.csv").write_text(MOVIES)
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *rows]))
    return read(tmp_path)


def test_a_later_line_about_the_same_film_counts(dataset):
    assert dataset.ratings.user_ids.tolist() == [1, 1, 2]
    assert dataset.ratings.values.tolist() == [9, 2, 7]
    assert dataset.ratings.rated_at.tolist() == [100_000_000, 101_000_000, 4_000_000]


def test_dat_files_are_read_alike(tmp_path, dataset):
    folder = tmp_path / "dat"
    folder.mkdir()
    (folder / "movies.dat").write_text("10::Bank, The (1915)::Comedy\n20::Tramp (1915)::Comedy\n")
    (folder / "ratings.dat").write_text("1::10::4.5::100\n1::20::1::101\n2::20::3.5::4\n")
    ratings = read(folder).ratings
    assert ratings.values.tolist() == dataset.ratings.values.tolist()


@pytest.mark.django_db(transaction=True)
def test_the_site_imports_the_very_part_that_it_is_given(dataset):
    part = dataset.ratings.take(np.array([0, 2]))
    loaded = load(dataset.files(part), progress(shown=False))
    assert (loaded.films.added, loaded.ratings.added) == (2, 2)
    taken = snapshot.take().ratings
    assert sorted(taken.values.tolist()) == [7, 9]
    assert sorted(taken.rated_at.tolist()) == [4_000_000, 100_000_000]


def test_binary_forgets_stars_and_times(dataset):
    binary = dataset.only(binary=True)
    assert set(binary.ratings.values.tolist()) == {10}
    assert len(set(binary.ratings.rated_at.tolist())) == 1
    assert binary.label == f"{dataset.label}-binary"


def test_a_core_takes_away_until_everybody_has_enough():
    # Movie 3 has one rating; without it user 3 has too few, and without them movie 2.
    pairs = [(1, 1), (2, 1), (1, 4), (2, 4), (3, 2), (3, 3), (4, 2)]
    users, movies = np.array(pairs).T
    ratings = Ratings(users, movies, np.full(len(pairs), 8), np.zeros(len(pairs)))
    left = core_of(ratings, 2)
    assert list(zip(left.user_ids.tolist(), left.movie_ids.tolist(), strict=True)) == pairs[:4]
    assert len(core_of(ratings, 3)) == 0
