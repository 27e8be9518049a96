"""Bringing a history from elsewhere: the file, its columns, the preview, and its being written.

There is one import a person, and no address names whose: everybody sees their own.
"""

import csv
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh
from redis.exceptions import RedisError

from movies.importers.files import ImportFailed
from movies.models import Movie
from movies.recognition import How
from recommender.config import heartbeat
from users import history
from users.forms import NamingForm
from users.importers.history.columns import Naming
from users.importers.history.documents import LARGEST_BYTES
from users.models import HistoryEntry, HistoryImport, User
from users.scales import Scale
from users.uploads import TOO_LARGE

PAGE = "users:import"
SHOWN = 40
SAMPLE_ROWS = 4
# What is told of how a film was recognized, where that is worth a look.
WORDS = {
    How.SPELLING: "written in another way",
    How.YEAR_BESIDE: "another year",
    How.LIKENESS: "a title much like it",
}
State = HistoryImport.State


@login_required
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Show how far the person's import is; take a `file` for a new one."""
    if request.method == "POST":
        return _take(request)
    history_import = _import_of(request)
    if history_import is None:
        return _upload_form(request)
    show = {
        State.NAMING: _naming,
        State.MATCHING: _working,
        State.READY: _preview,
        State.WRITING: _working,
        State.DONE: _done,
    }[State(history_import.state)]
    return show(request, history_import)


def _import_of(request: HttpRequest) -> HistoryImport | None:
    """Return the person's import, if there is one; their table is read only where it is needed."""
    imports = HistoryImport.objects.defer("upload")
    return imports.filter(user=cast(User, request.user)).first()


def _take(request: HttpRequest) -> HttpResponse:
    file = request.FILES.get("file")
    try:
        if request.META.get(TOO_LARGE):
            raise ImportFailed(f"the file has more than {LARGEST_BYTES // 2**20} MB")
        if file is None:
            raise ImportFailed("choose a file first")
        history.begin(cast(User, request.user), file.name or "", file.read())
    except (ImportFailed, history.NotNow) as error:
        return _upload_form(request, str(error))
    return redirect(PAGE)


def _upload_form(request: HttpRequest, error: str = "") -> HttpResponse:
    context = {"error": error, "most": LARGEST_BYTES // 2**20}
    return render(request, "users/import/upload.html", context, status=422 if error else 200)


# Columns --------------------------------------------------------------------------------------


def _naming(
    request: HttpRequest, history_import: HistoryImport, form: NamingForm | None = None
) -> HttpResponse:
    documents, naming = history.named_columns(history_import)
    table = documents.needed_table()
    rows = [
        list(row.cells.values()) for row, _ in zip(table.rows(), range(SAMPLE_ROWS), strict=False)
    ]
    initial = {field.name: getattr(naming, field.name) for field in fields(Naming)}
    form = form or NamingForm(headings=table.header, initial=initial)
    context = {"import": history_import, "table": table, "rows": rows, "form": form}
    return render(request, "users/import/naming.html", context, status=422 if form.errors else 200)


@login_required
def name_columns(request: HttpRequest) -> HttpResponse:
    """Show the form in which columns are named, also again; take what they are said to be."""
    history_import = _import_of(request)
    if history_import is None or history_import.upload is None:
        return redirect(PAGE)
    if request.method != "POST":
        return _naming(request, history_import)
    documents, _ = history.named_columns(history_import)
    form = NamingForm(request.POST, headings=documents.needed_table().header)
    if form.is_valid():
        try:
            history.name_columns(history_import, form.naming)
        except (ImportFailed, history.NotNow) as error:
            form.add_error(None, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return _naming(request, history_import, form) if form.errors else redirect(PAGE)


# Work under way ---------------------------------------------------------------------------------


def _working(request: HttpRequest, history_import: HistoryImport) -> HttpResponse:
    return render(request, "users/import/working.html", _work_of(history_import))


@login_required
@never_cache
@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """How far the work is: a fragment, polled every second. When it is done the page is shown."""
    history_import = _import_of(request)
    if history_import is None or not history_import.is_under_way:
        return HttpResponseClientRefresh()
    return render(request, "users/import/_progress.html", _work_of(history_import))


def _work_of(history_import: HistoryImport) -> dict[str, Any]:
    waits = history_import.started_at is None
    since = history_import.asked_at or history_import.updated_at
    return {
        "import": history_import,
        "is_stuck": history.is_stuck(history_import),
        "waits": waits,
        "waits_long": waits and timezone.now() - since > heartbeat.PATIENCE,
        "is_worker_up": _is_worker_up(),
    }


def _is_worker_up() -> bool:
    try:
        return heartbeat.is_up(heartbeat.WORKER)
    except RedisError:
        return False


@login_required
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Begin again what was lost with its worker."""
    history_import = _import_of(request)
    try:
        if history_import is not None:
            history.start_again(history_import)
    except history.NotNow as error:
        messages.error(request, str(error))
    return redirect(PAGE)


@login_required
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Forget the file and all that was read of it. What was written stays."""
    imports = HistoryImport.objects.filter(user=cast(User, request.user))
    imports.exclude(state=State.WRITING).delete()
    return redirect(PAGE)


# The preview --------------------------------------------------------------------------------------


def _preview(request: HttpRequest, history_import: HistoryImport) -> HttpResponse:
    lists = _lists(history_import)
    counts = {name: entries.count() for name, entries in lists.items()}
    shown = request.GET.get("show", "")
    if shown not in lists:
        shown = next((name for name in lists if counts[name]), "matched")
    page = Paginator(lists[shown], SHOWN).get_page(request.GET.get("page"))
    _add_films(page.object_list)
    context = {
        "import": history_import,
        "counts": counts,
        "tabs": [(name, TABS[name], counts[name]) for name in lists if counts[name]],
        "shown": shown,
        "page": page,
        "totals": _totals(history_import),
        "scales": history.scales_for(history_import),
    }
    return render(request, "users/import/preview.html", context)


TABS = {
    "doubtful": "Doubtful",
    "differing": "Other stars than yours",
    "matched": "Matched",
    "unknown": "Not in the catalogue",
}


def _lists(history_import: HistoryImport) -> dict[str, QuerySet[HistoryEntry]]:
    """Return the entries to look at, by the names of `TABS`."""
    person = history_import.user
    entries = history_import.entries.with_mine(person)
    # What is worth a look comes first.
    by_how = Case(When(how__in=[How.SPELLING, How.YEAR_BESIDE], then=0), default=1)
    return {
        "doubtful": entries.doubtful(),
        "differing": entries.filter(movie__isnull=False).differing(person),
        "matched": entries.matched().order_by(by_how, "number"),
        "unknown": entries.unknown(),
    }


def _add_films(entries: list[HistoryEntry]) -> None:
    """Give each entry its `films` to choose from, and the `word` on how they were found."""
    ids = {pk for entry in entries for pk in entry.candidates}
    films = Movie.objects.with_credits().in_bulk(ids)
    for entry in entries:
        entry.films = [films[pk] for pk in entry.candidates if pk in films]
        entry.word = WORDS.get(How(entry.how), "")


def _totals(history_import: HistoryImport) -> dict[str, int]:
    """Return how many films would become what."""
    chosen = history_import.entries.filter(movie__isnull=False).with_mine(history_import.user)
    rated = chosen.filter(half_stars__isnull=False)
    others = chosen.filter(half_stars__isnull=True, mine__isnull=True)
    return {
        "chosen": chosen.count(),
        "new": rated.filter(mine__isnull=True).count(),
        "same": rated.count()
        - rated.filter(mine__isnull=True).count()
        - chosen.differing(history_import.user).count(),
        "seen": others.filter(is_seen=True).count(),
        "wanted": others.filter(is_wanted=True).count(),
    }


@login_required
@require_POST
def choices(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen on a page of the preview, and then go on as the button says."""
    history_import = _import_of(request)
    if history_import is None or history_import.state != State.READY:
        return redirect(PAGE)
    said = request.POST
    history.choose(history_import, _chosen(said))
    history_import.takes_theirs = said.get("stars") == "theirs"
    history_import.save(update_fields=["takes_theirs", "updated_at"])
    try:
        if said.get("scale") in Scale.values and said["scale"] != history_import.scale:
            history.rescale(history_import, Scale(said["scale"]))
    except history.NotNow as error:
        messages.error(request, str(error))
    if "likeliest" in said:
        history.take_the_likeliest(history_import)
    if "write" in said:
        history.start(history_import, State.WRITING)
        return redirect(PAGE)
    at = {"show": said.get("to") or said.get("show", ""), "page": said.get("page", "1")}
    return redirect(f"{resolve_url(PAGE)}?{urlencode(at)}#films")


def _chosen(said: QueryDict) -> dict[int, int | None]:
    """Return the films chosen, None for none, by the numbers of the entries."""
    chosen: dict[int, int | None] = {}
    for name, value in said.items():
        number = name.removeprefix("film-")
        if number != name and number.isdecimal() and len(number) < 9:
            chosen[int(number)] = int(value) if value.isdecimal() and len(value) < 18 else None
    return chosen


@login_required
@require_GET
def unknown(request: HttpRequest) -> HttpResponse:
    """Send the films that are not taken over as a table."""
    history_import = _import_of(request)
    if history_import is None:
        return redirect(PAGE)
    response = StreamingHttpResponse(
        _unknown_lines(history_import), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="not-in-the-catalogue.csv"'
    return response


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def _unknown_lines(history_import: HistoryImport) -> Iterator[str]:
    table = csv.writer(_Echo())
    yield table.writerow(["Title", "Year", "imdbID", "tmdbID", "Rating", "Date"])
    for entry in history_import.entries.filter(movie=None).iterator():
        yield table.writerow(
            [
                entry.title,
                entry.year or "",
                f"tt{entry.imdb_id:07d}" if entry.imdb_id else "",
                entry.tmdb_id or "",
                entry.half_stars / 2 if entry.half_stars else "",
                entry.at.date().isoformat() if entry.at else "",
            ]
        )


def _done(request: HttpRequest, history_import: HistoryImport) -> HttpResponse:
    left_out = history_import.entries.filter(movie=None).count()
    context = {"import": history_import, "left_out": left_out, "most": LARGEST_BYTES // 2**20}
    return render(request, "users/import/done.html", context)
