"""One training run, from the ratings in the database to a version that is live.

snapshot → time-aware split → fit → evaluate → refit on everything → vectors into partitions of
their own → HNSW index → promotion. Until the last step nothing live is touched.
"""

from dataclasses import asdict

from django.conf import settings
from django.db import transaction

from recommender import vectors
from recommender.embedders import Embedding
from recommender.embedders.als import ALSEmbedding
from recommender.interactions import Interactions
from recommender.models import ModelVersion, TrainingRun
from recommender.recipe import Recipe
from recommender.training import runs, snapshot
from recommender.training.evaluation import Question, by_vectors, evaluate, most_popular
from recommender.training.runs import Reporter
from recommender.training.snapshot import Snapshot
from recommender.training.splits import time_split

HELD_OUT_SHARE = 0.2


class NothingToLearn(Exception):
    """There are no liked ratings."""


def execute(run: TrainingRun, listener: runs.Listener | None = None) -> ModelVersion:
    """Train what the run asks for and return the version, live if the run promotes.

    Raises:
        runs.NotQueued: another process has the run, or it was cancelled.
        runs.RunCancelled: a person stopped it; nothing live has changed.
        Exception: whatever went wrong; it stands in `run.error`, and nothing live has changed.
    """
    with runs.underway(run, listener) as report:
        recipe = Recipe.of(run.embedder, run.parameters)
        report.begin("Reading the ratings", 0.05)
        data = snapshot.take()
        report.note(f"{len(data.ratings):,} ratings by {len(data.user_ids):,} people")
        metrics = _evaluate(data, recipe, report)
        report.begin("Learning from all ratings", 0.40)
        interactions = _interactions(data, recipe)
        embedding = recipe.embedder.fit(interactions, report)
        version = _create_version(run, data, recipe, interactions, embedding, metrics)
        _write(version, data, interactions, embedding, report)
        _release(version, run, report)
    return version


def _evaluate(data: Snapshot, recipe: Recipe, report: Reporter) -> dict[str, object]:
    """Learn from each person's earlier ratings, and be judged by their later ones."""
    report.begin("Learning from earlier ratings, to be judged by later ones", 0.35)
    split = time_split(data.ratings, HELD_OUT_SHARE)
    if not len(split.held_out):
        report.note("Too few ratings to hold any out: the version has no metrics.")
        return {}
    interactions = Interactions.build(split.training, recipe.weighting)
    embedding = recipe.embedder.fit(interactions, report)
    report.begin("Judging", 0.05)
    question = Question.build(split, interactions, recipe.weighting)
    model = evaluate(by_vectors(embedding), question)
    popular = evaluate(most_popular(interactions), question)
    report.note(f"NDCG@20 {model['ndcg@20']:.4f}; most popular {popular['ndcg@20']:.4f}")
    return {"held_out_share": HELD_OUT_SHARE, "model": model, "most_popular": popular}


def _interactions(data: Snapshot, recipe: Recipe) -> Interactions:
    interactions = Interactions.build(data.ratings, recipe.weighting)
    if not (interactions.matrix.data > 0).any():
        raise NothingToLearn("There are no liked ratings to learn from.")
    return interactions


def _create_version(
    run: TrainingRun,
    data: Snapshot,
    recipe: Recipe,
    interactions: Interactions,
    embedding: Embedding,
    metrics: dict[str, object],
) -> ModelVersion:
    parameters: dict[str, object] = dict(recipe.parameters)
    gramian = None
    if isinstance(embedding, ALSEmbedding):
        parameters["fold_in"] = asdict(embedding.fold_in)
        gramian = embedding.gramian.tobytes()
    # Together: a version in training that no run is linked to would be taken for a left-over.
    with transaction.atomic():
        version = ModelVersion.objects.create(
            space=run.space,
            embedder=run.embedder,
            dimensions=embedding.movie_vectors.shape[1],
            parameters=parameters,
            metrics=metrics,
            gramian=gramian,
            user_count=len(interactions.user_ids),
            movie_count=len(interactions.movie_ids),
            rating_count=len(data.ratings),
            snapshot_at=data.taken_at,
        )
        run.version = version
        run.save(update_fields=["version"])
    return version


def _write(
    version: ModelVersion,
    data: Snapshot,
    interactions: Interactions,
    embedding: Embedding,
    report: Reporter,
) -> None:
    report.begin("Writing the vectors", 0.07)
    user_ids = interactions.user_ids
    vectors.write_movies(version, interactions.movie_ids, embedding.movie_vectors)
    vectors.write_users(
        version, user_ids, data.revisions_of(user_ids), embedding.user_vectors, report
    )
    report.begin("Building the index", 0.07)
    vectors.index_and_attach(version)


def _release(version: ModelVersion, run: TrainingRun, report: Reporter) -> None:
    report.begin("Going live" if run.promote else "Done: waiting for a person's decision", 0.01)
    candidate = ModelVersion.objects.filter(pk=version.pk, state=ModelVersion.State.TRAINING)
    candidate.update(state=ModelVersion.State.CANDIDATE)
    version.refresh_from_db()
    if run.promote:
        vectors.promote(version)
        version.refresh_from_db()
    vectors.drop_all_but(settings.KEPT_VERSIONS, run.space)
