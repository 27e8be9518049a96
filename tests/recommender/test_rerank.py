import numpy as np
import pytest

from movies.models import Movie
from recommender.serving import rerank
from recommender.serving.rerank import vary
from tests.factories import MovieFactory


@pytest.mark.django_db
def test_kinds_take_turns_and_the_best_comes_first():
    dramas = [MovieFactory(genres=["Drama"], year=1994) for _ in range(6)]
    comedy = MovieFactory(genres=["Comedy"], year=1955)
    movies = list(Movie.objects.with_genres().order_by("pk"))
    assert movies == [*dramas, comedy]
    varied = vary(movies, 4)
    assert varied[0] == dramas[0]
    assert comedy in varied and len(varied) == 4


@pytest.mark.django_db
def test_movies_of_no_kind_and_short_lists_are_left_as_they_are():
    movies = [MovieFactory(year=None) for _ in range(3)]
    assert vary(movies, 10) == movies
    assert vary([], 10) == []


def by_brute_force(relevance, features, k, variety):
    """The greedy rule as the docstring has it, sum by sum."""
    chosen = []
    while len(chosen) < min(k, len(relevance)):
        worth = {
            i: relevance[i] - variety * sum(features[i] @ features[j] for j in chosen)
            for i in range(len(relevance))
            if i not in chosen
        }
        chosen.append(max(worth, key=lambda i: (worth[i], -i)))
    return chosen


def some_candidates(seed, n=30, d=6):
    random = np.random.default_rng(seed)
    relevance = np.sort(random.uniform(0.2, 1, n))[::-1]
    vectors = random.standard_normal((n, d)).astype(np.float32)
    return relevance, rerank.features(vectors, random.random((n, 4)) < 0.4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("variety", [0.0, 0.05, 0.7])
def test_the_greedy_choice_is_that_of_the_rule(seed, variety):
    relevance, features = some_candidates(seed)
    chosen = rerank.varied(relevance, features, 12, variety)
    assert chosen.tolist() == by_brute_force(relevance, features, 12, variety)


def test_a_twin_of_the_best_movie_makes_way_for_another_kind():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    features = rerank.features(vectors, np.zeros((3, 0), dtype=bool))
    relevance = np.array([1.0, 0.9, 0.6])
    assert rerank.varied(relevance, features, 2, 0.0).tolist() == [0, 1]
    assert rerank.varied(relevance, features, 2, 0.5).tolist() == [0, 1]
    assert rerank.varied(relevance, features, 2, 0.7).tolist() == [0, 2]


def test_likeness_is_the_weighted_mean_of_the_cosines():
    vectors = np.array([[2, 0], [1, 1], [0, 0]], dtype=np.float32)
    genres = np.array([[True, True], [True, False], [False, False]])
    features = rerank.features(vectors, genres, genre_share=0.25)
    assert features @ features.T == pytest.approx(
        np.array([[1, 0.5**0.5, 0], [0.5**0.5, 1, 0], [0, 0, 0]]), abs=1e-6
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_candidates_own_order_does_not_matter(seed):
    relevance, features = some_candidates(seed)
    shuffled = np.random.default_rng(seed).permutation(len(relevance))
    chosen = shuffled[rerank.varied(relevance[shuffled], features[shuffled], 10, 0.2)]
    assert chosen.tolist() == rerank.varied(relevance, features, 10, 0.2).tolist()


@pytest.mark.parametrize("k", [0, 1, 7, 20, 21, 55, 260, 400])
def test_a_longer_list_begins_with_the_shorter_one(k):
    relevance, features = some_candidates(1, n=300)
    longest = rerank.by_page(relevance, features, 300, 0.1)
    assert sorted(longest) == list(range(300))
    assert rerank.by_page(relevance, features, k, 0.1).tolist() == longest[:k].tolist()
    # What stands beyond the window of the pages asked for changes nothing.
    seen = rerank.candidates_for(k)
    assert rerank.by_page(relevance[:seen], features[:seen], k, 0.1).tolist() == (
        longest[:k].tolist()
    )


def test_a_page_stands_in_the_order_of_relevance():
    relevance, features = some_candidates(2, n=120)
    found = rerank.by_page(relevance, features, 60, 0.3)
    for start in range(0, 60, rerank.PAGE):
        page = found[start : start + rerank.PAGE]
        assert page.tolist() == sorted(page)
    assert found.tolist() != list(range(60))


def test_without_variety_the_order_is_that_of_relevance():
    relevance, features = some_candidates(3, n=90)
    assert rerank.by_page(relevance, features, 50, 0.0).tolist() == list(range(50))


def test_of_no_candidates_nothing_is_chosen():
    relevance, features = some_candidates(0, n=0)
    assert rerank.by_page(relevance, features, 20, 0.1).tolist() == []
