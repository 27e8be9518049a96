"""What is each space good for? A table of all of them, measured alike.

    python -m benchmarks.spaces ml-latest-small wikipedia-movies [--space story]

Takes a folder with MovieLens files and one with the films of Wikipedia, and joins them in a
database of its own. Each technique learns without each person's last rating (`splits`), then:

- *next*: of the ten films that a person liked last, the share whose 20 nearest hold the film that
  they rated last (`training.coherence`), beside taste alone with its 95 % interval;
- *genres*, *people*: what a film and its 20 nearest have in common, beside two films at random;
- *seconds*, *MB*: processor time that learning once took, and by how much the process had grown
  at its highest.

The last rows blend the default techniques by the weights of the site (`serving.fusion`). The table
is kept below `benchmarks/results`.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, site

site.start()

from django.core.management import call_command  # noqa: E402

from movies.importers.files import files_of  # noqa: E402
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

COLUMNS = {
    "": "",
    "next: Recall@20": ".4f",
    "beside taste": "+.4f",
    "genres": ".3f",
    "genres at random": ".3f",
    "people": ".3f",
    "people at random": ".3f",
    "seconds": ".0f",
    "MB": ".0f",
}


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
    before, start = _memory_peak(anew=True), time.process_time()
    if Space(space).knows_people:
        recipe = Recipe.of(technique, {})
        interactions = Interactions.build(material.ratings, recipe.weighting)
        vectors = recipe.embedder.fit(interactions).movie_vectors
        embedding = FilmEmbedding(interactions.movie_ids, pooling.normalized(vectors), "ratings")
    else:
        embedding = FilmRecipe.of(space, technique, {}).embedder.fit(material)
    seconds, megabytes = time.process_time() - start, _memory_peak() - before
    return Fitted(space, technique, embedding, seconds, megabytes)


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


def _memory_peak(anew: bool = False) -> float:
    """The most memory that this process has had, in MB; `anew`: from now on."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(spaces: list[str]) -> dict[str, Any]:
    """The table of the spaces' techniques, for the films and ratings of the database."""
    _, material = snapshot.take_material()
    split = leave_last_out(material.ratings)
    question = Question.build(split)
    earlier = replace(material, ratings=split.training)
    fitted, notes = [], []
    for space in spaces:
        for technique in techniques(space):
            print(f"Learning {space} by {technique}", file=sys.stderr, flush=True)
            try:
                fitted.append(fit(space, technique, earlier))
            except Unavailable as reason:
                notes.append(f"{space}: {technique} is left out. {reason}")
    return {
        "title": f"Spaces: {len(material.films):,} films, {len(material.ratings):,} ratings,"
        f" {len(question.targets):,} people asked about; a list at random holds the next film for"
        f" {question.at_random():.4f}",
        "columns": COLUMNS,
        "rows": list(_rows(question, material, fitted)),
        "notes": notes,
    }


def _rows(
    question: Question, material: Material, fitted: list[Fitted]
) -> Iterator[dict[str, object]]:
    """The rows, those of taste first."""
    taste: Metrics | None = None
    for name, recall, others in _figures(question, material, fitted):
        row = {"": name, "next: Recall@20": float(recall.mean()), **others}
        if taste is not None:
            row["beside taste"] = paired_interval(recall, taste)
        elif name.startswith("taste"):
            taste = recall
        yield row


def _figures(
    question: Question, material: Material, fitted: list[Fitted]
) -> Iterator[tuple[str, Metrics, dict[str, float]]]:
    """Each row's name, everybody's recall (p,), and its other figures."""
    for found in fitted:
        shared = coherence.coherence(found.embedding, material.films)
        yield (
            f"{found.space}: {found.technique}",
            question.recall(coherence.by_cosine(found.embedding, question.candidates)),
            {
                "genres": shared.genres,
                "genres at random": shared.genres_at_random,
                "people": shared.people,
                "people at random": shared.people_at_random,
                "seconds": found.seconds,
                "MB": found.megabytes,
            },
        )
    defaults = {found.space: found.embedding for found in reversed(fitted)}
    for space in [space for space in defaults if "taste" in defaults and space != "taste"]:
        weights = {"taste": BLEND["taste"], space: BLEND[space]}
        like = blended(defaults, weights, question.candidates)
        yield f"taste + {space}", question.recall(like), {}
    if len(defaults) > 1:
        like = blended(defaults, BLEND, question.candidates)
        yield "blend of all", question.recall(like), {}
    yield "most popular", question.most_popular(), {}


def main(arguments: argparse.Namespace) -> None:
    """Fill a site of the benchmark's own, measure, print and keep the table."""
    call_command("migrate", verbosity=0)
    call_command("import_movielens", arguments.ratings, no_progress=True)
    call_command("import_wikipedia", arguments.films, create=True, no_progress=True)
    spaces = arguments.space or Space.values
    result = measure(spaces)
    print(record.tables([result]))
    part = "spaces" if len(spaces) == len(Space.values) else f"spaces: {', '.join(spaces)}"
    label = files_of(Path(arguments.ratings)).label
    record.keep(f"{label}.spaces", part, result, record.tables)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ratings", help="A folder or zip of MovieLens.")
    parser.add_argument("films", help="A folder or zip of the films of Wikipedia.")
    parser.add_argument("--space", action="append", choices=Space.values)
    main(parser.parse_args())
