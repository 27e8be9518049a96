"""Which order of films suits a group? Measured on held-out ratings of groups drawn at random.

    python -m benchmarks.together ml-latest-small [--protocol random|time] [--groups 600]

Takes a folder with MovieLens files. The model that `train` would fit is fitted on the training part
(see `benchmarks.protocols`), and groups of people with held-out likes are drawn: at random, and of
four whose tastes lie far apart. Each rule orders the films that nobody in a group has rated, and
its first 20 are judged by each member's own held-out likes:

- *satisfaction*: NDCG@20 of the list for a member; its mean over the members, and that of the one
  to whom the list does least good
- *left out*: the share of members for whom the list holds nothing that they went on to like
- *place*: where the films stand in a member's own order by the model, as a share of the catalogue;
  its mean, and that of the member for whom each stands lowest

The rules besides the site's own dial (`serving.consensus`): a list by one member's taste, drawn at
random; what most people rated; a Borda count with the weights of DCG in the place of ranks; the
average without the films that are worth less than a tenth of their best to somebody (Masthoff,
"Group Modeling: Selecting a Sequence of Television Items to Suit a Group of Viewers", User Modeling
and User-Adapted Interaction 14(1), 2004). The last lines say how many of the 20 by each stop of the
dial are among the films that serving retrieves by the mean of the members' vectors.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocols import PROTOCOLS
from benchmarks.ratings import read_ratings
from recommender.embedders import DEFAULT
from recommender.interactions import Interactions
from recommender.recipe import Recipe
from recommender.serving.consensus import POOL, POWERS, mean_of_powers
from recommender.training.evaluation import Question

K = 20
MISERY = 0.1
SIZES = (2, 4, 8)
FAR_APART = 60
"""The people of the least like taste, out of whom a group of opposites is drawn."""
MEASURES = ["satisfaction", "least", "left out", "place", "lowest"]

Floats = NDArray[np.float64]
Group = NDArray[np.intp]
Rule = Callable[[Group], Floats]


@dataclass(frozen=True)
class People:
    """The people with held-out likes, and what each of the I films is to them."""

    vectors: Floats
    """(q, d)"""
    seen: NDArray[np.bool_]
    """(q, I)"""
    liked: NDArray[np.bool_]
    """(q, I) held out."""
    ideal: Floats
    """(q,) the DCG of a perfect list."""
    relevance: Floats
    """(q, I) scores as shares of each one's best unseen film's; never below 0."""
    place: NDArray[np.intp]
    """(q, I) ranks among the films that one has not seen, from 0."""
    popularity: Floats
    """(I,)"""

    @classmethod
    def fit(cls, folder: Path, protocol: str, seed: int) -> "People":
        """Fit the model on the training part of a MovieLens folder's ratings."""
        split = PROTOCOLS[protocol].split(read_ratings(folder / "ratings.csv"), seed)
        recipe = Recipe.of(DEFAULT, {"seed": seed})
        interactions = Interactions.build(split.training, recipe.weighting)
        question = Question.build(split, interactions, recipe.weighting)
        model = recipe.embedder.fit(interactions)
        vectors = model.user_vectors[question.rows].astype(np.float64)
        scores = vectors @ model.movie_vectors.T.astype(np.float64)
        seen = question.seen.toarray()
        unseen = np.where(seen, -np.inf, scores)
        gains = np.cumsum(1 / np.log2(np.arange(2, K + 2)))
        return cls(
            vectors=vectors,
            seen=seen,
            liked=question.relevant.toarray(),
            ideal=gains[np.minimum(question.relevant_counts, K) - 1],
            relevance=np.clip(scores / unseen.max(axis=1, keepdims=True), 0, None),
            place=np.argsort(np.argsort(-unseen, axis=1), axis=1),
            popularity=question.popularity,
        )

    def __len__(self) -> int:
        return len(self.vectors)

    def judge(self, films: NDArray[np.intp], group: Group) -> Floats:
        """The `MEASURES` of a list of films for a group."""
        hits = self.liked[group][:, films]
        ndcg = (hits / np.log2(np.arange(2, len(films) + 2))).sum(axis=1) / self.ideal[group]
        places = self.place[group][:, films] / self.place.shape[1]
        return np.array(
            [
                ndcg.mean(),
                ndcg.min(),
                1 - hits.any(axis=1).mean(),
                places.mean(),
                places.max(axis=0).mean(),
            ]
        )


def rules(people: People) -> dict[str, Rule]:
    """What each rule makes of the I films for a group: the higher, the sooner."""

    def borda(group: Group) -> Floats:
        return np.asarray((1 / np.log2(people.place[group] + 2)).mean(axis=0))

    def without_misery(group: Group) -> Floats:
        relevance = people.relevance[group]
        return np.where(relevance.min(axis=0) < MISERY, -1.0, 0.0) + relevance.mean(axis=0)

    def by_power(power: float) -> Rule:
        return lambda group: mean_of_powers(people.relevance[group].T, power)

    names = ["most joy", "average", "product", "less misery", "least misery"]
    dial = {
        f"dial: {name} (p = {power:g})": by_power(power)
        for name, power in zip(names, POWERS, strict=True)
    }
    return {
        "what most people rated": lambda group: people.popularity,
        "one of them decides": lambda group: people.relevance[group[0]],
        "Borda, weighed as DCG": borda,
        f"average without misery (< {MISERY:g})": without_misery,
        **dial,
    }


def groups(people: People, size: int, count: int, random: np.random.Generator) -> Iterator[Group]:
    """Yield groups of people drawn at random."""
    for _ in range(count):
        yield random.choice(len(people), size, replace=False)


def unlike(people: People, size: int, count: int, random: np.random.Generator) -> Iterator[Group]:
    """Yield groups of somebody and people of whom nearly nobody is less like them."""
    unit = people.vectors / np.linalg.norm(people.vectors, axis=1, keepdims=True)
    for first in random.integers(len(people), size=count):
        farthest = np.argsort(unit @ unit[first])[:FAR_APART]
        yield np.append(first, random.choice(farthest, size - 1, replace=False))


def first_films(worth: Floats, group: Group, people: People, k: int = K) -> NDArray[np.intp]:
    """The k films of the highest worth that nobody in the group has seen, best first."""
    left = np.where(people.seen[group].any(axis=0), -np.inf, worth)
    best = np.argpartition(-left, k)[:k]
    return best[np.argsort(-left[best], kind="stable")]


def found(people: People, drawn: Sequence[Group], power: float) -> float:
    """The share of the best K by a power that stand among those that serving retrieves."""
    shares = []
    for group in drawn:
        relevance = people.relevance[group]
        pool = first_films(relevance.mean(axis=0), group, people, POOL)
        best = first_films(mean_of_powers(relevance.T, power), group, people)
        shares.append(np.isin(best, pool).mean())
    return float(np.mean(shares))


def report(people: People, count: int) -> None:
    """Print a table for each kind of group."""
    random = np.random.default_rng(0)
    kinds = {f"{size} at random": list(groups(people, size, count, random)) for size in SIZES}
    kinds["4 of unlike tastes"] = list(unlike(people, 4, count, random))
    for kind, drawn in kinds.items():
        print(f"\n{count} groups of {kind}")
        print(f"{'':36}" + "".join(f"{name:>14}" for name in MEASURES))
        for name, rule in rules(people).items():
            judged = [
                people.judge(first_films(rule(group), group, people), group) for group in drawn
            ]
            values = np.mean(judged, axis=0)
            texts = [f"{value:.4f}" for value in values[:2]] + [f"{v:.1%}" for v in values[2:]]
            print(f"{name:36}" + "".join(f"{text:>14}" for text in texts), flush=True)
        shares = ", ".join(f"{found(people, drawn[:100], power):.1%}" for power in POWERS)
        print(f"retrieved, by stop of the dial: {shares}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, draw groups and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="with ratings.csv")
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), default="random")
    parser.add_argument("--groups", type=int, default=600, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    report(People.fit(options.folder, options.protocol, options.seed), options.groups)
    return 0


if __name__ == "__main__":
    sys.exit(main())
