"""Answers when something went wrong: pages for people, problems in JSON for programs."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views import defaults

# PostgreSQL restarts in seconds; so does a fail-over to a standby.
RETRY_AFTER_SECONDS = 10


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing has this address."""
    if _is_for_a_program(request):
        return problem(404, "not_found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500, or 503 where only the database is away and the same request may work soon."""
    if is_database_away(sys.exc_info()[1]):
        return _unavailable(request)
    if _is_for_a_program(request):
        return problem(500, "error", "Something went wrong here. It has been logged.")
    return defaults.server_error(request)


def is_database_away(exception: BaseException | None) -> bool:
    """Whether the database could not be reached, broke off, or asks to try again."""
    return isinstance(exception, OperationalError | InterfaceError)


def problem(status: int, code: str, detail: str) -> JsonResponse:
    """The same shape that the API's own problems have."""
    kind = "server_error" if status >= 500 else "client_error"
    errors = [{"code": code, "detail": detail, "attr": None}]
    return JsonResponse({"type": kind, "errors": errors}, status=status)


def _unavailable(request: HttpRequest) -> HttpResponse:
    if _is_for_a_program(request):
        response: HttpResponse = problem(503, "unavailable", "The database is away. Try again.")
    else:
        # No request: the context processors that need one would ask the database again.
        response = render(None, "503.html", status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _is_for_a_program(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
