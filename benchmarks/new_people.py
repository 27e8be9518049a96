"""What do people see of whom a handful of ratings are known, and whom training never saw?

    python -m benchmarks.new_people ml-1m [--known random] [--relevant all] [--minutes 0]

Takes a MovieLens-format folder or zip. A fifth of the people, and no fewer than 500, are kept out
of training. The site is trained on the others in a PostgreSQL of the benchmark's own. Then 1, 3, 5
and 10 ratings of each of the kept ones are imported as new people's, drawn at random or the
earliest, and their recommendations are read as the site serves them. Relevant is the rest of their
ratings, or those of the rest that they liked, by what is known of them. Films that training does
not know are left out altogether.

Beside it stand most popular, and the plain fold-in of a plain iALS (Hu, Koren, Volinsky 2008,
eq. 4), which shrinks a new person towards nothing. Intervals are 95 % bootstrap over people.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import record, site
from benchmarks.protocols import PROTOCOLS, RELEVANCE
from recommender.embedders import Rated, als
from recommender.interactions import Interactions, Ratings, Weighting, index_ids
from recommender.training.evaluation import (
    Lists,
    Outcome,
    Question,
    judge,
    most_popular,
    top_lists,
)
from recommender.training.intervals import mean_interval, paired_interval
from recommender.training.splits import Split

if TYPE_CHECKING:
    from benchmarks.dataset import Dataset

KNOWN = (1, 3, 5, 10)
K = 20
SHARE, FEWEST = 0.2, 500
"""Of the people who are kept out of training, and how many at the least."""
ENOUGH = 15
"""Ratings that a person has who is kept out: ten to know, and some to foresee."""

POPULAR, PLAIN = "Most popular", "Plain fold-in"


@dataclass(frozen=True)
class NewPeople:
    """Who is trained on, and who comes after."""

    training: Ratings
    theirs: Ratings
    """The new people's ratings, each person's in the order in which they become known."""

    @classmethod
    def draw(cls, ratings: Ratings, known: str, seed: int) -> "NewPeople":
        """Keep people with ENOUGH ratings out. `known`: "random" or "earliest" first.

        Raises ValueError where there are no such people.
        """
        random = np.random.default_rng(seed)
        user_ids, rows = index_ids(ratings.user_ids)
        able = user_ids[np.bincount(rows) >= ENOUGH]
        most = min(max(FEWEST, int(SHARE * len(user_ids))), len(able) // 2)
        if not most:
            raise ValueError(f"nobody has {ENOUGH} ratings")
        kept = np.isin(ratings.user_ids, random.choice(able, most, replace=False))
        training, theirs = ratings.take(~kept), ratings.take(kept)
        theirs = theirs.take(np.isin(theirs.movie_ids, training.movie_ids))
        order = random.permutation(len(theirs))
        if known == "earliest":
            order = order[np.argsort(theirs.rated_at[order], kind="stable")]
        theirs = theirs.take(order)
        return cls(training, theirs.take(np.argsort(theirs.user_ids, kind="stable")))

    def split(self, known: int) -> tuple[Ratings, Ratings]:
        """The first ratings of each new person, and the rest."""
        rows = index_ids(self.theirs.user_ids)[1]
        counts = np.bincount(rows)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.theirs.take(place < known), self.theirs.take(place >= known)

    def ask(self, known: int, liked_only: bool) -> tuple[Interactions, Question]:
        """What is known of everybody, and the question of what the new ones rated besides."""
        first, rest = self.split(known)
        everything = concatenated(self.training, first)
        interactions = Interactions.build(everything, RELEVANCE)
        asked = Question.build(Split(everything, rest), interactions, RELEVANCE, liked_only)
        return interactions, asked


def concatenated(*parts: Ratings) -> Ratings:
    """All ratings of the parts."""
    return Ratings(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Ratings)
        )
    )


class Baselines:
    """What needs no site: most popular, and iALS with a plain fold-in."""

    def __init__(self, training: Ratings, liked_only: bool) -> None:
        self._weighting = Weighting()
        interactions = Interactions.build(training, self._weighting)
        self._embedding = als.ImplicitALS().fit(interactions)
        counted = Weighting(below=0.0 if liked_only else 1.0)
        self._popular = most_popular(Interactions.build(training, counted))
        self._movie_ids = interactions.movie_ids

    def lists(
        self, known: Ratings, interactions: Interactions, asked: Question
    ) -> dict[str, Lists]:
        """Both rows' lists (q, K)."""
        vectors = np.array(
            [self._fold_in(known, user_id) for user_id in interactions.user_ids[asked.rows]]
        )

        def plain(rows: NDArray[np.intp]) -> NDArray[np.float32]:
            places = np.searchsorted(asked.rows, rows)
            scores = vectors[places] @ self._embedding.movie_vectors.T
            # Of whom nothing is known that they liked, the plain fold-in says nothing at all.
            silent = ~vectors[places].any(axis=1)
            scores[silent] = self._popular(rows)[silent]
            return np.asarray(scores, dtype=np.float32)

        return {
            POPULAR: top_lists(self._popular, asked, K),
            PLAIN: top_lists(plain, asked, K),
        }

    def _fold_in(self, known: Ratings, user_id: int) -> NDArray[np.float32]:
        own = known.user_ids == user_id
        confidences = self._weighting.confidences(known.values[own])
        columns = np.searchsorted(self._movie_ids, known.movie_ids[own])
        vectors, inputs = self._embedding.movie_vectors, self._embedding.input_vectors
        return self._embedding.fold_in.vector(Rated(vectors[columns], inputs[columns], confidences))


def measure(
    data: "Dataset", options: argparse.Namespace, say: Callable[[str], None]
) -> dict[str, Any]:
    """Train, import the new people, ask for them, and judge; JSON-able."""
    from benchmarks import marquee

    liked_only = options.relevant == "liked"
    people = NewPeople.draw(data.ratings, options.known, options.seed)
    say("Fitting what the site is compared with")
    baselines = Baselines(people.training, liked_only)
    protocol = PROTOCOLS["time" if liked_only else "random"]
    with marquee.database():
        say("Marquee, importing and training")
        marquee.fill(data, people.training)
        trained = marquee.train(
            protocol.tuning,
            minutes=options.minutes,
            most_trials=options.trials,
            seed=options.seed,
        )
        rows = []
        for known in KNOWN:
            say(f"People with {known} known ratings")
            first, _ = people.split(known)
            interactions, asked = people.ask(known, liked_only)
            label = f"{data.label}:{known}"
            marquee.fill(data, first, label)
            lists = baselines.lists(first, interactions, asked)
            source_ids = interactions.user_ids[asked.rows].tolist()
            for title, given in marquee.ROWS.items():
                served = marquee.serve(label, source_ids, K, **given)
                lists[title] = marquee.columns_of(served, interactions)
            outcomes = {title: judge(each, asked, K) for title, each in lists.items()}
            rows.append({"known": known, "people": len(source_ids), "rows": figures(outcomes)})
    return {
        "dataset": {"label": data.label, "training": len(people.training)},
        "known": options.known,
        "relevant": options.relevant,
        "minutes": options.minutes,
        "seed": options.seed,
        "settings": trained.entry.settings,
        "tables": rows,
    }


def figures(outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Each row's figures: NDCG beside most popular's, Recall beside the plain fold-in's."""
    popular, plain = outcomes[POPULAR], outcomes[PLAIN]
    return [
        {
            "title": title,
            "ndcg@20": float(outcome.ndcg.mean()),
            "ndcg@20 interval": mean_interval(outcome.ndcg),
            "times popular": float(outcome.ndcg.mean() / popular.ndcg.mean()),
            "recall@20": float(outcome.recall.mean()),
            "recall@20 interval": mean_interval(outcome.recall),
            "recall lead on plain": float((outcome.recall - plain.recall).mean()),
            "recall lead interval": paired_interval(outcome.recall, plain.recall),
        }
        for title, outcome in outcomes.items()
    ]


COLUMNS = ("Known", "People", "Row", "NDCG@20", "× most popular", "Recall@20", "over plain fold-in")


def cells(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """The table's rows, for people."""
    for part in result["tables"]:
        for row in part["rows"]:
            yield [
                str(part["known"]),
                f"{part['people']:,}",
                row["title"],
                _with_interval(row["ndcg@20"], row["ndcg@20 interval"], ".4f", "–"),
                f"{row['times popular']:.2f}",
                _with_interval(row["recall@20"], row["recall@20 interval"], ".4f", "–"),
                ""
                if row["title"] == PLAIN
                else _with_interval(
                    row["recall lead on plain"], row["recall lead interval"], "+.4f", " to "
                ),
            ]


def _with_interval(value: float, interval: Sequence[float], form: str, glue: str) -> str:
    return f"{value:{form}} ({interval[0]:{form}}{glue}{interval[1]:{form}})"


def heading(result: Mapping[str, Any]) -> str:
    """Which data, asked how."""
    tuned = f"tuned for {result['minutes']:g} minutes" if result["minutes"] else "at its defaults"
    which = {"all": "all others relevant", "liked": "those of the others relevant that they liked"}
    return (
        f"{result['dataset']['label']}, new people: {result['known']} ratings known,"
        f" {which[result['relevant']]}; Marquee {tuned}, trained on"
        f" {result['dataset']['training']:,} ratings; seed {result['seed']}"
    )


def markdown(kept: Sequence[Mapping[str, Any]]) -> str:
    """The tables as a document."""
    lines: list[str] = []
    for result in kept:
        lines += [f"## {heading(result)}", "", f"| {' | '.join(COLUMNS)} |"]
        lines.append(f"|{'---:|' * 2}---|{'---:|' * 4}")
        lines += [f"| {' | '.join(row)} |" for row in cells(result)]
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, print it and keep it."""
    options = _parser().parse_args(arguments)
    site.start()
    # What this imports needs the site's settings.
    from benchmarks import dataset
    from movies.importers.files import ImportFailed

    try:
        data = dataset.read(options.data).only(options.core, options.binary)
        result = measure(data, options, Console(stderr=True, highlight=False).print)
    except (ImportFailed, ValueError) as failure:
        raise SystemExit(f"{failure}.") from failure
    table = Table(*COLUMNS, title=heading(result))
    for row in cells(result):
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    name = f"{options.known}, {options.relevant}"
    record.keep(f"{data.label}.new-people", name, result, markdown)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="a MovieLens-format folder or zip")
    parser.add_argument("--known", choices=["random", "earliest"], default="random")
    parser.add_argument("--relevant", choices=["all", "liked"], default="all")
    parser.add_argument("--minutes", type=float, default=0, help="to tune in; 0: the defaults")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--core", type=int, default=0, help="as benchmarks.quality has it")
    parser.add_argument("--binary", action="store_true", help="as benchmarks.quality has it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
