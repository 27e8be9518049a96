"""Predicted stars: the arithmetic, how honest they are, and whom they are shown to."""

import numpy as np
import pytest
from django.urls import reverse

from recommender.interactions import Ratings
from recommender.models import ModelVersion
from recommender.serving.stars import predicted_stars
from recommender.stars import StarsModel
from recommender.training import stars
from recommender.training.splits import time_split
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.recommender.api.conftest import client_of
from users.models import Rating
from users.ratings import add_to_watchlist, rate, withdraw

MODEL = StarsModel(mean=3.5, taste=0.4, person=0.2)
EAST, WEST, NORTH, NOWHERE = [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 0.0]


# The arithmetic ---------------------------------------------------------------------------------


def foresee(model: StarsModel, film: list[float], rated: list[list[float]], given: list[float]):
    """Predict for one film whose own part is 3 stars, where all rated films' are 3 as well."""
    vectors = np.array(rated).reshape(-1, 2)
    parts = np.full(len(rated), 3.0)
    (predicted,) = model.predict(vectors, parts, np.array(given), np.array([film]), np.array([3.0]))
    return predicted


def test_a_films_own_part_is_its_mean_drawn_to_the_mean_of_all():
    parts = MODEL.film_parts(np.array([0, 4, 1000]), np.array([0, 40, 10000]))
    assert parts.tolist() == pytest.approx([3.5, (4 * 5 + 4 * 3.5) / 8, (5000 + 14) / 1004])


def test_without_ratings_a_person_would_give_what_the_film_is_worth():
    assert foresee(MODEL, EAST, [], []) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("film", "covariance"),
    [(EAST, 0.6), ([7.0, 0.0], 0.6), (WEST, -0.2), (NORTH, 0.2), (NOWHERE, 0.2)],
)
def test_one_rating_carries_over_as_far_as_the_films_are_alike(film, covariance):
    # One equation: (k + 1) w = 5 − 3, with k = person + taste = 0.6.
    assert foresee(MODEL, film, [EAST], [5.0]) == pytest.approx(3 + covariance * 2 / 1.6)


def test_two_ratings_are_those_of_the_closed_form():
    directions = np.array([[1.0, 0.0], [0.6, 0.8]])
    cosines = directions @ directions.T
    covariances = 0.2 + 0.4 * (cosines + cosines**3) / 2
    weights = np.linalg.inv(covariances + np.eye(2)) @ [1.0, -2.0]
    expected = 3 + (0.2 + 0.4 * (0.6 + 0.6**3) / 2) * weights[0] + 0.6 * weights[1]
    assert foresee(MODEL, [3.0, 4.0], directions.tolist(), [4.0, 1.0]) == pytest.approx(expected)


def test_the_line_is_set_over_everything_and_stars_stay_stars():
    bent = StarsModel(mean=3.5, taste=0.4, offset=0.5, slope=0.5)
    assert foresee(bent, EAST, [], []) == pytest.approx(2.0)
    assert foresee(StarsModel(3.5, 0.4, offset=9), EAST, [], []) == 5.0
    assert foresee(StarsModel(3.5, 0.4, offset=-9), EAST, [], []) == 0.5


def test_a_model_is_read_back_from_what_was_kept():
    assert StarsModel.from_dict(MODEL.to_dict()) == MODEL


# Honest or not ----------------------------------------------------------------------------------


def two_camps(give, people=120, films=80) -> tuple[Ratings, np.ndarray]:
    """Ratings of half stars `give(person, film, random)` and vectors of two camps of films."""
    random = np.random.default_rng(5)
    pairs = [(p, m) for p in range(people) for m in range(films) if random.random() < 0.5]
    values = [give(p, m, random) for p, m in pairs]
    users, movies = np.array(pairs).T
    ratings = Ratings(users, movies, np.array(values), random.permutation(len(pairs)))
    vectors = np.array([EAST if m % 2 else NORTH for m in range(films)], dtype=np.float32)
    return ratings, vectors


def by_taste(person, film, random):
    return random.integers(7, 11) if person % 2 == film % 2 else random.integers(2, 6)


def at_random(person, film, random):
    return random.integers(1, 11)


def always_five(person, film, random):
    return 10


def measure(give):
    ratings, vectors = two_camps(give)
    return stars.measure(stars.Question.build(time_split(ratings, 0.2)), vectors)


def test_stars_are_honest_where_taste_tells_more_than_films_and_people_do():
    measured = measure(by_taste)
    assert measured["is_honest"] and measured["high"] < 0
    assert measured["rmse"] < 0.8 * measured["baseline_rmse"]
    assert measured["people"] == 60
    assert sum(step["ratings"] for step in measured["calibration"]) == measured["ratings"]
    for step in measured["calibration"]:
        if step["ratings"] > 50:
            assert step["actual"] == pytest.approx(step["predicted"], abs=0.3)
    assert 0.3 < measured["within"] < 1


@pytest.mark.parametrize("give", [at_random, always_five])
def test_stars_are_not_shown_where_there_is_no_taste_to_tell(give):
    measured = measure(give)
    assert not measured["is_honest"]


def test_the_same_ratings_measure_the_same_twice():
    assert measure(by_taste) == measure(by_taste)


def test_a_handful_of_ratings_cannot_be_measured():
    ratings, vectors = two_camps(by_taste, people=3, films=10)
    question = stars.Question.build(time_split(ratings, 0.2))
    assert stars.measure(question, vectors[:10]) is None


def test_the_baseline_finds_what_people_and_films_are_worth():
    random = np.random.default_rng(2)
    people, films = random.normal(0, 0.8, 60), random.normal(0, 1.2, 50)
    users, movies = (part.ravel() for part in np.mgrid[:60, :50])
    halves = np.clip(np.round(7 + people[users] + films[movies]), 1, 10)
    ratings = Ratings(users, movies, halves, np.arange(len(users)))
    mean, of_people, of_films = stars.baseline(ratings)
    error = mean + of_people[users] + of_films[movies] - halves / 2
    assert np.sqrt(np.mean(error**2)) < 0.25, "little more than rounding leaves"


# Shown or not -----------------------------------------------------------------------------------


@pytest.fixture
def fan(trained, camps):
    """Someone new who has given ten films five stars or one, as the first camp does."""
    person = UserFactory()
    for number, film in enumerate(camps[1][:10]):
        rate(person, film, 5 if number % 2 == 0 else 1)
    for film in camps[1]:
        film.refresh_from_db()  # their counts
    return person


@pytest.mark.django_db(transaction=True)
class TestServing:
    def test_the_version_keeps_how_honest_its_stars_are(self, trained):
        measured = trained.metrics["stars"]
        assert measured["is_honest"]
        assert measured["rmse"] < measured["baseline_rmse"]
        assert "Stars: RMSE" in trained.run.log

    def test_a_person_would_give_more_to_films_of_their_own_camp(self, fan, camps):
        predicted = predicted_stars(fan, camps[1][10:])
        assert set(predicted) == {film.pk for film in camps[1][10:]}
        of_camp = [[predicted[film.pk].stars for film in camps[1][10 + odd :: 2]] for odd in (0, 1)]
        assert np.mean(of_camp[0]) > np.mean(of_camp[1]) + 1
        assert 0 < predicted[camps[1][10].pk].within < 2

    def test_a_new_rating_counts_at_once(self, fan, camps):
        film = camps[1][20]
        before = predicted_stars(fan, [film])[film.pk].stars
        for other in camps[1][10:20:2]:
            rate(fan, other, 0.5)
        assert predicted_stars(fan, [film])[film.pk].stars < before - 0.2

    def test_two_queries_answer_for_any_number_of_films(
        self, fan, camps, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(3):  # the live version, the stars, the vectors
            predicted_stars(fan, camps[1])

    def test_predictions_are_made_of_ones_own_ratings(self, fan, camps):
        twin, stranger = UserFactory(), UserFactory()
        for number, film in enumerate(camps[1][:10]):
            rate(twin, film, 5 if number % 2 == 0 else 1)
            rate(stranger, film, 1 if number % 2 == 0 else 5)
        films = list(type(camps[1][0]).objects.filter(pk__in=[film.pk for film in camps[1][10:]]))
        assert predicted_stars(fan, films) == predicted_stars(twin, films)
        assert predicted_stars(fan, films) != predicted_stars(stranger, films)

    def test_nothing_is_shown_to_strangers_and_people_with_few_ratings(self, fan, camps):
        assert predicted_stars(None, camps[1]) == {}
        withdraw(fan, camps[1][0])
        assert predicted_stars(fan, camps[1]) == {}

    def test_nothing_is_shown_for_rated_little_known_and_unknown_films(self, fan, camps):
        rated, little_known, unknown = camps[1][0], camps[1][30], MovieFactory()
        for other in Rating.objects.filter(movie=little_known)[4:]:
            other.delete()
        for _ in range(6):
            RatingFactory(movie=unknown)
        little_known.refresh_from_db()
        unknown.refresh_from_db()
        assert (little_known.rating_count, unknown.rating_count) == (4, 6)
        assert predicted_stars(fan, [rated, little_known, unknown]) == {}

    @pytest.mark.parametrize("kept", [None, "dishonest", "absent"])
    def test_nothing_is_shown_where_it_is_not_honest(self, fan, trained, camps, kept):
        metrics = dict(trained.metrics)
        if kept == "absent":  # of an earlier release
            del metrics["stars"]
        else:
            metrics["stars"] = kept and metrics["stars"] | {"is_honest": False}
        ModelVersion.objects.filter(pk=trained.pk).update(metrics=metrics)
        assert predicted_stars(fan, camps[1]) == {}

    def test_a_films_page_says_what_the_person_would_give(self, fan, client, camps):
        film = camps[1][12]
        address = reverse("recommender:why", args=[film.pk])
        assert "We think you would give it" not in client.get(address).content.decode()
        client.force_login(fan)
        stars = f"{predicted_stars(fan, [film])[film.pk].stars:.1f}"
        assert f"<strong>{stars}" in client.get(address).content.decode()
        assert (
            "would give it"
            not in client.get(reverse("recommender:why", args=[camps[1][0].pk])).content.decode()
        ), "they have given it stars themselves"

    def test_lists_of_ones_own_say_what_one_would_give(self, fan, client, camps):
        client.force_login(fan)
        for_you = client.get("/recommendations/")
        films = for_you.context["movies"]
        page, predicted = for_you.content.decode(), predicted_stars(fan, films)
        assert page.count("We think that you would give") == len(predicted) > 10
        add_to_watchlist(fan, camps[1][12])
        assert "We think you would give it" in client.get("/watchlist/").content.decode()

    def test_the_api_says_what_one_would_give_or_null(self, fan, camps):
        film, client = camps[1][12], client_of(fan)
        expected = round(predicted_stars(fan, [film])[film.pk].stars, 2)
        address = f"/api/v1/movies/{film.pk}/"
        assert client.get(address).json()["predicted_stars"] == expected
        assert client_of(None).get(address).json()["predicted_stars"] is None
        rated = client.get(f"/api/v1/movies/{camps[1][0].pk}/").json()
        assert rated["predicted_stars"] is None
        results = client.get("/api/v1/recommendations/").json()["results"]
        assert {0.5 <= one["predicted_stars"] <= 5 for one in results} == {True}
        results = client_of(None).get("/api/v1/recommendations/").json()["results"]
        assert {one["predicted_stars"] for one in results} == {None}

    def test_the_console_shows_the_error_beside_the_baselines(self, trained, admin_client):
        page = admin_client.get(f"/studio/versions/{trained.pk}/").content.decode()
        assert f"{trained.metrics['stars']['rmse']:.4f} stars" in page
        assert f"{trained.metrics['stars']['baseline_rmse']:.4f} stars" in page
        assert "Mean given" in page
