"""What a person takes along, and deleting their account for good."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET

from users import export as exporting
from users.forms import DeleteAccountForm
from users.models import User


@login_required
@never_cache
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Send a zip of everything that is the person's."""
    person = cast(User, request.user)
    name = f"marquee-{slugify(person.username) or 'export'}-{timezone.now():%Y-%m-%d}.zip"
    return HttpResponse(
        exporting.archive(person),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@login_required
@never_cache
@sensitive_post_parameters()
def delete_account(request: HttpRequest) -> HttpResponse:
    """Ask for the password, and delete the account with all that is the person's."""
    person = cast(User, request.user)
    form = DeleteAccountForm(request.POST or None, request=request)
    is_last = is_last_administrator(person)
    if request.method == "POST" and not is_last and form.is_valid():
        logout(request)
        with transaction.atomic():
            User.objects.get(pk=person.pk).delete()
        messages.success(request, "Your account is deleted, and everything that was in it.")
        return redirect("home")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "is_last": is_last, "ratings": person.ratings.count()}
    return render(request, "users/delete.html", context, status=status)


def is_last_administrator(person: User) -> bool:
    """Return whether nobody would be left who may do everything."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    return person.is_superuser and not others.exists()
