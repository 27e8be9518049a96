"""What a person would give to films, in templates."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template import Context

from movies.models import Movie
from recommender.serving.stars import Prediction
from recommender.serving.stars import predicted_stars as predict

register = template.Library()


@register.simple_tag(takes_context=True)
def predicted_stars(context: Context, items: Iterable[Any]) -> dict[int, Prediction]:
    """`{% predicted_stars movies as predictions %}`: for movies, or for entries of a list of them.

    One call a page, before the films are shown; see `prediction_from`.
    """
    return predict(context["request"].user, [getattr(item, "movie", item) for item in items])


@register.filter
def prediction_from(movie: Movie, predictions: dict[int, Prediction]) -> Prediction | None:
    """`{{ movie|prediction_from:predictions }}`: None where nothing honest can be said."""
    return predictions.get(movie.pk)
