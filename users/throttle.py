"""A limit on guessing passwords, counted in the cache."""

import hashlib
import logging
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 15 * 60
# A person who mistypes gets ten tries a name; one address that goes through many names, fifty.
TRIES_A_NAME = 10
TRIES_AN_ADDRESS = 50

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogInTries:
    """The tries to log in as one name from one address within the last quarter of an hour.

    A cache that is down counts nothing and stops nobody: people must be able to log in.
    """

    name: str
    address: str

    @classmethod
    def of(cls, request: HttpRequest, name: str) -> "LogInTries":
        # The same address as the API's limits see, whatever proxies stand before the site.
        return cls(name.casefold(), BaseThrottle().get_ident(request))

    def allow(self) -> bool:
        """Count one try before its outcome is known; return whether it may go ahead."""
        try:
            # Both are counted, whatever the first says.
            tries = [_count(key) for key in self._keys]
        except (RedisError, OSError):
            logger.warning("The cache is down: tries to log in are not counted.")
            return True
        return tries[0] <= TRIES_A_NAME and tries[1] <= TRIES_AN_ADDRESS

    def forget(self) -> None:
        """Take the name's tries back, and one of the address's: the password was right."""
        by_name, by_address = self._keys
        try:
            cache.delete(by_name)
            if cache.get(by_address):
                cache.decr(by_address)
        except (RedisError, OSError, ValueError):
            logger.warning("The cache is down: tries to log in are not taken back.")

    @property
    def _keys(self) -> tuple[str, str]:
        # Hashed, for a name may hold what a cache's key may not.
        pair = hashlib.sha256(f"{self.address}\n{self.name}".encode()).hexdigest()
        address = hashlib.sha256(self.address.encode()).hexdigest()
        return f"login:name:{pair}", f"login:address:{address}"


def _count(key: str) -> int:
    """Count one more; the window runs from the first."""
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # The window ended between the two.
        return 1
