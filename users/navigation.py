"""Where a person is, and where they go back to."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def current_page(request: HttpRequest) -> str:
    """Return the address of the page that the person looks at, also for a part of it by htmx."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        return htmx.current_url_abs_path or "/"
    return request.get_full_path()


def next_page(request: HttpRequest, default: str) -> str:
    """Return the `next` that was sent along where it is a page of this site, else the default."""
    address = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else default
