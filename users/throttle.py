"""Limits on guessing passwords and invitations, counted in the cache."""

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
# Links of invitations that lead nowhere, from one address: a household may open old ones.
WRONG_LINKS_AN_ADDRESS = 30

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
        by_name, by_address = self._keys
        return _allow({by_name: TRIES_A_NAME, by_address: TRIES_AN_ADDRESS})

    def forget(self) -> None:
        """Take the name's tries back, and one of the address's: the password was right."""
        by_name, by_address = self._keys
        _take_back(by_address, forgotten=by_name)

    @property
    def _keys(self) -> tuple[str, str]:
        # Hashed, for a name may hold what a cache's key may not.
        pair = _hashed(f"{self.address}\n{self.name}")
        return f"login:name:{pair}", f"login:address:{_hashed(self.address)}"


@dataclass(frozen=True)
class InvitationTries:
    """The invitations that one address tried within the last quarter of an hour in vain.

    A cache that is down counts nothing and stops nobody, as for `LogInTries`.
    """

    address: str

    @classmethod
    def of(cls, request: HttpRequest) -> "InvitationTries":
        return cls(BaseThrottle().get_ident(request))

    def allow(self) -> bool:
        """Count one try before its outcome is known; return whether it may go ahead."""
        return _allow({self._key: WRONG_LINKS_AN_ADDRESS})

    def forget(self) -> None:
        """Take the try back: the invitation was good."""
        _take_back(self._key)

    @property
    def _key(self) -> str:
        return f"invitation:address:{_hashed(self.address)}"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _allow(limits: dict[str, int]) -> bool:
    """Count one more of each key; return whether none is beyond its limit."""
    try:
        # All are counted, whatever the first says.
        counts = [cache.count(key, WINDOW_SECONDS) for key in limits]
    except (RedisError, OSError):
        logger.warning("The cache is down: tries are not counted.")
        return True
    return all(count <= most for count, most in zip(counts, limits.values(), strict=True))


def _take_back(key: str, forgotten: str = "") -> None:
    """Count one less of the key, and nothing any more of the one to be forgotten."""
    try:
        if forgotten:
            cache.delete(forgotten)
        if cache.get(key):
            cache.decr(key)
    except (RedisError, OSError, ValueError):
        logger.warning("The cache is down: tries are not taken back.")
