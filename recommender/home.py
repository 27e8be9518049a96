"""The front of the house: a film for tonight, the dials, and shelves that follow the page.

The page itself asks the database little, however much the person has rated; htmx brings what takes
longer. Who has no scripts is led to `shelves`, which is then the same page with all of it.
"""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from recommender.serving.shelves import home_shelves
from recommender.serving.tonight import pick_another, pick_of
from recommender.serving.welcome import films_to_rate
from users.forms import DialsForm
from users.models import User

FEW_RATINGS, TO_RATE = 3, 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The page without its shelves, which it then asks for."""
    return render(request, "recommender/home.html", _frame(request.user))


@require_safe
@vary_on_headers("HX-Request")
def shelves(request: HttpRequest) -> HttpResponse:
    """The shelves; htmx fetches them again as the person rates and turns the dials."""
    context = {"shelves": home_shelves(request.user)}
    if request.htmx:
        return render(request, "recommender/_shelves.html", context)
    frame = _frame(request.user)
    if "missing" in frame:
        frame["to_rate"] = films_to_rate(cast(User, request.user), TO_RATE)
    return render(request, "recommender/home.html", frame | context)


@login_required
@require_safe
@vary_on_headers("HX-Request")
def to_rate(request: HttpRequest) -> HttpResponse:
    """Films for somebody new to rate, for the home page; by itself that is the welcome page."""
    if not request.htmx:
        return redirect("recommender:welcome")
    context = {"to_rate": films_to_rate(cast(User, request.user), TO_RATE)}
    return render(request, "recommender/_to_rate.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def tonight(request: HttpRequest) -> HttpResponse:
    """The film for tonight; POST asks for another one."""
    person = cast(User, request.user)
    is_another = request.method == "POST"
    pick = pick_another(person) if is_another else pick_of(person) or pick_another(person)
    if not request.htmx:
        return redirect("home")
    context = {"tonight": pick, "is_another": is_another}
    return render(request, "recommender/_tonight.html", context) if pick else HttpResponse()


def _frame(person: User | AnonymousUser) -> dict[str, Any]:
    """Return what the home page shows of itself; `missing` ratings make it a new person's."""
    if not isinstance(person, User):
        return {}
    if missing := FEW_RATINGS - person.ratings.all()[:FEW_RATINGS].count():
        return {"missing": missing}
    return {"tonight": pick_of(person), "dials_form": DialsForm(dials=person.dials)}
