import itertools

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Count

from movies.models import Movie
from recommender import studio
from recommender.serving import foldin, retrieval
from recommender.serving.recommend import Filters, explain, recommend
from recommender.serving.similar import similar
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import Rating, User

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = 20


def movies(recommendations):
    return [recommendation.movie for recommendation in recommendations]


def test_a_person_is_recommended_films_of_their_own_camp(trained, camps):
    people, films = camps
    for person in people[:4]:
        found = recommend(person, 10)
        assert all(pick.is_personal for pick in found)
        camp = people.index(person) % 2
        own = [films.index(pick.movie) % 2 == camp for pick in found]
        assert sum(own) >= 9


def test_vectors_of_films_lie_in_their_rows_however_long(trained):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attname = 'vector'",
            [f"recommender_movievector_v{trained.pk}"],
        )
        assert cursor.fetchone() == ("p",)  # plain: neither put aside nor compressed


def test_what_was_rated_or_dismissed_is_never_recommended(trained, camps):
    person = camps[0][0]
    first = recommend(person, 1)[0].movie
    ratings.dismiss(person, first)
    found = set(movies(recommend(person, 100)))
    assert first not in found
    assert not found & set(Movie.objects.filter(ratings__user=person))


def test_a_rating_changes_the_very_next_answer(trained, camps):
    _, films = camps
    person = UserFactory()
    for film in films[:6:2]:
        ratings.rate(person, film, 5)
    before = recommend(person, 5)
    for film in films[1:12:2]:
        ratings.rate(person, film, 5)
    for film in films[:6:2]:
        ratings.rate(person, film, 0.5)
    after = recommend(person, 5)
    assert {films.index(pick.movie) % 2 for pick in before} == {0}
    assert {films.index(pick.movie) % 2 for pick in after} == {1}


def test_withdrawing_every_rating_brings_the_start_back(trained, camps):
    person = UserFactory()
    ratings.rate(person, camps[1][0], 5)
    assert recommend(person, 1)[0].is_personal
    ratings.withdraw(person, camps[1][0])
    assert not recommend(person, 1)[0].is_personal


def test_the_folded_in_vector_and_the_trained_one_agree(trained, camps):
    shared = []
    for person in camps[0]:
        stored = foldin._stored([person], trained)[person.pk]
        User.objects.filter(pk=person.pk).update(taste_revision=-1)
        solved = foldin.user_vector(person, trained)
        allowed = retrieval.candidates(person, Filters())
        pages = [
            {found.movie_id for found in retrieval.nearest(trained, vector, allowed, PAGE)}
            for vector in (stored, solved)
        ]
        shared.append(len(pages[0] & pages[1]) / PAGE)
    assert np.mean(shared) >= 0.95


def test_what_is_left_out_is_as_if_it_had_not_been_rated(trained, camps):
    _, films = camps
    person, other = UserFactory(), UserFactory()
    for film in films[:8:2]:
        ratings.rate(person, film, 5)
        ratings.rate(other, film, 5)
    for film in films[1:12:2]:
        ratings.rate(person, film, 5)
    for film in films[1:12:2]:
        ratings.leave_out(person, film)
    alike = [foldin.user_vector(one, trained) for one in (person, other)]
    assert alike[0] == pytest.approx(alike[1], abs=1e-5)
    picks = movies(recommend(person, 10))
    assert sum(films.index(pick) % 2 == 0 for pick in picks) >= 9
    assert not set(picks) & set(films[1:12:2])
    reasons = explain(person, picks, most=1000)
    seeds = {reason.movie for found in reasons.values() for reason in found}
    assert seeds and seeds <= set(films[:8:2])


def test_training_leaves_out_what_people_left_out(camps):
    people, _ = camps
    first = people[0].ratings.first().movie
    for rating in people[1].ratings.all():
        ratings.leave_out(people[1], rating.movie)
    ratings.leave_out(people[0], first)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert version.rating_count == Rating.objects.counted().count()
    assert studio.unseen_ratings(version) == 0
    stored = foldin._stored(people[:2], version)
    assert stored.keys() == {people[0].pk}
    User.objects.filter(pk=people[0].pk).update(taste_revision=-1)
    folded_in = foldin.user_vector(people[0], version)
    assert stored[people[0].pk] == pytest.approx(folded_in, abs=1e-3)
    assert foldin.user_vector(people[1], version) is None


def test_ratings_that_come_while_it_trains_are_not_lost(camps, monkeypatch):
    people, films = camps
    create_version = pipeline._create_version

    def rate_meanwhile(*arguments):
        ratings.rate(people[0], films[1], 0.5)
        return create_version(*arguments)

    monkeypatch.setattr(pipeline, "_create_version", rate_meanwhile)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert foldin._stored(people[:2], version).keys() == {people[1].pk}


@pytest.mark.parametrize("exact_up_to", [0, 10_000])
@pytest.mark.parametrize("genre", [None, "drama", "comedy"])
@pytest.mark.parametrize("years", [(None, None), (1960, None), (None, 1990), (1965, 1999)])
def test_pages_are_full_whatever_the_filters(trained, camps, settings, exact_up_to, genre, years):
    settings.EXACT_SCAN_MAX_VECTORS = exact_up_to
    person = camps[0][3]
    filters = Filters(genre, *years)
    there_are = retrieval.candidates(person, filters).count()
    found = movies(recommend(person, PAGE, filters))
    assert len(found) == len(set(found)) == min(PAGE, there_are)
    for movie in found:
        assert genre is None or genre in {each.slug for each in movie.genres.all()}
        assert (years[0] or 0) <= movie.year <= (years[1] or 3000)


def rate_by_taste(people: int, films: int) -> list[User]:
    """People of whom each has watched mostly what lies near their own taste in three directions.

    In two camps a film is as good as any other of its camp but for chance, and the nearest twenty
    of three hundred are nowhere near each other for an index to walk along.
    """
    random = np.random.default_rng(7)
    tastes, places = random.standard_normal((people, 3)), random.standard_normal((films, 3))
    fits = tastes @ places.T
    watched = random.random((people, films)) < 0.4 / (1 + np.exp(-2 * fits))
    values = np.clip(np.round(6 + 1.5 * fits), 1, 10).astype(int)
    genres = ["Drama", "Comedy", "Horror"]
    movies = [
        MovieFactory(title=f"Film {n}", year=1950 + n, genres=[genres[n % 3]]) for n in range(films)
    ]
    users = UserFactory.create_batch(people, password="!")
    Rating.objects.bulk_create(
        Rating(user=users[p], movie=movies[m], value=int(values[p, m]))
        for p, m in np.argwhere(watched).tolist()
    )
    return users


def test_the_index_answers_as_an_exact_scan_does(settings, transactional_db):
    people = rate_by_taste(people=160, films=600)
    version = pipeline.execute(runs.create(parameters={"factors": 16, "iterations": 5}))
    settings.EXACT_SCAN_MAX_VECTORS = 0
    with connection.cursor() as cursor:
        # Left alone, the planner scans so small a space.
        cursor.execute("SET enable_sort = off")
    shared = []
    choices = itertools.product([None, "drama"], [None, 2100], [None, 2300])
    for person, (genre, first, last) in zip(people, itertools.cycle(choices), strict=False):
        vector = foldin.user_vector(person, version)
        allowed = retrieval.candidates(person, Filters(genre, first, last))
        by_index = retrieval.nearest(version, vector, allowed, PAGE)
        exact = retrieval.exact(version, vector, allowed, PAGE, version.metric)
        assert len(by_index) == len(exact)
        ids = {found.movie_id for found in exact}
        shared.append(len(ids & {found.movie_id for found in by_index}) / len(ids))
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_sort")
    assert np.mean(shared) >= 0.98


def test_films_outside_the_space_fill_the_page_best_liked_first(trained, camps):
    person = camps[0][0]
    new = MovieFactory.create_batch(5, year=2200)
    Movie.objects.filter(pk=new[3].pk).update(rating_sum=10, rating_count=1)
    found = recommend(person, PAGE, Filters(first_year=2200))
    assert len(found) == 5 and found[0].movie == new[3]
    assert not any(pick.is_personal for pick in found)


@pytest.mark.parametrize("person", [None, AnonymousUser()])
def test_visitors_get_what_most_people_like(trained, person):
    found = recommend(person, PAGE)
    assert len(found) == PAGE
    assert not any(pick.is_personal for pick in found)


def test_before_the_first_version_everyone_gets_a_start(db):
    RatingFactory()
    MovieFactory.create_batch(3)
    assert len(recommend(UserFactory(), PAGE)) == 4


def test_somebody_who_only_dislikes_starts_from_what_most_people_like(trained, camps):
    person = UserFactory()
    ratings.rate(person, camps[1][0], 0.5)
    picks = movies(recommend(person, PAGE, variety=0))
    liked = Rating.objects.filter(value__gte=9).values("movie").annotate(people=Count("user"))
    people = {row["movie"]: row["people"] for row in liked}
    counts = [people.get(movie.pk, 0) for movie in picks]
    assert len(picks) == PAGE and counts == sorted(counts, reverse=True)
    assert explain(person, picks)[picks[0].pk] == []


def test_similar_films_are_of_the_same_camp_and_not_the_film_itself(trained, camps):
    _, films = camps
    found = similar(films[0], 10)
    assert films[0] not in found and len(found) == 10
    assert sum(films.index(movie) % 2 == 0 for movie in found) >= 9


def test_a_film_outside_the_space_has_similar_films_of_its_genre(trained):
    new = MovieFactory(genres=["Horror"])
    found = similar(new, 5)
    assert len(found) == 5
    assert all("Horror" in [genre.name for genre in movie.genres.all()] for movie in found)


def test_a_rated_film_is_no_reason_for_itself(trained, camps):
    person = camps[0][0]
    film = Movie.objects.filter(ratings__user=person, ratings__value__gte=9).first()
    reasons = explain(person, [film], most=1000)[film.pk]
    assert reasons
    assert film not in [reason.movie for reason in reasons]


def test_reasons_are_the_persons_own_liked_films_and_their_shares_add_up(trained, camps):
    person = camps[0][0]
    picks = movies(recommend(person, 3))
    reasons = explain(person, picks, most=1000)
    liked = {rating.movie_id for rating in Rating.objects.filter(user=person, value__gte=9)}
    for pick in picks:
        assert {reason.movie.pk for reason in reasons[pick.pk]} <= liked
        # The rest is what most people like, the same for everybody.
        assert 0.8 < sum(reason.share for reason in reasons[pick.pk]) <= 1.00001
        shares = [reason.share for reason in reasons[pick.pk]]
        assert shares == sorted(shares, reverse=True)
