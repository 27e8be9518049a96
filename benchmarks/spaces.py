"""What is each space good for? A table of all of them, measured alike.

    python -m benchmarks.spaces ml-latest-small wikipedia-movies [--space story]

Takes a folder with MovieLens files and one with the films of Wikipedia, and joins them in a
database of its own. Each technique learns without each person's last rating (`splits`), then:

- *next*: of the ten films that a person liked last, the share whose 20 nearest hold the film that
  they rated last (`training.coherence`), beside taste alone with its 95 % interval;
- *genres*, *people*: what a film and its 20 nearest have in common, beside two films at random;
- *seconds*, *MB*: what learning once took, and by how much the process had grown at its highest.

The last rows blend the default techniques by the weights of the site (`serving.fusion`).
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import site

site.start()

from django.core.management import call_command  # noqa: E402

from recommender.catalogue import Material  # noqa: E402
from recommender.embedders import FilmEmbedding, Unavailable, pooling, techniques  # noqa: E402
from recommender.interactions import Interactions  # noqa: E402
from recommender.models import Space  # noqa: E402
from recommender.recipe import FilmRecipe, Recipe  # noqa: E402
from recommender.serving import fusion  # noqa: E402
from recommender.serving.similar import BLEND  # noqa: E402
from recommender.training import coherence, snapshot  # noqa: E402
from recommender.training.coherence import Likeness, Question  # noqa: E402
from recommender.training.intervals import paired_interval  # noqa: E402
from recommender.training.splits import leave_last_out  # noqa: E402

Metrics = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """A technique's space, and what making it took."""

    space: str
    technique: str
    embedding: FilmEmbedding
    seconds: float
    megabytes: float


def fit(space: str, technique: str, material: Material) -> Fitted:
    """Learn once. Taste is measured by the angles of its movie vectors, as similar films are."""
    before, start = _peak(), time.perf_counter()
    if Space(space).knows_people:
        recipe = Recipe.of(technique, {})
        interactions = Interactions.build(material.ratings, recipe.weighting)
        vectors = recipe.embedder.fit(interactions).movie_vectors
        embedding = FilmEmbedding(interactions.movie_ids, pooling.normalized(vectors), "ratings")
    else:
        embedding = FilmRecipe.of(space, technique, {}).embedder.fit(material)
    return Fitted(space, technique, embedding, time.perf_counter() - start, _peak() - before)


def blended(
    embeddings: Mapping[str, FilmEmbedding],
    weights: Mapping[str, float],
    candidates: NDArray[np.int64],
) -> Likeness:
    """Likeness by several spaces at once, as the site fuses them."""
    single = {
        space: coherence.by_cosine(embedding, candidates)
        for space, embedding in embeddings.items()
        if weights.get(space, 0) > 0
    }

    def likeness(seeds: NDArray[np.int64]) -> NDArray[np.float32]:
        each = {space: like(seeds) for space, like in single.items()}
        scores = np.full((len(seeds), len(candidates)), -np.inf, dtype=np.float32)
        for row, seed in enumerate(seeds):
            own = candidates == seed
            named = {}
            for space, found in each.items():
                near = np.where(own, -np.inf, found[row])
                best = np.argpartition(-near, fusion.POOL)[: fusion.POOL]
                best = best[np.isfinite(near[best])]
                named[space] = best[np.argsort(-near[best], kind="stable")]
            places, fused = fusion.fuse(named, weights)
            scores[row, places] = fused
        return scores

    return likeness


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rows(
    question: Question, material: Material, fitted: list[Fitted]
) -> Iterator[tuple[str, Metrics, str]]:
    """Each row's name, everybody's figure (p,), and the rest of its cells."""
    for found in fitted:
        recall = question.recall(coherence.by_cosine(found.embedding, question.candidates))
        shared = coherence.coherence(found.embedding, material.films)
        yield (
            f"{found.space}: {found.technique}",
            recall,
            f"{shared.genres:.3f} / {shared.genres_at_random:.3f} |"
            f" {shared.people:.3f} / {shared.people_at_random:.3f} |"
            f" {found.seconds:.0f} | {found.megabytes:.0f}",
        )
    defaults = {found.space: found.embedding for found in reversed(fitted)}
    for space in [space for space in defaults if space != "taste"]:
        weights = {"taste": BLEND["taste"], space: BLEND[space]}
        like = blended(defaults, weights, question.candidates)
        yield f"taste + {space}", question.recall(like), "| | |"
    if len(defaults) > 1:
        like = blended(defaults, BLEND, question.candidates)
        yield "blend of all", question.recall(like), "| | |"
    yield "most popular", question.most_popular(), "| | |"


def main(arguments: argparse.Namespace) -> None:
    call_command("migrate", verbosity=0)
    call_command("import_movielens", arguments.ratings, no_progress=True)
    call_command("import_wikipedia", arguments.films, create=True, no_progress=True)
    _, material = snapshot.take_material()
    split = leave_last_out(material.ratings)
    question = Question.build(split)
    earlier = replace(material, ratings=split.training)
    fitted = []
    for space in arguments.space or Space.values:
        for technique in techniques(space):
            print(f"Learning {space} by {technique}", file=sys.stderr, flush=True)
            try:
                fitted.append(fit(space, technique, earlier))
            except Unavailable as reason:
                print(f"{technique} is left out: {reason}", file=sys.stderr)
    print(f"{len(material.films):,} films, {len(material.ratings):,} ratings;")
    print(f"{len(question.targets):,} people; a list at random holds {question.at_random():.4f}.\n")
    print("| | next: Recall@20 | beside taste | genres / random | people / random | s | MB |")
    print("|---|---|---|---|---|---|---|")
    taste: Metrics | None = None
    for name, recall, cells in _rows(question, material, fitted):
        beside = ""
        if taste is not None:
            low, high = paired_interval(recall, taste)
            beside = f"{low:+.4f} to {high:+.4f}"
        elif name.startswith("taste"):
            taste = recall
        print(f"| {name} | {recall.mean():.4f} | {beside} | {cells} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ratings", help="A folder or zip of MovieLens.")
    parser.add_argument("films", help="A folder or zip of the films of Wikipedia.")
    parser.add_argument("--space", action="append", choices=Space.values)
    main(parser.parse_args())
