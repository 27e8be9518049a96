"""Who may ask, and how often. REST framework's settings name these, so no view is imported."""

import logging
from typing import TYPE_CHECKING

from django.db import connection
from redis import RedisError
from rest_framework import authentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import (
    AnonRateThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
    UserRateThrottle,
)

from recommender.models import ModelVersion, Space
from users.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class TokenAuthentication(authentication.TokenAuthentication):
    """REST framework's own, whose query is not composed anew for every request.

    It also brings what is live, for answers that are kept: as `live_taste` of the token.
    """

    _PERSON = (
        "SELECT live.id, live.predicted_count, person.* FROM authtoken_token AS token"
        " JOIN users_user AS person ON person.id = token.user_id"
        " LEFT JOIN recommender_modelversion AS live ON live.space = %s AND live.state = %s"
        " WHERE token.key = %s"
    )
    _FIELDS = [field.attname for field in User._meta.concrete_fields]

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        with connection.cursor() as cursor:
            cursor.execute(self._PERSON, [Space.TASTE, ModelVersion.State.LIVE, key])
            found = cursor.fetchone()
            names = [column.name for column in cursor.description]
        if found is None:
            raise AuthenticationFailed("Invalid token.")
        columns = dict(zip(names[2:], found[2:], strict=True))
        person = User.from_db(
            connection.alias, self._FIELDS, [columns[name] for name in self._FIELDS]
        )
        if not person.is_active:
            raise AuthenticationFailed("Invalid token.")
        token = Token(key=key, user=person)
        token.live_taste = found[:2] if found[0] else None
        return person, token


class MayTrain(BasePermission):
    """Staff with the permission `recommender.run_training`."""

    message = "This takes a member of staff who may train models."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user = request.user
        return bool(user.is_staff and user.has_perm("recommender.run_training"))


class LenientThrottle(SimpleRateThrottle):
    """Counts the requests of each minute, or other window, and each by one step of the cache.

    Lets requests pass while the cache that counts them is away.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if self.rate is None:
            return True
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        window, into = divmod(self.timer(), self.duration)
        self._left = self.duration - into
        try:
            return bool(self.cache.count(f"{key}:{window:.0f}", self.duration) <= self.num_requests)
        except RedisError as error:
            logger.warning("Requests are not counted, the cache is away: %s", error)
            return True

    def wait(self) -> float:
        """Seconds until requests are let through again."""
        return self._left


class AnonymousThrottle(AnonRateThrottle, LenientThrottle):
    pass


class PersonThrottle(UserRateThrottle, LenientThrottle):
    pass


class ScopedThrottle(ScopedRateThrottle, LenientThrottle):
    pass
