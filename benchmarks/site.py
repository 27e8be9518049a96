"""A site of the benchmark's own: a PostgreSQL in a folder that is gone when the process ends."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import django
from django.apps import apps

from recommender.config import stack


def start(home: Path | None = None) -> None:
    """Start the server and set Django up. Models can be imported only after this.

    Where it is started already, this does nothing. A `home` that is given is kept, with all that is
    in its database.
    """
    if apps.ready:
        return
    # Told to end, Python would leave the server behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if home is None:
        home = Path(tempfile.mkdtemp(prefix="marquee-benchmark-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    # Whatever site the shell is set up for is left alone.
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT"):
        os.environ.pop(name, None)
    os.environ.update(
        MARQUEE_HOME=str(home.resolve()),
        LOG_LEVEL="WARNING",
        DJANGO_SETTINGS_MODULE="recommender.config.settings",
    )
    stack.provide()
    django.setup()
