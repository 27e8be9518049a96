"""The pages that know the person: home, recommendations, films like a film, and why."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from movies.forms import FilterForm
from movies.models import Movie
from movies.views import answer_filtered, filter_chips, with_parameters
from recommender.serving.recommend import Filters, Recommendation, explain, recommend, similar
from recommender.serving.shelves import home_shelves
from recommender.serving.welcome import films_to_rate
from users.models import User

PAGE_SIZE = 20
# Nobody reads further, and each page asks for all the films before it.
LAST_PAGE = 10
FEW_RATINGS, TO_RATE = 3, 20
SIMILAR_ON_SHELF, SIMILAR_ON_PAGE = 14, 48


@require_safe
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    """The shelves; htmx fetches them again after a rating."""
    context = {"shelves": home_shelves(request.user)}
    if request.htmx:
        return render(request, "recommender/_shelves.html", context)
    if missing := max(0, FEW_RATINGS - _rated(request.user)):
        context |= {"missing": missing, "to_rate": _to_rate(request.user)}
    return render(request, "recommender/home.html", context)


@require_safe
@vary_on_headers("HX-Request")
def recommendations(request: HttpRequest) -> HttpResponse:
    """What the person would like best, page by page, within a genre and years if they wish."""
    form = FilterForm(request.GET)
    form.is_valid()
    number = _page_number(request)
    found, has_next = _page_of_recommendations(request.user, form, number)
    next_url = with_parameters(request.GET, page=number + 1) if has_next else ""
    context = {
        "form": form,
        "found": found,
        "number": number,
        "movies": [recommendation.movie for recommendation in found],
        "is_personal": any(recommendation.is_personal for recommendation in found),
        "chips": filter_chips(request, form),
        "next_url": next_url and request.path + next_url,
    }
    return answer_filtered(
        request,
        context,
        whole="recommender/recommendations.html",
        results="recommender/_recommended.html",
        more="recommender/_recommended_items.html",
    )


@require_safe
@vary_on_headers("HX-Request")
def similar_to(request: HttpRequest, pk: int) -> HttpResponse:
    """The films nearest to a film: a shelf for the film's page, or a page of their own."""
    movie = get_object_or_404(Movie, pk=pk)
    if request.htmx:
        movies = similar(movie, SIMILAR_ON_SHELF, request.user)
        return render(request, "recommender/_similar.html", {"movie": movie, "movies": movies})
    movies = similar(movie, SIMILAR_ON_PAGE, request.user)
    return render(request, "recommender/similar.html", {"film": movie, "movies": movies})


@require_safe
@vary_on_headers("HX-Request")
def why(request: HttpRequest, pk: int) -> HttpResponse:
    """The person's own ratings that speak for a film."""
    movie = get_object_or_404(Movie, pk=pk)
    person = request.user
    reasons = explain(person, [movie])[movie.pk] if isinstance(person, User) else []
    context = {"film": movie, "reasons": reasons}
    template = "recommender/_why.html" if request.htmx else "recommender/why.html"
    return render(request, template, context)


def _rated(person: User | AnonymousUser) -> int:
    return len(person.stars) if isinstance(person, User) else 0


def _to_rate(person: User | AnonymousUser) -> list[Movie]:
    return films_to_rate(person, TO_RATE) if isinstance(person, User) else []


def _page_number(request: HttpRequest) -> int:
    """Return the page asked for, 1 to LAST_PAGE; what is no number is the first."""
    page = request.GET.get("page", "")
    return min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() else 1


def _page_of_recommendations(
    person: User | AnonymousUser, form: FilterForm, number: int
) -> tuple[list[Recommendation], bool]:
    """Return the page's recommendations, and whether there is a page after it."""
    first_year, last_year = form.years
    filters = Filters(genre=form.genre_slug, first_year=first_year, last_year=last_year)
    found = recommend(person, number * PAGE_SIZE + 1, filters)
    start, end = (number - 1) * PAGE_SIZE, number * PAGE_SIZE
    return found[start:end], len(found) > end and number < LAST_PAGE
