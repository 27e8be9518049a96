"""The static encoder: places of films and of texts from the vectors of their tokens."""

import json
import subprocess
import sys
from importlib import util

import numpy as np
import pytest

from recommender.catalogue import Material
from recommender.embedders.base import Unavailable
from recommender.embedders.static import Settings, StaticEncoder, _table
from tests.recommender.embedders.material import SPACE, WEDDINGS, films, groups_apart, ratings, told


def test_films_of_one_subject_are_nearer() -> None:
    embedding = StaticEncoder().fit(told())
    assert embedding.vectors.shape == (8, 256)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    assert groups_apart(embedding.vectors) > 0.2
    assert "8 films" in embedding.saw


def test_a_query_in_other_words_finds_its_subject() -> None:
    embedding = StaticEncoder().fit(told())
    queries = StaticEncoder.encode(["spaceship", "getting married"], embedding.numbers)
    space, weddings = (embedding.vectors @ queries.T).T
    assert space[:4].min() > space[4:].max()
    assert weddings[4:].min() > weddings[:4].max()


def test_it_is_the_same_twice() -> None:
    one, two = (StaticEncoder().fit(told()).vectors for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_what_all_films_say_makes_them_less_alike() -> None:
    shared = "It is an American film that was directed, written and produced by somebody. "
    wordy = Material(films(tuple(shared + text for text in SPACE + WEDDINGS)), ratings([]))
    alike, weighted = (
        StaticEncoder(Settings(smoothing=smoothing)).fit(wordy).vectors for smoothing in (1.0, 1e-4)
    )
    assert (weighted[:4] @ weighted[4:].T).mean() < (alike[:4] @ alike[4:].T).mean() - 0.1


def test_a_film_without_an_overview_stands_by_its_title_and_genres() -> None:
    material = Material(
        films(("", "", SPACE[0]), genres=(("Western",), ("Science Fiction",), ())), ratings([])
    )
    embedding = StaticEncoder().fit(material)
    assert list(embedding.movie_ids) == [10, 20, 30]
    western, science_fiction, space = embedding.vectors
    assert science_fiction @ space > western @ space


def test_an_empty_query_is_nowhere() -> None:
    numbers = StaticEncoder().fit(told()).numbers
    assert not StaticEncoder.encode([""], numbers).any()


def test_what_a_query_needs_is_json() -> None:
    numbers = StaticEncoder().fit(told()).numbers
    assert json.loads(json.dumps(numbers)) == numbers


def test_words_of_every_overview_count_less_in_a_query() -> None:
    overviews = tuple(f"A film that is a film: {text}" for text in SPACE + WEDDINGS)
    embedding = StaticEncoder().fit(Material(films(overviews), ratings([])))
    plain = {"common_tokens": [], "their_weights": []}
    without, with_weights = (
        StaticEncoder.encode(["wedding", "wedding film"], numbers)
        for numbers in (plain, embedding.numbers)
    )
    assert with_weights[0] @ with_weights[1] > without[0] @ without[1]


def test_where_there_are_no_films_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        StaticEncoder().fit(Material(films(()), ratings([])))


def test_progress_can_end_it() -> None:
    def cancel(fraction: float, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        StaticEncoder().fit(told(), cancel)


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="title_weight"):
        StaticEncoder.from_dict({"title_weight": -1})


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _table.cache_clear()
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="pip install wordllama"):
        StaticEncoder().fit(told())


def test_a_query_loads_no_training_library_and_little_memory() -> None:
    code = (
        "import sys; from recommender.embedders.static import StaticEncoder;"
        "StaticEncoder.encode(['a heist'], {'common_tokens': [], 'their_weights': []});"
        "print([name for name in ('gensim', 'torch', 'wordllama', 'requests', 'pydantic')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
