"""The release gate: a version that is worse than the live one does not go live by itself.

A version is judged by the figure of its space: NDCG@20 of recommendations for taste, Recall@20 of
films' neighbours for the others (`training.coherence`).

The live version's vectors have seen every rating that a new version could be judged by, so it is
its *recipe* that is put to the test: both recipes learn from the same earlier ratings and are
asked about the same people's later ones. That tells a worse recipe. Worse *data* would make both
alike worse, so the gate also looks at what fitting both again cannot see: whether the version
does better than popularity at all, and whether it knows much less than the live one.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.models import ModelVersion, Space
from recommender.recipe import FilmRecipe, Recipe
from recommender.training.intervals import paired_interval

FEWEST_PEOPLE = 10
"""Fewer people than these are told apart by chance too often for an interval to mean anything."""
DRASTIC = 0.5
"""What falls below this share of the live version's is looked at by a person."""

R = TypeVar("R", Recipe, FilmRecipe)

LABELS = {"ndcg@20": "NDCG@20", "recall@20": "Recall@20"}


@dataclass(frozen=True)
class Difference:
    """The figures of a new version and of another, over the same people's held-out ratings."""

    new: float
    other: float
    low: float
    """Lower end of the 95 % interval of new − other; see `training.intervals`."""
    high: float
    """Its upper end."""
    people: int

    @classmethod
    def between(cls, new: NDArray[np.float64], other: NDArray[np.float64]) -> "Difference | None":
        """From both figures of each person (n,) in the same order; None where there is nobody."""
        if not len(new):
            return None
        low, high = paired_interval(new, other)
        return cls(float(new.mean()), float(other.mean()), low, high, len(new))

    @property
    def is_worse(self) -> bool:
        """Whether the new version is worse, and by more than chance would explain."""
        return self.people >= FEWEST_PEOPLE and self.high < 0


@dataclass(frozen=True)
class Verdict:
    """What the gate found. What is held waits for a person; all else may go live."""

    comparison: dict[str, Any]
    """JSON-able: `live` (the version compared with, or null), `same_recipe`, `against_live` and
    `against_popular` (each a `Difference` or null), and `reasons` (a word each)."""
    sentences: list[str]
    """Why it is held, for people; empty where it is not."""


@dataclass(frozen=True)
class Rival(Generic[R]):
    """Whom a new version is compared with."""

    live: ModelVersion | None
    """The version that is live as the run begins; None before the first."""
    recipe: R | None
    """Its recipe, where that is another than the new version's and can still be followed."""
    has_same_recipe: bool


def metric(space: str) -> str:
    """Which of a version's metrics it is judged by."""
    return "ndcg@20" if Space(space).knows_people else "recall@20"


def rival(recipe: R, space: str) -> Rival[R]:
    """Return the live version of the space beside which a version of this recipe is to stand."""
    live = ModelVersion.objects.live(space)
    if live is None:
        return Rival(None, None, has_same_recipe=False)
    parameters = {name: value for name, value in live.parameters.items() if name != "fold_in"}
    try:
        other = recipe.sibling(live.embedder, parameters)
    except ValueError:  # an older release wrote settings that this one does not know
        return Rival(live, None, has_same_recipe=False)
    same_technique = type(other.embedder) is type(recipe.embedder)
    is_same = same_technique and other.parameters == recipe.parameters
    return Rival(live, None if is_same else other, is_same)


def judge(
    new: ModelVersion,
    rival: Rival[Any],
    against_live: Difference | None,
    against_popular: Difference | None = None,
) -> Verdict:
    """Say whether the version may take the live one's place without a person's decision.

    The first version always may: there is nothing that it could spoil.
    """
    live, now = rival.live, ModelVersion.objects.live(new.space)
    found = dict(_reasons(new, live, rival, against_live, against_popular)) if live else {}
    if now != live and now is not None:
        found["live_changed"] = (
            f"Version {now.pk} went live while it was trained, and it was not compared with that."
        )
    comparison = {
        "live": live.pk if live else None,
        "same_recipe": rival.has_same_recipe,
        "against_live": against_live and asdict(against_live),
        "against_popular": against_popular and asdict(against_popular),
        "reasons": list(found),
    }
    return Verdict(comparison, list(found.values()))


def _reasons(
    new: ModelVersion,
    live: ModelVersion,
    rival: Rival[Any],
    against_live: Difference | None,
    against_popular: Difference | None,
) -> Iterator[tuple[str, str]]:
    """Yield a word and a sentence for each thing that a person should look at."""
    other = f"version {live.pk}"
    if against_live and against_live.is_worse:
        beside = _beside(new, against_live)
        yield "worse", f"On the same held-out ratings it is worse than {other}: {beside}"
    if against_popular and against_popular.is_worse:
        yield "below_popular", f"It does worse than most popular: {_beside(new, against_popular)}"
    if rival.recipe is None and not rival.has_same_recipe:
        yield "not_compared", f"It could not be compared with {other}, whose settings are outdated."
    # A worse recipe explains a fall; an equal one leaves the ratings to look at.
    yield from _falls(new, live, is_explained=bool(against_live and against_live.is_worse))


def _falls(new: ModelVersion, live: ModelVersion, is_explained: bool) -> Iterator[tuple[str, str]]:
    """What fell so far below the live version's own figures that the ratings may be at fault."""
    other = f"version {live.pk}"
    before, now = _figure(live), _figure(new)
    if before is not None and now is None:
        yield "not_measured", f"Too few ratings could be held out to judge it, unlike {other}."
    elif before and now is not None and now < DRASTIC * before and not is_explained:
        had = f"less than half of the {before:.4f} that {other} had on the ratings of its day"
        yield (
            "fell",
            f"Its {_label(new)} is {now:.4f}, {had}. Have the ratings changed for the worse?",
        )
    for what, knows, knew in (
        ("films", new.movie_count, live.movie_count),
        ("people", new.user_count, live.user_count),
    ):
        if knows < DRASTIC * knew:
            had = f"less than half of the {knew:,} that {other} knows"
            yield f"fewer_{what}", f"It knows {knows:,} {what}, {had}."


def _beside(version: ModelVersion, difference: Difference) -> str:
    return (
        f"{_label(version)} {difference.new:.4f} against {difference.other:.4f} over"
        f" {difference.people:,} people, more than chance explains."
    )


def _label(version: ModelVersion) -> str:
    return LABELS[metric(version.space)]


def _figure(version: ModelVersion) -> float | None:
    value = version.metrics.get("model", {}).get(metric(version.space))
    return None if value is None else float(value)
