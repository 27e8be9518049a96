"""The page that a new person sees first: a few films to give stars, and what comes of it at once.

What is said of a film is kept, so that it is never asked again, here or on another device. The page
can be left at any point, and come back to at any other.
"""

from dataclasses import asdict, dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views import View
from django_htmx.http import trigger_client_event

from movies.models import Movie
from recommender.serving.recommend import recommend
from recommender.serving.welcome import films_to_rate
from users import ratings
from users.models import User
from users.navigation import next_page
from users.templatetags.marquee_users import SCALE, star_label

A_HANDFUL = 5
"""Ratings after which a person is told that they have done enough."""
SHOWN, PEEK = 6, 6
LAST_ANSWER = "welcome_last_answer"


class Refused(Exception):
    """The answer makes no sense, and nothing was changed; the message says why."""


@dataclass(frozen=True)
class Answer:
    """An answer that was taken: in words, and the films it is about, so that it can be undone."""

    text: str
    film_ids: list[int]


class Welcome(LoginRequiredMixin, View):
    """GET shows films to rate. POST takes an answer about one `film` of them, or about several.

    An answer is `stars` (0.5 to 5.0), `not_seen`, `not_interested`, or `undo` of any of these. One
    sent by htmx says which films are `shown`, so that those still open stay where they are.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        last = request.session.pop(LAST_ANSWER, None)
        context = self._context(films_to_rate(self._person, SHOWN), last and Answer(**last))
        return render(request, "recommender/welcome.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            movies = _movies(request.POST.getlist("film"))
            answer = _take(self._person, movies, request.POST)
        except Refused as refusal:
            return self._refuse(str(refusal))
        if not request.htmx:
            if answer:
                request.session[LAST_ANSWER] = asdict(answer)
            return redirect(self._address)
        shown = _ids(request.POST.getlist("shown"))
        films = _renewed(self._person, _places(shown, request.POST))
        fresh = [film.pk for film in films if film.pk not in shown]
        context = self._context(films, answer) | {"fresh": fresh, "focus": fresh[:1]}
        return render(request, "recommender/_welcome.html", context)

    @property
    def _person(self) -> User:
        return cast(User, self.request.user)

    @property
    def _after(self) -> str:
        """Where the person goes from here."""
        return next_page(self.request, default=resolve_url("home"))

    @property
    def _address(self) -> str:
        return f"{resolve_url('recommender:welcome')}?{urlencode({'next': self._after})}"

    def _context(self, films: list[Movie], answer: Answer | None) -> dict[str, Any]:
        rated = len(self._person.stars)
        return {
            "films": films,
            "answer": answer,
            "choices": SCALE,
            "rated": rated,
            "handful": A_HANDFUL,
            "peek": [pick.movie for pick in recommend(self._person, PEEK)] if rated else [],
            "after": self._after,
        }

    def _refuse(self, text: str) -> HttpResponse:
        if self.request.htmx:
            response = HttpResponse(text, status=422, content_type="text/plain")
            return trigger_client_event(response, "toast", {"text": text, "level": "error"})
        messages.error(self.request, text)
        return redirect(self._address)


@transaction.atomic
def _take(person: User, movies: list[Movie], said: QueryDict) -> Answer | None:
    """Keep what the person said of the films; None where they took an answer back.

    Raises:
        Refused: nothing was said, or nothing that makes sense.
    """
    ids = [movie.pk for movie in movies]
    names = str(movies[0]) if len(movies) == 1 else f"{len(movies)} films"
    if "undo" in said:
        for movie in movies:
            _take_back(person, movie)
        return None
    if "not_seen" in said:
        for movie in movies:
            ratings.not_seen(person, movie)
        return Answer(f"{names}: not seen", ids)
    if "not_interested" in said:
        for movie in movies:
            ratings.dismiss(person, movie)
        return Answer(f"{names}: not interested", ids)
    try:
        (movie,) = movies
        rating = ratings.rate(person, movie, float(said.get("stars") or "nan"))
    except ValueError:
        raise Refused("Choose from half a star to five stars, in half stars.") from None
    return Answer(f"{names}: {star_label(rating.stars)}", ids)


def _take_back(person: User, movie: Movie) -> None:
    ratings.withdraw(person, movie)
    ratings.forget_not_seen(person, movie)
    ratings.restore(person, movie)


def _movies(values: list[str]) -> list[Movie]:
    """Return the films with these ids.

    Raises:
        Refused: there are none.
    """
    movies = list(Movie.objects.filter(pk__in=_ids(values)))
    if not movies:
        raise Refused("That film is not in the catalogue any more.")
    return movies


def _ids(values: list[str]) -> list[int]:
    """Return what can be the id of a film, no more than are shown."""
    return [int(value) for value in values[:SHOWN] if value.isdecimal() and len(value) < 18]


def _places(shown: list[int], said: QueryDict) -> list[int]:
    """Return the films shown, where those acted on take the places of what came `instead`."""
    acted_on = _ids(said.getlist("film"))
    back = dict(zip(_ids(said.getlist("instead")), acted_on, strict=False))
    places = [back.get(movie_id, movie_id) for movie_id in shown]
    return places + [movie_id for movie_id in acted_on if movie_id not in places]


def _renewed(person: User, places: list[int]) -> list[Movie]:
    """Return the films to show: those that are still open, in their places, and new ones."""
    still_open = Movie.objects.with_genres().in_bulk(set(places) - person.settled_ids)
    new = films_to_rate(person, SHOWN - len(still_open), shown=list(still_open))
    films = [still_open.get(movie_id) or (new.pop(0) if new else None) for movie_id in places]
    return [film for film in films if film] + new
