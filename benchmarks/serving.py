"""Does the site answer as the model would? Measured on the live version of this database.

    python -m benchmarks.serving [--people 200]

Two questions. Do the vector that training wrote and the one that is folded in give the same top
20? And does retrieval give full pages, equal to an exact scan's, under every combination of
filters, when the HNSW index answers it?
"""

import argparse
import itertools
import os
import sys
from collections.abc import Sequence

import django
import numpy as np

from recommender.config import stack

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
stack.provide()
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from movies.models import Genre  # noqa: E402
from recommender.models import ModelVersion, UserVector  # noqa: E402
from recommender.serving import foldin, retrieval  # noqa: E402
from users.models import User  # noqa: E402

PAGE = 20
YEARS = [(None, None), (1980, None), (None, 1979), (1990, 1999), (2010, 2016)]


def overlap(first: Sequence[int], second: Sequence[int]) -> float:
    """The share of the first list that stands in the second, 1 where the first is empty."""
    return len(set(first) & set(second)) / len(first) if first else 1.0


def live_version() -> ModelVersion:
    version = ModelVersion.objects.live()
    if version is None:
        raise SystemExit("There is no live model: train one first.")
    return version


def fold_in_agreement(people: int) -> None:
    version = live_version()
    trained = UserVector.objects.filter(
        version=version, user__in=_people(version, people)
    ).select_related("user")
    fold_in = foldin.model_of(version).fold_in
    shared = []
    for stored in trained:
        rated = foldin.rated_movies(stored.user, version).rated
        folded = fold_in.vector(rated)
        allowed = retrieval.candidates(stored.user, retrieval.Filters())
        pages = [
            [found.movie_id for found in retrieval.nearest(version, vector, allowed, PAGE)]
            for vector in (np.array(stored.vector, dtype=np.float32), folded)
        ]
        shared.append(overlap(*pages))
    print(f"Trained and folded-in top {PAGE} of {len(shared)} people: {np.mean(shared):.4f} shared")


def index_agreement(people: int) -> None:
    # The index is asked even where a scan would do, and where the planner would rather scan.
    settings.EXACT_SCAN_MAX_VECTORS = 0
    with connection.cursor() as cursor:
        cursor.execute("SET enable_sort = off")
    version = live_version()
    slugs = [None, *Genre.objects.values_list("slug", flat=True)]
    recalls, short = [], 0
    combinations = list(itertools.product(slugs, YEARS))
    for (genre, years), person in itertools.product(combinations, _people(version, people)):
        allowed = retrieval.candidates(person, retrieval.Filters(genre, *years))
        vector = foldin.user_vector(person, version)
        found = retrieval.nearest(version, vector, allowed, PAGE)
        exact = retrieval.exact(version, vector, allowed, PAGE, version.metric)
        short += len(found) < len(exact)
        recalls.append(
            overlap([each.movie_id for each in exact], [each.movie_id for each in found])
        )
    print(
        f"{len(combinations)} combinations of filters, {len(recalls)} pages: {short} short;"
        f" {np.mean(recalls):.4f} of the exact top {PAGE} found, {np.min(recalls):.2f} at the least"
    )


def _people(version: ModelVersion, most: int) -> list[User]:
    return list(User.objects.filter(vectors__version=version).order_by("pk")[:most])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--people", type=int, default=200)
    options = parser.parse_args(arguments)
    fold_in_agreement(options.people)
    index_agreement(max(1, options.people // 20))
    return 0


if __name__ == "__main__":
    sys.exit(main())
