"""A version's figures beside those of the live version and of the most popular films."""

from collections.abc import Iterable
from dataclasses import dataclass

from recommender.models import ModelVersion

METRICS = {"ndcg@20": "NDCG@20", "recall@20": "Recall@20", "coverage@20": "Coverage@20"}


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
    """A version and its figures, in the order of `METRICS`."""

    version: ModelVersion
    figures: list[Figure]


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
        for name, label in METRICS.items()
    ]


def _metric(version: ModelVersion, of: str, name: str) -> float | None:
    value = version.metrics.get(of, {}).get(name)
    return None if value is None else float(value)


def _change(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else 100 * (value / base - 1)
