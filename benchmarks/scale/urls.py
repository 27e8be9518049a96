"""The site's addresses, and the one that they are held against."""

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import include, path
from django.views.decorators.http import require_safe

from movies.models import Movie


@require_safe
def bare(request: HttpRequest, pk: int) -> JsonResponse:
    """The least that Django does for a row of the database: one query by primary key."""
    return JsonResponse({"title": get_object_or_404(Movie, pk=pk).title})


urlpatterns = [
    path("bare/<int:pk>/", bare, name="bare"),
    path("", include("recommender.config.urls")),
]
