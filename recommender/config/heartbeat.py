"""Which processes are up. Each writes a sign of life to the cache from a thread of its own.

Celery's own `inspect` asks a worker's main loop, which a solo worker leaves while it trains; a
thread goes on beating there, and ends with the process however that ends.
"""

import logging
import threading
import time
from datetime import timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

WORKER, SCHEDULER = "worker", "scheduler"
INTERVAL_SECONDS = 2
# As long as it takes to notice a killed process; a busy machine may miss a beat or two.
LIFETIME_SECONDS = 8
# A worker that is there takes work within a second.
PATIENCE = timedelta(seconds=5)

logger = logging.getLogger(__name__)


def start(role: str) -> None:
    """Beat for this process until it ends."""
    threading.Thread(target=_beat, args=[role], name=f"{role} heartbeat", daemon=True).start()


def is_up(role: str) -> bool:
    """Return whether a process in this role has lately shown a sign of life.

    Raises:
        redis.exceptions.RedisError: the cache, which is the queue too, cannot be reached.
    """
    return cache.get(_key(role)) is not None


def _beat(role: str) -> None:
    is_heard = True
    while True:
        try:
            cache.set(_key(role), time.time(), timeout=LIFETIME_SECONDS)
            is_heard = True
        except RedisError as error:
            # Said once; the worker itself complains often enough.
            if is_heard:
                logger.warning("No sign of life can be written: %s", error)
            is_heard = False
        time.sleep(INTERVAL_SECONDS)


def _key(role: str) -> str:
    return f"up:{role}"
