"""The OpenAPI schema as an address of its own."""

from threading import Lock
from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """Draws one schema at a time.

    drf-spectacular finds its extensions at the first call, and a second one that comes meanwhile
    in another thread finds them half loaded.
    """

    _alone = Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self._alone:
            response: Response = super().get(request, *args, **kwargs)
        return response
