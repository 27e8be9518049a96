"""What does variety cost, and what does it bring? Measured on held-out ratings.

    python -m benchmarks.variety ml-latest-small [more folders] [--people 2000]

Takes folders with MovieLens files (ratings.csv and movies.csv). For each, under both protocols
(each person's latest fifth held out, or a fifth drawn at random; relevant is what they liked): the
model that `train` would fit is fitted on the training part, and its lists are re-ranked by the very
functions that serve them. The price of likeness is chosen on validation splits made of the
training parts alone, once for all the data; the test splits see the chosen price and none.

Intra-list diversity ILD@20 is the mean over the pairs of a list of 1 − likeness (Ziegler et al.,
"Improving Recommendation Lists Through Topic Diversification", WWW 2005; Vargas, Castells, "Rank
and Relevance in Novelty and Diversity Metrics", RecSys 2011), under four likenesses: the cosine of
the taste vectors that are served, the cosine in a factorization of 16 factors that re-ranking never
sees, the Jaccard index of the genres, and their cosine. "drawn" is a list drawn at random from the
person's best 200: as varied as a list can be that still has to do with the person.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ratings import read_ratings
from recommender.embedders import DEFAULT
from recommender.embedders.als import ImplicitALS, Settings
from recommender.interactions import Interactions, Ratings
from recommender.recipe import Recipe
from recommender.serving import rerank
from recommender.training.evaluation import Question, top
from recommender.training.intervals import mean_interval
from recommender.training.splits import Split, random_split, time_split

K = rerank.PAGE
PRICES = [0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.25]
MOST_LOSS = 0.025
"""Of NDCG@20 on validation, on the mean of the data: the rest to the 3 % is for chance."""

PROTOCOLS: dict[str, Callable[[Ratings], Split]] = {"time": time_split, "random": random_split}
MEASURES = ["NDCG@20", "ILD taste", "ILD 16", "ILD Jaccard", "ILD genres"]

Metrics = NDArray[np.float64]


@dataclass(frozen=True)
class Lists:
    """The candidates of some people, and what is needed to judge a choice among them."""

    candidates: NDArray[np.intp]
    """(q, n) movies, as columns, best first."""
    relevance: NDArray[np.float64]
    """(q, n) scores as shares of the best one's."""
    hits: NDArray[np.bool_]
    """(q, n)"""
    ideal: NDArray[np.float64]
    """(q,) the DCG of a perfect list."""
    vectors: NDArray[np.float32]
    """(I, d) of the model."""
    judges: NDArray[np.float32]
    """(I, 16) of a factorization that re-ranking does not see."""
    genres: NDArray[np.bool_]
    """(I, g)"""

    genre_share: float
    """Of the likeness that re-ranking goes by."""

    def rerank(self, price: float) -> NDArray[np.intp]:
        """Positions (q, K) among the candidates of each person's page."""
        features = rerank.features(self.vectors, self.genres, self.genre_share)
        pages = [
            rerank.by_page(relevance, features[candidates], K, price)
            for relevance, candidates in zip(self.relevance, self.candidates, strict=True)
        ]
        return np.array(pages)

    def measure(self, positions: NDArray[np.intp]) -> Metrics:
        """Each person's `MEASURES` (q, 5) of the lists at these positions (q, K)."""
        gains = 1 / np.log2(np.arange(2, K + 2))
        ndcg = (np.take_along_axis(self.hits, positions, axis=1) * gains).sum(axis=1) / self.ideal
        movies = np.take_along_axis(self.candidates, positions, axis=1)
        diversities = [
            1 - _mean_of_pairs(likeness(rows[movies]))
            for likeness, rows in (
                (_cosines, self.vectors),
                (_cosines, self.judges),
                (_jaccard, self.genres),
                (_cosines, self.genres),
            )
        ]
        return np.stack([ndcg, *diversities], axis=1)

    def drawn(self) -> NDArray[np.intp]:
        """Positions (q, K) drawn at random from all candidates."""
        random = np.random.default_rng(0)
        return np.array([random.permutation(self.candidates.shape[1])[:K] for _ in self.hits])


def _cosines(rows: NDArray[np.float32]) -> Metrics:
    """(q, K, d) to (q, K, K)."""
    unit = rerank.unit(rows.reshape(-1, rows.shape[2]).astype(np.float32)).reshape(rows.shape)
    return unit @ unit.transpose(0, 2, 1)


def _jaccard(genres: NDArray[np.bool_]) -> Metrics:
    """(q, K, g) to (q, K, K); two movies without genres are not alike."""
    marks = genres.astype(np.float64)
    both = marks @ marks.transpose(0, 2, 1)
    counts = marks.sum(axis=2)
    either = counts[:, :, None] + counts[:, None, :] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def _mean_of_pairs(likeness: Metrics) -> Metrics:
    """The mean (q,) of matrices (q, K, K) off their diagonal."""
    return np.asarray(likeness[:, ~np.eye(K, dtype=bool)].mean(axis=1))


@dataclass(frozen=True)
class Study:
    """What is measured."""

    folders: Sequence[Path]
    people: int
    """At most so many a split."""
    genre_share: float


def candidates_of(split: Split, genres: dict[int, set[str]], study: Study) -> Lists:
    """Fit the model on the split's training part and retrieve for some people."""
    recipe = Recipe.of(DEFAULT, {})
    interactions = Interactions.build(split.training, recipe.weighting)
    question = Question.build(split, interactions, recipe.weighting)
    model = recipe.embedder.fit(interactions)
    judge = ImplicitALS(Settings(factors=16, seed=1)).fit(interactions)
    asked = np.sort(np.random.default_rng(0).permutation(len(question.rows))[: study.people])
    scores = model.user_vectors[question.rows[asked]] @ model.movie_vectors.T
    scores[question.seen[asked].toarray()] = -np.inf
    best = top(scores, rerank.candidates_for(K))
    found = np.take_along_axis(scores, best, axis=1).astype(np.float64)
    gains = np.cumsum(1 / np.log2(np.arange(2, K + 2)))
    names = sorted({name for movie_id in interactions.movie_ids for name in genres[int(movie_id)]})
    return Lists(
        candidates=best,
        relevance=np.array([rerank.relevance_of(row) for row in found]),
        hits=np.take_along_axis(question.relevant[asked].toarray(), best, axis=1),
        ideal=gains[np.minimum(question.relevant_counts[asked], K) - 1],
        vectors=model.movie_vectors,
        judges=judge.movie_vectors,
        genres=np.array(
            [[name in genres[int(movie)] for name in names] for movie in interactions.movie_ids]
        ),
        genre_share=study.genre_share,
    )


def read_genres(path: Path) -> dict[int, set[str]]:
    """A MovieLens movies.csv: genres by movie id."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            int(row["movieId"]): set(row["genres"].split("|")) - {"(no genres listed)"}
            for row in csv.DictReader(file)
        }


def change(after: Metrics, before: Metrics) -> str:
    """How the mean has changed, with the 95 % bootstrap interval over people."""
    base = before.mean()
    low, high = mean_interval((after - before) / base)
    return f"{(after.mean() - base) / base:+.1%} ({low:+.1%} to {high:+.1%})"


def curve(lists: Lists) -> NDArray[np.float64]:
    """What each of the `PRICES` keeps or gains (prices, 5), as a share of no re-ranking."""
    means = np.array([lists.measure(lists.rerank(price)).mean(axis=0) for price in PRICES])
    return means / means[0]


def each(study: Study) -> Iterator[tuple[str, Split, dict[int, set[str]]]]:
    """The test split of each of the data under each protocol."""
    for folder in study.folders:
        ratings, genres = read_ratings(folder / "ratings.csv"), read_genres(folder / "movies.csv")
        for name, split in PROTOCOLS.items():
            yield f"{folder.name}, {name}", split(ratings), genres


def choose(study: Study) -> float:
    """Print the curves on validation and return the highest price that costs little enough."""
    curves = []
    for title, split, genres in each(study):
        lists = candidates_of(PROTOCOLS[title.split(", ")[1]](split.training), genres, study)
        curves.append(curve(lists))
        print(f"\nValidation, {title} ({len(lists.hits)} people)")
        print("  price  " + "  ".join(f"{name:>11}" for name in MEASURES))
        for price, row in zip(PRICES, curves[-1], strict=True):
            print(f"  {price:5.3f}  " + "  ".join(f"{value - 1:+11.1%}" for value in row))
        drawn = lists.measure(lists.drawn()).mean(axis=0)
        plain = lists.measure(lists.rerank(0.0)).mean(axis=0)
        print("  drawn  " + "  ".join(f"{value:+11.1%}" for value in drawn / plain - 1), flush=True)
    kept = np.mean(curves, axis=0)[:, 0]
    return max(price for price, share in zip(PRICES, kept, strict=True) if share >= 1 - MOST_LOSS)


def report(study: Study, price: float) -> None:
    """The test splits, once: the chosen price against none."""
    print(f"\nTest, likeness at {price:g} of the best film's relevance, {K} places")
    for title, split, genres in each(study):
        lists = candidates_of(split, genres, study)
        before, after = (lists.measure(lists.rerank(each_price)) for each_price in (0.0, price))
        print(f"{title} ({len(before)} people)")
        for column, name in enumerate(MEASURES):
            old, new = before[:, column], after[:, column]
            print(
                f"  {name:12} {old.mean():.4f} → {new.mean():.4f}  {change(new, old)}", flush=True
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose on validation, then print the test."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="each with ratings.csv, movies.csv")
    parser.add_argument("--people", type=int, default=2000, help="at most so many a split")
    parser.add_argument(
        "--genre-share", type=float, default=rerank.GENRE_SHARE, help="of likeness, 0 to 1"
    )
    options = parser.parse_args(arguments)
    study = Study(options.folders, options.people, options.genre_share)
    chosen = choose(study)
    print(f"\nChosen on validation: {chosen:g}; the site has {rerank.VARIETY:g}")
    report(study, chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
