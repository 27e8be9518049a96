from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from recommender import schedule
from recommender.config.celery import app
from recommender.schedule import Every, Spaces, Weekday

pytestmark = pytest.mark.django_db


def test_nothing_is_scheduled_at_first():
    assert schedule.read() == schedule.Schedule()
    assert schedule.read().words == "Only when someone asks."


def test_every_day_at_an_hour():
    now = timezone.now()
    # An hour that is to come; the next run is the first time it strikes.
    hour = (now.hour + 2) % 24
    chosen = schedule.write(Every.DAY, hour)
    assert (chosen.every, chosen.hour) == (Every.DAY, hour)
    assert chosen.words == f"Every day at {hour:02d}:00 UTC: every space in use."
    assert chosen.next_run.hour == hour
    assert timedelta(0) < chosen.next_run - now <= timedelta(days=1)
    assert schedule.read() == chosen


@pytest.mark.parametrize("weekday", Weekday)
def test_every_week_on_a_day(weekday):
    now = timezone.now()
    chosen = schedule.write(Every.WEEK, 5, weekday)
    assert chosen.next_run.isoweekday() % 7 == weekday
    assert chosen.next_run.hour == 5
    assert timedelta(0) < chosen.next_run - now <= timedelta(days=7)


def test_it_may_be_of_taste_alone_as_it_was_before_there_was_a_choice():
    chosen = schedule.write(Every.DAY, 3, spaces=Spaces.TASTE)
    assert chosen.words == "Every day at 03:00 UTC: taste alone."
    assert schedule.read() == chosen
    PeriodicTask.objects.filter(name=schedule.NAME).update(kwargs="{}")
    assert schedule.read().spaces == Spaces.TASTE


def said_by(**options) -> str:
    output = StringIO()
    call_command("schedule", stdout=output, **options)
    return output.getvalue().strip()


def test_the_command_says_and_sets_it():
    assert said_by() == "Only when someone asks."
    assert said_by(every="week", weekday="sunday", hour=5, spaces="taste") == (
        "Every Sunday at 05:00 UTC: taste alone."
    )
    assert said_by() == "Every Sunday at 05:00 UTC: taste alone."
    with pytest.raises(CommandError, match=r"^hour: .*Nothing was changed"):
        said_by(every="day", hour=24)
    assert schedule.read().weekday == Weekday.SUNDAY
    assert said_by(every="never") == "Only when someone asks."


def test_changing_and_ending_it_keeps_one_row():
    schedule.write(Every.DAY, 3)
    schedule.write(Every.WEEK, 4, Weekday.SUNDAY)
    schedule.write(Every.NEVER)
    assert schedule.read() == schedule.Schedule()
    assert PeriodicTask.objects.filter(name=schedule.NAME).count() == 1


@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_that_no_day_has_changes_nothing(hour):
    before = schedule.write(Every.DAY, 3)
    with pytest.raises(ValueError, match=r"^hour: "):
        schedule.write(Every.DAY, hour)
    assert schedule.read() == before


def test_times_that_were_set_in_the_admin_are_called_so():
    schedule.write(Every.DAY, 3)
    cron = CrontabSchedule.objects.create(minute="*/10", timezone="UTC")
    PeriodicTask.objects.filter(name=schedule.NAME).update(crontab=cron)
    assert schedule.read().every == Every.OTHER


def test_the_scheduler_starts_it_when_it_is_time_and_not_before():
    now = datetime.now(UTC)
    schedule.write(Every.DAY, now.hour)
    entry = ModelEntry(PeriodicTask.objects.get(name=schedule.NAME), app=app)
    assert entry.task == schedule.TASK
    # As a worker does when it starts.
    app.loader.import_default_modules()
    assert entry.task in app.tasks
    assert entry.kwargs == {"spaces": "all"}
    # The hour has struck already today: it is not made up for.
    assert not entry.is_due().is_due
    entry.last_run_at = now.replace(minute=0, second=0) - timedelta(minutes=1)
    assert entry.is_due().is_due
