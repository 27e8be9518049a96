"""The pages that know the person: recommendations, films like a film, and why."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url, trigger_client_event

from movies.forms import FilterForm
from movies.models import Movie
from movies.views import answer_filtered, filter_chips, page_number, with_parameters
from recommender.likeness import LikenessForm
from recommender.models import MapPlace
from recommender.serving.recommend import Filters, Recommendation, explain, recommend
from recommender.serving.similar import places, similar
from recommender.serving.stars import predicted_stars
from users.dials import NAMES, NEUTRAL, Dials
from users.forms import DialsForm
from users.models import User
from users.navigation import next_page

PAGE_SIZE = 20
# Nobody reads further, and each page asks for all the films before it.
LAST_PAGE = 10
SIMILAR_ON_SHELF, SIMILAR_ON_PAGE = 14, 48


@require_safe
@vary_on_headers("HX-Request")
def recommendations(request: HttpRequest) -> HttpResponse:
    """What the person would like best, page by page, within a genre and years if they wish.

    The dials are the person's own, or those that the address carries, which are not kept.
    """
    form = FilterForm(request.GET)
    form.is_valid()
    number = page_number(request.GET, LAST_PAGE)
    turned = _dials_of_address(request)
    dials = _own_dials(request.user) if turned is None else turned
    found, has_next = _page_of_recommendations(request.user, form, number, dials)
    next_url = with_parameters(request.GET, page=number + 1) if has_next else ""
    context = {
        "form": form,
        "found": found,
        "number": number,
        "movies": [recommendation.movie for recommendation in found],
        "is_personal": any(recommendation.is_personal for recommendation in found),
        "chips": filter_chips(request, form),
        "next_url": next_url and request.path + next_url,
        "has_dials": _rated(request.user) > 0,
        "dials": dials,
        "dials_form": DialsForm(dials=dials),
        "is_linked": turned is not None,
        **_dial_links(request, dials),
    }
    return answer_filtered(
        request,
        context,
        whole="recommender/recommendations.html",
        results="recommender/_recommended.html",
        more="recommender/_recommended_items.html",
    )


@login_required
@require_POST
def turn_dials(request: HttpRequest) -> HttpResponse:
    """Keep the dials as they were turned, or `reset` them; htmx then asks for the list again."""
    person = cast(User, request.user)
    form = DialsForm(request.POST, dials=person.dials)
    if "reset" in request.POST:
        person.keep_dials(NEUTRAL)
    elif form.is_valid():
        person.keep_dials(form.dials)
    if request.htmx:
        status = 204 if form.is_valid() else 422
        return trigger_client_event(HttpResponse(status=status), "turned", {})
    return redirect(next_page(request, default=resolve_url("recommender:recommendations")))


@require_safe
@vary_on_headers("HX-Request")
def similar_to(request: HttpRequest, pk: int) -> HttpResponse:
    """The films nearest to a film: a shelf for the film's page, or a page of their own.

    The address says by what: `space=story` and so on, or a weight for each space to blend.
    """
    movie = get_object_or_404(Movie, pk=pk)
    known = places(movie)
    form = LikenessForm(request.GET, known)
    k = SIMILAR_ON_SHELF if request.htmx else SIMILAR_ON_PAGE
    movies = similar(movie, k, request.user, form.weights, known)
    is_on_map = MapPlace.objects.shown().filter(movie=movie).exists()
    context = {"film": movie, "movies": movies, "likeness": form, "is_on_map": is_on_map}
    if not request.htmx:
        return render(request, "recommender/similar.html", context)
    response = render(request, "recommender/_similar.html", context)
    if not form.query:
        return response
    # The film's page stays as it was turned while one goes back and forth.
    return replace_url(response, f"{movie.get_absolute_url()}?{form.query}")


@require_safe
@vary_on_headers("HX-Request")
def why(request: HttpRequest, pk: int) -> HttpResponse:
    """The stars that the person would give to a film, and their own ratings that speak for it."""
    movie = get_object_or_404(Movie, pk=pk)
    person = request.user
    reasons = explain(person, [movie])[movie.pk] if isinstance(person, User) else []
    prediction = predicted_stars(person, [movie]).get(movie.pk)
    context = {"film": movie, "reasons": reasons, "prediction": prediction}
    template = "recommender/_why.html" if request.htmx else "recommender/why.html"
    return render(request, template, context)


def _rated(person: User | AnonymousUser) -> int:
    return len(person.stars) if isinstance(person, User) else 0


def _own_dials(person: User | AnonymousUser) -> Dials:
    return person.dials if isinstance(person, User) else NEUTRAL


def _dials_of_address(request: HttpRequest) -> Dials | None:
    """Return the dials that the address carries, or None; what is not there is in the middle."""
    if not any(name in request.GET for name in NAMES):
        return None
    form = DialsForm(request.GET)
    form.is_valid()
    return form.dials


def _dial_links(request: HttpRequest, dials: Dials) -> dict[str, str]:
    """Return the address of this list with its dials, and that of it with the person's own."""
    bare = dict.fromkeys([*NAMES, "page"], "")
    return {
        # A dial in the middle is named too: it goes before the reader's own.
        "link": request.path + with_parameters(request.GET, **{**bare, **dials.to_dict()}),
        "own": (request.path + with_parameters(request.GET, **bare)).removesuffix("?"),
    }


def _page_of_recommendations(
    person: User | AnonymousUser, form: FilterForm, number: int, dials: Dials
) -> tuple[list[Recommendation], bool]:
    """Return the page's recommendations, and whether there is a page after it."""
    first_year, last_year = form.years
    filters = Filters(genre=form.genre_slug, first_year=first_year, last_year=last_year)
    found = recommend(person, number * PAGE_SIZE + 1, filters, dials)
    start, end = (number - 1) * PAGE_SIZE, number * PAGE_SIZE
    return found[start:end], len(found) > end and number < LAST_PAGE
