"""A space that knows films alone goes the way that taste goes, whatever fills it."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from movies.models import Credit
from recommender import embedders, vectors
from recommender.catalogue import Credited, Material
from recommender.embedders import FilmEmbedding, Unavailable, WordVectors, fasttext, silent
from recommender.models import ModelVersion, MovieVector, Space, TrainingRun, UserVector, WordVector
from recommender.parameters import Parameters, number
from recommender.serving.encoding import place_of
from recommender.training import dispatch, gate, runs, snapshot
from tests.conftest import vector_tables
from tests.factories import CreditFactory, MovieFactory, PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Settings(Parameters):
    noise: float = number(0.01, 0.0, 100.0)
    """How much chance there is in a film's place."""


class ByGenre:
    """A film lies where its genres do. All that adding a technique takes is such a class."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "ByGenre":
        return cls(Settings.from_dict(values))

    def fit(self, material: Material, progress=silent) -> FilmEmbedding:
        films = material.films
        if not any(films.genres):
            raise ValueError("films: there is nothing to learn from")
        names = sorted({name for genres in films.genres for name in genres})
        places = np.array([[name in genres for name in names] for genres in films.genres])
        random = np.random.default_rng(0).normal(size=places.shape)
        placed = places + self.settings.noise * random
        placed /= np.linalg.norm(placed, axis=1, keepdims=True)
        progress(1.0, "placed")
        words = WordVectors(names, np.eye(len(names), dtype=np.float32))
        return FilmEmbedding(
            films.movie_ids, placed.astype(np.float32), "genres", words, {"names": len(names)}
        )


class Absent(ByGenre):
    def fit(self, material, progress=silent):
        raise Unavailable("The package of this technique is not installed: pip install it")


@pytest.fixture(autouse=True)
def by_genre(monkeypatch):
    """The one line of the registry, and another for a technique that cannot work here."""
    known = {"by_genre": ByGenre, "absent": Absent}
    monkeypatch.setitem(embedders.FILM_EMBEDDERS, "words", known)


def test_a_technique_of_one_file_is_trained_measured_and_live(camps):
    people, films = camps
    version = dispatch.execute(runs.create("words"))
    assert (version.state, version.embedder, version.metric) == ("live", "by_genre", "cosine")
    assert (version.dimensions, version.saw, version.numbers) == (3, "genres", {"names": 3})
    assert version.movie_count == MovieVector.objects.filter(version=version).count() == len(films)
    assert not UserVector.objects.filter(version=version).exists()
    assert version.metrics["model"]["genres@20"] > 0.9
    assert version.metrics["random"]["genres@20"] < 0.5
    assert 0 <= version.metrics["model"]["recall@20"] <= 1
    assert version.metrics["people"] == len(people)


def test_vectors_of_words_lie_in_the_database_and_go_with_their_version(camps, settings):
    settings.KEPT_VERSIONS = 0
    version = dispatch.execute(runs.create("words"))
    found = vectors.of_words(version, ["Drama", "Horror", "unheard of"])
    assert {word: place.tolist() for word, place in found.items()} == {
        "Drama": [0, 1, 0],
        "Horror": [0, 0, 1],
    }
    dispatch.execute(runs.create("words"))
    assert not WordVector.objects.filter(version=version).exists()
    assert f"recommender_wordvector_v{version.pk}" not in vector_tables()


def test_a_text_lies_near_the_films_of_its_words_by_what_the_database_knows(camps, monkeypatch):
    monkeypatch.setitem(embedders.FILM_EMBEDDERS, "words", {"fasttext": fasttext.FastText})
    settings = ["fewest=1", "dimension=8", "epochs=40", "subsampling=0", "buckets=500"]
    call_command("train", space="words", set=settings, stdout=StringIO())
    version = ModelVersion.objects.live("words")
    horror = MovieVector.objects.filter(version=version, movie__genres__name="Horror")
    others = MovieVector.objects.filter(version=version).exclude(movie__genres__name="Horror")
    for text in ("horror", "horrror"):
        place = place_of(version, text)
        near, far = (np.mean([place @ row.vector for row in rows]) for rows in (horror, others))
        assert near > far
    assert place_of(version, "?") is None


def test_taste_is_left_alone(trained):
    before = ModelVersion.objects.live()
    dispatch.execute(runs.create("words"))
    assert ModelVersion.objects.live() == before == trained
    assert ModelVersion.objects.live("words").space == "words"


@pytest.mark.parametrize(("likes", "fits"), [(0, 1), (1, 2)])
def test_what_learns_nothing_from_ratings_is_fitted_once(camps, likes, fits):
    parameters = {"likes_weight": likes, "dimension": 4, "walks": 1, "length": 4}
    version = dispatch.execute(runs.create("people", parameters))
    assert version.run.log.count(" Learning") == fits
    assert bool(version.rating_count) == bool(likes)
    assert version.metrics["model"]["recall@20"] >= 0


def test_another_recipe_is_compared_with_the_live_one_on_the_same_people(camps):
    first = dispatch.execute(runs.create("words"))
    second = dispatch.execute(runs.create("words", {"noise": 0.02}))
    assert second.comparison["live"] == first.pk
    assert second.comparison["against_live"]["people"] == 40
    assert second.comparison["against_live"]["other"] == first.metrics["model"]["recall@20"]


def test_the_gate_holds_what_foresees_less_than_the_live_version(camps):
    live = dispatch.execute(runs.create("words"))
    worse = gate.Difference(0.1, 0.2, low=-0.15, high=-0.05, people=40)
    verdict = gate.judge(live, gate.Rival(live, None, has_same_recipe=True), worse)
    assert verdict.comparison["reasons"] == ["worse"]
    assert "Recall@20 0.1000 against 0.2000 over 40 people" in verdict.sentences[0]


def test_runs_of_two_spaces_may_be_under_way_at_once(camps):
    runs.create("words")
    runs.create("taste")
    with pytest.raises(runs.RunUnderway):
        runs.create("words")


def test_a_technique_that_is_not_installed_says_so_in_one_sentence(camps):
    run = runs.create("words", embedder="absent")
    with pytest.raises(Unavailable):
        dispatch.execute(run)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.FAILED
    assert run.error.endswith("The package of this technique is not installed: pip install it")
    assert not ModelVersion.objects.live("words")


def test_nothing_to_learn_from_is_said(transactional_db):
    MovieFactory()
    with pytest.raises(CommandError, match="there is nothing to learn from"):
        call_command("train", space="words", stderr=StringIO())


def test_a_space_without_a_technique_says_so(monkeypatch, transactional_db):
    monkeypatch.setitem(embedders.FILM_EMBEDDERS, "people", {})
    with pytest.raises(ValueError, match=r"^embedder: no technique for the space 'people'"):
        runs.create("people")


def test_a_wrong_technique_is_named(transactional_db):
    with pytest.raises(ValueError, match=r"^embedder: there is no 'als' for the space 'words'"):
        runs.create("words", embedder="als")


def test_every_technique_fills_a_known_space_under_readable_settings():
    assert {"taste", *embedders.FILM_EMBEDDERS} == set(Space.values)
    for known in embedders.FILM_EMBEDDERS.values():
        for technique in known.values():
            settings = technique.from_dict({}).settings.to_dict()
            assert technique.from_dict(settings).settings.to_dict() == settings


def test_the_command_trains_one_space_by_a_technique_with_settings(camps):
    out = StringIO()
    call_command("train", space="words", embedder="by_genre", set=["noise=0.5"], stdout=out)
    version = ModelVersion.objects.live("words")
    assert version.parameters == {"noise": 0.5}
    assert "words, by by_genre, is live" in out.getvalue() and "genres" in out.getvalue()


def test_a_snapshot_of_films_has_genres_people_and_overviews_in_their_order(transactional_db):
    first = MovieFactory(title="Heat", year=None, genres=["Thriller", "Crime"])
    second = MovieFactory(title="Bare", overview="It is bare.")
    star, director = PersonFactory(name="A Star"), PersonFactory(name="A Director")
    CreditFactory(movie=first, person=star, role=Credit.Role.CAST, position=0)
    CreditFactory(movie=first, person=director, role=Credit.Role.DIRECTOR, position=0)
    _, material = snapshot.take_material()
    films = material.films
    assert films.movie_ids.tolist() == [first.pk, second.pk]
    assert (films.titles, films.years) == (["Heat", "Bare"], [None, 1999])
    assert films.genres == [("Crime", "Thriller"), ()]
    assert films.overviews == ["", "It is bare."]
    assert films.credits == [
        (
            Credited(director.pk, "A Director", "director"),
            Credited(star.pk, "A Star", "cast"),
        ),
        (),
    ]
    assert len(material.ratings) == 0


def test_no_table_is_left_by_a_run_that_fails_while_it_writes(camps, monkeypatch):
    def broken(version):
        raise OSError("no space left on device")

    before = vector_tables()
    monkeypatch.setattr(vectors, "index_and_attach", broken)
    with pytest.raises(OSError):
        dispatch.execute(runs.create("words"))
    assert vector_tables() == before


def test_the_indexes_of_a_film_space_are_by_cosine(camps):
    version = dispatch.execute(runs.create("words"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%hnsw%%'",
            [f"recommender_movievector_v{version.pk}"],
        )
        definitions = [definition for (definition,) in cursor.fetchall()]
    assert all("vector_cosine_ops" in definition for definition in definitions)
    ends = {definition.partition(" WHERE ")[2] for definition in definitions}
    assert ends == {"predicted", "(NOT predicted)"}
