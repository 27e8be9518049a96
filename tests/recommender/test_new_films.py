"""Films that nobody has rated have a place in the space of taste."""

import numpy as np
import pytest

from movies.models import Movie
from recommender.models import ModelVersion, MovieVector, WordVector
from recommender.serving import foldin, placing, retrieval
from recommender.serving.recommend import Filters, recommend
from recommender.serving.similar import similar
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.factories import CreditFactory, MovieFactory, PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)

EVEN, ODD = 0, 1
STORIES = ("A detective hunts a murderer in the rain.", "Two dancers fall in love in Paris.")


@pytest.fixture
def told(camps):
    """The two camps, where what is told of a film says which camp it is of; their stars too."""
    people, films = camps
    stars = [PersonFactory(name="Eve Even"), PersonFactory(name="Otto Odd")]
    for number, film in enumerate(films):
        film.overview = STORIES[number % 2]
        film.save(update_fields=["overview"])
        CreditFactory(movie=film, person=stars[number % 2])
    return people, films, stars


def new_film(camp: int, stars, **values) -> Movie:
    film = MovieFactory(overview=STORIES[camp], year=1980, genres=["Drama"], **values)
    CreditFactory(movie=film, person=stars[camp])
    return film


def train() -> ModelVersion:
    return pipeline.execute(runs.create(parameters=SMALL))


def score(person, film, version) -> float:
    found = retrieval.exact(
        version,
        foldin.user_vector(person, version),
        Movie.objects.filter(pk=film.pk),
        1,
        version.metric,
    )
    return found[0].score


def test_training_places_a_film_that_nobody_has_rated_among_those_like_it(told):
    people, films, stars = told
    even, odd = (new_film(camp, stars) for camp in (EVEN, ODD))
    version = train()
    assert version.predicted_count == 2 and version.vector_count == len(films) + 2
    placed = MovieVector.objects.filter(version=version, predicted=True)
    assert {vector.movie_id for vector in placed} == {even.pk, odd.pk}
    assert "2 films that nobody has rated have a place" in version.run.log
    assert score(people[0], even, version) > score(people[0], odd, version)
    assert score(people[1], odd, version) > score(people[1], even, version)
    near = {film.pk for film in similar(even, 10)}
    assert len(near & {film.pk for film in films[::2]}) >= 8


def test_the_index_finds_new_films_where_a_scan_does(told, settings):
    people, _, stars = told
    new_film(EVEN, stars), new_film(ODD, stars)
    version = train()
    vector = foldin.user_vector(people[0], version)
    found = {}
    for most in (version.vector_count, 0):
        settings.EXACT_SCAN_MAX_VECTORS = most
        allowed = retrieval.open_to(None, Filters())
        lists = [retrieval.nearest(version, vector, allowed, k) for k in (5, 20)]
        pool = retrieval.pool(version, vector, allowed, 40)
        found[most] = [*([each.movie_id for each in nearest] for nearest in lists), *pool.movie_ids]
    assert found[0] == found[version.vector_count]


def test_a_film_that_comes_later_gets_its_place_without_a_training(told):
    people, films, stars = told
    version = train()
    assert version.predicted_count == 0
    even = new_film(EVEN, stars)
    assert even not in [found.movie for found in recommend(people[0], 100) if found.is_personal]
    assert placing.place([even.pk]) == 1
    version.refresh_from_db()
    assert version.predicted_count == 1
    assert even in [found.movie for found in recommend(people[0], 100) if found.is_personal]
    assert even in similar(films[0], 60)


def test_a_film_is_placed_anew_when_more_is_told_of_it(told):
    people, _, stars = told
    version = train()
    film = MovieFactory(year=1980, genres=["Drama"])
    placing.place([film.pk])
    before = score(people[1], film, version)
    film.overview = STORIES[ODD]
    film.save()
    CreditFactory(movie=film, person=stars[ODD])
    placing.place([film.pk])
    assert score(people[1], film, version) > before
    version.refresh_from_db()
    assert version.predicted_count == 1


def test_later_training_places_as_placing_does(told):
    _, _, stars = told
    film = new_film(ODD, stars)
    version = train()
    trained = MovieVector.objects.get(version=version, movie=film)
    placing.place([film.pk])
    placed = MovieVector.objects.get(version=version, movie=film)
    assert np.allclose(trained.vector, placed.vector, atol=1e-5)


def test_a_film_that_training_knows_keeps_its_own_place(told):
    _, films, _ = told
    version = train()
    before = MovieVector.objects.get(version=version, movie=films[0])
    assert placing.place([films[0].pk]) == 0
    after = MovieVector.objects.get(version=version, movie=films[0])
    assert np.array_equal(before.vector, after.vector) and not after.predicted


def test_films_that_an_import_brought_are_found_and_placed(told):
    _, _, stars = told
    version = train()
    films = [new_film(camp, stars) for camp in (EVEN, ODD)]
    assert placing.place() == 2
    assert placing.place() == 0
    placed = MovieVector.objects.filter(version=version, predicted=True)
    assert set(placed.values_list("movie_id", flat=True)) == {film.pk for film in films}


def test_without_a_model_nothing_is_placed(told):
    _, films, _ = told
    assert placing.place([films[0].pk]) == 0


def test_films_that_nobody_has_rated_never_flood_a_list(told):
    people, films, stars = told
    for _ in range(60):
        new_film(EVEN, stars)
    train()
    found = recommend(people[0], 20)
    new = [recommendation.movie.is_new for recommendation in found]
    assert len(found) == 20
    assert 1 <= sum(new) <= 2
    assert [found.movie for found in recommend(people[0], 10, variety=0)] == [
        found.movie for found in recommend(people[0], 30, variety=0)
    ][:10]
    assert sum(film.is_new for film in similar(films[0], 20)) <= 2


def test_where_nobody_has_rated_anything_else_a_list_is_still_full(told):
    people, _, _ = told
    for _ in range(30):
        MovieFactory(year=2020, genres=["Western"], overview=STORIES[EVEN])
    train()
    assert len(recommend(people[0], 20, Filters(genre="western"))) == 20
    assert recommend(people[0], 20, Filters(genre="western", fewest_ratings=1)) == []


def test_dropping_a_version_drops_what_it_learnt_of_features(told, settings):
    settings.KEPT_VERSIONS = 0
    first = train()
    assert WordVector.objects.filter(version=first).exists()
    train()
    assert not WordVector.objects.filter(version=first).exists()
