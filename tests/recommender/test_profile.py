import re

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from movies.models import Movie
from recommender import pictures
from recommender.serving import foldin, neighbours, seeds
from recommender.serving.recommend import explain, recommend
from tests.factories import CreditFactory, MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import Rating, User
from users.portrait import portray

pytestmark = pytest.mark.django_db(transaction=True)

YOU = "/you/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{YOU}"}


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def page(client, person: User, headers=None) -> str:
    client.force_login(person)
    response = client.get(YOU, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def fan(films: list[Movie], count: int = 12) -> User:
    """Make somebody who loves films of the first camp and one of the second."""
    person = UserFactory(username=f"fan-of-{count}")
    for film in films[: 2 * count : 2]:
        ratings.rate(person, film, 5)
    ratings.rate(person, films[1], 4.5)
    return person


# The page


def test_the_page_is_for_those_who_are_logged_in(client, db):
    assert client.get(YOU).url == f"/login/?next={YOU}"


@pytest.mark.parametrize(("films", "says"), [(0, "Nothing to draw yet"), (3, "2 more films")])
def test_people_of_few_ratings_are_told_what_to_do(client, camps, films, says):
    person = UserFactory()
    for film in camps[1][:films]:
        ratings.rate(person, film, 5)
    html = page(client, person)
    assert says in html and "/welcome/" in html
    assert "<svg xmlns" not in html


def test_before_the_first_version_there_are_pictures_and_no_seeds(client, camps):
    html = page(client, camps[0][0])
    assert "pygal-chart" in html
    assert "has not learnt from anybody" in html and "Too few people" in html


def test_the_page_tells_of_ones_own_ratings_and_of_nobody_elses_name(client, trained, camps):
    people, films = camps
    CreditFactory(movie=films[0], person__name="Ida Lupino", role="director")
    CreditFactory(movie=films[2], person__name="Ida Lupino", role="director")
    person = fan(films)
    html = page(client, person)
    for heading in ("define your taste", "People like you", "recommendations are made of"):
        assert heading in html
    assert "Loved by" in html
    assert not [one.username for one in people if re.search(rf"\b{one.username}\b", html)]


def test_pictures_need_no_style_and_no_script_and_keep_to_the_text_they_are_given(camps):
    person = fan(camps[1])
    RatingFactory(user=person, movie=MovieFactory(genres=["<i>Odd</i> & new"]))
    drawn = pictures.of_portrait(portray(person))
    assert set(drawn) == {"distribution", "decades", "love", "genres"}
    for picture in drawn.values():
        assert not re.search(r"<style|<script|style=|<desc|<i>|\bon\w+=", picture.svg)
        assert f'aria-label="{picture.title}"' in picture.svg
        assert all(len(row) == len(picture.headings) for row in picture.rows)
    assert "&lt;i&gt;Odd&lt;/i&gt; &amp; new" in drawn["genres"].svg


def test_a_long_history_takes_no_more_queries_than_a_short_one(client, trained, camps):
    _, films = camps
    short, long = fan(films), UserFactory()
    for film in films[:30]:
        ratings.rate(long, film, 4)
    more = MovieFactory.create_batch(200, genres=["Drama"])
    Rating.objects.bulk_create(Rating(user=long, movie=movie, value=9) for movie in more)
    counts = []
    for person in (short, long):
        page(client, person)
        with CaptureQueriesContext(connection) as captured:
            client.get(YOU)
        counts.append(len(captured))
    assert counts[1] <= counts[0] < 45


# What recommendations are made of


def test_seeds_are_the_reasons_that_recommendations_give(trained, camps):
    person = fan(camps[1])
    picks = [found.movie for found in recommend(person, seeds.FIRST)]
    reasons = explain(person, picks, most=1000)
    shares: dict[Movie, float] = {}
    for found in reasons.values():
        for reason in found:
            shares[reason.movie] = shares.get(reason.movie, 0) + reason.share / len(picks)
    made = seeds.ingredients(person, 3, 100)
    assert {seed.movie: pytest.approx(seed.share, abs=1e-4) for seed in made.seeds} == shares
    assert sum(seed.first_for for seed in made.seeds) == len(picks)
    assert made.seeds[0].width == 100
    assert len(made.defining) == 3
    assert made.defining[0].share >= made.defining[1].share
    newcomer = UserFactory()
    assert seeds.ingredients(newcomer, 9, 9) == seeds.Ingredients()
    ratings.rate(newcomer, camps[1][0], 0.5)
    assert seeds.ingredients(newcomer, 9, 9).seeds == []


def test_the_switch_changes_the_seeds_and_the_next_recommendations(client, trained, camps):
    person, first = fan(camps[1], count=4), camps[1][0]
    before = [found.score for found in recommend(person, 5)]
    client.force_login(person)
    client.post(f"/films/{first.pk}/my/left-out/", headers=HTMX)
    html = client.get(YOU, headers=HTMX).content.decode()
    assert "<html" not in html
    left_out_html, seeds_html = html.split("What counts most")
    assert first.get_absolute_url() in left_out_html
    assert first.get_absolute_url() not in seeds_html
    person = User.objects.get(pk=person.pk)
    assert [found.score for found in recommend(person, 5)] != before
    client.post(f"/films/{first.pk}/my/left-out/", {"restore": "1"}, headers=HTMX)
    person = User.objects.get(pk=person.pk)
    assert [found.score for found in recommend(person, 5)] == pytest.approx(before, rel=1e-4)


# People like you


def test_neighbours_are_of_ones_own_camp_and_love_what_is_unseen(trained, camps):
    person = fan(camps[1])
    found = neighbours.neighbours_of(person)
    assert len(found.alike) == neighbours.NEIGHBOURS
    assert found.alike == sorted(found.alike, reverse=True) and 0 < found.alike[0] <= 1
    assert found.shared > 0 and found.close > 0.8
    assert all(one.lovers >= neighbours.FEWEST_LOVERS for one in found.loved)
    assert not {one.movie.pk for one in found.loved} & person.stars.keys()
    assert all(camps[1].index(one.movie) % 2 == 0 for one in found.loved)

    # What a neighbour left out of their taste is not told.
    loved = found.loved[0].movie
    for rating in Rating.objects.filter(movie=loved, value__gte=8):
        ratings.leave_out(rating.user, rating.movie)
    assert loved not in [one.movie for one in neighbours.neighbours_of(person).loved]
    # What everybody likes makes nobody alike.
    middle = foldin.average_vector(trained)
    assert all(np.isnan(alike) for _, alike in neighbours._nearest(person, trained, middle))


def test_few_ratings_or_few_people_have_no_neighbours(trained, camps, monkeypatch):
    few = UserFactory()
    for film in camps[1][: neighbours.FEWEST_RATINGS - 1]:
        ratings.rate(few, film, 5)
    assert not neighbours.neighbours_of(few)
    ratings.rate(few, camps[1][-1], 5)
    assert neighbours.neighbours_of(few)
    monkeypatch.setattr(neighbours, "FEWEST_NEIGHBOURS", 100)
    assert not neighbours.neighbours_of(few)
