"""What a person says of films: stars, to watch, no thanks, fewer like it, seen or not, left out.

Page, API and task call the same.

The films' counts and the person's `taste_revision` follow by triggers on the table of ratings
(migration `users.0002`), so they hold whoever writes there: this module, an import, a deletion.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from movies.models import Movie
from users.models import (
    MAX_HALF_STARS,
    MIN_HALF_STARS,
    Dismissal,
    LeftOut,
    LessLike,
    NotSeen,
    Rating,
    Seen,
    User,
    WatchlistEntry,
)

# Rows a statement: a history may have tens of thousands of films.
BATCH = 5000

_Mark = WatchlistEntry | Dismissal | NotSeen | LessLike | Seen | LeftOut


class NotRated(Exception):
    """The person has given the film no stars, so that there is nothing to leave out."""


def half_stars(stars: float) -> int:
    """Return stars (0.5 to 5.0 in halves) as half stars (1 to 10).

    Raises:
        ValueError: the number is not one of these.
    """
    value = stars * 2
    # Asked first, for what is not finite cannot be rounded.
    if not MIN_HALF_STARS <= value <= MAX_HALF_STARS or value != round(value):
        raise ValueError("Stars go from 0.5 to 5.0 in half stars.")
    return round(value)


@transaction.atomic
def rate(user: User, movie: Movie, stars: float) -> Rating:
    """Set the person's stars for the film, which leaves their other lists.

    Raises:
        ValueError: the stars are not 0.5 to 5.0 in halves; nothing is changed.
    """
    value = half_stars(stars)
    rating, _ = Rating.objects.update_or_create(
        user=user, movie=movie, defaults={"value": value, "rated_at": timezone.now()}
    )
    _leave_other_lists(user, [movie.pk])
    return rating


@transaction.atomic
def rate_many(user: User, given: Mapping[int, tuple[int, datetime]], replace: bool) -> None:
    """Set half stars and when they were given, by movie id; the films leave other lists.

    A rating that is there stays as it is, unless it is to be replaced.
    """
    rows = [
        Rating(user=user, movie_id=movie_id, value=value, rated_at=rated_at)
        for movie_id, (value, rated_at) in given.items()
    ]
    if replace:
        Rating.objects.bulk_create(
            rows,
            BATCH,
            update_conflicts=True,
            unique_fields=["user", "movie"],
            update_fields=["value", "rated_at"],
        )
    else:
        Rating.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    _leave_other_lists(user, list(given))


@transaction.atomic
def put_many_on(
    entries: "type[WatchlistEntry | Seen]", user: User, since: Mapping[int, datetime]
) -> int:
    """Put films, by movie id, on one of the person's lists, since then; return how many are new.

    What the person has rated is on no such list.
    """
    rated = set(
        Rating.objects.filter(user=user, movie__in=since).values_list("movie_id", flat=True)
    )
    there = set(
        entries.objects.filter(user=user, movie__in=since).values_list("movie_id", flat=True)
    )
    new = since.keys() - rated - there
    moment = "seen_at" if entries is Seen else "added_at"
    entries.objects.bulk_create(
        [entries(user=user, movie_id=pk, **{moment: since[pk]}) for pk in sorted(new)],
        BATCH,
        ignore_conflicts=True,
    )
    if entries is Seen:
        NotSeen.objects.filter(user=user, movie__in=new).delete()
    user.forget_page_state()
    return len(new)


def note_seen(user: User, movie: Movie) -> bool:
    """Note that the person has seen the film; return whether that is news.

    A film that they have rated was seen: their stars stay, and nothing is noted.
    """
    return put_many_on(Seen, user, {movie.pk: timezone.now()}) == 1


def not_seen_after_all(user: User, movie: Movie) -> bool:
    """Take back that the person has seen the film; return whether it had been noted."""
    return _take_off(Seen, user, movie)


def withdraw(user: User, movie: Movie) -> bool:
    """Take the person's rating of the film back; return whether there was one."""
    return _take_off(Rating, user, movie)


def add_to_watchlist(user: User, movie: Movie) -> bool:
    """Put the film on the person's watchlist; return whether it is new there."""
    return _put_on(WatchlistEntry, user, movie)


def remove_from_watchlist(user: User, movie: Movie) -> bool:
    """Take the film off the person's watchlist; return whether it was there."""
    return _take_off(WatchlistEntry, user, movie)


@transaction.atomic
def dismiss(user: User, movie: Movie) -> bool:
    """Leave the film out of what the person is shown; return whether it was in before."""
    remove_from_watchlist(user, movie)
    return _put_on(Dismissal, user, movie)


def restore(user: User, movie: Movie) -> bool:
    """Undo a dismissal; return whether there was one."""
    return _take_off(Dismissal, user, movie)


@transaction.atomic
def not_seen(user: User, movie: Movie) -> bool:
    """Note that the person has not seen the film; return whether that is news.

    A film that they have rated was seen: their stars stay, and nothing is noted.
    """
    if Rating.objects.filter(user=user, movie=movie).exists():
        return False
    not_seen_after_all(user, movie)
    return _put_on(NotSeen, user, movie)


def forget_not_seen(user: User, movie: Movie) -> bool:
    """Forget that the person has not seen the film; return whether it had been noted."""
    return _take_off(NotSeen, user, movie)


def ask_for_less(user: User, movie: Movie) -> bool:
    """Show the person fewer films like this one, and not the film; return whether that is new."""
    return _put_on(LessLike, user, movie)


def take_back_less(user: User, movie: Movie) -> bool:
    """Undo `ask_for_less`; return whether it had been asked for."""
    return _take_off(LessLike, user, movie)


def leave_out(user: User, movie: Movie) -> bool:
    """Let the person's stars for the film say nothing of their taste; return whether that is new.

    Raises:
        NotRated: there are no stars; nothing is changed.
    """
    # Locked, so that they are not withdrawn meanwhile.
    with transaction.atomic():
        if not Rating.objects.select_for_update().filter(user=user, movie=movie).exists():
            raise NotRated(f"You have not rated {movie.title}.")
        return _put_on(LeftOut, user, movie)


def count_again(user: User, movie: Movie) -> bool:
    """Undo `leave_out`; return whether the film had been left out."""
    return _take_off(LeftOut, user, movie)


def _leave_other_lists(user: User, movie_ids: Collection[int]) -> None:
    """Take films that the person rates off the lists of what is not rated."""
    for entries in (WatchlistEntry, Dismissal, NotSeen, Seen):
        entries.objects.filter(user=user, movie__in=movie_ids).delete()
    user.forget_page_state()


def _put_on(entries: type[_Mark], user: User, movie: Movie) -> bool:
    """Add the film to one of the person's lists; return whether it is new there."""
    _, is_new = entries.objects.get_or_create(user=user, movie=movie)
    user.forget_page_state()
    return is_new


def _take_off(entries: type[_Mark | Rating], user: User, movie: Movie) -> bool:
    """Take the film off one of the person's lists; return whether it was there."""
    deleted, _ = entries.objects.filter(user=user, movie=movie).delete()
    user.forget_page_state()
    return bool(deleted)
