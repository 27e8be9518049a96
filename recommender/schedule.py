"""Regular retraining: one row of django-celery-beat's, read and written as plain choices."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

# As the row was called when there was taste alone: it is found by it.
NAME = "Retrain the taste model"
TASK = "recommender.tasks.train_on_schedule"


class Every(models.TextChoices):
    NEVER = "never", "Never"
    DAY = "day", "Every day"
    WEEK = "week", "Every week"
    OTHER = "other", "As set in the admin"


class Spaces(models.TextChoices):
    """What is retrained."""

    TASTE = "taste", "Taste alone"
    ALL = "all", "Every space in use"


class Weekday(models.IntegerChoices):
    """Days as cron counts them."""

    SUNDAY = 0
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6


@dataclass(frozen=True)
class Schedule:
    """When which spaces are trained without being asked for. Hours are UTC."""

    every: Every = Every.NEVER
    hour: int = 3
    weekday: Weekday = Weekday.MONDAY
    spaces: Spaces = Spaces.ALL
    next_run: datetime | None = None

    @property
    def words(self) -> str:
        at = f"at {self.hour:02d}:00 UTC"
        what = Spaces(self.spaces).label
        return {
            Every.NEVER: "Only when someone asks.",
            Every.DAY: f"Every day {at}: {what.lower()}.",
            Every.WEEK: f"Every {Weekday(self.weekday).label} {at}: {what.lower()}.",
            Every.OTHER: f"At times that were set in the admin: {what.lower()}.",
        }[self.every]


def read() -> Schedule:
    """Return the schedule that is in force."""
    task = PeriodicTask.objects.select_related("crontab").filter(name=NAME).first()
    if task is None or not task.enabled:
        return Schedule()
    cron, spaces = task.crontab, _spaces(task)
    if cron is None or not _is_plain(cron):
        return Schedule(Every.OTHER, spaces=spaces)
    every = Every.DAY if cron.day_of_week == "*" else Every.WEEK
    weekday = Weekday(int(cron.day_of_week)) if every == Every.WEEK else Weekday.MONDAY
    return Schedule(every, int(cron.hour), weekday, spaces, _next_run(task))


@transaction.atomic
def write(
    every: Every,
    hour: int = 3,
    weekday: Weekday = Weekday.MONDAY,
    spaces: Spaces = Spaces.ALL,
) -> Schedule:
    """Train these spaces at these times from now on; the scheduler takes it up within seconds.

    Raises:
        ValueError: the hour is not 0 to 23, or `every` is no plain choice.
    """
    if not 0 <= hour <= 23:
        raise ValueError("hour: must be between 0 and 23")
    if every == Every.OTHER:
        raise ValueError("every: other times are set in the admin")
    if every == Every.NEVER:
        for task in PeriodicTask.objects.filter(name=NAME):
            task.enabled = False
            task.save()
        return Schedule()
    cron, _ = CrontabSchedule.objects.get_or_create(
        minute="0",
        hour=str(hour),
        day_of_week="*" if every == Every.DAY else str(int(weekday)),
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    # Counted from now: an hour of today that has passed already is not made up for.
    PeriodicTask.objects.update_or_create(
        name=NAME,
        defaults={
            "task": TASK,
            "kwargs": json.dumps({"spaces": str(spaces)}),
            "crontab": cron,
            "interval": None,
            "solar": None,
            "clocked": None,
            "enabled": True,
            "last_run_at": timezone.now(),
        },
    )
    return read()


def _spaces(task: PeriodicTask) -> Spaces:
    """What the task retrains: taste, where it was written before there was a choice."""
    return Spaces(json.loads(task.kwargs or "{}").get("spaces", Spaces.TASTE))


def _is_plain(cron: CrontabSchedule) -> bool:
    return (
        cron.minute == "0"
        and cron.hour.isdigit()
        and cron.day_of_month == cron.month_of_year == "*"
        and str(cron.timezone) == "UTC"
        and (cron.day_of_week == "*" or cron.day_of_week in map(str, Weekday.values))
    )


def _next_run(task: PeriodicTask) -> datetime:
    now, delta, _ = task.schedule.remaining_delta(timezone.now())
    return now + delta
