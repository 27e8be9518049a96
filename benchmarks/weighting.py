"""How should a low rating count? Measures the answers on a time-aware split.

    python -m benchmarks.weighting ml-latest-small/ratings.csv [--trials 30] [--seeds 3]

Takes a MovieLens ratings file (userId, movieId, rating, timestamp). Every way of counting gets the
same number of random settings, drawn from the same ranges, and so does `implicit`'s own ALS with
one constant λ. All choices are made on a validation split of the training part alone: settings on
one seed, then the best few of each way again on several. The winner, `implicit`'s best and most
popular are then measured on the test split once.

A seed decides how ties in time fall and where training starts. Intervals are 95 % percentile
bootstrap over users, on each user's mean over the seeds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray

from recommender.embedders.als import ImplicitALS, Settings
from recommender.embedders.base import Embedding
from recommender.interactions import Interactions, Ratings, Weighting
from recommender.training.evaluation import (
    Question,
    Scorer,
    ask,
    by_vectors,
    evaluate,
    most_popular,
)
from recommender.training.intervals import mean_interval, paired_interval
from recommender.training.splits import Split, time_split

FINALISTS = 5
"""How many settings of each way are measured again on every seed."""

RELEVANCE = Weighting()
"""Whose middle decides what is relevant: one yardstick, whatever is being compared."""

Metrics = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """One thing to measure."""

    weighting: Weighting
    settings: Settings
    own: bool = True
    """Fitted by our ALS; otherwise by `implicit`'s, with one constant λ."""

    def fit(self, interactions: Interactions, seed: int) -> Embedding:
        """Vectors from the given start."""
        settings = Settings.from_dict({**self.settings.to_dict(), "seed": seed})
        if self.own:
            return ImplicitALS(settings).fit(interactions)
        model = AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.regularization,
            iterations=settings.iterations,
            random_state=seed,
        )
        with threadpoolctl.threadpool_limits(1, "blas"):
            model.fit(interactions.matrix, show_progress=False)
        return Embedding(model.user_factors, model.item_factors)

    def __str__(self) -> str:
        w, s = self.weighting, self.settings
        return (
            f"d={s.factors} λ={s.regularization:.3g} ν={s.frequency_exponent:g} "
            f"α={w.alpha:.2g} below={w.below:g} growth={w.growth:g}"
        )


@dataclass(frozen=True)
class Way:
    """A way to count low ratings: which settings it allows."""

    name: str
    below: Sequence[float]
    growth: Sequence[float] = (0.0,)
    own: bool = True

    def draw(self, random: np.random.Generator, iterations: int) -> Candidate:
        """Settings at random."""
        alpha = log_uniform(random, 0.7, 12)
        weighting = Weighting(
            alpha=alpha,
            below=float(random.choice(self.below)),
            growth=float(random.choice(self.growth)),
        )
        exponent = float(random.choice([0.5, 1.0])) if self.own else 0.0
        # A row weighs some thousands: this keeps λ · w^ν in one range, whatever ν is. The best λ
        # was found to follow √α in trial runs, for ν = 0 as well.
        scale = 2500 ** (1 - exponent) * alpha**0.5
        settings = Settings(
            factors=int(random.choice([64, 128])),
            iterations=iterations,
            regularization=scale * log_uniform(random, 0.004, 0.014),
            frequency_exponent=exponent,
        )
        return Candidate(weighting, settings, self.own)


WAYS = [
    Way("a  all ratings alike", below=[1.0]),
    Way("b  below the middle dropped", below=[0.0]),
    Way("c1 below: dislike 0.1", below=[-0.1]),
    Way("c2 below: dislike 0.3", below=[-0.3]),
    Way("c3 below: dislike 1", below=[-1.0]),
    Way("d1 below: weaker like 0.1", below=[0.1]),
    Way("d2 below: weaker like 0.3", below=[0.3]),
    Way("e1 growing likes, dropped", below=[0.0], growth=[0.25, 0.5, 1.0]),
    Way("e2 growing likes, weaker", below=[0.1, 0.3], growth=[0.25, 0.5, 1.0]),
    Way("e3 growing likes and dislikes", below=[-0.1, -0.3], growth=[0.25, 0.5, 1.0]),
]
RIVALS = [
    Way("implicit, all ratings alike", below=[1.0], own=False),
    Way("implicit, same weightings", [0.1, 0.0, -0.1, -0.3], [0.0, 0.25, 0.5, 1.0], own=False),
]


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number between low and high, each order of magnitude as likely."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def read_ratings(path: Path) -> Ratings:
    """A MovieLens ratings.csv. Its timestamps are whole seconds."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    half_stars = np.round(table[:, 2] * 2).astype(np.int8)
    ids = table[:, [0, 1, 3]].astype(np.int64)
    return Ratings(ids[:, 0], ids[:, 1], half_stars, ids[:, 2] * 1_000_000)


def measure(
    scorer: Callable[[Interactions], Scorer], split: Split, weighting: Weighting
) -> Metrics:
    """Recall@20 and NDCG@20 of each user asked about, (q, 2)."""
    interactions = Interactions.build(split.training, weighting)
    question = Question.build(split, interactions, RELEVANCE)
    outcome = ask(scorer(interactions), question)
    return np.stack([outcome.recall, outcome.ndcg], axis=1)


def measure_candidate(candidate: Candidate, splits: Sequence[Split]) -> list[Metrics]:
    """`measure` on each split, with the split's place as the seed of the fit."""
    return [
        measure(
            lambda interactions, seed=seed: by_vectors(candidate.fit(interactions, seed)),  # type: ignore[misc]
            split,
            candidate.weighting,
        )
        for seed, split in enumerate(splits)
    ]


def mean_ndcg(results: list[Metrics]) -> float:
    """Mean over users, then over splits."""
    return float(np.mean([metrics[:, 1].mean() for metrics in results]))


def best_of(way: Way, splits: Sequence[Split], trials: int, iterations: int) -> Candidate:
    """The way's best settings on the validation splits; prints its line of the table."""
    random = np.random.default_rng(20)
    began = time.monotonic()
    drawn = [way.draw(random, iterations) for _ in range(trials)]
    ranked = sorted(drawn, key=lambda c: -mean_ndcg(measure_candidate(c, splits[:1])))
    finals = [(candidate, measure_candidate(candidate, splits)) for candidate in ranked[:FINALISTS]]
    candidate, results = max(finals, key=lambda final: mean_ndcg(final[1]))
    ndcg = [metrics[:, 1].mean() for metrics in results]
    recall = np.mean([metrics[:, 0].mean() for metrics in results])
    low, high = mean_interval(results[0][:, 1])
    print(
        f"{way.name:31} NDCG@20 {np.mean(ndcg):.4f} (seeds {min(ndcg):.4f}–{max(ndcg):.4f}, "
        f"users {low:.4f}–{high:.4f})  recall@20 {recall:.4f}  {candidate}  "
        f"[{time.monotonic() - began:.0f} s]",
        flush=True,
    )
    return candidate


def report_test(split: Split, contenders: dict[str, Candidate], seeds: int) -> None:
    """The test split, once: each contender, and by how much the first one leads."""
    popular = Weighting(below=0)
    results = {
        name: np.mean(measure_candidate(candidate, [split] * seeds), axis=0)
        for name, candidate in contenders.items()
    }
    results["most popular (by likes)"] = measure(most_popular, split, popular)
    results["most popular (by ratings)"] = measure(most_popular, split, Weighting(below=1))
    first = next(iter(results.values()))
    print(f"\nTest split, {len(first)} users, fits from {seeds} seeds")
    for name, metrics in results.items():
        recall, ndcg = metrics.mean(axis=0)
        low, high = mean_interval(metrics[:, 1])
        line = f"{name:31} NDCG@20 {ndcg:.4f} ({low:.4f}–{high:.4f})  recall@20 {recall:.4f}"
        if metrics is not first:
            low, high = paired_interval(first[:, 1], metrics[:, 1])
            line += f"  first leads {first[:, 1].mean() / ndcg:.2f}× (by {low:+.4f} to {high:+.4f})"
        print(line)


def report_variants(ratings: Ratings, candidate: Candidate) -> None:
    """The same candidate under other protocols, against most popular by likes."""
    print("\nThe winner under other protocols (settings as chosen above, seed 0)")
    for share in (0.1, 0.2, 0.3):
        split = time_split(ratings, share)
        interactions = Interactions.build(split.training, candidate.weighting)
        vectors = by_vectors(candidate.fit(interactions, 0))
        popular = most_popular(Interactions.build(split.training, Weighting(below=0)))
        for liked_only in (True, False):
            question = Question.build(split, interactions, RELEVANCE, liked_only)
            ours, base = evaluate(vectors, question), evaluate(popular, question)
            print(
                f"latest {share:.0%} held out, {'liked' if liked_only else 'all':5} relevant: "
                f"NDCG@20 {ours['ndcg@20']:.4f} against {base['ndcg@20']:.4f} "
                f"({ours['ndcg@20'] / base['ndcg@20']:.2f}×), recall@20 {ours['recall@20']:.4f} "
                f"against {base['recall@20']:.4f}, coverage@20 {ours['coverage@20']:.3f} "
                f"against {base['coverage@20']:.3f}, {ours['users']} users"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("ratings", type=Path, help="a MovieLens ratings.csv")
    parser.add_argument("--trials", type=int, default=30, help="random settings of each way")
    parser.add_argument("--seeds", type=int, default=3, help="seeds for the best few")
    parser.add_argument("--share", type=float, default=0.2, help="share of ratings held out")
    parser.add_argument("--iterations", type=int, default=16, help="iterations of every fit")
    options = parser.parse_args(arguments)
    ratings = read_ratings(options.ratings)
    test = time_split(ratings, options.share)
    validation = [
        time_split(test.training, options.share, seed=seed) for seed in range(options.seeds)
    ]
    print(f"{len(ratings)} ratings; validation: best of {options.trials} settings a way")
    base = [measure(most_popular, split, Weighting(below=0)) for split in validation]
    print(f"{'most popular (by likes)':31} NDCG@20 {mean_ndcg(base):.4f}", flush=True)
    own, rivals = (
        [best_of(way, validation, options.trials, options.iterations) for way in ways]
        for ways in (WAYS, RIVALS)
    )
    winner = max(own, key=lambda c: mean_ndcg(measure_candidate(c, validation)))
    print(f"\nChosen on validation: {winner}")
    contenders = {"chosen": winner, "shipped defaults": Candidate(Weighting(), Settings())}
    contenders.update(zip((way.name for way in RIVALS), rivals, strict=True))
    report_test(test, contenders, options.seeds)
    report_variants(ratings, winner)
    return 0


if __name__ == "__main__":
    sys.exit(main())
