"""A run's flat parameters, made into what follows them: an embedder, and a weighting for taste."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from recommender.embedders import EMBEDDERS, FILM_EMBEDDERS, Embedder, FilmEmbedder
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

    def sibling(self, embedder: str, parameters: Mapping[str, object]) -> Self:
        """Another recipe for the same space. Raises ValueError as `of` does."""
        return type(self).of(embedder, parameters)


@dataclass(frozen=True)
class FilmRecipe:
    """How films become vectors of a space that knows films alone."""

    space: str
    embedder: FilmEmbedder

    @classmethod
    def of(cls, space: str, embedder: str, parameters: Mapping[str, object]) -> Self:
        """As `Recipe.of`, for a space. Raises ValueError, beginning with the wrong field's name."""
        known = FILM_EMBEDDERS.get(space, {})
        if embedder not in known:
            raise ValueError(f"embedder: there is no {embedder!r} for the space {space!r}")
        return cls(space, known[embedder].from_dict(parameters))

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters, defaults included: `of` reads them back."""
        return self.embedder.settings.to_dict()

    def sibling(self, embedder: str, parameters: Mapping[str, object]) -> Self:
        """Another recipe for the same space. Raises ValueError as `of` does."""
        return type(self).of(self.space, embedder, parameters)


def read(space: str, embedder: str, parameters: Mapping[str, object]) -> Recipe | FilmRecipe:
    """The recipe for a space. Raises ValueError as `Recipe.of` does."""
    if space == "taste":
        return Recipe.of(embedder, parameters)
    return FilmRecipe.of(space, embedder, parameters)
