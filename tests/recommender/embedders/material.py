"""Small catalogues whose films go together in ways that are known."""

import numpy as np

from recommender.catalogue import Credited, Films, Material, Tagged
from recommender.interactions import Ratings

SPACE = (
    "An astronaut drifts through outer space after her rocket fails.",
    "The crew of a rocket to Mars loses contact with Earth in outer space.",
    "Astronauts land on a distant planet and find an alien crew.",
    "A pilot flies a rocket to the moon against the orders from Earth.",
)
WEDDINGS = (
    "A bride falls in love with the best man before her wedding.",
    "Two families quarrel over a wedding until the bride runs away.",
    "A wedding planner falls in love with the groom.",
    "The groom is late, the bride is in love, and the wedding must go on.",
)


def films(
    overviews: tuple[str, ...],
    genres: tuple[tuple[str, ...], ...] | None = None,
    people: tuple[tuple[str, ...], ...] | None = None,
    tags: tuple[tuple[Tagged, ...], ...] | None = None,
) -> Films:
    """Films of these overviews, with ids 10, 20, ... in their order; the first person directs."""
    count = len(overviews)
    casts = people or ((),) * count
    ids = {name: number for number, name in enumerate(sorted({n for c in casts for n in c}), 1)}
    return Films(
        movie_ids=10 * np.arange(1, count + 1),
        titles=[f"Film {number}" for number in range(1, count + 1)],
        years=[2000] * count,
        genres=list(genres or ((),) * count),
        overviews=list(overviews),
        credits=[
            tuple(
                Credited(ids[name], name, "cast" if place else "director")
                for place, name in enumerate(names)
            )
            for names in casts
        ],
        tags=list(tags or ((),) * count),
    )


def ratings(sessions: list[list[int]], values: list[list[int]] | None = None) -> Ratings:
    """One person a session, who rated these films in their order, a minute apart."""
    lengths = [len(session) for session in sessions]
    return Ratings(
        user_ids=np.repeat(np.arange(1, len(sessions) + 1), lengths),
        movie_ids=np.concatenate([*map(np.array, sessions), np.empty(0)]).astype(np.int64),
        values=np.concatenate(values) if values else np.full(sum(lengths), 8),
        rated_at=np.concatenate([np.arange(length) for length in lengths] or [[]]) * 60_000_000,
    )


def told() -> Material:
    """Four films of space and four of weddings, which nobody rated."""
    return Material(films(SPACE + WEDDINGS), ratings([]))


def groups_apart(vectors: np.ndarray) -> float:
    """How much nearer the first half and the second half (n, d) are within than across."""
    half = len(vectors) // 2
    likeness = vectors @ vectors.T
    pairs = np.triu_indices(half, 1)
    within = np.concatenate([likeness[:half, :half][pairs], likeness[half:, half:][pairs]])
    return float(within.mean() - likeness[:half, half:].mean())
