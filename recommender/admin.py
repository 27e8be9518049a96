"""The admin of models and of regular tasks. What changes a model goes through the console."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from recommender.models import ModelVersion, TrainingRun, TuningStudy, TuningTrial


class ReadOnlyAdmin(ModelAdmin):
    """Rows to look at: the training pipeline writes them."""

    list_before_template = "studio/admin_link.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["id", "space", "embedder", "state", "ndcg", "rating_count", "snapshot_at"]
    list_filter = ["space", "embedder", "state", "vectors_dropped"]
    ordering = ["-pk"]

    @admin.display(description="NDCG@20")
    def ndcg(self, version: ModelVersion) -> str:
        value = version.metrics.get("model", {}).get("ndcg@20")
        return "" if value is None else f"{value:.4f}"


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "kind",
        "space",
        "state",
        "version",
        "requested_by",
        "created_at",
        "error",
    ]
    list_filter = ["kind", "space", "state", "promote"]
    list_select_related = ["version", "requested_by"]
    date_hierarchy = "created_at"
    ordering = ["-pk"]


@admin.register(TuningStudy)
class TuningStudyAdmin(ReadOnlyAdmin):
    list_display = ["id", "space", "embedder", "seed", "rating_count", "adopted_at", "verdict"]
    list_filter = ["space", "embedder"]
    date_hierarchy = "created_at"
    ordering = ["-pk"]


@admin.register(TuningTrial)
class TuningTrialAdmin(ReadOnlyAdmin):
    list_display = ["study", "number", "state", "value", "seconds", "parameters"]
    list_filter = ["state"]
    list_select_related = ["study"]
    ordering = ["-study", "-value"]


# django-celery-beat's own pages, in the admin's theme -------------------------------------------


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelectWidget()


for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(beat.CrontabScheduleAdmin, ModelAdmin):
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(beat.ClockedScheduleAdmin, ModelAdmin):
    pass


admin.site.register([IntervalSchedule, SolarSchedule], ModelAdmin)
