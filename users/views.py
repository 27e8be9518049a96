"""Accounts, what a person thinks of a film, and the lists that come of it.

Whatever is done to a film works in two ways. A plain form comes back to the page it was sent from.
One sent by htmx is answered with the part of the page that has changed, and with an event (`rated`,
`listed`, `dismissed`, `left_out`) by which other parts know to ask for themselves again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.views import SuccessMessageMixin
from django.core.paginator import Page, Paginator
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from rest_framework.authtoken.models import Token

from movies.models import Movie
from users import ratings
from users.forms import NAME_TAKEN, ChangePasswordForm, LogInForm, ProfileForm, SignUpForm
from users.models import Rating, User, WatchlistEntry
from users.navigation import current_page, next_page
from users.templatetags.marquee_users import star_label

PAGE_SIZE = 30
SHOWN_ONCE = "api_token_to_show"

# Accounts --------------------------------------------------------------------------------------


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUp(auth_views.RedirectURLMixin, FormView):
    """Make an account and be logged in at once."""

    form_class = SignUpForm
    template_name = "users/signup.html"
    next_page = settings.LOGIN_REDIRECT_URL

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": self.get_redirect_url()}

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            with transaction.atomic():
                person = form.save()
        except IntegrityError:  # Somebody took the name while the form was being checked.
            form.add_error("username", NAME_TAKEN)
            return self.form_invalid(form)
        login(self.request, person)
        # The page that they came from is kept for when they have been welcomed.
        came_from = self.get_redirect_url()
        query = "?" + urlencode({"next": came_from}) if came_from else ""
        return redirect(resolve_url(settings.SIGNUP_REDIRECT_URL) + query)


class LogIn(auth_views.LoginView):
    authentication_form = LogInForm
    template_name = "users/login.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: LogInForm) -> HttpResponse:
        status = 429 if form.has_error("__all__", "too_many") else 200
        return self.render_to_response(self.get_context_data(form=form), status=status)


class ChangePassword(LoginRequiredMixin, SuccessMessageMixin, auth_views.PasswordChangeView):
    form_class = ChangePasswordForm
    template_name = "users/password.html"
    success_url = reverse_lazy("users:account")
    success_message = "Your password is changed."


@login_required
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Show the account and change its name and email address.

    The API token is shown on the one visit that follows its making.
    """
    person = cast(User, request.user)
    # A copy, so that a name that was refused is not the one that the page greets.
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=person.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("users:account")
    context = {
        "form": form,
        "token": Token.objects.filter(user=person).first(),
        "new_token": request.session.pop(SHOWN_ONCE, None),
        "counts": {
            "ratings": person.ratings.count(),
            "watchlist": person.watchlist.count(),
            "dismissed": person.dismissals.count(),
            "less_like": person.less_like.count(),
            "seen": person.seen.count(),
        },
    }
    return render(request, "users/account.html", context)


@login_required
@require_POST
def api_token(request: HttpRequest) -> HttpResponse:
    """Make a new API token in place of any other, or `revoke` the one there is."""
    with transaction.atomic():
        Token.objects.filter(user=request.user).delete()
        if "revoke" in request.POST:
            messages.success(request, "The API token no longer works.")
        else:
            request.session[SHOWN_ONCE] = Token.objects.create(user=request.user).key
    return redirect(resolve_url("users:account") + "#api")


# Lists -----------------------------------------------------------------------------------------


@login_required
def rated_films(request: HttpRequest) -> HttpResponse:
    person = cast(User, request.user)
    order = order_of(request, Rating.Order)
    films = person.ratings.with_movies().in_order(order)
    context = {"page": page_of(request, films), "orders": Rating.Order.choices, "order": order}
    return render(request, "users/ratings.html", context)


@login_required
def watchlist(request: HttpRequest) -> HttpResponse:
    person = cast(User, request.user)
    order = order_of(request, WatchlistEntry.Order)
    films = person.watchlist.with_movies().in_order(order)
    orders = WatchlistEntry.Order.choices
    context = {"page": page_of(request, films), "orders": orders, "order": order}
    return render(request, "users/watchlist.html", context)


@login_required
def dismissed(request: HttpRequest) -> HttpResponse:
    person = cast(User, request.user)
    films = person.dismissals.with_movies()
    page = page_of(request, films.order_by("-dismissed_at", "movie_id"))
    return render(request, "users/dismissed.html", {"page": page})


@login_required
def less_like(request: HttpRequest) -> HttpResponse:
    """The films of which the person wants fewer alike, each to be taken back."""
    person = cast(User, request.user)
    films = person.less_like.with_movies()
    page = page_of(request, films.order_by("-asked_at", "movie_id"))
    return render(request, "users/less_like.html", {"page": page})


@login_required
def seen(request: HttpRequest) -> HttpResponse:
    """The films that the person has seen and not rated."""
    person = cast(User, request.user)
    films = person.seen.with_movies()
    page = page_of(request, films.order_by("-seen_at", "movie_id"))
    return render(request, "users/seen.html", {"page": page})


def order_of(request: HttpRequest, orders: type[models.TextChoices]) -> str:
    """Return the order that the address asks for, the first where it names none of them."""
    chosen = request.GET.get("sort", "")
    return chosen if chosen in orders.values else orders.values[0]


def page_of(request: HttpRequest, films: models.QuerySet[Any]) -> Page:
    return Paginator(films, PAGE_SIZE).get_page(request.GET.get("page"))


# What a person does to a film --------------------------------------------------------------------

Act = Callable[[HttpRequest, User, Movie], HttpResponse]


def act_on_film(act: Act) -> Callable[[HttpRequest, int], HttpResponse]:
    """Make a view of what a logged-in person does to a film; others are sent to log in."""

    @wraps(act)
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        movie = get_object_or_404(Movie, pk=pk)
        if isinstance(request.user, User):
            return act(request, request.user, movie)
        to_log_in = redirect_to_login(page_of_film(request, movie))
        return HttpResponseClientRedirect(to_log_in.url) if request.htmx else to_log_in

    return view


@act_on_film
def rate(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Set the person's `stars` (0.5 to 5.0) for the film, or `withdraw` them.

    Stars take a film off the watchlist; `listed` puts it back, where it was there besides. With
    `left_out` they do not count for the person's taste, as they did not before.
    """
    if "withdraw" in request.POST:
        kept = listed(person, movie) | left_out(person, movie)
        undo = Undo("users:rate", {"stars": person.stars.get(movie.pk, "")} | kept)
        ratings.withdraw(person, movie)
        text = f"Your stars for {movie.title} are withdrawn."
        return acted(request, movie, "rated", text, "users/_withdrawn.html", undo)
    was_on_a_list = movie.pk in person.watchlist_ids | person.dismissed_ids
    try:
        rating = ratings.rate(person, movie, float(request.POST.get("stars") or "nan"))
    except ValueError:
        return refused(request, movie, "Choose from half a star to five stars, in half stars.")
    if "listed" in request.POST:
        ratings.add_to_watchlist(person, movie)
    if "left_out" in request.POST:
        ratings.leave_out(person, movie)
    text = f"{movie.title}: {star_label(rating.stars)}."
    return acted(request, movie, "rated", text, "users/_rated.html", was_on_a_list=was_on_a_list)


@act_on_film
def watch(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Put the film on the person's watchlist, or `unlist` it."""
    undo = None
    if "unlist" in request.POST:
        ratings.remove_from_watchlist(person, movie)
        text = f"{movie.title} is off your watchlist."
        undo = Undo("users:watch")
    else:
        ratings.add_to_watchlist(person, movie)
        text = f"{movie.title} is on your watchlist."
    return acted(request, movie, "listed", text, "users/_listed.html", undo, pressed="watch")


@act_on_film
def dismiss(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Leave the film out of what the person is shown, or `restore` it, `listed` if it was."""
    undo = None
    if "restore" in request.POST:
        ratings.restore(person, movie)
        if "listed" in request.POST:
            ratings.add_to_watchlist(person, movie)
        text = f"{movie.title} may be suggested again."
    else:
        undo = Undo("users:dismiss", {"restore": 1, **listed(person, movie)})
        ratings.dismiss(person, movie)
        text = f"{movie.title} will not be suggested again."
    return acted(request, movie, "dismissed", text, "users/_listed.html", undo, pressed="dismiss")


@act_on_film
def ask_for_less(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Show the person fewer films like this one, or `restore` them."""
    undo = None
    if "restore" in request.POST:
        ratings.take_back_less(person, movie)
        text = f"Films like {movie.title} are suggested as before."
    else:
        ratings.ask_for_less(person, movie)
        text = f"Fewer films like {movie.title} from now on."
        undo = Undo("users:ask_for_less", {"restore": 1})
    if "card" in request.POST:
        return acted(request, movie, "less_like", text, "users/_less_liked.html", undo)
    return acted(request, movie, "less_like", text, "users/_listed.html", undo, pressed="less")


@act_on_film
def leave_out(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Let the person's stars for the film say nothing of their taste, or `restore` them."""
    undo = None
    if "restore" in request.POST:
        ratings.count_again(person, movie)
        text = f"{movie.title} counts for your taste again."
    else:
        try:
            ratings.leave_out(person, movie)
        except ratings.NotRated as error:
            return refused(request, movie, str(error))
        text = f"{movie.title} no longer counts for your taste. Your stars stay."
        undo = Undo("users:leave_out", {"restore": 1})
    return acted(request, movie, "left_out", text, "users/_counts.html", undo)


@act_on_film
def not_seen_after_all(request: HttpRequest, person: User, movie: Movie) -> HttpResponse:
    """Take back that the person has seen the film."""
    ratings.not_seen_after_all(person, movie)
    messages.success(request, f"{movie.title} is not noted as seen any more.")
    return redirect(next_page(request, default=resolve_url("users:seen")))


@dataclass(frozen=True)
class Undo:
    """What takes an act back: values to send to the address of an act on the same film."""

    act: str
    values: dict[str, Any] = field(default_factory=dict)

    def to_dict(self, movie: Movie) -> dict[str, Any]:
        return {"url": reverse(self.act, args=[movie.pk]), "values": self.values, "film": movie.pk}


def listed(person: User, movie: Movie) -> dict[str, int]:
    """Return what to send along so that the film is on the watchlist again, if it is there."""
    return {"listed": 1} if movie.pk in person.watchlist_ids else {}


def left_out(person: User, movie: Movie) -> dict[str, int]:
    """Return what to send along so that the stars do not count again, if they do not."""
    return {"left_out": 1} if movie.pk in person.left_out_ids else {}


def acted(
    request: HttpRequest,
    movie: Movie,
    event: str,
    text: str,
    part: str,
    undo: Undo | None = None,
    **context: object,
) -> HttpResponse:
    """Answer an act: with the changed part of the page and the event, or by going back.

    Where the act is the undoing of another (`undone`), all `parts` of the page that show what the
    person says of the film are changed, wherever they stand.
    """
    if not request.htmx:
        messages.success(request, text)
        return redirect(page_of_film(request, movie))
    if "undone" in request.POST:
        part, context = "users/_undone.html", {"parts": request.POST.getlist("parts")}
    response = render(request, part, {"movie": movie, **context})
    trigger_client_event(response, event, {"movie": movie.pk})
    toast: dict[str, Any] = {"text": text, "level": "success"}
    if undo:
        toast["undo"] = undo.to_dict(movie)
    return trigger_client_event(response, "toast", toast)


def refused(request: HttpRequest, movie: Movie, text: str) -> HttpResponse:
    """Answer what cannot be done; nothing has changed."""
    if request.htmx:
        response = HttpResponse(text, status=422, content_type="text/plain")
        return trigger_client_event(response, "toast", {"text": text, "level": "error"})
    context = {"movie": movie, "text": text, "next": page_of_film(request, movie)}
    return render(request, "users/refused.html", context, status=422)


def page_of_film(request: HttpRequest, movie: Movie) -> str:
    """Return the page from which the person acted on the film, or else the film's own."""
    if request.htmx:
        return current_page(request)
    return next_page(request, default=movie.get_absolute_url())
