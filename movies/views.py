"""The catalogue's pages: browse, search, a film, a person, a poster."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from django.views.decorators.vary import vary_on_headers

from movies import posters, sharing
from movies.forms import BrowseForm, FilterForm
from movies.models import Credit, Movie, Person, leading_credits
from movies.search import find

PAGE_SIZE = 48
# So many pages at most are shown at once to those who come back.
MOST_PAGES = 10
MAX_QUERY = 200
BEST_KNOWN = 6
POSTER_SECONDS = 24 * 60 * 60


def with_parameters(parameters: QueryDict, **changes: object) -> str:
    """Return the query string with some values changed, and without the empty ones."""
    query = QueryDict(mutable=True)
    for name, values in parameters.lists():
        if name not in changes:
            query.setlist(name, [value for value in values if value])
    query.update({name: str(value) for name, value in changes.items() if str(value)})
    return f"?{query.urlencode()}"


def page_number(parameters: QueryDict, last: int) -> int:
    """Return the page asked for, 1 to `last`; what is no number is the first."""
    page = parameters.get("page", "")
    return min(max(int(page), 1), last) if page.isascii() and page.isdigit() else 1


@dataclass(frozen=True)
class Stretch:
    """The pages that one address shows: one, or all that was scrolled through."""

    first: Page
    last: Page
    movies: list[Movie]


def stretch_of(request: HttpRequest, movies: QuerySet[Movie]) -> Stretch:
    """Return the page that the address asks for and those after it up to `through`."""
    paginator = Paginator(movies, PAGE_SIZE)
    first = paginator.get_page(request.GET.get("page"))
    through = request.GET.get("through", "")
    last = paginator.get_page(through if through.isascii() and through.isdigit() else first.number)
    if last.number < first.number:
        last = first
    if request.htmx.target == "more":
        first = last
    elif last.number - first.number >= MOST_PAGES:
        first = paginator.get_page(last.number - MOST_PAGES + 1)
    shown = movies[(first.number - 1) * PAGE_SIZE : last.number * PAGE_SIZE]
    return Stretch(first, last, list(shown))


def next_urls(request: HttpRequest, last: Page) -> dict[str, str]:
    """Return the addresses of the page after this one, and of that one beneath those shown."""
    if not last.has_next():
        return {"next_url": "", "more_url": ""}
    number = last.next_page_number()
    return {
        "next_url": request.path + with_parameters(request.GET, page=number, through=""),
        "more_url": request.path + with_parameters(request.GET, through=number),
    }


def filter_chips(request: HttpRequest, form: FilterForm) -> list[dict[str, str]]:
    """Return each filter that holds with the address at which it does not."""
    return [
        {"text": text, "url": request.path + without_filter(request.GET, name, value)}
        for name, value, text in form.chosen()
    ]


def without_filter(parameters: QueryDict, name: str, value: str | None) -> str:
    """Return the query string of the first page without a filter, or without one of its values."""
    query = parameters.copy()
    others = [other for other in query.getlist(name) if other != value]
    query.setlist(name, [] if value is None else others)
    return with_parameters(query, page="", through="")


def answer_filtered(
    request: HttpRequest, context: dict[str, object], *, whole: str, results: str, more: str
) -> HttpResponse:
    """Answer with the whole page, or what htmx asks for: new results, or more of the same."""
    if not request.htmx:
        return render(request, whole, context)
    if request.htmx.target == "more":
        return render(request, more, context)
    response = render(request, results, context)
    response["HX-Push-Url"] = request.path + with_parameters(request.GET, page="", through="")
    return response


@require_safe
@vary_on_headers("HX-Request")
def browse(request: HttpRequest) -> HttpResponse:
    """The whole catalogue; filters and order stand in the address, and how far one has scrolled."""
    form = BrowseForm(request.GET, person_id=request.user.pk)
    form.is_valid()
    stretch = stretch_of(request, form.narrow(Movie.objects.all()))
    context = {
        "form": form,
        "page": stretch.first,
        "movies": stretch.movies,
        "chips": filter_chips(request, form),
        "looser": [] if stretch.movies else looser(request, form),
        **next_urls(request, stretch.last),
    }
    response = answer_filtered(
        request,
        context,
        whole="movies/browse.html",
        results="movies/_results.html",
        more="movies/_grid_items.html",
    )
    if request.htmx.target == "more":
        # Whoever comes back to this address finds all that they had scrolled through.
        response["HX-Replace-Url"] = request.get_full_path()
    return response


def looser(request: HttpRequest, form: BrowseForm) -> list[dict[str, object]]:
    """Return, for each filter that holds, how many films there are without it, and where."""
    found = []
    for name, value, text in form.chosen():
        query = without_filter(request.GET, name, value)
        other = BrowseForm(QueryDict(query.removeprefix("?")), person_id=form.person_id)
        other.is_valid()
        count = other.narrow(Movie.objects.all()).count()
        found.append({"text": text, "url": request.path + query, "count": count})
    return sorted((each for each in found if each["count"]), key=lambda each: -each["count"])


def query_of(request: HttpRequest) -> str:
    """Return what the address asks to search for."""
    return " ".join(request.GET.get("q", "").split())[:MAX_QUERY]


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Films and people by name, beneath the search box."""
    query = query_of(request)
    found = find(query, films=6, people=3)
    prefetch_related_objects(found.movies, leading_credits())
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
    films = {movie.pk: movie for _, movies in filmography for movie in movies}.values()
    years = [movie.year for movie in films if movie.year]
    by_renown = sorted(films, key=lambda movie: -movie.rating_count)
    context = {
        "person": person,
        "filmography": filmography,
        "film_count": len(films),
        "first_year": min(years, default=None),
        "last_year": max(years, default=None),
        # Of a few films, all are seen at once.
        "best_known": by_renown[:BEST_KNOWN] if len(films) > 2 * BEST_KNOWN else [],
    }
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
