"""Evenings: who chooses a film together, how they come in, and what they say of films.

Page and API call the same. Each verb is one transaction, and raises before it changes anything.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from movies.models import Movie, MovieQuerySet, genres
from users.models import Dismissal, Evening, LessLike, Member, Rating, User, Vote

MOST_MEMBERS = 8
MOST_EVENINGS = 20
"""That one person has made and not ended: nobody needs more, and nobody can fill the table."""
INVITATION_DAYS = 7
_TOKEN_BYTES = 24


class Refused(Exception):
    """It cannot be done, and nothing was changed; the message says why, to people."""


class InvitationVoid(Refused):
    """No evening is open to this invitation."""

    def __init__(self) -> None:
        super().__init__("This invitation is no longer good. Ask for a new link.")


class EveningFull(Refused):
    """All places are taken."""

    def __init__(self) -> None:
        super().__init__(f"This evening is full: {MOST_MEMBERS} people are in already.")


@transaction.atomic
def start(person: User, name: str) -> Evening:
    """Make an evening with the person in it, and an invitation to it.

    Raises:
        Refused: they have too many that are not ended.
    """
    # The person's row is held, so that two requests at once do not pass the limit together.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if Evening.objects.filter(maker=person).count() >= MOST_EVENINGS:
        raise Refused(f"You have {MOST_EVENINGS} evenings. End one of them first.")
    evening = Evening.objects.create(maker=person, name=name)
    Member.objects.create(evening=evening, user=person)
    invite(evening)
    return evening


def invite(evening: Evening) -> None:
    """Make a new invitation; one that there was no longer works."""
    evening.token = secrets.token_urlsafe(_TOKEN_BYTES)
    evening.token_expires_at = timezone.now() + timedelta(days=INVITATION_DAYS)
    evening.save(update_fields=["token", "token_expires_at"])


def revoke_invitation(evening: Evening) -> None:
    """Let nobody in any more."""
    evening.token = evening.token_expires_at = None
    evening.save(update_fields=["token", "token_expires_at"])


def invited_to(token: str) -> Evening:
    """Return the evening that an invitation leads to.

    Raises:
        InvitationVoid: there is none, or no longer.
    """
    evening = Evening.objects.open_to(token).select_related("maker").first()
    if evening is None:
        raise InvitationVoid
    return evening


@transaction.atomic
def join(person: User, token: str) -> Evening:
    """Take a place in the evening that the invitation leads to; who has one keeps it.

    Raises:
        InvitationVoid: there is none, or no longer.
        EveningFull: all places are taken.
    """
    # The row is held until the place is taken, so that two cannot have the last one.
    evening = Evening.objects.open_to(token).select_for_update().first()
    if evening is None:
        raise InvitationVoid
    if evening.members.filter(user=person).exists():
        return evening
    if evening.members.count() >= MOST_MEMBERS:
        raise EveningFull
    Member.objects.create(evening=evening, user=person)
    _tell(evening)
    return evening


@transaction.atomic
def leave(member: Member) -> None:
    """Give the place up, and take back all that was said from it.

    Raises:
        Refused: it is the maker's; they can end the evening.
    """
    if member.user_id == member.evening.maker_id:
        raise Refused("It is your evening: end it rather than leave it.")
    member.delete()
    _tell(member.evening)


@transaction.atomic
def remove(member: Member) -> None:
    """Take a member out, as the maker may. The invitation ends too: they know its link.

    Raises:
        Refused: it is the maker's own place.
    """
    leave(member)
    revoke_invitation(member.evening)


def end(evening: Evening) -> None:
    """End the evening: it is gone, with all that was said in it."""
    evening.delete()


def say_yes(member: Member, movie: Movie) -> bool:
    """Note that the member would watch the film, also where they had vetoed it; is it news?"""
    return _say(member, movie, is_veto=False)


def veto(member: Member, movie: Movie) -> bool:
    """Take the film away from everybody there until the member takes it back; is it news?"""
    return _say(member, movie, is_veto=True)


@transaction.atomic
def take_back(member: Member, movie: Movie) -> bool:
    """Undo what the member said of the film; return whether they had said anything."""
    deleted, _ = Vote.objects.filter(member=member, movie=movie).delete()
    if deleted:
        _tell(member.evening)
    return bool(deleted)


@transaction.atomic
def _say(member: Member, movie: Movie, *, is_veto: bool) -> bool:
    if Vote.objects.filter(member=member, movie=movie, is_veto=is_veto).exists():
        return False
    Vote.objects.update_or_create(
        member=member, movie=movie, defaults={"is_veto": is_veto, "said_at": timezone.now()}
    )
    _tell(member.evening)
    return True


def _tell(evening: Evening) -> None:
    """Let the members' pages see that something has happened."""
    Evening.objects.filter(pk=evening.pk).update(revision=F("revision") + 1)


# What is read of an evening ----------------------------------------------------------------------


@dataclass
class Said:
    """What the members have said of one film."""

    movie: Movie
    yes: list[Member] = field(default_factory=list)
    vetoed_by: list[Member] = field(default_factory=list)


def said(evening: Evening) -> list[Said]:
    """Return the films that anybody has said something of, the latest first."""
    votes = Vote.objects.filter(member__evening=evening).select_related("member__user", "movie")
    films: dict[int, Said] = {}
    for vote in votes.order_by("-said_at", "movie_id").prefetch_related(genres("movie__")):
        film = films.setdefault(vote.movie_id, Said(vote.movie))
        (film.vetoed_by if vote.is_veto else film.yes).append(vote.member)
    return list(films.values())


def shortlist(evening: Evening, films: list[Said]) -> list[Said]:
    """Return the films that somebody wants and nobody refuses, the most wanted first."""
    wanted = {film.movie.pk: film for film in films if film.yes}
    left = without_refused(Movie.objects.filter(pk__in=wanted), evening)
    shown = [wanted[pk] for pk in wanted.keys() & set(left.values_list("pk", flat=True))]
    return sorted(shown, key=lambda film: (-len(film.yes), film.movie.title, film.movie.pk))


def without_refused(movies: MovieQuerySet, evening: Evening) -> MovieQuerySet:
    """Leave out what a member has vetoed here, or wants neither shown nor more of anywhere."""
    users = Member.objects.filter(evening=evening).values("user_id")
    vetoes = Vote.objects.filter(member__evening=evening, is_veto=True)
    for refused in (
        vetoes,
        Dismissal.objects.filter(user__in=users),
        LessLike.objects.filter(user__in=users),
    ):
        movies = movies.exclude(pk__in=refused.values("movie_id"))
    return movies


def without_seen(movies: MovieQuerySet, evening: Evening, by_all: bool = False) -> MovieQuerySet:
    """Leave out what a member has rated, or only what all of them have."""
    users = Member.objects.filter(evening=evening).values("user_id")
    seen = Rating.objects.filter(user__in=users)
    if by_all:
        counted = seen.values("movie_id").annotate(members=Count("user_id"))
        seen = counted.filter(members=users.count())
    return movies.exclude(pk__in=seen.values("movie_id"))


def stamp(evening: Evening) -> str:
    """Return a word that changes with who is there, with what they say, and with their ratings."""
    people = evening.members.aggregate(members=Count("pk"), tastes=Sum("user__taste_revision"))
    revision = Evening.objects.filter(pk=evening.pk).values_list("revision", flat=True).first()
    # Hashed: how much somebody has rated is nobody else's business.
    text = f"{evening.pk} {revision} {people['members']} {people['tastes']}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
