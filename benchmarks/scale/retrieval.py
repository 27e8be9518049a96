"""How much of the exact answer the index finds, and in what share of its time.

Measured on the live version of this process's database, as the site asks: it scans what filters
leave where that is little, and so may the planner.
"""

import itertools
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from benchmarks.serving import PAGE, YEARS, overlap
from movies.models import Genre
from recommender.models import ModelVersion
from recommender.serving import foldin, rerank, retrieval
from recommender.serving.retrieval import Filters, Neighbour
from users.models import User

QUESTIONS = 200


def measure(version: ModelVersion, people: Sequence[User]) -> dict[str, Any]:
    """Shares of the exact top 20 under filters, and the ratio of times without; JSON-able.

    Each question is another of the people, at most `QUESTIONS`, with another genre and years.
    """
    before = settings.EXACT_SCAN_MAX_VECTORS
    if version.vector_count <= before:
        # The index is asked even where the site would scan.
        settings.EXACT_SCAN_MAX_VECTORS = 0
    try:
        return _measure(version, people[:QUESTIONS])
    finally:
        settings.EXACT_SCAN_MAX_VECTORS = before


def _measure(version: ModelVersion, people: Sequence[User]) -> dict[str, Any]:
    slugs = [None, *Genre.objects.order_by("slug").values_list("slug", flat=True)]
    filters = [Filters(slug, *years) for slug, years in itertools.product(slugs, YEARS)]
    filters = [each for each in filters if each != Filters()]
    random.Random(0).shuffle(filters)
    lists: list[float] = []
    pools: list[float] = []
    pairs: list[tuple[float, float]] = []
    for person, chosen in zip(people, itertools.cycle(filters), strict=False):
        vector = foldin.user_vector(person, version)
        if vector is None:
            continue
        allowed = retrieval.open_to(person, chosen)
        exact = _ids(retrieval.exact(version, vector, allowed, PAGE, version.metric))
        lists.append(overlap(exact, _ids(retrieval.nearest(version, vector, allowed, PAGE))))
        pool = retrieval.pool(version, vector, allowed, rerank.WINDOW)
        pools.append(overlap(exact, pool.movie_ids[:PAGE].tolist()))
        everything = retrieval.open_to(person, Filters())
        pairs.append(
            (
                _milliseconds(
                    lambda v=vector, a=everything: retrieval.nearest(version, v, a, PAGE)
                ),
                _milliseconds(
                    lambda v=vector, a=everything: retrieval.exact(
                        version, v, a, PAGE, version.metric
                    )
                ),
            )
        )
    return {
        "films": version.vector_count,
        "questions": len(lists),
        "found": statistics.mean(lists),
        "least_found": min(lists),
        "found_by_pool": statistics.mean(pools),
        "ratio": statistics.median(one / other for one, other in pairs),
        "index": statistics.median(one for one, _ in pairs),
        "exact": statistics.median(other for _, other in pairs),
    }


def _ids(found: Sequence[Neighbour]) -> list[int]:
    return [each.movie_id for each in found]


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)
