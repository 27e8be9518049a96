"""One training run of a space that knows films alone: story, words, people, neighbours.

films and ratings → leave the last ratings out → fit → measure beside the live version's recipe →
refit on everything, where ratings count → vectors into partitions of their own → HNSW index →
release gate → promotion. What it shares with taste is in `runs`, `release` and `gate`.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommender import vectors
from recommender.catalogue import Material
from recommender.embedders import FilmEmbedding
from recommender.models import Metric, ModelVersion, Space, TrainingRun
from recommender.recipe import FilmRecipe
from recommender.training import coherence, gate, release, runs, snapshot
from recommender.training.coherence import Question
from recommender.training.gate import Difference, Rival
from recommender.training.release import NothingToLearn
from recommender.training.runs import Reporter
from recommender.training.splits import leave_last_out

# Fitting is nearly all of a run, however often it is done.
FITTING_SHARE = 0.80


@dataclass(frozen=True)
class Trial:
    """How a recipe did at foreseeing what people rated last, and how the live one's did."""

    metrics: dict[str, object] = field(default_factory=dict)
    """Empty where nothing could be held out."""
    against_live: Difference | None = None
    fitted: FilmEmbedding | None = None
    """What it was judged by, where that has seen all there is to see."""


def execute(run: TrainingRun, listener: runs.Listener | None = None) -> ModelVersion:
    """Train what the run asks for and return the version, as `pipeline.execute` does for taste.

    Raises:
        Unavailable: the technique needs what is not installed.
        NothingToLearn: no film or rating says anything to it.
        runs.NotQueued, runs.RunCancelled: as there.
    """
    with runs.underway(run, listener) as report:
        recipe = FilmRecipe.of(run.space, run.embedder, run.parameters)
        rival = gate.rival(recipe, run.space)
        fits = 1 + _learns_from_ratings(recipe) + (rival.recipe is not None)
        report.begin("Reading films and ratings", 0.05)
        taken_at, material = snapshot.take_material()
        report.note(f"{len(material.films):,} films, {len(material.ratings):,} ratings")
        trial = _try_out(material, recipe, rival, FITTING_SHARE / fits, report)
        embedding = trial.fitted
        if embedding is None:
            report.begin("Learning from everything", FITTING_SHARE / fits)
            embedding = _fit(recipe, material, report)
        report.note(f"Seen: {embedding.saw}")
        version = release.create_version(
            run,
            metric=Metric.COSINE,
            dimensions=embedding.vectors.shape[1],
            parameters=recipe.parameters,
            metrics=trial.metrics,
            numbers=embedding.numbers,
            saw=embedding.saw,
            movie_count=len(embedding.movie_ids),
            rating_count=len(material.ratings) if _learns_from_ratings(recipe) else 0,
            snapshot_at=taken_at,
        )
        _write(version, embedding, report)
        verdict = gate.judge(version, rival, trial.against_live)
        release.settle(version, run, verdict, report)
    return version


def _learns_from_ratings(recipe: FilmRecipe) -> bool:
    """Whether ratings must be held out to judge the recipe; see `FilmEmbedder`."""
    may = Space(recipe.space).knows_ratings
    return may and bool(getattr(recipe.embedder, "learns_from_ratings", True))


def _try_out(
    material: Material,
    recipe: FilmRecipe,
    rival: Rival[FilmRecipe],
    fit_share: float,
    report: Reporter,
) -> Trial:
    """Learn without each person's last rating, and be judged by it.

    Where ratings say nothing to the recipe, that has seen everything, and need not be done again.
    """
    split = leave_last_out(material.ratings)
    question = Question.build(split)
    if _learns_from_ratings(recipe) and not len(question.targets):
        report.note("Too few ratings to hold any out: the version has no metrics.")
        return Trial()
    earlier = replace(material, ratings=split.training)
    report.begin("Learning, to be judged by what people rated last", fit_share)
    embedding = _fit(recipe, earlier, report)
    metrics, recall = _measure(embedding, material, question, report)
    against_live = None
    if rival.recipe and recall is not None:
        report.begin("The same by the live version's recipe, for a comparison", fit_share)
        other = _recall(_fit(rival.recipe, earlier, report), question)
        report.note(f"Recall@20 {other.mean():.4f} by the recipe of {rival.live}")
        against_live = Difference.between(recall, other)
    return Trial(metrics, against_live, None if _learns_from_ratings(recipe) else embedding)


def _measure(
    embedding: FilmEmbedding, material: Material, question: Question, report: Reporter
) -> tuple[dict[str, object], NDArray[np.float64] | None]:
    """The version's metrics, and each person's recall (p,) where ratings could be held out."""
    belongs = coherence.coherence(embedding, material.films)
    report.note(
        f"Genres in common with the 20 nearest {belongs.genres:.3f}, at random"
        f" {belongs.genres_at_random:.3f}; somebody in common {belongs.people:.3f}, at random"
        f" {belongs.people_at_random:.3f}"
    )
    model = {"genres@20": belongs.genres, "people@20": belongs.people}
    chance = {"genres@20": belongs.genres_at_random, "people@20": belongs.people_at_random}
    if not len(question.targets):
        return {"model": model, "random": chance}, None
    recall = _recall(embedding, question)
    popular, at_random = float(question.most_popular().mean()), question.at_random()
    report.note(
        f"Recall@20 {recall.mean():.4f} of what people rated last; most popular {popular:.4f};"
        f" at random {at_random:.4f}"
    )
    return {
        "people": len(recall),
        "model": {"recall@20": float(recall.mean()), **model},
        "most_popular": {"recall@20": popular},
        "random": {"recall@20": at_random, **chance},
    }, recall


def _recall(embedding: FilmEmbedding, question: Question) -> NDArray[np.float64]:
    return question.recall(coherence.by_cosine(embedding, question.candidates))


def _fit(recipe: FilmRecipe, material: Material, report: Reporter) -> FilmEmbedding:
    try:
        embedding = recipe.embedder.fit(material, report)
    except ValueError as error:
        # Its settings were read before: it is the material that says nothing.
        raise NothingToLearn(str(error)) from error
    report(1.0, "judging")
    return embedding


def _write(version: ModelVersion, embedding: FilmEmbedding, report: Reporter) -> None:
    report.begin("Writing the vectors", 0.07)
    vectors.write_movies(version, embedding.movie_ids, embedding.vectors)
    if embedding.words is not None:
        vectors.write_words(version, embedding.words.words, embedding.words.vectors)
    report.begin("Building the index", 0.07)
    vectors.index_and_attach(version)
