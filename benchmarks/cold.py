"""How well are films recommended that nobody has rated?

    python -m benchmarks.cold ml-latest-small [--wikipedia folder]

Hides all ratings of a fifth of the films with five ratings or more, learns taste from the others
and a map from what is told of films, and ranks the hidden films for everybody who likes some of
them. The settings were chosen on the other four fifths, each hidden in turn.

Then films move by 1, 3 and 10 ratings of one half of the people, and are ranked for the other half.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import record, site

if TYPE_CHECKING:
    from recommender.embedders import Embedding
    from recommender.interactions import Interactions, Ratings

FEWEST_RATINGS = 5
FOLDS, SEED, TEST = 5, 7, 0
RATINGS = (1, 3, 10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, print its tables and keep them."""
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
        rows, moves = measure()
    results = {"new films": table(rows), "new films, moved": table_of_moves(moves)}
    print(record.tables(list(results.values())))
    for part, result in results.items():
        record.keep(f"{data.label}.spaces", part, result, record.tables)
    return 0


def measure(fold: int = TEST) -> tuple[dict[str, dict[str, float]], dict[int, dict[str, float]]]:
    """AUC and Recall@20 of films of the database whose ratings were hidden, by what ranks them.

    Then how much better those do for half of the people by some ratings of the other half, by the
    number of ratings.
    """
    from recommender.embedders import Blend, content
    from recommender.interactions import Interactions, Weighting
    from recommender.training import cold, snapshot

    films, ratings = snapshot.take_films(), snapshot.take().ratings
    hidden = _hidden(fold)
    is_hidden = np.isin(ratings.movie_ids, hidden)
    seen, unseen = ratings.take(~is_hidden), ratings.take(is_hidden)
    interactions = Interactions.build(seen, Weighting())
    rated, liked = _rated_and_liked(interactions, seen, unseen, hidden)
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
    rows = {
        f"what is told of {len(hidden):,} films, for {len(people):,} people": cold.figures(
            scores, liked[people]
        ),
        "random": cold.figures(random, liked[people]),
        "popularity, which knows the hidden likes": cold.figures(popularity, liked[people]),
    }
    return rows, _moves(embedding, interactions, placed, rated, liked)


def _moves(
    embedding: "Embedding",
    interactions: "Interactions",
    first: np.ndarray,
    rated: np.ndarray,
    liked: np.ndarray,
) -> dict[int, dict[str, float]]:
    """Films at their first places (h, d), and moved by ratings, for people who gave none of these.

    `rated` and `liked` (U, h) say who did.
    """
    from recommender.serving import moving
    from recommender.training import cold

    raters, others = np.array_split(np.random.default_rng(SEED).permutation(len(rated)), 2)
    cells, people = interactions.matrix.tocoo(), embedding.user_vectors
    scores = np.sum(people[cells.row] * embedding.movie_vectors[cells.col], axis=1)
    typical = moving.Typical.of(people, scores, cells.data > 0)
    rows = {}
    for count in RATINGS:
        films = np.flatnonzero(rated[raters].sum(axis=0) >= count)
        later = first[films]
        for place, film in enumerate(films):
            by = raters[rated[raters, film]][:count]
            later[place] = moving.moved(first[film], people[by], liked[by, film], typical)
        theirs = liked[np.ix_(others, films)]
        some = np.flatnonzero(theirs.any(axis=1) & ~theirs.all(axis=1))
        before = cold.figures(people[others[some]] @ first[films].T, theirs[some])
        after = cold.figures(people[others[some]] @ later.T, theirs[some])
        rows[count] = {
            "films": len(films),
            "people": len(some),
            "AUC before": before["auc"],
            "AUC after": after["auc"],
            "Recall@20 before": before["recall@20"],
            "Recall@20 after": after["recall@20"],
        }
    return rows


def table(rows: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The figures, and how many times random's recall is, as `record.tables` takes them."""
    by_chance = rows["random"]["recall@20"]
    return {
        "title": "New films: all ratings hidden, ranked by",
        "columns": {"": "", "AUC": ".4f", "Recall@20": ".4f", "× random": ".2f"},
        "rows": [
            {
                "": title,
                "AUC": row["auc"],
                "Recall@20": row["recall@20"],
                "× random": row["recall@20"] / by_chance,
            }
            for title, row in rows.items()
        ],
        "notes": [],
    }


def table_of_moves(moves: dict[int, dict[str, float]]) -> dict[str, Any]:
    """The figures by the number of ratings, likewise."""
    return {
        "title": "New films, moved by the ratings of half of the people, for the other half",
        "columns": {"ratings of each": "d", **dict.fromkeys(next(iter(moves.values())), ",.4g")},
        "rows": [{"ratings of each": count, **row} for count, row in moves.items()],
        "notes": [],
    }


def _hidden(fold: int) -> np.ndarray:
    """Ids of the films to hide, ascending; which they are hangs on MovieLens's own ids."""
    from movies.models import Movie

    known = Movie.objects.filter(rating_count__gte=FEWEST_RATINGS).order_by("movielens_id")
    ids = np.array(known.values_list("pk", flat=True), dtype=np.int64)
    drawn = np.random.default_rng(SEED).permutation(len(ids))
    return np.sort(ids[drawn[fold::FOLDS]])


def _rated_and_liked(
    interactions: "Interactions", seen: "Ratings", unseen: "Ratings", hidden: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(U, h) who rated which hidden film, and who likes it, by the middle of the other ratings."""
    from recommender.interactions import Weighting

    users = len(interactions.user_ids)
    middles = Weighting().middles(
        np.searchsorted(interactions.user_ids, seen.user_ids), seen.values, users
    )
    unseen = unseen.take(np.isin(unseen.user_ids, interactions.user_ids))
    rows = np.searchsorted(interactions.user_ids, unseen.user_ids)
    columns = np.searchsorted(hidden, unseen.movie_ids)
    rated = np.zeros((users, len(hidden)), dtype=np.bool_)
    rated[rows, columns] = True
    liked = np.zeros_like(rated)
    liked[rows, columns] = unseen.values >= middles[rows]
    return rated, liked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="a MovieLens-format folder or zip")
    parser.add_argument("--wikipedia", type=Path, help="a folder of Wikipedia's films")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
