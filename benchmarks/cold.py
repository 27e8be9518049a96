"""How well are films recommended that nobody has rated?

    python -m benchmarks.cold ml-latest-small [--wikipedia folder]

Hides all ratings of a fifth of the films with five ratings or more, learns taste from the others
and a map from what is told of films, and ranks the hidden films for everybody who likes some of
them. The settings were chosen on the other four fifths, each hidden in turn.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import site

if TYPE_CHECKING:
    from recommender.interactions import Interactions, Ratings

FEWEST_RATINGS = 5
FOLDS, SEED, TEST = 5, 7, 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    options = _parser().parse_args(arguments)
    site.start()
    from benchmarks import dataset, marquee
    from movies.importers import wikipedia
    from movies.importers.files import files_of
    from movies.importers.progress import progress

    data = dataset.read(options.data)
    with marquee.database():
        marquee.fill(data, data.ratings)
        if options.wikipedia:
            wikipedia.import_films(files_of(options.wikipedia), progress(shown=False))
        rows = measure()
    show(rows)
    return 0


def measure(fold: int = TEST) -> dict[str, dict[str, float]]:
    """AUC and Recall@20 of films of the database whose ratings were hidden, by what ranks them."""
    from recommender.embedders import Blend, content
    from recommender.interactions import Interactions, Weighting
    from recommender.training import cold, snapshot

    films, ratings = snapshot.take_films(), snapshot.take().ratings
    hidden = _hidden(fold)
    is_hidden = np.isin(ratings.movie_ids, hidden)
    seen, unseen = ratings.take(~is_hidden), ratings.take(is_hidden)
    interactions = Interactions.build(seen, Weighting())
    liked = _liked(interactions, seen, unseen, hidden)
    embedding = Blend().fit(interactions)
    told = content.features(films)
    known = np.searchsorted(films.movie_ids, interactions.movie_ids)
    likes = np.bincount(
        interactions.matrix.indices[interactions.matrix.data > 0], minlength=len(known)
    )
    learnt = content.fit(told.take(known), embedding.movie_vectors, likes)
    placed = learnt.place(told.take(np.searchsorted(films.movie_ids, hidden)))
    people = np.flatnonzero(liked.any(axis=1) & ~liked.all(axis=1))
    scores = embedding.user_vectors[people] @ placed.T
    random = np.random.default_rng(0).random(scores.shape)
    popularity = np.broadcast_to(liked.sum(axis=0).astype(float), scores.shape)
    return {
        f"what is told of {len(hidden):,} films, for {len(people):,} people": cold.figures(
            scores, liked[people]
        ),
        "random": cold.figures(random, liked[people]),
        "popularity, which knows the hidden likes": cold.figures(popularity, liked[people]),
    }


def show(rows: dict[str, dict[str, float]]) -> None:
    """Print the figures, and how many times random's recall is."""
    by_chance = rows["random"]["recall@20"]
    table = Table("Films whose ratings were hidden, ranked by", "AUC", "Recall@20", "× random")
    for title, row in rows.items():
        recall = row["recall@20"]
        table.add_row(title, f"{row['auc']:.4f}", f"{recall:.4f}", f"{recall / by_chance:.2f}")
    Console().print(table)


def _hidden(fold: int) -> np.ndarray:
    """Ids of the films to hide, ascending; which they are hangs on MovieLens's own ids."""
    from movies.models import Movie

    known = Movie.objects.filter(rating_count__gte=FEWEST_RATINGS).order_by("movielens_id")
    ids = np.array(known.values_list("pk", flat=True), dtype=np.int64)
    drawn = np.random.default_rng(SEED).permutation(len(ids))
    return np.sort(ids[drawn[fold::FOLDS]])


def _liked(
    interactions: "Interactions", seen: "Ratings", unseen: "Ratings", hidden: np.ndarray
) -> np.ndarray:
    """(U, h) who likes which hidden film, by the middle of their other ratings."""
    from recommender.interactions import Weighting

    users = len(interactions.user_ids)
    middles = Weighting().middles(
        np.searchsorted(interactions.user_ids, seen.user_ids), seen.values, users
    )
    unseen = unseen.take(np.isin(unseen.user_ids, interactions.user_ids))
    rows = np.searchsorted(interactions.user_ids, unseen.user_ids)
    is_liked = unseen.values >= middles[rows]
    liked = np.zeros((users, len(hidden)), dtype=np.bool_)
    liked[rows[is_liked], np.searchsorted(hidden, unseen.movie_ids[is_liked])] = True
    return liked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="a MovieLens-format folder or zip")
    parser.add_argument("--wikipedia", type=Path, help="a folder of Wikipedia's films")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
