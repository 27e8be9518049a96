"""One training run of taste, from the ratings in the database to a version that is live.

snapshot → time-aware split → fit → evaluate beside most popular and the live version's recipe →
refit on everything → places for the films that nobody has rated → the map → vectors into partitions
of their own → HNSW index → release gate → promotion. Until the last step nothing live is touched.
"""

import logging
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender import vectors
from recommender.embedders import Embedder, Embedding, Resumable
from recommender.interactions import Interactions, Weighting
from recommender.models import ModelVersion, TrainingRun
from recommender.recipe import Recipe
from recommender.training import cold, gate, projection, release, runs, snapshot, stars
from recommender.training.cold import Places
from recommender.training.evaluation import Question, ask, by_vectors, most_popular
from recommender.training.gate import Difference, Rival
from recommender.training.release import NothingToLearn
from recommender.training.runs import Reporter
from recommender.training.snapshot import Snapshot
from recommender.training.splits import Split, time_split
from recommender.vectors import NO_MAP, FilmMap

HELD_OUT_SHARE = 0.2
# Fitting is nearly all of a run, however often it is done.
FITTING_SHARE = 0.74

RESUMED_FROM = 500_000
"""With so many ratings, the fit of all goes on from where the fit of the earlier ones came to. With
fewer a fit takes seconds, and a new one foresaw 1 % more on a hundred thousand ratings."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """Where a fit of earlier ratings came to."""

    movie_ids: NDArray[np.int64]
    """(n,) ascending."""
    vectors: NDArray[np.float32]
    """(n, f); see `Embedding.start`."""

    def of(self, movie_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Where movies (I,) lay, ascending as well and these among them: (I, f)."""
        start = np.zeros((len(movie_ids), self.vectors.shape[1]), dtype=np.float32)
        start[np.searchsorted(movie_ids, self.movie_ids)] = self.vectors
        return start


@dataclass(frozen=True)
class Trial:
    """How a recipe did on held-out ratings, and how others did on the very same ones."""

    metrics: dict[str, object] = field(default_factory=dict)
    """Empty where too few ratings could be held out."""
    against_popular: Difference | None = None
    against_live: Difference | None = None
    start: Start | None = None
    """Where a fit of all ratings may begin."""


def execute(run: TrainingRun, listener: runs.Listener | None = None) -> ModelVersion:
    """Train what the run asks for and return the version.

    It is live if the run promotes and the release gate does not hold it.

    Raises:
        runs.NotQueued: another process has the run, or it was cancelled.
        runs.RunCancelled: a person stopped it; nothing live has changed.
        Exception: whatever went wrong; it stands in `run.error`, and nothing live has changed.
    """
    with runs.underway(run, listener) as report:
        recipe = Recipe.of(run.embedder, run.parameters)
        rival = gate.rival(recipe, run.space)
        fit_share = FITTING_SHARE / (3 if rival.recipe else 2)
        report.begin("Reading the ratings", 0.05)
        data = snapshot.take()
        report.note(f"{len(data.ratings):,} ratings by {len(data.user_ids):,} people")
        trial = _try_out(data, recipe, rival, fit_share, report)
        report.begin("Learning from all ratings", fit_share)
        interactions = _interactions(data, recipe)
        embedding = _learn(recipe.embedder, interactions, trial.start, report)
        report.begin("Placing the films that nobody has rated", 0.05)
        places = cold.place(snapshot.take_films(), embedding, interactions, report)
        report.note(cold.summary(places))
        metrics = trial.metrics | ({"new_films": places.metrics} if places.metrics else {})
        film_map = _draw_map(interactions, embedding, places, report)
        version = _create_version(run, data, recipe, interactions, embedding, places, metrics)
        _write(version, data, interactions, embedding, places, film_map, report)
        verdict = gate.judge(version, rival, trial.against_live, trial.against_popular)
        release.settle(version, run, verdict, report)
    return version


def _try_out(
    data: Snapshot, recipe: Recipe, rival: Rival[Recipe], fit_share: float, report: Reporter
) -> Trial:
    """Learn from each person's earlier ratings, and be judged by their later ones."""
    split = time_split(data.ratings, HELD_OUT_SHARE)
    if not len(split.held_out):
        report.note("Too few ratings to hold any out: the version has no metrics.")
        return Trial()
    # What counts as liked does not hang on the recipe, or it would set its own exam.
    plain = Interactions.build(split.training, Weighting())
    question = Question.build(split, plain, Weighting())
    popular = ask(most_popular(plain), question)
    report.begin("Learning from earlier ratings, to be judged by later ones", fit_share)
    embedding = _fit(recipe, split, report)
    model = ask(by_vectors(embedding), question)
    report.note(
        f"NDCG@20 {model.means['ndcg@20']:.4f}; most popular {popular.means['ndcg@20']:.4f}"
    )
    foreseen = stars.measure(split, plain.movie_ids, embedding.movie_vectors)
    report.note(stars.summary(foreseen))
    start = None if embedding.start is None else Start(plain.movie_ids, embedding.start)
    del embedding
    against_live = None
    if rival.recipe:
        report.begin("The same by the live version's recipe, for a comparison", fit_share)
        other = ask(by_vectors(_fit(rival.recipe, split, report)), question)
        report.note(f"NDCG@20 {other.means['ndcg@20']:.4f} by the recipe of {rival.live}")
        against_live = Difference.between(model.ndcg, other.ndcg)
    return Trial(
        {
            "held_out_share": HELD_OUT_SHARE,
            "model": model.means,
            "most_popular": popular.means,
            "stars": foreseen,
        },
        Difference.between(model.ndcg, popular.ndcg),
        against_live,
        start,
    )


def _fit(recipe: Recipe, split: Split, report: Reporter) -> Embedding:
    """Learn from the split's training part by the recipe."""
    embedding = recipe.embedder.fit(Interactions.build(split.training, recipe.weighting), report)
    report(1.0, "judging")
    return embedding


def _learn(
    embedder: Embedder, interactions: Interactions, start: Start | None, report: Reporter
) -> Embedding:
    """Learn from all ratings, on from what the earlier ones taught where that saves much."""
    is_large = interactions.matrix.nnz >= RESUMED_FROM
    if start and is_large and isinstance(embedder, Resumable):
        return embedder.resume(start.of(interactions.movie_ids), interactions, report)
    return embedder.fit(interactions, report)


def _interactions(data: Snapshot, recipe: Recipe) -> Interactions:
    interactions = Interactions.build(data.ratings, recipe.weighting)
    if not (interactions.matrix.data > 0).any():
        raise NothingToLearn("There are no liked ratings to learn from.")
    return interactions


def _draw_map(
    interactions: Interactions, embedding: Embedding, places: Places, report: Reporter
) -> FilmMap:
    """Draw the films on a map that begins where the live version's ends.

    A version can do without: where it fails, the run's log says so.
    """
    report.begin("Drawing the map of films", 0.05)
    live = ModelVersion.objects.live()
    earlier = vectors.map_of(live) if live else NO_MAP
    counts = np.bincount(interactions.matrix.indices, minlength=len(interactions.movie_ids))
    try:
        drawn = projection.draw(
            np.concatenate([interactions.movie_ids, places.movie_ids]),
            np.vstack([embedding.movie_vectors, places.vectors]),
            np.concatenate([counts, np.zeros(len(places.movie_ids), np.int64)]),
            earlier,
            report,
        )
    except (runs.RunCancelled, runs.RunLost):
        raise
    except Exception as error:
        logger.exception("The map of films could not be drawn")
        report.note(f"The map of films could not be drawn ({error}): the version goes without.")
        return NO_MAP
    report.note(projection.summary(drawn, earlier))
    return drawn


def _create_version(
    run: TrainingRun,
    data: Snapshot,
    recipe: Recipe,
    interactions: Interactions,
    embedding: Embedding,
    places: Places,
    metrics: dict[str, object],
) -> ModelVersion:
    fold_in, gramian = embedding.fold_in.state()
    return release.create_version(
        run,
        dimensions=embedding.movie_vectors.shape[1],
        parameters={**recipe.parameters, "fold_in": fold_in},
        metrics=metrics,
        gramian=gramian.tobytes(),
        user_count=len(interactions.user_ids),
        movie_count=len(interactions.movie_ids),
        predicted_count=len(places.movie_ids),
        rating_count=len(data.ratings),
        snapshot_at=data.taken_at,
        saw=f"{len(data.ratings):,} ratings by {len(interactions.user_ids):,} people",
    )


def _write(
    version: ModelVersion,
    data: Snapshot,
    interactions: Interactions,
    embedding: Embedding,
    places: Places,
    film_map: FilmMap,
    report: Reporter,
) -> None:
    report.begin("Writing the vectors", 0.05)
    user_ids = interactions.user_ids
    # A film that nobody has rated is nobody's reason: its input vector is zeros.
    no_inputs = np.zeros((len(places.movie_ids), embedding.input_vectors.shape[1]), np.float32)
    vectors.write_movies(
        version,
        np.concatenate([interactions.movie_ids, places.movie_ids]),
        np.vstack([embedding.movie_vectors, places.vectors]),
        np.vstack([embedding.input_vectors, no_inputs]),
        np.arange(version.vector_count) >= version.movie_count,
        film_map,
    )
    vectors.write_words(version, places.learnt.names, places.learnt.vectors)
    vectors.write_users(
        version, user_ids, data.revisions_of(user_ids), embedding.user_vectors, report
    )
    report.begin("Building the index", 0.05)
    vectors.index_and_attach(version)
