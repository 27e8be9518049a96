"""A person's history from elsewhere, step by step: begin, name columns, match, choose, write.

Nothing of what is rated or listed here changes before `write`, which is one transaction. Matching
and writing are quick for most histories and done at once; long ones are left to a worker. Work
that is under way holds a session advisory lock, so what says so and is not held is lost with its
worker, and can be started again: matching begins anew, and writing is whole or not at all.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from movies.catalogue import TITLE_LENGTH, Index
from movies.importers.files import ImportFailed
from movies.recognition import Sought, recognize
from recommender.config import locks
from recommender.config.celery import app
from users import ratings
from users.importers import history as formats
from users.importers.history import columns
from users.importers.history.base import Entry, History
from users.importers.history.columns import Naming
from users.importers.history.documents import Documents
from users.models import HistoryEntry, HistoryImport, Rating, Seen, User, WatchlistEntry
from users.scales import Scale

logger = logging.getLogger(__name__)

TASK = "users.tasks.work_on_history"
# The first of an advisory lock's two numbers; the second is the import's.
LOCK_CLASS = 0x4D41_5248
AT_ONCE = 1000
"""Films that are matched and written while the person waits: a few seconds."""
KEPT = timedelta(days=7)
"""How long an import is kept after it was last touched."""
MOST_TRIES = 3
SHOWN_PROBLEMS = 100
BATCH = 2000
REPORT_SECONDS = 0.5

State = HistoryImport.State


class NotNow(Exception):
    """The import is in another state; the message is for the person."""


# Begin --------------------------------------------------------------------------------------------


def begin(person: User, name: str, content: bytes) -> HistoryImport:
    """Take a file up, in the place of what the person brought before.

    Raises:
        ImportFailed: it cannot be read; what the person brought before stays.
        NotNow: what they brought before is being written.
    """
    documents = Documents(name, content)
    form = formats.recognized(documents)
    if form is not None:
        return _take_up(person, documents.name, formats.read(form, documents))
    if documents.only_table() is None:
        raise ImportFailed(
            "this is of no site that we know; see what can be brought", documents.name
        )
    history_import = _anew(person, documents.name)
    history_import.state, history_import.upload = State.NAMING, content
    history_import.save()
    return history_import


def named_columns(history_import: HistoryImport) -> tuple[Documents, Naming]:
    """Return the table whose columns are to be named, and what they seem or were said to be."""
    documents = Documents(history_import.file_name, bytes(history_import.upload or b""))
    if history_import.naming:
        return documents, Naming(**history_import.naming)
    return documents, columns.guess(documents.needed_table())


def name_columns(history_import: HistoryImport, naming: Naming) -> HistoryImport:
    """Read the table by what its columns are said to be.

    Raises:
        ImportFailed: it cannot be read so; nothing has changed.
        NotNow: there is no table, or it is being worked on.
    """
    if history_import.upload is None or history_import.is_under_way:
        raise NotNow("There is no table whose columns could be named.")
    content = bytes(history_import.upload)
    history = columns.read(Documents(history_import.file_name, content), naming)
    return _take_up(history_import.user, history_import.file_name, history, content, asdict(naming))


def _take_up(
    person: User,
    file_name: str,
    history: History,
    upload: bytes | None = None,
    naming: dict[str, object] | None = None,
) -> HistoryImport:
    """Keep what was read, and begin to look for its films."""
    with transaction.atomic():
        history_import = _anew(person, file_name)
        history_import.source, history_import.scale = history.source, history.scale
        history_import.is_scale_guessed = history.is_scale_guessed
        history_import.upload, history_import.naming = upload, naming or {}
        history_import.notes, history_import.problem_count = history.notes, len(history.problems)
        history_import.problems = [
            [problem.place, problem.reason] for problem in history.problems[:SHOWN_PROBLEMS]
        ]
        history_import.save()
        rows = [
            _row(history_import, number, entry) for number, entry in enumerate(history.entries, 1)
        ]
        HistoryEntry.objects.bulk_create(rows, BATCH)
    return start(history_import, State.MATCHING)


def _anew(person: User, file_name: str) -> HistoryImport:
    """Return a new import of the person, whose last one goes.

    Raises:
        NotNow: the last one is being written.
    """
    last = HistoryImport.objects.filter(user=person).first()
    if last and last.state == State.WRITING:
        raise NotNow("Your last file is being written. Wait until that is done.")
    if last:
        last.delete()
    return HistoryImport(user=person, file_name=file_name)


def _row(history_import: HistoryImport, number: int, entry: Entry) -> HistoryEntry:
    scale = Scale(history_import.scale)
    half_stars = None if entry.rating is None else scale.half_stars(entry.rating)
    return HistoryEntry(
        history_import=history_import,
        number=number,
        title=entry.title[:TITLE_LENGTH],
        year=entry.year,
        imdb_id=entry.imdb_id,
        tmdb_id=entry.tmdb_id,
        movielens_id=entry.movielens_id,
        rating=entry.rating,
        half_stars=half_stars,
        is_seen=entry.is_seen,
        is_wanted=entry.is_wanted,
        at=entry.at,
    )


# Work -------------------------------------------------------------------------------------------


def start(history_import: HistoryImport, state: State) -> HistoryImport:
    """Begin the work of a state: at once, or where it is long by a worker."""
    history_import.state, history_import.fraction, history_import.error = state, 0, ""
    history_import.started_at, history_import.tries = None, 0
    history_import.save()
    if history_import.entries.count() <= AT_ONCE:
        work(history_import)
    else:
        hand_over(history_import)
    return history_import


def start_again(history_import: HistoryImport) -> None:
    """Begin again what was lost with its worker, or failed.

    Raises:
        NotNow: it is under way.
    """
    if history_import.is_under_way and not is_stuck(history_import):
        raise NotNow("It is under way.")
    if history_import.is_under_way:
        start(history_import, State(history_import.state))


def hand_over(history_import: HistoryImport) -> None:
    """Hand the work under way to a worker; where the queue is away, that is noted as an error."""
    history_import.asked_at, history_import.error = timezone.now(), ""
    try:
        app.send_task(TASK, args=[history_import.pk], retry=False)
    except OperationalError:
        history_import.error = "The queue cannot be reached, so nothing was started."
    history_import.save(update_fields=["asked_at", "error"])


def work(history_import: HistoryImport) -> None:
    """Do what the import's state says is under way. How it ended stands in the import."""
    with locks.held(LOCK_CLASS, history_import.pk) as is_ours:
        if not is_ours:
            return
        found = HistoryImport.objects.filter(
            pk=history_import.pk, state__in=HistoryImport.UNDER_WAY
        )
        if not found.update(started_at=timezone.now(), fraction=0, error=""):
            return
        history_import.refresh_from_db()
        try:
            match(history_import) if history_import.state == State.MATCHING else write(
                history_import
            )
        except (DatabaseError, MemoryError):
            logger.exception("%s: %s ended early", history_import, history_import.state)
            connection.close_if_unusable_or_obsolete()
            found.update(error="That did not work. Nothing was changed.")
        history_import.refresh_from_db()


def is_stuck(history_import: HistoryImport) -> bool:
    """Return whether the work under way can be started again: it failed, or its worker is gone."""
    if history_import.error:
        return True
    is_held = history_import.pk in locks.held_numbers(LOCK_CLASS)
    return history_import.started_at is not None and not is_held


def requeue() -> None:
    """Hand what waits, and what was lost with its worker, to a worker again, a few times."""
    held = locks.held_numbers(LOCK_CLASS)
    waiting = HistoryImport.objects.filter(state__in=HistoryImport.UNDER_WAY, tries__lt=MOST_TRIES)
    for history_import in waiting.exclude(pk__in=held):
        history_import.tries += 1
        history_import.started_at = None
        history_import.save(update_fields=["tries", "started_at"])
        hand_over(history_import)


def tidy() -> None:
    """Delete imports that nobody has touched for a while, done or not."""
    HistoryImport.objects.filter(updated_at__lt=timezone.now() - KEPT).delete()


def match(history_import: HistoryImport) -> None:
    """Find the films of all entries in the catalogue."""
    entries = list(history_import.entries.all())
    index = Index()
    reported_at = time.monotonic()
    for number, entry in enumerate(entries):
        found = recognize(_sought(entry), index)
        entry.candidates, entry.how, entry.is_sure = list(found.movie_ids), found.how, found.is_sure
        entry.movie_id = found.movie_ids[0] if found.is_sure else None
        if time.monotonic() - reported_at > REPORT_SECONDS:
            reported_at = time.monotonic()
            _report(history_import, number / len(entries))
    with transaction.atomic():
        found_fields = ["candidates", "how", "is_sure", "movie"]
        HistoryEntry.objects.bulk_update(entries, found_fields, BATCH)
        _end(history_import, State.READY)


def _sought(entry: HistoryEntry) -> Sought:
    return Sought(
        title=entry.title,
        year=entry.year,
        imdb_id=entry.imdb_id,
        tmdb_id=entry.tmdb_id,
        movielens_id=entry.movielens_id,
    )


def _report(history_import: HistoryImport, fraction: float) -> None:
    HistoryImport.objects.filter(pk=history_import.pk).update(fraction=fraction)


def _end(history_import: HistoryImport, state: State) -> None:
    history_import.state, history_import.fraction, history_import.error = state, 1, ""
    history_import.save()


# Choose -------------------------------------------------------------------------------------------


def choose(history_import: HistoryImport, chosen: Mapping[int, int | None]) -> None:
    """Say which film each of some entries is, None for none, by the entries' numbers.

    A film that is no candidate of its entry is passed over.
    """
    changed = []
    for entry in history_import.entries.filter(number__in=chosen):
        movie_id = chosen[entry.number]
        if movie_id is None or movie_id in entry.candidates:
            entry.movie_id = movie_id
            changed.append(entry)
    HistoryEntry.objects.bulk_update(changed, ["movie"], BATCH)
    history_import.save(update_fields=["updated_at"])


def take_the_likeliest(history_import: HistoryImport) -> None:
    """Take every doubtful entry that is left out for the first of its candidates."""
    doubtful = list(history_import.entries.doubtful().filter(movie=None))
    for entry in doubtful:
        entry.movie_id = entry.candidates[0]
    HistoryEntry.objects.bulk_update(doubtful, ["movie"], BATCH)


def scales_for(history_import: HistoryImport) -> list[Scale]:
    """Return the scales on which all of the file's ratings are, where it may be one or another."""
    if not history_import.is_scale_guessed:
        return [Scale(history_import.scale)]
    rated = history_import.entries.order_by("-rating").filter(rating__isnull=False).first()
    highest = rated.rating if rated else 0
    return [scale for scale in Scale if highest <= scale.top]


def rescale(history_import: HistoryImport, scale: Scale) -> None:
    """Take the file's ratings to be on another scale.

    Raises:
        NotNow: they are not on it, or theirs is known.
    """
    if scale not in scales_for(history_import):
        raise NotNow("The ratings are not on that scale.")
    rated = list(history_import.entries.filter(rating__isnull=False))
    for entry in rated:
        entry.half_stars = scale.half_stars(entry.rating)
    with transaction.atomic():
        HistoryEntry.objects.bulk_update(rated, ["half_stars"], BATCH)
        history_import.scale = scale
        history_import.save(update_fields=["scale", "updated_at"])


# Write --------------------------------------------------------------------------------------------


@dataclass
class Film:
    """What the history says of one of our films, by all its entries for it."""

    value: int | None = None
    at: datetime | None = None
    is_seen: bool = False
    is_wanted: bool = False

    def add(self, entry: HistoryEntry) -> None:
        self.is_seen |= entry.is_seen
        self.is_wanted |= entry.is_wanted
        is_later = self.at is None or (entry.at is not None and entry.at >= self.at)
        if entry.half_stars is not None and (self.value is None or is_later):
            self.value, self.at = entry.half_stars, entry.at
        elif self.value is None and is_later:
            self.at = entry.at


@transaction.atomic
def write(history_import: HistoryImport) -> None:
    """Make the history the person's own. What is here already and says the same stays as it is."""
    person, now = history_import.user, timezone.now()
    films: dict[int, Film] = {}
    for entry in history_import.entries.filter(movie__isnull=False):
        films.setdefault(entry.movie_id, Film()).add(entry)
    mine = dict(Rating.objects.filter(user=person).values_list("movie_id", "value"))
    rated = {pk: (film.value, film.at or now) for pk, film in films.items() if film.value}
    new = {pk: given for pk, given in rated.items() if pk not in mine}
    differing = {pk: given for pk, given in rated.items() if mine.get(pk, given[0]) != given[0]}
    replaced = differing if history_import.takes_theirs else {}
    ratings.rate_many(person, new, replace=False)
    ratings.rate_many(person, replaced, replace=True)
    others = {pk: film for pk, film in films.items() if not film.value}
    seen = {pk: film.at or now for pk, film in others.items() if film.is_seen}
    wanted = {pk: film.at or now for pk, film in others.items() if film.is_wanted}
    history_import.outcome = {
        "new": len(new),
        "replaced": len(replaced),
        "kept": len(differing) - len(replaced),
        "same": len(rated) - len(new) - len(differing),
        "seen": ratings.put_many_on(Seen, person, seen),
        "wanted": ratings.put_many_on(WatchlistEntry, person, wanted),
    }
    history_import.upload = None
    _end(history_import, State.DONE)
