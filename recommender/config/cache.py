"""The cache in Valkey: Django's, and counting in one step."""

from functools import cached_property
from typing import Any, cast

from django.core.cache.backends import redis


class CacheClient(redis.RedisCacheClient):
    """Django's, which would compose a client anew for every command, on its one server."""

    @cached_property
    def _only_client(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._only_client

    def count(self, key: str, seconds: int) -> int:
        pipeline = self._only_client.pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds, nx=True)
        counted: int = pipeline.execute()[0]
        return counted


class Cache(redis.RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = CacheClient

    def count(self, key: str, seconds: int) -> int:
        """Count one more and return how many there were in the `seconds` since the first."""
        client = cast(CacheClient, self._cache)
        return client.count(self.make_and_validate_key(key), seconds)
