"""A version's figures beside those of the live version and of the most popular films.

`figures` sets stored figures side by side, each measured on the ratings of its day. `same_ratings`
is what the release gate measured: everything on the same people's held-out ratings.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from recommender.models import ModelVersion, Space

METRICS = {"ndcg@20": "NDCG@20", "recall@20": "Recall@20", "coverage@20": "Coverage@20"}
FILM_METRICS = {
    "recall@20": "Recall@20",
    "genres@20": "Genres in common",
    "people@20": "Somebody in common",
}
"""Of spaces that know films alone; see `training.coherence`."""


@dataclass(frozen=True)
class Figure:
    """One metric of one version. Changes are in percent, None where there is nothing to compare."""

    label: str
    value: float | None
    against_live: float | None
    against_popular: float | None

    @property
    def direction(self) -> str:
        """Where it went from the live version's, as far as one decimal place of a percent tells."""
        change = round(self.against_live or 0, 1)
        return "up" if change > 0 else "down" if change < 0 else "same"


@dataclass(frozen=True)
class Row:
    """A version and its figures, in the order of its space's metrics."""

    version: ModelVersion
    figures: list[Figure]


@dataclass(frozen=True)
class Beside:
    """The figures of a version and of another, on the ratings that the version was judged by."""

    label: str
    own: float
    """The version's."""
    value: float
    change: float | None
    """How much more the version has, in percent; None where the other has nothing."""
    low: float
    """Lower end of the 95 % interval of version − other."""
    high: float
    people: int

    @property
    def direction(self) -> str:
        """Whether the version is better or worse, or whether chance would explain it."""
        return "up" if self.low > 0 else "down" if self.high < 0 else "same"


def metrics(space: str) -> dict[str, str]:
    """Return what the versions of a space are judged by, and its names for people."""
    return METRICS if Space(space).knows_people else FILM_METRICS


def same_ratings(version: ModelVersion) -> list[Beside]:
    """Return what the version was compared with before it went live, on the same ratings."""
    live = version.comparison.get("live")
    compared = {
        "against_live": f"By the recipe of version {live}, live then",
        "against_popular": "Most popular",
    }
    return [
        Beside(
            label,
            measured["new"],
            measured["other"],
            _change(measured["new"], measured["other"]),
            measured["low"],
            measured["high"],
            measured["people"],
        )
        for name, label in compared.items()
        if (measured := version.comparison.get(name))
    ]


def rows(versions: Iterable[ModelVersion], live: ModelVersion | None) -> list[Row]:
    """Return every version beside the live one."""
    return [Row(version, figures(version, live)) for version in versions]


def figures(version: ModelVersion, live: ModelVersion | None) -> list[Figure]:
    """Return the version's figures. They compare fairly where the ratings were much the same."""
    other = live if live and live.pk != version.pk else None
    return [
        Figure(
            label,
            _metric(version, "model", name),
            _change(_metric(version, "model", name), other and _metric(other, "model", name)),
            _change(_metric(version, "model", name), _metric(version, "most_popular", name)),
        )
        for name, label in metrics(version.space).items()
    ]


def _metric(version: ModelVersion, of: str, name: str) -> float | None:
    value = version.metrics.get(of, {}).get(name)
    return None if value is None else float(value)


def _change(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else 100 * (value / base - 1)
