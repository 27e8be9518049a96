"""The welcome page's benchmark, on people of two camps."""

import numpy as np
import pytest

from benchmarks import welcome
from recommender.interactions import Ratings
from recommender.training.splits import random_split

PEOPLE, FILMS = 60, 60


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    """The even people like the even films and dislike the odd ones, and the other way round."""
    random = np.random.default_rng(1)
    users, movies = np.nonzero(random.random((PEOPLE, FILMS)) < 0.5)
    values = np.where(users % 2 == movies % 2, 9, 3).astype(np.int8)
    return Ratings(users, movies, values, np.zeros(len(users), dtype=np.int64))


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> welcome.Model:
    return welcome.Model.fit(ratings.take(ratings.user_ids >= 10), factors=8)


@pytest.fixture(scope="module")
def people(ratings: Ratings, model: welcome.Model) -> welcome.People:
    trained = ratings.take(ratings.user_ids >= 10)
    split = random_split(ratings.take(ratings.user_ids < 10), share=0.2)
    return welcome.People.build(model, trained, split)


def strategies(model: welcome.Model) -> list[welcome.Strategy]:
    order = np.arange(len(model.candidates))
    return [
        welcome.random_order(model),
        welcome.in_order(welcome.MOST_POPULAR, order),
        welcome.static(model),
        welcome.adaptive(model, "adaptive"),
        welcome.adaptive(model, "D-optimal", welcome.Determinant),
        welcome.adaptive(model, "a page", shown=6),
    ]


def test_no_strategy_asks_about_a_film_twice(model):
    for strategy in strategies(model):
        ask, asked, is_seen = strategy.begin(0), [], []
        for number in range(20):
            asked.append(ask(asked, is_seen))
            is_seen.append(number % 2 == 0)
        assert len(set(asked)) == 20, strategy.name


def test_a_person_answers_for_no_film_that_is_held_out(people, model):
    relevant = people.question.relevant.toarray()
    assert len(people.answerable) == len(relevant)
    for known, held_out in zip(people.answerable, relevant, strict=True):
        assert known and not held_out[list(known)].any()


def test_only_known_films_are_answered(people, model):
    result = welcome.interviews(model, people, welcome.random_order(model))
    assert (np.diff(result.answered, axis=0) >= 0).all()
    assert (result.answered.T <= welcome.QUESTIONS).all()


def test_answers_lift_what_is_recommended_above_what_most_people_like(people, model):
    for strategy in strategies(model)[3:]:
        ndcg = welcome.interviews(model, people, strategy).ndcg
        nothing = np.tile(model.fold_in({}), (len(people.answerable), 1))
        assert ndcg[-1].mean() > 1.3 * welcome._ndcg(nothing, people.question).mean()


def test_the_command_prints_every_strategy(ratings, tmp_path, capsys):
    path = tmp_path / "ratings.csv"
    rows = zip(ratings.user_ids, ratings.movie_ids, ratings.values, strict=True)
    lines = [f"{user},{movie},{value / 2},0" for user, movie, value in rows]
    path.write_text("\n".join(["userId,movieId,rating,timestamp", *lines]))
    assert welcome.main([str(path), "--people", "8", "--factors", "4", "--choose"]) == 0
    printed = capsys.readouterr().out
    for name in ("random", "most popular", "popularity × variance", "adaptive (the site's)"):
        assert f"\n{name}" in printed
    assert "The best variant: " in printed
