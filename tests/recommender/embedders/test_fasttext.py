"""FastText: films by their words, and places of queries, misspelt ones too."""

import json

import numpy as np
import pytest

from recommender.catalogue import Material, Tagged
from recommender.embedders import words
from recommender.embedders.base import FilmEmbedding
from recommender.embedders.fasttext import FastText, Settings
from tests.recommender.embedders.checks import (
    check_that_it_gives_the_same_twice,
    check_that_progress_rises_and_can_end_it,
)
from tests.recommender.embedders.material import (
    SPACE,
    WEDDINGS,
    films,
    groups_apart,
    ratings,
    told,
)

SETTINGS = Settings(
    dimension=16, epochs=60, fewest=1, subsampling=0, buckets=500, smoothing=0.01, window=5
)


def place(embedding: FilmEmbedding, text: str) -> np.ndarray:
    """A text's place, from nothing but what was kept."""
    assert embedding.words is not None
    kept = dict(zip(embedding.words.words, embedding.words.vectors, strict=True))
    numbers = json.loads(json.dumps(embedding.numbers))
    found = {key: kept[key] for key in words.keys(text, numbers) if key in kept}
    return words.place(text, found, numbers)


def many(times: int = 6) -> Material:
    """The eight films over and over, so that there is something to learn."""
    overviews = SPACE * times + WEDDINGS * times
    people = (("Tom Hanks",),) * 4 * times + (("Julia Roberts",),) * 4 * times
    genres = (("Sci-Fi",),) * 4 * times + (("Romance",),) * 4 * times
    return Material(films(overviews, genres, people), ratings([]))


@pytest.fixture(scope="module")
def embedding() -> FilmEmbedding:
    return FastText(SETTINGS).fit(many())


def test_films_of_the_same_words_are_nearer(embedding: FilmEmbedding) -> None:
    assert embedding.vectors.shape == (48, 16)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    assert groups_apart(embedding.vectors) > 0.3
    assert "48 films" in embedding.saw


@pytest.mark.parametrize(
    "query", ["rocket", "spaceship rockets", "tom hanks", "sci-fi", "astronuat"]
)
def test_a_query_lies_near_its_films_even_misspelt(embedding: FilmEmbedding, query: str) -> None:
    likeness = embedding.vectors @ place(embedding, query)
    assert likeness[:24].mean() > likeness[24:].mean() + 0.2


def test_tags_draw_films_together_the_more_the_more_people_gave_them() -> None:
    """Films told alike in every other way."""
    told = [(), (Tagged("heist", 1),), (Tagged("heist", 9),), (Tagged("slow", 9),)]
    material = Material(films(SPACE[:1] * 40, tags=tuple(told * 10)), ratings([]))
    _, few, many, other = FastText(SETTINGS).fit(material).vectors[:4]
    heist = place(FastText(SETTINGS).fit(material), "heist")
    assert many @ heist > few @ heist > other @ heist


def test_every_word_is_kept_once(embedding: FilmEmbedding) -> None:
    assert embedding.words is not None
    assert len(set(embedding.words.words)) == len(embedding.words.words)
    assert len(embedding.words.words) == len(embedding.words.vectors)
    assert {"tom_hanks", "sci_fi", "astronaut"} <= set(embedding.words.words)


def test_new_words_have_the_vectors_that_gensim_gives_them() -> None:
    from gensim.models import FastText as Model

    model = Model(
        [["rocket", "amélie"]] * 3, vector_size=4, min_count=1, min_n=4, max_n=4, bucket=90
    )
    numbers = {"letters": 4, "buckets": 90}
    for word in ("rockets", "amélies", "спутник"):
        parts = [model.wv.vectors_ngrams[int(key[1:])] for key in words._grams(word, numbers)]
        np.testing.assert_allclose(np.mean(parts, axis=0), model.wv[word], rtol=1e-5)


def test_a_text_of_no_known_word_has_no_place(embedding: FilmEmbedding) -> None:
    with pytest.raises(ValueError, match="none of its words"):
        place(embedding, "?")


def test_films_without_any_known_word_have_no_place() -> None:
    material = Material(films((*SPACE, "")), ratings([]))
    settings = Settings.from_dict(SETTINGS.to_dict() | {"title_weight": 0})
    assert list(FastText(settings).fit(material).movie_ids) == [10, 20, 30, 40]


def test_where_nothing_is_told_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        FastText().fit(Material(films(()), ratings([])))


def test_the_same_seed_gives_the_same_vectors() -> None:
    check_that_it_gives_the_same_twice(FastText(SETTINGS), told())


def test_progress_rises_and_can_end_it() -> None:
    check_that_progress_rises_and_can_end_it(FastText(SETTINGS), told())


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="letters"):
        FastText.from_dict({"letters": 1})
