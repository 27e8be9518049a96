"""The console's page for tuning: staff search for better settings, watch, stop, and forget."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from recommender import chart, tuned
from recommender.forms import TuneForm
from recommender.models import TrainingRun, TuningStudy, TuningTrial
from recommender.studio import Processes, for_trainers, progress_of
from recommender.training import runs, studies

SHOWN_BEST = 8
SHOWN_STUDIES = 10


@dataclass(frozen=True)
class Row:
    """A trial, its searched settings in the order of the columns, and its gain in percent."""

    trial: TuningTrial
    settings: list[float | None]
    change: float | None


@for_trainers
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """What training uses, the tuning under way or the form to begin one, and the last study."""
    runs.tidy()
    return _overview(request, TuneForm())


@for_trainers
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a tuning; wrong numbers are named and start nothing."""
    form = TuneForm(request.POST)
    if form.is_valid():
        try:
            studies.request(effort=form.effort, requested_by=request.user)
        except (runs.RunUnderway, runs.QueueUnavailable) as error:
            messages.error(request, str(error))
    if form.errors:
        return _overview(request, form)
    return redirect("studio:tuning")


@for_trainers
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How a tuning under way is doing: a fragment, polled every second."""
    runs.tidy()
    run = get_object_or_404(TrainingRun, pk=pk, kind=TrainingRun.Kind.TUNE)
    context = {**progress_of(run), "is_polled": True, **_study(run.study)}
    response = render(request, "studio/_tuning_live.html", context)
    # The rest of the page is out of date once the run has ended.
    return response if run.is_active else trigger_client_event(response, "run-ended")


@for_trainers
@require_GET
def study(request: HttpRequest, pk: int) -> HttpResponse:
    """One study: what it came to, and every trial with its settings."""
    chosen = get_object_or_404(TuningStudy, pk=pk)
    context = {**_study(chosen), "all_trials": True, "in_use": tuned.adopted(chosen.space)}
    return render(request, "studio/study.html", context)


@for_trainers
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Let training use the defaults again."""
    if tuned.forget():
        messages.success(request, "Forgotten. The next training uses the defaults.")
    else:
        messages.error(request, "Nothing is tuned: training uses the defaults already.")
    return redirect("studio:tuning")


def _overview(request: HttpRequest, form: TuneForm) -> HttpResponse:
    active = TrainingRun.objects.active().first()
    every = TuningStudy.objects.newest_first()
    last = active.study if active and active.kind == TrainingRun.Kind.TUNE else every.first()
    context = {
        "form": form,
        "in_use": tuned.adopted(),
        "past": every[:SHOWN_STUDIES],
        **_study(last),
        **(progress_of(active) if active else {"processes": Processes.look()}),
    }
    return render(request, "studio/tuning.html", context)


def _study(study: TuningStudy | None) -> dict[str, object]:
    """What the templates show of a study, None before a run has opened one."""
    if study is None:
        return {"study": None}
    trials = list(study.trials.all())
    ended = [trial for trial in trials if trial.state != TuningTrial.State.RUNNING]
    base = trials[0].value if trials else None
    columns = list(study.ranges)
    rows = [_row(trial, columns, base) for trial in ended]
    ranked = sorted(
        (row for row in rows if row.trial.value is not None), key=lambda row: -row.trial.value
    )
    return {
        "study": study,
        "columns": columns,
        "rows": rows[::-1],
        "best_rows": ranked[:SHOWN_BEST],
        "best": ranked[0] if ranked else None,
        "given_up": sum(trial.state == TuningTrial.State.PRUNED for trial in ended),
        "underway": next((trial for trial in trials if trial not in ended), None),
        "chart": chart.draw(ended),
    }


def _row(trial: TuningTrial, columns: list[str], base: float | None) -> Row:
    settings = [trial.parameters.get(name) for name in columns]
    change = 100 * (trial.value / base - 1) if trial.value and base and trial.number else None
    return Row(trial, settings, change)
