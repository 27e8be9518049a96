"""Who may ask, and how often. REST framework's settings name these, so no view is imported."""

import logging
from typing import TYPE_CHECKING

from redis import RedisError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import (
    AnonRateThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
    UserRateThrottle,
)

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class MayTrain(BasePermission):
    """Staff with the permission `recommender.run_training`."""

    message = "This takes a member of staff who may train models."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user = request.user
        return bool(user.is_staff and user.has_perm("recommender.run_training"))


class LenientThrottle(SimpleRateThrottle):
    """Lets requests pass while the cache that counts them is away."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            logger.warning("Requests are not counted, the cache is away: %s", error)
            return True


class AnonymousThrottle(LenientThrottle, AnonRateThrottle):
    pass


class PersonThrottle(LenientThrottle, UserRateThrottle):
    pass


class ScopedThrottle(LenientThrottle, ScopedRateThrottle):
    pass
