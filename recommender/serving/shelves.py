"""The home page's shelves: a handful of lists that each say why they are there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode

from movies.models import Genre, Movie
from recommender.serving import popular
from recommender.serving.recommend import Filters, recommend
from recommender.serving.retrieval import candidates
from recommender.serving.similar import similar
from users.models import Rating, User

SHELF_LENGTH = 20
SHORTEST_SHELF = 4
# What is not among the most rated twentieth of the films is not on everyone's lips.
WELL_KNOWN_SHARE = 0.05
LIKED_HALF_STARS = 8


@dataclass(frozen=True)
class Shelf:
    """A titled list of movies."""

    key: str
    """Names the shelf in addresses and in the page."""
    title: str
    why: str
    """Why it is there, in a sentence."""
    movies: list[Movie]
    link: str = ""
    """Where more of the same is, if anywhere."""


def home_shelves(person: User | AnonymousUser) -> list[Shelf]:
    """Return the person's shelves, best first; no movie stands on two, and none is near empty."""
    if isinstance(person, User) and person.stars:
        shelves = _personal(person)
    else:
        shelves = _for_everyone(person)
    return list(_without_repeats(shelves))


def _personal(person: User) -> Iterator[Shelf]:
    picks = recommend(person, SHELF_LENGTH)
    if any(pick.is_personal for pick in picks):
        yield Shelf(
            "picks",
            "Top picks for you",
            f"From the {_counted(person.counted_ratings, 'film')} that you have rated"
            f"{'' if person.dials.are_neutral else ', as your dials stand'}.",
            [pick.movie for pick in picks],
            reverse("recommender:recommendations"),
        )
    else:
        yield Shelf(
            "start",
            "A place to start",
            "Loved by many, and of many kinds. Rate a film you like and this becomes yours.",
            [pick.movie for pick in picks],
        )
    settled = set(person.stars) | person.dismissed_ids | person.seen_ids
    for liked in _latest_liked(person):
        alike = similar(liked, 2 * SHELF_LENGTH, person)
        yield Shelf(
            f"because-{liked.pk}",
            f"Because you liked {liked.title}",
            "The films nearest to it in people's taste.",
            [movie for movie in alike if movie.pk not in settled],
            reverse("recommender:similar", args=[liked.pk]),
        )
    if genre := _favorite_genre(person):
        found = recommend(person, 2 * SHELF_LENGTH, Filters(genre=genre.slug))
        yield Shelf(
            f"genre-{genre.slug}",
            f"More {genre.name}",
            "The kind of film that you give the most stars to.",
            [pick.movie for pick in found],
            reverse("recommender:recommendations") + "?" + urlencode({"genre": genre.slug}),
        )
    # The dial "popular" has no say in what is little known.
    filters, dials = Filters(most_ratings=_little_known()), replace(person.dials, obscurity=0)
    little_known = recommend(person, SHELF_LENGTH, filters, dials)
    yield Shelf(
        "little-known",
        "Off the beaten track",
        "Films that few have rated, and that suit your taste.",
        [pick.movie for pick in little_known],
    )
    yield from _popular_of_decade(person)


def _for_everyone(person: User | AnonymousUser) -> Iterator[Shelf]:
    start = recommend(person, SHELF_LENGTH)
    yield Shelf(
        "start",
        "A place to start",
        "Loved by many, and of many kinds. Rate a few and this page becomes yours.",
        [pick.movie for pick in start],
        reverse("movies:browse"),
    )
    yield from _popular_of_decade(person)
    genres = Genre.objects.annotate(films=Count("movies")).order_by("-films")[:4]
    for genre in genres:
        yield Shelf(
            f"genre-{genre.slug}",
            genre.name,
            f"The best-liked of {_counted(genre.films, 'film')}.",
            popular.best(candidates(person, Filters(genre=genre.slug)), 2 * SHELF_LENGTH),
            reverse("movies:browse") + "?" + urlencode({"genre": genre.slug}),
        )


def _popular_of_decade(person: User | AnonymousUser) -> Iterator[Shelf]:
    """Yield what is most liked of the latest decade that people have rated films of."""
    rated = Movie.objects.filter(rating_count__gt=0, year__isnull=False)
    latest = rated.order_by("-year").values_list("year", flat=True).first()
    if latest is None:
        return
    decade = latest // 10 * 10
    filters = Filters(first_year=decade, last_year=decade + 9)
    yield Shelf(
        "decade",
        f"Popular in the {decade}s",
        "What most people like of the latest films here.",
        popular.best(candidates(person, filters), 2 * SHELF_LENGTH),
        reverse("movies:browse") + "?" + urlencode({"decade": decade}),
    )


def _latest_liked(person: User, most: int = 2) -> list[Movie]:
    ratings = Rating.objects.filter(user=person, value__gte=LIKED_HALF_STARS).counted()
    return [rating.movie for rating in ratings.latest_first().select_related("movie")[:most]]


def _favorite_genre(person: User) -> Genre | None:
    """Return the genre that stands most often on the films that the person liked."""
    ratings = Rating.objects.filter(user=person, value__gte=LIKED_HALF_STARS).counted()
    liked = Genre.objects.filter(movies__in=ratings.values("movie"))
    return liked.annotate(films=Count("movies")).order_by("-films", "name").first()


def _little_known() -> int:
    """Return how many ratings a film of the top twentieth has: fewer is little known."""
    rated = Movie.objects.filter(rating_count__gt=0).order_by("-rating_count")
    place = int(rated.count() * WELL_KNOWN_SHARE)
    counts = rated.values_list("rating_count", flat=True)[place : place + 1]
    return counts[0] if counts else 0


def _without_repeats(shelves: Iterator[Shelf]) -> Iterator[Shelf]:
    shown: set[int] = set()
    for shelf in shelves:
        fresh = [movie for movie in shelf.movies if movie.pk not in shown][:SHELF_LENGTH]
        if len(fresh) >= SHORTEST_SHELF or (not shown and fresh):
            shown.update(movie.pk for movie in fresh)
            yield replace(shelf, movies=fresh)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
