"""A run's flat parameters, taken apart into the weighting's and the embedder's."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from recommender.embedders import EMBEDDERS, Embedder
from recommender.interactions import Weighting


@dataclass(frozen=True)
class Recipe:
    """How ratings become vectors: a weighting and an embedder, both with their settings."""

    weighting: Weighting
    embedder: Embedder

    @classmethod
    def of(cls, embedder: str, parameters: Mapping[str, object]) -> Self:
        """Read parameters as typed into a form or kept in JSON; absent ones keep defaults.

        Raises:
            ValueError: the message begins with the name of the wrong field.
        """
        if embedder not in EMBEDDERS:
            raise ValueError(f"embedder: there is no {embedder!r}")
        names = {field.name for field in fields(Weighting)}
        weighting = {name: value for name, value in parameters.items() if name in names}
        settings = {name: value for name, value in parameters.items() if name not in names}
        return cls(Weighting.from_dict(weighting), EMBEDDERS[embedder].from_dict(settings))

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters, defaults included: `of` reads them back."""
        return self.weighting.to_dict() | self.embedder.settings.to_dict()
