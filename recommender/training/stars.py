"""Are predicted stars honest? Measured on held-out ratings, beside a baseline without any taste."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from recommender.interactions import HALF_STARS, Ratings, index_ids
from recommender.stars import HIGHEST, LOWEST, MOST_RATINGS, Floats, StarsModel, likeness
from recommender.training.intervals import paired_interval
from recommender.training.splits import Split

FEWEST_RATINGS = 10
"""A person with fewer ratings is shown no stars: theirs say little beyond the films' own means."""
FEWEST_OF_FILM = 5
"""A film with fewer ratings is shown without: its own mean is hardly known."""

MEASURED_PEOPLE = 1000
TASTES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Strengths of taste to choose from; the best one moves with the dataset."""
USUALLY = 2 / 3
"""How often the error is to lie within what the page says."""

# Of the baseline; within 0.001 of the best ones' RMSE on three MovieLens datasets.
_PERSON_PRIOR, _FILM_PRIOR, _SWEEPS = 7.0, 3.0, 8

_BLOCK = 1 << 20
"""Ratings that are summed up at a time."""


@dataclass(frozen=True)
class Case:
    """One person: what they gave, and what they gave to the films held out."""

    rated: NDArray[np.intp]
    """Columns, as `asked` are: vectors of so many people's films would take much memory."""
    stars: Floats
    asked: NDArray[np.intp]
    actual: Floats
    baseline: Floats


@dataclass(frozen=True)
class Question:
    """What is asked of a space: how many stars would these people give?

    Only what a page would show counts: held-out ratings of people and films with enough ratings.
    """

    mean: float
    """Of all ratings in training, in stars."""
    rating_counts: Floats
    """(I,) of each movie in training."""
    rating_sums: Floats
    """(I,) of half stars."""
    cases: list[Case]
    """At most 1,000 people, in an order drawn by chance."""

    @classmethod
    def build(cls, split: Split, seed: int = 0) -> "Question":
        """Ask some of the people, drawn by `seed`. Movies are those of training, ids ascending."""
        movie_ids, columns = index_ids(split.training.movie_ids)
        counts = np.bincount(columns).astype(np.float64)
        sums = np.bincount(columns, split.training.values).astype(np.float64)
        mean = float(split.training.values.mean()) / HALF_STARS
        return cls(mean, counts, sums, list(_cases(split, movie_ids, counts, seed)))

    def answer(
        self, models: Sequence[StarsModel], vectors: Floats, case: Case
    ) -> list[NDArray[np.float64]]:
        """What each model foresees; how alike films are is reckoned once for all of them."""
        rated, asked = vectors[case.rated], vectors[case.asked]
        among, beside = likeness(rated, rated), likeness(asked, rated)
        return [
            model.predict_by_likeness(
                among,
                beside,
                self._parts(model, case.rated),
                case.stars,
                self._parts(model, case.asked),
            )
            for model in models
        ]

    def _parts(self, model: StarsModel, columns: NDArray[np.intp]) -> NDArray[np.float64]:
        return model.film_parts(self.rating_counts[columns], self.rating_sums[columns])


def measure(question: Question, vectors: Floats) -> dict[str, Any] | None:
    """Choose a `StarsModel` and say how good it is; None where there is too little to tell.

    `vectors` (I, d) are of a space fitted on the training part of the question's split. A half of
    the people chooses the strength of taste and the line, the other half measures. The answer is
    JSON-able:

    - `model`: the settings, see `StarsModel`; `fewest_ratings`, `fewest_of_film`: who gets stars
    - `people`, `ratings`: how many measured
    - `rmse`, `baseline_rmse`: of the model and of `baseline`, with a line of its own, in stars
    - `low`, `high`: 95 % interval of the difference of people's mean squared errors; below 0 is
      better than the baseline
    - `is_honest`: whether it lies below 0
    - `within`: two thirds of the errors are smaller
    - `calibration`: for every half star of what was predicted, `from`, `to`, `ratings` and the
      means `predicted` and `actual`
    """
    choosing, measuring = question.cases[::2], question.cases[1::2]
    if not measuring:
        return None
    # The systems are small: threads would only wait for each other.
    with threadpoolctl.threadpool_limits(1, "blas"):
        model = _choose(question, vectors, choosing)
        predicted = [question.answer([model], vectors, case)[0] for case in measuring]
    slope, offset = _line([c.baseline for c in choosing], [c.actual for c in choosing])
    baseline = [np.clip(offset + slope * c.baseline, LOWEST, HIGHEST) for c in measuring]
    actual = [case.actual for case in measuring]
    low, high = paired_interval(_squared(predicted, actual), _squared(baseline, actual))
    errors = np.abs(np.concatenate(predicted) - np.concatenate(actual))
    return {
        "model": model.to_dict(),
        "fewest_ratings": FEWEST_RATINGS,
        "fewest_of_film": FEWEST_OF_FILM,
        "people": len(measuring),
        "ratings": len(errors),
        "rmse": _rmse(predicted, actual),
        "baseline_rmse": _rmse(baseline, actual),
        "low": low,
        "high": high,
        "is_honest": high < 0,
        "within": float(np.quantile(errors, USUALLY)),
        "calibration": _calibration(np.concatenate(predicted), np.concatenate(actual)),
    }


def summary(measured: dict[str, Any] | None) -> str:
    """A line for the log."""
    if measured is None:
        return "Stars: too few ratings to measure."
    verdict = "shown" if measured["is_honest"] else "not shown"
    return (
        f"Stars: RMSE {measured['rmse']:.4f}, without taste {measured['baseline_rmse']:.4f}:"
        f" they are {verdict}"
    )


def baseline(training: Ratings) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """μ, b_u (U,) and b_i (I,) in stars of r ≈ μ + b_u + b_i, people and movies by ascending id.

    Regularized least squares, by turns (Koren, Bell, Volinsky 2009, eq. 3 without factors).
    """
    users, rows = index_ids(training.user_ids)
    movies, columns = index_ids(training.movie_ids)
    mean = float(training.values.mean()) / HALF_STARS
    of_users, of_movies = np.zeros(len(users)), np.zeros(len(movies))
    for _ in range(_SWEEPS):
        of_movies = _means_beyond(mean, training.values, columns, rows, of_users, _FILM_PRIOR)
        of_users = _means_beyond(mean, training.values, rows, columns, of_movies, _PERSON_PRIOR)
    return mean, of_users, of_movies


def _means_beyond(
    mean: float,
    values: NDArray[np.int8],
    owners: NDArray[np.int32],
    others: NDArray[np.int32],
    of_others: NDArray[np.float64],
    prior: float,
) -> NDArray[np.float64]:
    """Each owner's mean of what ratings (n,) are beyond μ and the other side's part.

    It is shrunk as if there were `prior` ratings of 0 besides.
    """
    size = int(owners.max()) + 1
    sums, counts = np.zeros(size), np.full(size, prior)
    for start in range(0, len(values), _BLOCK):
        part = slice(start, start + _BLOCK)
        beyond = values[part] / HALF_STARS - mean - of_others[others[part]]
        sums += np.bincount(owners[part], beyond, minlength=size)
        counts += np.bincount(owners[part], minlength=size)
    return np.asarray(sums / counts)


def _cases(split: Split, movie_ids: NDArray[np.int64], counts: Floats, seed: int) -> Iterator[Case]:
    """Yield some people, in an order drawn by the seed, with what a page would show them."""
    training, held_out = split.training, split.held_out
    mean, of_users, of_movies = baseline(training)
    user_ids, rows = index_ids(training.user_ids)
    rated_enough = user_ids[np.bincount(rows) >= FEWEST_RATINGS]
    candidates = rated_enough[np.isin(rated_enough, held_out.user_ids)]
    people = np.random.default_rng(seed).permutation(candidates)[:MEASURED_PEOPLE]
    by_person = _positions(training, people), _positions(held_out, people)
    for person, early, late in zip(people, *by_person, strict=True):
        early = early[np.argsort(training.rated_at[early], kind="stable")][-MOST_RATINGS:]
        asked = np.searchsorted(movie_ids, held_out.movie_ids[late]).clip(max=len(movie_ids) - 1)
        is_shown = movie_ids[asked] == held_out.movie_ids[late]
        is_shown &= counts[asked] >= FEWEST_OF_FILM
        asked, late = asked[is_shown], late[is_shown]
        if not len(late):
            continue
        yield Case(
            rated=np.searchsorted(movie_ids, training.movie_ids[early]),
            stars=training.values[early] / HALF_STARS,
            asked=asked,
            actual=held_out.values[late] / HALF_STARS,
            baseline=mean + of_users[np.searchsorted(user_ids, person)] + of_movies[asked],
        )


def _positions(ratings: Ratings, people: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Where in the ratings each of the people stands."""
    theirs = np.flatnonzero(np.isin(ratings.user_ids, people))
    theirs = theirs[np.argsort(ratings.user_ids[theirs], kind="stable")]
    owners = ratings.user_ids[theirs]
    starts, ends = np.searchsorted(owners, people), np.searchsorted(owners, people, side="right")
    return [theirs[start:end] for start, end in zip(starts, ends, strict=True)]


def _choose(question: Question, vectors: Floats, cases: list[Case]) -> StarsModel:
    """The model with the strength of taste that errs least, and the line that fits best."""
    actual = [case.actual for case in cases]
    tried = [StarsModel(question.mean, taste) for taste in TASTES]
    answers = list(zip(*(question.answer(tried, vectors, case) for case in cases), strict=True))
    best = int(np.argmin([_rmse(answer, actual) for answer in answers]))
    slope, offset = _line(answers[best], actual)
    return replace(tried[best], slope=slope, offset=offset)


def _line(predicted: Sequence[Floats], actual: Sequence[Floats]) -> tuple[float, float]:
    """Slope and offset of the line through predictions that errs least."""
    guesses, truths = np.concatenate(predicted), np.concatenate(actual)
    if np.ptp(guesses) == 0:
        return 1.0, float(truths.mean() - guesses.mean())
    slope, offset = np.polyfit(guesses, truths, 1)
    return float(slope), float(offset)


def _calibration(predicted: Floats, actual: Floats) -> list[dict[str, float]]:
    """What was given, on average, where so many stars were predicted; see `measure`."""
    edges = np.arange(LOWEST, HIGHEST + 0.5, 0.5)
    place = np.clip(np.digitize(predicted, edges) - 1, 0, len(edges) - 2)
    return [
        {
            "from": float(edges[step]),
            "to": float(edges[step + 1]),
            "ratings": int((place == step).sum()),
            "predicted": float(predicted[place == step].mean()),
            "actual": float(actual[place == step].mean()),
        }
        for step in np.unique(place)
    ]


def _squared(predicted: Sequence[Floats], actual: Sequence[Floats]) -> NDArray[np.float64]:
    """Each person's mean squared error."""
    pairs = zip(predicted, actual, strict=True)
    return np.array([np.mean((guess - truth) ** 2) for guess, truth in pairs])


def _rmse(predicted: Sequence[Floats], actual: Sequence[Floats]) -> float:
    return float(np.sqrt(np.mean((np.concatenate(predicted) - np.concatenate(actual)) ** 2)))
