"""The catalogue's pages: browse, search, a film, a person, a poster."""

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from django.views.decorators.vary import vary_on_headers

from movies import posters, sharing
from movies.forms import BrowseForm, FilterForm
from movies.models import Credit, Movie, Person
from movies.search import find

PAGE_SIZE = 48
MAX_QUERY = 200
POSTER_SECONDS = 24 * 60 * 60


def with_parameters(parameters: QueryDict, **changes: object) -> str:
    """Return the query string with some values changed, and without the empty ones."""
    kept = {name: value for name, value in parameters.items() if value}
    kept |= {name: str(value) for name, value in changes.items()}
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in kept.items() if value})
    return f"?{query.urlencode()}"


def page_number(parameters: QueryDict, last: int) -> int:
    """Return the page asked for, 1 to `last`; what is no number is the first."""
    page = parameters.get("page", "")
    return min(max(int(page), 1), last) if page.isascii() and page.isdigit() else 1


def page_of(request: HttpRequest, movies: QuerySet[Movie]) -> Page:
    return Paginator(movies, PAGE_SIZE).get_page(request.GET.get("page"))


def next_url(request: HttpRequest, page: Page) -> str:
    """Return the address of the page after this one, or nothing at the end."""
    if not page.has_next():
        return ""
    return request.path + with_parameters(request.GET, page=page.next_page_number())


def filter_chips(request: HttpRequest, form: FilterForm) -> list[dict[str, str]]:
    """Return each filter that holds with the address at which it does not."""
    return [
        {"text": text, "url": request.path + with_parameters(request.GET, page="", **{name: ""})}
        for name, text in form.chosen()
    ]


def answer_filtered(
    request: HttpRequest, context: dict[str, object], *, whole: str, results: str, more: str
) -> HttpResponse:
    """Answer with the whole page, or what htmx asks for: new results, or more of the same."""
    if not request.htmx:
        return render(request, whole, context)
    if request.htmx.target == "more":
        return render(request, more, context)
    response = render(request, results, context)
    response["HX-Push-Url"] = request.path + with_parameters(request.GET, page="")
    return response


@require_safe
@vary_on_headers("HX-Request")
def browse(request: HttpRequest) -> HttpResponse:
    """The whole catalogue; filters and order stand in the address."""
    form = BrowseForm(request.GET)
    form.is_valid()
    page = page_of(request, form.narrow(Movie.objects.all()))
    context = {
        "form": form,
        "page": page,
        "movies": page.object_list,
        "next_url": next_url(request, page),
        "chips": filter_chips(request, form),
    }
    return answer_filtered(
        request,
        context,
        whole="movies/browse.html",
        results="movies/_results.html",
        more="movies/_grid_items.html",
    )


def query_of(request: HttpRequest) -> str:
    """Return what the address asks to search for."""
    return " ".join(request.GET.get("q", "").split())[:MAX_QUERY]


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Films and people by name, beneath the search box."""
    query = query_of(request)
    found = find(query, films=6, people=3)
    context = {
        "query": query,
        "found": found,
        # Title and name alone rarely take as many words.
        "asks_for_meaning": len(query.split()) > (2 if found else 1),
    }
    return render(request, "movies/_suggestions.html", context)


@require_safe
def detail(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """A film's page, at its own address: an old or missing slug is sent there, query and all."""
    movie = get_object_or_404(Movie.objects.with_genres().with_credits(), pk=pk)
    address = movie.get_absolute_url()
    if request.path != address:
        query = request.META["QUERY_STRING"]
        return redirect(f"{address}?{query}" if query else address, permanent=True)
    image = request.build_absolute_uri(reverse("movies:card", args=[movie.pk]))
    context = {
        "movie": movie,
        "card_url": image,
        "structured": sharing.structured_data(movie, request.build_absolute_uri(address), image),
    }
    return render(request, "movies/detail.html", context)


@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """The films that a person directed or plays in."""
    person = get_object_or_404(Person, pk=pk)
    titles = {Credit.Role.DIRECTOR: "Directed", Credit.Role.CAST: "Played in"}
    filmography = [
        (title, movies)
        for role, title in titles.items()
        if (movies := list(Movie.objects.credited_to(person, role).in_order("newest")))
    ]
    context = {"person": person, "filmography": filmography}
    return render(request, "movies/person.html", context)


def _poster_etag(request: HttpRequest, pk: int) -> str | None:
    movie = Movie.objects.with_genres().filter(pk=pk).first()
    request.movie = movie
    return posters.etag(movie) if movie else None


@require_safe
@cache_control(public=True, max_age=POSTER_SECONDS, stale_while_revalidate=30 * POSTER_SECONDS)
@condition(etag_func=_poster_etag)
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """The film's drawn poster."""
    if request.movie is None:
        raise Http404
    return HttpResponse(posters.draw(request.movie), content_type="image/svg+xml")


@require_safe
@cache_control(public=True, max_age=POSTER_SECONDS)
@condition(etag_func=_poster_etag)
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture that goes with a link to the film where that is shared."""
    if request.movie is None:
        raise Http404
    return HttpResponse(sharing.card(request.movie), content_type="image/png")
