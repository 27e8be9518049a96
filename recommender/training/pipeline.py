"""One training run of taste, from the ratings in the database to a version that is live.

snapshot → time-aware split → fit → evaluate beside most popular and the live version's recipe →
refit on everything → places for the films that nobody has rated → vectors into partitions of their
own → HNSW index → release gate → promotion. Until that step nothing live is touched. Then the map
of films is drawn, which nobody's recommendations wait for.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender import film_map, vectors
from recommender.embedders import Embedder, Embedding, Resumable
from recommender.interactions import Interactions, Weighting
from recommender.models import ModelVersion, TrainingRun
from recommender.recipe import Recipe
from recommender.training import cold, gate, projection, release, runs, snapshot, stars
from recommender.training.cold import Places
from recommender.training.evaluation import Outcome, Question, ask, by_vectors, most_popular
from recommender.training.gate import Difference, Rival
from recommender.training.release import NothingToLearn
from recommender.training.runs import Reporter
from recommender.training.snapshot import Snapshot
from recommender.training.splits import Split, time_split

HELD_OUT_SHARE = 0.2
MOST_ASKED = 20_000
"""People by whose later ratings a fit is judged: of more, some are drawn. Their mean NDCG@20 is
known to about 1 % of itself then."""

# Fitting is nearly all of a run, however often it is done.
FITTING_SHARE = 0.74

RESUMED_FROM = 500_000
"""With so many ratings, the fit of all goes on from where the fit of the earlier ones came to. With
fewer a fit takes seconds, and a new one foresaw 1 % more on a hundred thousand ratings."""

DRAWING = "Drawing the map of films"
"""What a run does once its version is live."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What a run learns from: the ratings themselves, twice as large, are not kept."""

    taken_at: datetime
    rating_count: int
    interactions: Interactions
    taste_revisions: NDArray[np.int64]
    """(U,) of the users as the ratings stood."""


@dataclass(frozen=True)
class Exam:
    """What is learnt of people's earlier ratings, and asked about their later ones."""

    lesson: Interactions
    """The earlier ratings, as the run's recipe weighs them."""
    rivals_lesson: Interactions | None
    """As the live version's does, where that is to be held against it."""
    question: Question
    stars: stars.Question
    popular: Outcome
    """How most popular does."""

    @classmethod
    def build(cls, split: Split, recipe: Recipe, rival: Rival[Recipe]) -> "Exam":
        about_stars = stars.Question.build(split)
        # What counts as liked does not hang on the recipe, or it would set its own exam.
        plain = Interactions.build(split.training, Weighting())
        question = Question.build(split, plain, Weighting()).sample(MOST_ASKED)
        popular = ask(most_popular(plain), question)

        def lesson(weighting: Weighting) -> Interactions:
            same = weighting == Weighting()
            return plain if same else Interactions.build(split.training, weighting)

        return cls(
            lesson(recipe.weighting),
            lesson(rival.recipe.weighting) if rival.recipe else None,
            question,
            about_stars,
            popular,
        )


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
        material, exam = _read(recipe, rival, report)
        trial = _try_out(exam, recipe, rival, fit_share, report) if exam else Trial()
        # Half of what the run holds, and nobody asks it any more.
        del exam
        report.begin("Learning from all ratings", fit_share)
        interactions = material.interactions
        embedding = _learn(recipe.embedder, interactions, trial.start, report)
        report.begin("Placing the films that nobody has rated", 0.05)
        places = cold.place(snapshot.take_films(), embedding, interactions, report)
        report.note(cold.summary(places))
        metrics = trial.metrics | ({"new_films": places.metrics} if places.metrics else {})
        version = _create_version(run, material, recipe, embedding, places, metrics)
        _write(version, material, embedding, places, report)
        verdict = gate.judge(version, rival, trial.against_live, trial.against_popular)
        release.settle(version, run, verdict, report)
        _draw_map(version, interactions, embedding, places, report)
    return version


def _read(recipe: Recipe, rival: Rival[Recipe], report: Reporter) -> tuple[Material, Exam | None]:
    """All ratings as they stand now, and an exam where enough of them could be held out."""
    data = snapshot.take()
    report.note(f"{len(data.ratings):,} ratings by {len(data.user_ids):,} people")
    interactions = _interactions(data, recipe)
    revisions = data.revisions_of(interactions.user_ids)
    material = Material(data.taken_at, len(data.ratings), interactions, revisions)
    split = time_split(data.ratings, HELD_OUT_SHARE)
    # The split has them all once more.
    del data
    if not len(split.held_out):
        report.note("Too few ratings to hold any out: the version has no metrics.")
        return material, None
    return material, Exam.build(split, recipe, rival)


def _try_out(
    exam: Exam, recipe: Recipe, rival: Rival[Recipe], fit_share: float, report: Reporter
) -> Trial:
    """Learn from each person's earlier ratings, and be judged by their later ones."""
    report.begin("Learning from earlier ratings, to be judged by later ones", fit_share)
    embedding = _fit(recipe, exam.lesson, report)
    model = ask(by_vectors(embedding), exam.question)
    report.note(
        f"NDCG@20 {model.means['ndcg@20']:.4f}; most popular {exam.popular.means['ndcg@20']:.4f}"
    )
    foreseen = stars.measure(exam.stars, embedding.movie_vectors)
    report.note(stars.summary(foreseen))
    start = None if embedding.start is None else Start(exam.lesson.movie_ids, embedding.start)
    del embedding
    against_live = None
    if rival.recipe and exam.rivals_lesson:
        report.begin("The same by the live version's recipe, for a comparison", fit_share)
        other = ask(by_vectors(_fit(rival.recipe, exam.rivals_lesson, report)), exam.question)
        report.note(f"NDCG@20 {other.means['ndcg@20']:.4f} by the recipe of {rival.live}")
        against_live = Difference.between(model.ndcg, other.ndcg)
    return Trial(
        {
            "held_out_share": HELD_OUT_SHARE,
            "model": model.means,
            "most_popular": exam.popular.means,
            "stars": foreseen,
        },
        Difference.between(model.ndcg, exam.popular.ndcg),
        against_live,
        start,
    )


def _fit(recipe: Recipe, lesson: Interactions, report: Reporter) -> Embedding:
    embedding = recipe.embedder.fit(lesson, report)
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
    version: ModelVersion,
    interactions: Interactions,
    embedding: Embedding,
    places: Places,
    report: Reporter,
) -> None:
    """Draw the films on a map that begins where the one that people see ends.

    The version can do without, and is settled: where it fails, or a person stops it, the run's log
    says so.
    """
    earlier = film_map.shown()
    counts = np.bincount(interactions.matrix.indices, minlength=len(interactions.movie_ids))
    try:
        report.begin(DRAWING, 0.05)
        drawn = projection.draw(
            np.concatenate([interactions.movie_ids, places.movie_ids]),
            np.vstack([embedding.movie_vectors, places.vectors]),
            np.concatenate([counts, np.zeros(len(places.movie_ids), np.int64)]),
            earlier,
            report,
        )
        film_map.write(version, drawn)
    except runs.RunLost:
        raise
    except Exception as error:
        if not isinstance(error, runs.RunCancelled):
            logger.exception("The map of films could not be drawn")
        report.note(f"The map of films was not drawn ({error}): the version goes without.")
    else:
        report.note(projection.summary(drawn, earlier))


def _create_version(
    run: TrainingRun,
    material: Material,
    recipe: Recipe,
    embedding: Embedding,
    places: Places,
    metrics: dict[str, object],
) -> ModelVersion:
    fold_in, gramian = embedding.fold_in.state()
    people, films = material.interactions.matrix.shape
    return release.create_version(
        run,
        dimensions=embedding.movie_vectors.shape[1],
        parameters={**recipe.parameters, "fold_in": fold_in},
        metrics=metrics,
        gramian=gramian.tobytes(),
        user_count=people,
        movie_count=films,
        predicted_count=len(places.movie_ids),
        rating_count=material.rating_count,
        snapshot_at=material.taken_at,
        saw=f"{material.rating_count:,} ratings by {people:,} people",
    )


def _write(
    version: ModelVersion,
    material: Material,
    embedding: Embedding,
    places: Places,
    report: Reporter,
) -> None:
    report.begin("Writing the vectors", 0.05)
    interactions = material.interactions
    # A film that nobody has rated is nobody's reason: its input vector is zeros.
    no_inputs = np.zeros((len(places.movie_ids), embedding.input_vectors.shape[1]), np.float32)
    vectors.write_movies(
        version,
        np.concatenate([interactions.movie_ids, places.movie_ids]),
        np.vstack([embedding.movie_vectors, places.vectors]),
        np.vstack([embedding.input_vectors, no_inputs]),
        np.arange(version.vector_count) >= version.movie_count,
    )
    vectors.write_words(version, places.learnt.names, places.learnt.vectors)
    vectors.write_users(
        version, interactions.user_ids, material.taste_revisions, embedding.user_vectors
    )
    report.begin("Building the index", 0.05)
    vectors.index_and_attach(version)
