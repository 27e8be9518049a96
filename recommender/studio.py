"""The training console: staff retrain, watch, compare, promote, roll back and schedule."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from redis.exceptions import RedisError

from movies.models import Movie
from recommender import comparison, embedders, schedule, tuned, vectors
from recommender.config import heartbeat
from recommender.forms import RetrainForm, ScheduleForm
from recommender.models import ModelVersion, Space, TrainingRun
from recommender.training import runs
from users.models import LeftOut, Rating

SHOWN_RUNS = 10
SHOWN_VERSIONS = 20

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Processes:
    """Which of the processes that training needs are up."""

    queue: bool
    worker: bool
    scheduler: bool

    @classmethod
    def look(cls) -> "Processes":
        try:
            return cls(
                True, heartbeat.is_up(heartbeat.WORKER), heartbeat.is_up(heartbeat.SCHEDULER)
            )
        except RedisError:
            return cls(False, False, False)


def for_trainers(view: View) -> View:
    """Let staff in who may train; send others to sign in, or away."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            to_login = redirect_to_login(reverse("studio:overview"))
            # A fragment must not be answered with the page for signing in.
            return HttpResponseClientRedirect(to_login.url) if request.htmx else to_login
        if not (request.user.is_staff and request.user.has_perm("recommender.run_training")):
            raise PermissionDenied("The training console is for staff who may train.")
        return view(request, *args, **kwargs)

    return guarded


@for_trainers
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The console of a space: the run, the live version, the schedule, its versions and past runs.

    The address says which (`space`), and which technique's settings it offers (`embedder`).
    """
    runs.tidy()
    asked = Asked.of(request.GET)
    return _overview(request, asked, asked.form(), ScheduleForm(initial=vars(schedule.read())))


@for_trainers
@require_POST
def retrain(request: HttpRequest) -> HttpResponse:
    """Ask for a run with the parameters of the form; wrong ones are named and start nothing."""
    asked = Asked.of(request.POST)
    form = asked.form(request.POST)
    if form is not None and form.is_valid():
        try:
            runs.request(
                space=asked.space,
                embedder=asked.embedder,
                parameters=form.parameters,
                requested_by=request.user,
                promote=form.cleaned_data["promote"],
            )
        except ValueError as error:
            form.refuse(str(error))
        except (runs.RunUnderway, runs.QueueUnavailable, embedders.Unavailable) as error:
            messages.error(request, str(error))
    if form is not None and form.errors:
        return _overview(request, asked, form, ScheduleForm(initial=vars(schedule.read())))
    return redirect(asked.address)


@for_trainers
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """What has changed of a run since the page last asked: a fragment, polled every second.

    The query says what the page has: the number of log lines (`lines`) and the step (`step`).
    """
    runs.tidy()
    run = get_object_or_404(TrainingRun, pk=pk)
    response = render(
        request,
        "studio/_progress.html",
        {
            **progress_of(run),
            "new_lines": run.log.splitlines()[_natural(request.GET.get("lines")) :],
            "is_new_step": request.GET.get("step") != run.step,
            "is_polled": True,
        },
    )
    # The rest of the page is out of date once the run has ended.
    return response if run.is_active else trigger_client_event(response, "run-ended")


@for_trainers
@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: what was asked, how it went, the whole log."""
    chosen = get_object_or_404(
        TrainingRun.objects.select_related("version", "requested_by", "study"), pk=pk
    )
    beside = comparison.same_ratings(chosen.version) if chosen.version else []
    context = {"run": chosen, "beside": beside, "by_hand": tuned.set_by_hand(chosen)}
    return render(request, "studio/run.html", context)


@for_trainers
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a queued run; stop a running one at its next step."""
    chosen = get_object_or_404(TrainingRun, pk=pk)
    if chosen.is_active:
        runs.cancel(chosen)
    else:
        messages.error(request, f"Run {chosen.pk} had ended before it could be cancelled.")
    is_tuning = chosen.kind == TrainingRun.Kind.TUNE
    return redirect("studio:tuning" if is_tuning else Asked(chosen.space, None).address)


@for_trainers
@require_GET
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: what it was made of, how it did, and beside what."""
    chosen = get_object_or_404(ModelVersion.objects.defer("gramian"), pk=pk)
    live = ModelVersion.objects.live(chosen.space)
    context = {
        "version": chosen,
        "live": live,
        "figures": comparison.figures(chosen, live),
        "beside": comparison.same_ratings(chosen),
        "parameters": sorted(
            (name, value) for name, value in chosen.parameters.items() if name != "fold_in"
        ),
    }
    return render(request, "studio/version.html", context)


@for_trainers
@require_http_methods(["GET", "POST"])
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether the version should go live, beside the one that is; then make it so."""
    version = get_object_or_404(ModelVersion, pk=pk)
    if request.method == "GET":
        live = ModelVersion.objects.live(version.space)
        context = {
            "row": comparison.rows([version], live)[0],
            "live": live,
            "beside": comparison.same_ratings(version),
        }
        return render(request, "studio/promote.html", context)
    try:
        vectors.promote(version)
        messages.success(request, f"Version {version.pk} is live.")
    except vectors.NotPromotable as error:
        messages.error(request, str(error))
    return redirect(Asked(version.space, None).address)


@for_trainers
@require_POST
def set_schedule(request: HttpRequest) -> HttpResponse:
    """Retrain at these times from now on, or never."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        asked = Asked.of(request.POST)
        return _overview(request, asked, asked.form(), form)
    changed = schedule.write(**form.cleaned_data)
    messages.success(request, f"The schedule is set. {changed.words}")
    return redirect("studio:overview")


def unseen_ratings(version: ModelVersion) -> int:
    """Return how many ratings the version has not seen: given later, or imported since."""
    newer = Rating.objects.filter(rated_at__gt=version.snapshot_at).count()
    # Imported ratings keep their own old date.
    total = Movie.objects.aggregate(total=Sum("rating_count"))["total"] or 0
    return max(newer, total - LeftOut.objects.count() - version.rating_count)


def progress_of(run: TrainingRun) -> dict[str, object]:
    """What the templates show of a run under way."""
    waits = run.state == TrainingRun.State.QUEUED
    return {
        "run": run,
        "processes": Processes.look(),
        "lines": run.log.splitlines(),
        "waits_long": waits and timezone.now() - run.created_at > heartbeat.PATIENCE,
    }


@dataclass(frozen=True)
class Asked:
    """Which space the console is about, and which technique."""

    space: Space
    embedder: str | None
    """None where the space has no technique that is installed."""

    @classmethod
    def of(cls, data: QueryDict) -> "Asked":
        """What is not known is passed over: then it is taste, and the space's default."""
        space = Space(data["space"]) if data.get("space") in Space.values else Space.TASTE
        known = embedders.techniques(space)
        asked = data.get("embedder")
        return cls(space, asked if asked in known else next(iter(known), None))

    @property
    def address(self) -> str:
        """The console of this space."""
        address = reverse("studio:overview")
        return address if self.space == Space.TASTE else f"{address}?space={self.space}"

    def form(self, data: QueryDict | None = None) -> RetrainForm | None:
        """The technique's settings, None where there is no technique."""
        if self.embedder is None:
            return None
        return RetrainForm(data, space=self.space, embedder=self.embedder)


@dataclass(frozen=True)
class Tab:
    """A space in the console's list of them."""

    space: Space
    live: ModelVersion | None
    is_busy: bool
    """Whether a run of it is queued or running."""


def _tabs() -> list[Tab]:
    live = {
        version.space: version
        for version in ModelVersion.objects.defer("gramian").filter(state=ModelVersion.State.LIVE)
    }
    busy = set(TrainingRun.objects.active().values_list("space", flat=True))
    return [Tab(space, live.get(space), space in busy) for space in Space]


def _overview(
    request: HttpRequest, asked: Asked, form: RetrainForm | None, schedule_form: ScheduleForm
) -> HttpResponse:
    live = ModelVersion.objects.live(asked.space)
    versions = ModelVersion.objects.filter(space=asked.space).exclude(
        state__in=[ModelVersion.State.TRAINING, ModelVersion.State.FAILED]
    )
    past = (
        TrainingRun.objects.filter(space=asked.space)
        .select_related("version", "requested_by")
        .newest_first()
    )
    active = past.active().first()
    context = {
        "live": live,
        "live_figures": comparison.figures(live, None) if live else [],
        "unseen": unseen_ratings(live) if live and asked.space.knows_people else 0,
        "latest": past.first(),
        "rows": comparison.rows(versions.newest_first()[:SHOWN_VERSIONS], live),
        "metrics": comparison.metrics(asked.space).values(),
        "asked": asked,
        "tabs": _tabs(),
        "techniques": {
            name: embedders.lacking(asked.space, name) for name in embedders.techniques(asked.space)
        },
        "past": past.exclude(state__in=TrainingRun.ACTIVE)[:SHOWN_RUNS],
        "form": form,
        "is_tunable": asked.embedder == embedders.DEFAULT,
        "tuned": tuned.adopted(asked.space, asked.embedder) if asked.embedder else None,
        "schedule": schedule.read(),
        "schedule_form": schedule_form,
        **(progress_of(active) if active else {"processes": Processes.look()}),
    }
    return render(request, "studio/overview.html", context)


def _natural(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
