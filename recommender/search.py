"""The search page, and what a description means as it is typed."""

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from movies.models import leading_credits
from movies.views import query_of
from recommender.serving.finding import Answer, find

ON_PAGE, PEOPLE_ON_PAGE = 60, 12
SUGGESTED = 6


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Films by title and by what they are about, and people by name."""
    query = query_of(request)
    found = find(query, ON_PAGE, PEOPLE_ON_PAGE, request.GET.getlist("plain"))
    context = {"query": query, "found": found, "chips": _chips(request, found)}
    return render(request, "recommender/search.html", context)


@require_safe
def meaning(request: HttpRequest) -> HttpResponse:
    """Films by what they are about, beneath those that the box suggests by their titles."""
    query = query_of(request)
    found = find(query, SUGGESTED, people=0)
    movies = [movie for movie in found.films if movie.pk not in found.by_title]
    prefetch_related_objects(movies, leading_credits())
    context = {"query": query, "movies": movies, "conditions": found.conditions}
    return render(request, "recommender/_meaning.html", context)


def _chips(request: HttpRequest, found: Answer) -> list[dict[str, str]]:
    """Return each condition with the address at which its words are plain words."""
    chips = []
    for condition in found.conditions:
        parameters = QueryDict(request.GET.urlencode(), mutable=True)
        parameters.appendlist("plain", condition.key)
        chips.append({"text": condition.label, "url": f"?{parameters.urlencode()}"})
    return chips
