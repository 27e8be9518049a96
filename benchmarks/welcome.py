"""How good are the welcome page's questions? Measured on people whom training never saw.

    python -m benchmarks.welcome ml-1m/ratings.csv [--people 1000] [--factors 128] [--choose]

Takes a MovieLens ratings file (userId, movieId, rating, timestamp). A third of the people, and no
more than `--people`, are kept from training. Of each one's ratings a random fifth is held out and
the rest can be given as answers: a strategy asks one film after the other, gets the person's rating
where they have one, and "haven't seen it" where they have not (a held-out film has not been seen,
either). After 5, 10, 15 and 20 questions the person is folded in, and NDCG@20 is measured on what
was held out and liked. Everything that could have been an answer is left out of the lists, asked
or not, so that all strategies choose from the same films.

With `--choose`, a quarter of the people choose between variants; the table is always of another
half. Intervals are 95 % percentile bootstrap over people.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ratings import read_ratings
from recommender.embedders import Embedding, Rated, als
from recommender.interactions import Interactions, Ratings, Weighting
from recommender.serving.interview import Answers, Floats, Interview, spread
from recommender.training.evaluation import Question, judge, top_lists
from recommender.training.intervals import mean_interval, paired_interval
from recommender.training.splits import Split, random_split

MOST_POPULAR = "most popular"
QUESTIONS = (5, 10, 15, 20)
CANDIDATES = 500
SHOWN = 6
K = 20

Ask = Callable[[list[int], list[bool]], int]
"""The films asked so far, and whether they were seen, to the next one to ask: places among the
candidates."""


@dataclass(frozen=True)
class Model:
    """What the site knows of a version: its vectors, and how many people know a film."""

    embedding: Embedding
    weighting: Weighting
    movie_ids: NDArray[np.int64]
    popularity: Floats
    """(I,)"""
    likes: Floats
    """(I,) how many liked it."""
    spread: Floats
    """(d, d)"""
    candidates: NDArray[np.intp]
    """(n,) the films that may be asked about, the best known first."""

    @classmethod
    def fit(cls, ratings: Ratings, factors: int) -> "Model":
        weighting = Weighting()
        interactions = Interactions.build(ratings, weighting)
        embedding = als.ImplicitALS(als.Settings(factors=factors)).fit(interactions)
        columns = np.searchsorted(interactions.movie_ids, ratings.movie_ids)
        counts = np.bincount(columns, minlength=len(interactions.movie_ids))
        return cls(
            embedding,
            weighting,
            interactions.movie_ids,
            counts / len(interactions.user_ids),
            np.asarray((interactions.matrix > 0).sum(axis=0), dtype=np.float64)[0],
            spread(embedding.user_vectors),
            np.argsort(-counts, kind="stable")[:CANDIDATES],
        )

    def fold_in(self, answers: dict[int, int]) -> NDArray[np.float32]:
        """Scores (I,) for somebody who gave these films (columns) these half stars."""
        columns = np.array(list(answers), dtype=np.intp)
        values = np.array(list(answers.values()), dtype=np.int8)
        confidences = self.weighting.confidences(values)
        vector = self.embedding.fold_in.vector(
            Rated(
                self.embedding.movie_vectors[columns],
                self.embedding.input_vectors[columns],
                confidences,
            )
        )
        # Somebody of whom nothing is known is shown what most people like.
        if not vector.any():
            return self.likes.astype(np.float32)
        return np.asarray(self.embedding.movie_vectors @ vector, dtype=np.float32)


class Strategy:
    """A way of choosing what to ask next."""

    def __init__(self, name: str, begin: Callable[[int], Ask]) -> None:
        self.name = name
        self.begin = begin
        """A person (their place among the people) to what asks them."""


class Determinant(Interview):
    """D-optimal: the fall in the volume of what is not known of the person alone."""

    @property
    def information(self) -> Floats:
        return np.log1p(np.diag(self._covariance) / self._noise)


def in_order(name: str, order: NDArray[np.intp]) -> Strategy:
    return Strategy(name, lambda person: lambda asked, is_seen: int(order[len(asked)]))


def random_order(model: Model) -> Strategy:
    def begin(person: int) -> Ask:
        order = np.random.default_rng(person).permutation(len(model.candidates))
        return lambda asked, is_seen: int(order[len(asked)])

    return Strategy("random", begin)


def static(model: Model) -> Strategy:
    """Popularity times the variance of the film's score over people, alike for everybody."""
    films = model.embedding.movie_vectors[model.candidates] @ model.spread
    worth = model.popularity[model.candidates] * np.sum(films**2, axis=1)
    return in_order("popularity × variance", np.argsort(-worth, kind="stable"))


def adaptive(
    model: Model, name: str, kind: type[Interview] = Interview, shown: int = 1, **noise: float
) -> Strategy:
    """The site's own. With `shown` films on the page, the one that stands longest is answered."""
    vectors = model.embedding.movie_vectors[model.candidates]
    popularity = model.popularity[model.candidates]

    def begin(person: int) -> Ask:
        page: list[int] = []

        def ask(asked: list[int], is_seen: list[bool]) -> int:
            answers = Answers(vectors[asked], popularity[asked], np.array(is_seen, dtype=np.bool_))
            rest = np.setdiff1d(np.arange(len(vectors)), asked)
            interview = kind(vectors[rest], popularity[rest], model.spread, answers, **noise)
            on_page = [int(place) for place in np.searchsorted(rest, page)]
            chosen = interview.choose(shown - len(page), asked=on_page)
            page.extend(int(rest[place]) for place in chosen)
            return page.pop(0)

        return ask

    return Strategy(name, begin)


@dataclass(frozen=True)
class People:
    """Whom to ask, and what the answers should foretell."""

    answerable: list[dict[int, int]]
    """(q,) of each person: columns of films to half stars."""
    question: Question
    """(q,) the same people in the same order."""

    @classmethod
    def build(cls, model: Model, trained: Ratings, split: Split) -> "People":
        """`split` is of these people's own ratings, of films that the model knows."""
        everything = Ratings(
            *(
                np.concatenate([getattr(part, field.name) for part in (trained, split.training)])
                for field in fields(Ratings)
            )
        )
        interactions = Interactions.build(everything, model.weighting)
        question = Question.build(Split(everything, split.held_out), interactions, model.weighting)
        columns = np.searchsorted(model.movie_ids, split.training.movie_ids)
        answerable = []
        for user_id in interactions.user_ids[question.rows]:
            own = split.training.user_ids == user_id
            values = split.training.values[own].tolist()
            answerable.append(dict(zip(columns[own].tolist(), values, strict=True)))
        return cls(answerable, question)

    def take(self, which: slice) -> "People":
        question = self.question
        part = replace(
            question,
            rows=question.rows[which],
            seen=question.seen[which],
            relevant=question.relevant[which],
            relevant_counts=question.relevant_counts[which],
        )
        return People(self.answerable[which], part)


@dataclass(frozen=True)
class Result:
    """What a strategy brought, per number of questions (rows, as QUESTIONS) and person."""

    ndcg: NDArray[np.float64]
    """(questions, people)"""
    answered: NDArray[np.float64]
    """(questions, people) how many of the films the person knew."""


def interviews(model: Model, people: People, strategy: Strategy) -> Result:
    """Ask everybody, and measure after each number of questions."""
    scores = np.empty((len(QUESTIONS), len(people.answerable), len(model.movie_ids)), np.float32)
    answered = np.empty((len(QUESTIONS), len(people.answerable)))
    for person, known in enumerate(people.answerable):
        answers: dict[int, int] = {}
        asked: list[int] = []
        is_seen: list[bool] = []
        ask = strategy.begin(person)
        for number in range(1, QUESTIONS[-1] + 1):
            film = ask(asked, is_seen)
            column = int(model.candidates[film])
            asked.append(film)
            is_seen.append(column in known)
            if column in known:
                answers[column] = known[column]
            if number in QUESTIONS:
                row = QUESTIONS.index(number)
                scores[row, person] = model.fold_in(answers)
                answered[row, person] = len(answers)
    return Result(np.array([_ndcg(each, people.question) for each in scores]), answered)


def _ndcg(scores: NDArray[np.float32], question: Question) -> NDArray[np.float64]:
    """NDCG@20 of each person (q,) by their scores (q, I)."""
    lists = top_lists(lambda rows: scores[np.searchsorted(question.rows, rows)], question, K)
    return judge(lists, question, K).ndcg


def choose(model: Model, people: People) -> Strategy:
    """Return the adaptive variant that does best on these people, over all numbers of questions."""
    kinds = {"I-optimal": Interview, "D-optimal": Determinant}
    best, best_ndcg = None, -1.0
    for (name, kind), noise in itertools.product(kinds.items(), (0.07, 0.2, 0.6)):
        name = f"{name}, noise of having seen {noise}"
        strategy = adaptive(model, name, kind, seeing_noise=noise)
        ndcg = interviews(model, people, strategy).ndcg.mean(axis=1)
        print(f"  {name}: {' '.join(f'{each:.4f}' for each in ndcg)}", flush=True)
        if ndcg.mean() > best_ndcg:
            best, best_ndcg = strategy, float(ndcg.mean())
    assert best
    return best


def report(model: Model, people: People, strategies: Sequence[Strategy]) -> None:
    """Print each strategy's row, and those after most popular compared with it."""
    print("After so many questions: NDCG@20, its interval, and how many of the films were known.")
    _print_row("", [str(number) for number in QUESTIONS])
    popular: Result | None = None
    for strategy in strategies:
        started = time.perf_counter()
        result = interviews(model, people, strategy)
        seconds = time.perf_counter() - started
        pairs = zip(result.ndcg, result.answered, strict=True)
        _print_row(strategy.name, [_figures(ndcg, answered) for ndcg, answered in pairs])
        if popular:
            both = zip(result.ndcg, popular.ndcg, strict=True)
            _print_row("  against most popular", [_difference(*pair) for pair in both])
        if strategy.name == MOST_POPULAR:
            popular = result
        asked = len(people.answerable) * QUESTIONS[-1]
        print(f"  {1000 * seconds / asked:.1f} ms a question", flush=True)


def _figures(ndcg: Floats, answered: Floats) -> str:
    low, high = mean_interval(ndcg)
    return f"{ndcg.mean():.4f} ({low:.3f}–{high:.3f}) {answered.mean():4.1f}"


def _difference(ndcg: Floats, other: Floats) -> str:
    low, high = paired_interval(ndcg, other)
    return f"{(ndcg - other).mean():+.4f} ({low:+.3f}–{high:+.3f})"


def _print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:24}" + "".join(f"{cell:>28}" for cell in cells))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--choose", action="store_true", help="search the variants as well")
    options = parser.parse_args(arguments)
    ratings = read_ratings(options.ratings)
    ids = np.random.default_rng(0).permutation(np.unique(ratings.user_ids))
    is_kept = np.isin(ratings.user_ids, ids[: min(options.people, len(ids) // 3)])
    trained, kept = ratings.take(~is_kept), ratings.take(is_kept)
    model = Model.fit(trained, options.factors)
    split = random_split(kept.take(np.isin(kept.movie_ids, model.movie_ids)), share=0.2)
    people = People.build(model, trained, split)
    choosing, reporting = people.take(slice(0, None, 4)), people.take(slice(1, None, 2))
    print(f"{len(choosing.answerable)} people choose, {len(reporting.answerable)} report.")
    if options.choose:
        print(f"The best variant: {choose(model, choosing).name}")
    report(
        model,
        reporting,
        [
            random_order(model),
            in_order(MOST_POPULAR, np.arange(len(model.candidates))),
            static(model),
            adaptive(model, "adaptive, D-optimal", Determinant),
            adaptive(model, "adaptive (the site's)"),
            adaptive(model, "the same, 6 on a page", shown=SHOWN),
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
