"""Which settings tuning may change, and how a point of the unit cube becomes settings."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, get_type_hints

from recommender.parameters import Search
from recommender.recipe import Recipe

_DIGITS = 3
"""Digits of a value that tuning tries, or of its range: more are noise, and hard to read."""


@dataclass(frozen=True)
class Dimension:
    """One setting that is searched."""

    name: str
    search: Search
    low: float
    """The setting's own bounds, which hold whatever is searched."""
    high: float
    is_whole: bool

    def value(self, place: float, unit: float) -> float:
        """The setting at `place` in 0..1 of the range, whose bounds are multiples of `unit`."""
        low, high = (self._straighten(bound) for bound in (self.search.low, self.search.high))
        bent = low + place * (high - low)
        value = unit * (math.exp(bent) if self.search.log else bent)
        return min(max(self._rounded(value), self.low), self.high)

    def place(self, value: float, unit: float) -> float:
        """Where in 0..1 the value lies; what is outside the range is put at its end."""
        low, high = (self._straighten(bound) for bound in (self.search.low, self.search.high))
        multiple = value / unit
        if self.search.log:
            multiple = max(multiple, self.search.low)
        return min(max((self._straighten(multiple) - low) / (high - low), 0.0), 1.0)

    def _rounded(self, value: float) -> float:
        if self.is_whole:
            return round(value)
        if self.search.log:
            return float(f"{value:.{_DIGITS}g}")
        span = self.search.high - self.search.low
        return round(value, _DIGITS - 1 - math.floor(math.log10(span)))

    def _straighten(self, multiple: float) -> float:
        return math.log(multiple) if self.search.log else multiple


@dataclass(frozen=True)
class SearchSpace:
    """What may be tried of one embedder: every setting that was declared with a `Search`."""

    embedder: str
    defaults: dict[str, float]
    """All settings, as they are without tuning."""
    dimensions: tuple[Dimension, ...]
    """Those that stand on their own first, then those that move with others."""

    @classmethod
    def of(cls, embedder: str, defaults: Mapping[str, object] | None = None) -> Self:
        """The space of an embedder, with these defaults instead of its own where given.

        Raises ValueError naming a wrong default, as `Recipe.of` does.
        """
        recipe = Recipe.of(embedder, defaults or {})
        found = [*_dimensions(recipe.weighting), *_dimensions(recipe.embedder.settings)]
        found.sort(key=lambda dimension: dimension.search.scale is not None)
        return cls(embedder, recipe.parameters, tuple(found))

    def parameters(self, point: Mapping[str, float]) -> dict[str, float]:
        """All settings at a point: a place in 0..1 for each dimension, by name."""
        values = dict(self.defaults)
        for dimension in self.dimensions:
            unit = self._unit(dimension, values)
            values[dimension.name] = dimension.value(point[dimension.name], unit)
        return values

    def point(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """The point of these settings; `parameters` gives them back, up to its rounding."""
        return {
            dimension.name: dimension.place(
                parameters[dimension.name], self._unit(dimension, parameters)
            )
            for dimension in self.dimensions
        }

    def landmarks(self) -> list[dict[str, float]]:
        """The defaults with every setting's first landmark in their place, then its second, ..."""
        known = {d.name: d.search.landmarks for d in self.dimensions if d.search.landmarks}
        found = []
        for place in range(max(map(len, known.values()), default=0)):
            values = {name: marks[min(place, len(marks) - 1)] for name, marks in known.items()}
            found.append(self.parameters(self.point({**self.defaults, **values})))
        return found

    def glance(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """The settings with less effort, for a first look at what they are worth."""
        cheaper = dict(parameters)
        for dimension in self.dimensions:
            if dimension.search.glance is not None:
                cheaper[dimension.name] = min(cheaper[dimension.name], dimension.search.glance)
        return cheaper

    def describe(self) -> dict[str, list[float]]:
        """The ranges by name, JSON-able: two spaces that describe alike can share their trials."""
        return {d.name: [d.search.low, d.search.high] for d in self.dimensions}

    def _unit(self, dimension: Dimension, values: Mapping[str, float]) -> float:
        """What the bounds of the dimension's range are multiples of, beside these values."""
        scale = dimension.search.scale
        if scale is None:
            return 1.0
        return self.defaults[dimension.name] * scale(values) / scale(self.defaults)


def _dimensions(settings: Any) -> Iterator[Dimension]:
    """The searched fields of a dataclass of `number` fields."""
    kinds = get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        if search := field.metadata["search"]:
            low, high = field.metadata["low"], field.metadata["high"]
            yield Dimension(field.name, search, low, high, kinds[field.name] is int)
