"""A search finds films by title, by what they are about, and under the conditions it names."""

import numpy as np
import pytest
from django.utils import timezone

from movies.models import Movie
from recommender import vectors
from recommender.catalogue import Films, Material
from recommender.embedders.static import StaticEncoder
from recommender.models import Metric, ModelVersion, Space
from recommender.serving.finding import find
from tests.factories import CreditFactory, MovieFactory

pytestmark = pytest.mark.django_db

STORIES = [
    ("Jaws", 1975, ["Thriller"], "A police chief hunts a great white shark off a seaside resort."),
    ("Groundhog Day", 1993, ["Comedy"], "A weatherman lives the same day over and over."),
    ("Wings", 1927, ["War"], "Two rival fighter pilots love the same woman in the world war."),
    ("Heat", 1995, ["Crime"], "A detective pursues a crew of thieves through Los Angeles."),
    ("The Thieves", 1951, ["Drama"], "Poor brothers pick pockets at the harbour."),
    ("Quick Change", 1990, ["Comedy"], "A clown robs a bank; the heist goes well, the escape not."),
    ("Murder, He Says", 1945, ["Comedy"], "A pollster meets a family of killers, a lost heist."),
]


@pytest.fixture
def films() -> dict[str, Movie]:
    return {
        title: MovieFactory(title=title, year=year, genres=genres, overview=overview)
        for title, year, genres, overview in STORIES
    }


def tell_stories() -> ModelVersion:
    """Make a live story version out of the catalogue."""
    movies = list(Movie.objects.order_by("pk"))
    material = Material(
        Films(
            movie_ids=np.array([movie.pk for movie in movies]),
            titles=[movie.title for movie in movies],
            years=[movie.year for movie in movies],
            genres=[() for _ in movies],
            overviews=[movie.overview for movie in movies],
            credits=[() for _ in movies],
            tags=[() for _ in movies],
        ),
        ratings=None,
    )
    embedding = StaticEncoder().fit(material)
    version = ModelVersion.objects.create(
        space=Space.STORY,
        embedder="static",
        metric=Metric.COSINE,
        dimensions=embedding.vectors.shape[1],
        movie_count=len(movies),
        snapshot_at=timezone.now(),
        numbers=embedding.numbers,
    )
    vectors.write_movies(version, embedding.movie_ids, embedding.vectors)
    vectors.index_and_attach(version)
    version.state = ModelVersion.State.CANDIDATE
    version.save()
    return vectors.promote(version)


def titles(text: str, **options) -> list[str]:
    return [movie.title for movie in find(text, **options).films]


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("the sheriff who hunts a shark", "Jaws"),
        ("a man has to live the same day again", "Groundhog Day"),
        ("fighter pilots of the first world war who are rivals", "Wings"),
    ],
)
def test_a_description_finds_the_film_by_its_words_alone(films, description, title):
    assert titles(description)[0] == title


def test_with_a_story_version_other_words_will_do(films):
    description = "aviators in airplanes fall in love during combat, thieves"
    assert titles(description) == ["Heat", "Wings"]
    tell_stories()
    assert titles(description)[0] == "Wings"


def test_an_exact_title_comes_first_whatever_it_says(films):
    tell_stories()
    for movie in films.values():
        assert find(movie.title).films[0] == movie
    assert titles("thieves")[0] == "The Thieves"


def test_what_people_know_comes_before_what_nobody_rated(films):
    known = MovieFactory(
        title="Shark!", overview="A shark hunts off a resort.", rating_count=500, rating_sum=3000
    )
    assert find("a shark off a resort that hunts swimmers").films[0] == known


def test_conditions_are_read_off_the_query_and_hold_for_every_film(films):
    found = find("funny heist films from the nineties")
    assert [condition.label for condition in found.conditions] == ["1990s", "Comedy"]
    assert [movie.title for movie in found.films] == ["Quick Change"]


def test_a_condition_that_is_taken_off_leaves_its_words(films):
    found = find("funny heist films from the nineties", plain=["years:1990-1999"])
    assert [condition.label for condition in found.conditions] == ["Comedy"]
    assert {movie.title for movie in found.films} == {"Quick Change", "Murder, He Says"}


def test_conditions_alone_list_what_meets_them(films):
    assert set(titles("comedies")) == {"Groundhog Day", "Quick Change", "Murder, He Says"}


def test_a_person_who_is_named_is_a_condition(films):
    for title in ("Heat", "Jaws", "Wings"):
        CreditFactory(movie=films[title], person__name="Al Pacino")
    found = find("thieves with al pacino")
    assert [condition.label for condition in found.conditions] == ["Al Pacino"]
    assert found.films[0] == films["Heat"]


@pytest.mark.parametrize("text", ["", "x", "zzxqwv", "\x00", "'; --", "to be or not", "%", "(((("])
def test_what_means_nothing_finds_nothing(films, text):
    tell_stories()
    assert not find(text)


def test_control_characters_are_no_letters(films):
    assert titles("a great\x00white\tshark")[0] == "Jaws"


def test_typing_mistakes_in_titles_are_forgiven(films):
    tell_stories()
    assert titles("groundhg day")[0] == "Groundhog Day"
    assert titles("jawz")[0] == "Jaws"
