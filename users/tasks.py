"""What Celery workers do for people: thin, the work is in `users.history`."""

from celery import shared_task, signals

from users import history
from users.models import HistoryImport


@shared_task
def work_on_history(import_id: int) -> None:
    """Match or write a history, if it is still there."""
    history_import = HistoryImport.objects.filter(pk=import_id).first()
    if history_import is not None:
        history.work(history_import)


@shared_task
def tidy_histories() -> None:
    """Delete what people have brought and left lying."""
    history.tidy()


@signals.worker_ready.connect
def take_up_histories(**_: object) -> None:
    """Take up what waits, and what the last worker left: a queue may lose its content."""
    history.requeue()
