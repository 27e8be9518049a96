from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import CreditFactory, MovieFactory, RatingFactory, UserFactory
from users import portrait, ratings
from users.models import Rating, User
from users.portrait import portray

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 5, 17, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def rate(person: User, genre: str, values: list[int], others: int = 6, year: int = 1999) -> None:
    """Let the person rate a film each, to which two others gave `others` half stars."""
    for value in values:
        movie = MovieFactory(genres=[genre], year=year)
        RatingFactory(user=person, movie=movie, value=value)
        for _ in range(2):
            RatingFactory(movie=movie, value=others)


def kind(kinds, name):
    return next(one for one in kinds if one.name == name)


def test_nobody_has_a_portrait_without_ratings():
    RatingFactory(value=9)
    found = portray(UserFactory())
    assert found.films == 0 and found.genres == [] and found.everyone.mean == 4.5


def test_own_ratings_stand_beside_everyones():
    person = UserFactory()
    rate(person, "Western", [10, 9, 10, 9, 10], year=1950)
    rate(person, "Horror", [2, 1, 2, 1, 2])
    for _ in range(10):
        RatingFactory(movie=MovieFactory(genres=["Musical"], year=2003), value=7)
    found = portray(person)
    assert (found.films, found.mean) == (10, pytest.approx(2.8))
    assert found.distribution == [2, 3, 0, 0, 0, 0, 0, 0, 2, 3]
    assert sum(found.everyone.distribution) == pytest.approx(1)
    assert found.everyone.distribution[5] == pytest.approx(20 / 40)
    western, horror, musical = (
        kind(found.genres, name) for name in ("Western", "Horror", "Musical")
    )
    assert [one.name for one in found.genres] == ["Western", "Musical", "Horror"]
    assert western.is_loved and not western.is_skipped
    assert horror.is_disliked and not musical.is_told
    assert (western.share, western.everyones_share) == (0.5, pytest.approx(15 / 40))
    assert (western.mean, western.everyones_mean) == (4.8, pytest.approx((48 + 60) / 15 / 2))
    assert [one.key for one in found.decades] == ["1950", "1990", "2000"]
    assert found.decades[0].love > 0 > found.decades[1].love


def test_love_is_no_matter_of_generosity_and_grows_with_the_films():
    person = UserFactory()
    rate(person, "Western", [10] * 3)
    rate(person, "Drama", [10] * 6)
    assert all(one.love == pytest.approx(0) for one in portray(person).genres)
    rate(person, "Horror", [2] * 9)
    western, drama = (kind(portray(person).genres, name) for name in ("Western", "Drama"))
    assert 0 < western.love < drama.love
    assert drama.is_loved and not western.is_loved


def test_a_genre_is_skipped_only_with_ratings_enough_to_say_so():
    for _ in range(30):
        RatingFactory(movie=MovieFactory(genres=["Musical"]))
    person = UserFactory()
    rate(person, "Drama", [6] * 8)
    assert not kind(portray(person).genres, "Musical").is_skipped
    rate(person, "Drama", [6] * 20)
    assert kind(portray(person).genres, "Musical").is_skipped
    assert not kind(portray(person).genres, "Drama").is_skipped


@pytest.mark.parametrize(
    ("days", "names"),
    [
        ([0, 2], ["15 May", "16 May", "17 May"]),
        ([0, 60], ["Mar 2024", "Apr 2024", "May 2024"]),
        ([0, 2000], ["2018", "2019", "2020", "2021", "2022", "2023", "2024"]),
        ([0, 0], ["17 May"]),
    ],
)
def test_time_is_told_by_day_month_or_year(days, names):
    person = UserFactory()
    for ago in days:
        RatingFactory(user=person, value=7, rated_at=NOW - timedelta(days=ago))
    periods = portray(person).over_time
    assert [period.name for period in periods] == names
    assert sum(period.films for period in periods) == 2
    assert {period.mean for period in periods} <= {3.5, None}


def test_directors_and_actors_stand_out_by_what_others_give_the_same_films():
    person = UserFactory()
    rate(person, "Drama", [6] * 6)
    for name, values in (("Ida Lupino", [10, 10, 9]), ("Ed Wood", [1, 1]), ("Once", [10])):
        for value in values:
            movie = MovieFactory()
            RatingFactory(user=person, movie=movie, value=value)
            CreditFactory(movie=movie, person__name=name, role="director")
            CreditFactory(movie=movie, person__name=f"Star of {name}")
    found = portray(person)
    assert [maker.person.name for maker in found.directors] == ["Ida Lupino"]
    assert (found.directors[0].films, found.directors[0].mean) == (3, pytest.approx(29 / 6))
    assert [maker.person.name for maker in found.actors] == ["Star of Ida Lupino"]


def test_the_most_contrary_rating_comes_first_where_enough_others_have_rated():
    person = UserFactory()
    for title, value, others in (("Near", 7, 10), ("Far", 1, 10), ("Few", 1, 3)):
        movie = MovieFactory(title=title)
        RatingFactory(user=person, movie=movie, value=value)
        for _ in range(others):
            RatingFactory(movie=movie, value=9)
    found = portray(person).contrary
    assert [one.movie.title for one in found] == ["Far", "Near"]
    assert (found[0].stars, found[0].others_mean, found[0].others) == (0.5, 4.5, 10)


def test_everyones_figures_are_kept_and_follow_what_changes_them():
    person = UserFactory()
    rate(person, "Drama", [6] * 5)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            portrait.of_everyone()
        return len(captured)

    assert (queries(), queries()) == (4, 1)
    RatingFactory(value=10)
    assert portrait.of_everyone().ratings == Rating.objects.count()
    for rating in Rating.objects.all()[:3]:
        ratings.rate(rating.user, rating.movie, 0.5)
    assert portrait.of_everyone().distribution[0] == pytest.approx(3 / Rating.objects.count())


def test_everyones_figures_need_no_cache(settings):
    RatingFactory(value=9)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    assert portrait.of_everyone().mean == 4.5


def test_a_long_history_takes_as_many_queries_as_a_short_one():
    def queries(films: int) -> int:
        person = UserFactory()
        Rating.objects.bulk_create(
            Rating(user=person, movie=movie, value=7, rated_at=NOW - timedelta(days=n))
            for n, movie in enumerate(MovieFactory.create_batch(films, genres=["Drama"]))
        )
        portray(person)
        with CaptureQueriesContext(connection) as captured:
            portray(person)
        return len(captured)

    assert queries(200) == queries(20)
