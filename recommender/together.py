"""Evenings: people who choose a film together, by an invitation, on pages that follow each other.

Whatever a member does works in two ways. A plain form comes back to the page it was sent from. One
sent by htmx is answered with the parts of the page that have changed; the pages of the others ask
every few seconds whether anything has, which is answered with nothing as long as nothing has.

Nothing of a person is told here but their name and what the model makes of a film for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, trigger_client_event

from movies.forms import FilterForm
from movies.models import Movie
from movies.views import filter_chips, page_number, with_parameters
from recommender.serving.consensus import MIDDLE
from recommender.serving.recommend import Filters
from recommender.serving.together import Pick, films_together
from users import evenings
from users.evenings import Refused, Said
from users.models import Evening, Member, User
from users.navigation import current_page, next_page
from users.throttle import InvitationTries

PAGE_SIZE = 20
# Nobody reads further, and each page asks for all the films before it.
LAST_PAGE = 5
STOPS = ["most joy", "more joy", "both alike", "less misery", "least misery"]
"""What each stop of the dial asks for."""


class StartForm(forms.ModelForm):
    """What the evening is called."""

    class Meta:
        model = Evening
        fields = ("name",)
        labels = {"name": "What do you call it?"}
        help_texts = {"name": "Such as “Friday at ours”. Everybody who is in reads it."}


class TogetherForm(FilterForm):
    """What an evening's address asks for: genre and years, the dial, and films that some know."""

    care = forms.IntegerField(
        label="What counts most",
        min_value=0,
        max_value=len(STOPS) - 1,
        required=False,
        widget=forms.NumberInput(
            attrs={"type": "range", "step": 1, "data-dial": "", "data-words": "|".join(STOPS)}
        ),
    )
    seen = forms.BooleanField(label="Also films that some of us have seen", required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.is_valid()
        # The slider stands where it counts, also where the address says nothing, or nothing good.
        self.data = data.copy()
        self.data["care"] = str(self.stop)
        self.fields["care"].widget.attrs["aria-valuetext"] = self.word

    @property
    def stop(self) -> int:
        """Where the dial stands; what cannot be read leaves it in the middle."""
        stop = self.cleaned_data.get("care")
        return MIDDLE if stop is None else int(stop)

    @property
    def word(self) -> str:
        return STOPS[self.stop]

    @property
    def filters(self) -> Filters:
        first_year, last_year = self.years
        return Filters(genre=self.genre_slug, first_year=first_year, last_year=last_year)

    @property
    def with_seen(self) -> bool:
        return bool(self.cleaned_data.get("seen"))


@dataclass(frozen=True)
class Row:
    """A film of the list, and what the page tells of it."""

    pick: Pick
    likings: list[tuple[Member, Any]]
    """Each member with what they would make of it; none where that is not told."""
    said: str
    """What the reader has said of it: "yes", "veto", or nothing."""

    @property
    def movie(self) -> Movie:
        return self.pick.movie


# Who is asking -----------------------------------------------------------------------------------

View = Callable[..., HttpResponse]


def for_members(view: View) -> View:
    """Make a view of what a member sees or does: `view(request, member, …)`.

    To everybody else there is no such evening. A page that has been open since before it ended, or
    since its reader was taken out, is led away.
    """

    @wraps(view)
    def of_evening(request: HttpRequest, pk: int, **named: Any) -> HttpResponse:
        if not isinstance(request.user, User):
            to_log_in = redirect_to_login(current_page(request))
            return HttpResponseClientRedirect(to_log_in.url) if request.htmx else to_log_in
        members = Member.objects.select_related("evening", "user")
        member = members.filter(evening_id=pk, user=request.user).first()
        if member is not None:
            return view(request, member, **named)
        if not request.htmx:
            raise Http404
        messages.warning(request, "That evening has ended, or you are no longer in it.")
        return HttpResponseClientRedirect(resolve_url("recommender:evenings"))

    return never_cache(of_evening)


def for_its_maker(view: View) -> View:
    """Make a view of what only the maker of an evening may do."""

    @wraps(view)
    def of_maker(request: HttpRequest, member: Member, **named: Any) -> HttpResponse:
        if member.user_id != member.evening.maker_id:
            raise PermissionDenied
        return view(request, member, **named)

    return for_members(of_maker)


# Pages -------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def all_evenings(request: HttpRequest) -> HttpResponse:
    """The person's evenings, and a form to start one; a visitor reads what it is about."""
    form = StartForm(request.POST or None)
    if not isinstance(request.user, User):
        if request.method == "POST":
            return redirect_to_login(request.path)
        return render(request, "recommender/together/all.html", {"form": form})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(evenings.start(request.user, form.cleaned_data["name"]))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    mine = Evening.objects.of(request.user).with_people()
    context = {"form": form, "evenings": mine}
    return render(request, "recommender/together/all.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites to what, and what joining tells of oneself; POST joins."""
    tries = InvitationTries.of(request)
    if not tries.allow():
        return render(request, "recommender/together/invitation.html", {"waits": True}, status=429)
    try:
        evening = evenings.invited_to(token)
    except Refused as refusal:
        context = {"refusal": refusal}
        return render(request, "recommender/together/invitation.html", context, status=404)
    tries.forget()
    if request.method == "POST":
        return _join(request, token)
    if isinstance(request.user, User) and evening.members.filter(user=request.user).exists():
        return redirect(evening)
    context = {
        "evening": evening,
        "people": evening.members.count(),
        "is_full": evening.members.count() >= evenings.MOST_MEMBERS,
    }
    return render(request, "recommender/together/invitation.html", context)


def _join(request: HttpRequest, token: str) -> HttpResponse:
    if not isinstance(request.user, User):
        return redirect_to_login(request.path)
    try:
        evening = evenings.join(request.user, token)
    except Refused as refusal:
        context = {"refusal": refusal}
        return render(request, "recommender/together/invitation.html", context, status=409)
    messages.success(request, f"You are in: {evening.name}.")
    return redirect(evening)


@require_safe
@for_members
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The evening's page: who is in, what they have said, and films for all of them.

    The page of a member asks by htmx, with the stamp `at` which it has, whether it is still true.
    """
    at = request.GET.get("at")
    if request.htmx and at is not None and at == evenings.stamp(member.evening):
        return HttpResponse(status=204)
    parameters = _without_stamp(request.GET)
    context = _context(request, member, parameters)
    if not request.htmx:
        response = render(request, "recommender/together/evening.html", context)
    else:
        response = render(request, "recommender/together/_parts.html", context)
        if at is None:
            push_url(response, request.path + with_parameters(parameters))
    patch_vary_headers(response, ["HX-Request"])
    return response


# What members do ---------------------------------------------------------------------------------


@require_POST
@for_members
def say(request: HttpRequest, member: Member, movie_pk: int) -> HttpResponse:
    """Say `yes` to a film, `veto` it, or take `back` what one has said of it."""
    movie = get_object_or_404(Movie.objects.with_genres(), pk=movie_pk)
    verbs = {
        "yes": (evenings.say_yes, f"You said yes to {movie.title}."),
        "veto": (evenings.veto, f"{movie.title} is out, for everybody."),
        "back": (evenings.take_back, f"You took back what you said of {movie.title}."),
    }
    verb, text = verbs.get(request.POST.get("say", ""), (None, ""))
    if verb is None:
        return HttpResponse("Say yes, veto, or back.", status=422, content_type="text/plain")
    was_true = request.POST.get("at") == evenings.stamp(member.evening)
    verb(member, movie)
    if not request.htmx:
        messages.success(request, text)
        return redirect(next_page(request, default=member.evening.get_absolute_url()))
    parameters = QueryDict(current_page(request).partition("?")[2])
    context = _what_is_said(member) | _standing(member, parameters) | {"movie": movie}
    context["mine"] = _mine(member, context["films_said"]).get(movie.pk, "")
    # A page that was not true before has more to fetch than the answer brings.
    context["from_list"] = "from_list" in request.POST
    context["is_true"] = was_true and context["from_list"]
    response = render(request, "recommender/together/_said.html", context)
    if not context["is_true"]:
        trigger_client_event(response, "changed", {})
    return trigger_client_event(response, "toast", {"text": text, "level": "success"})


@require_POST
@for_its_maker
def invite(request: HttpRequest, member: Member) -> HttpResponse:
    """Make a new link in the place of the old one, or `revoke` it."""
    if "revoke" in request.POST:
        evenings.revoke_invitation(member.evening)
        messages.success(request, "The link no longer works. Whoever is in stays in.")
    else:
        evenings.invite(member.evening)
        messages.success(request, "Here is a new link. An older one no longer works.")
    return redirect(resolve_url(member.evening) + "#invitation")


@require_POST
@for_members
def leave(request: HttpRequest, member: Member) -> HttpResponse:
    """Go. What the person said there goes with them."""
    try:
        evenings.leave(member)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(member.evening)
    messages.success(request, f"You have left {member.evening.name}.")
    return redirect("recommender:evenings")


@require_POST
@for_its_maker
def remove(request: HttpRequest, member: Member, member_pk: int) -> HttpResponse:
    """Take somebody out."""
    other = get_object_or_404(member.evening.members.select_related("user"), pk=member_pk)
    try:
        evenings.remove(other)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        text = f"{other.user.username} is out, and the link no longer works."
        messages.success(request, text)
    return redirect(member.evening)


@require_POST
@for_its_maker
def end(request: HttpRequest, member: Member) -> HttpResponse:
    """End the evening for everybody."""
    evenings.end(member.evening)
    messages.success(request, f"{member.evening.name} has ended.")
    return redirect("recommender:evenings")


# What the page shows -----------------------------------------------------------------------------


def _context(request: HttpRequest, member: Member, parameters: QueryDict) -> dict[str, Any]:
    form = TogetherForm(parameters)
    context = _what_is_said(member) | _standing(member, parameters)
    context |= {"form": form, "chips": filter_chips(request, form)}
    if len(context["members"]) < 2:
        return context
    number = page_number(parameters, LAST_PAGE)
    found = films_together(
        member.evening, number * PAGE_SIZE + 1, form.filters, form.stop, form.with_seen
    )
    start, stop = (number - 1) * PAGE_SIZE, number * PAGE_SIZE
    mine = _mine(member, context["films_said"])
    is_more = len(found) > stop and number < LAST_PAGE
    return context | {
        "rows": [_row(pick, context["members"], mine) for pick in found[start:stop]],
        "is_placed": any(pick.likings for pick in found),
        "later": with_parameters(parameters, page=number + 1) if is_more else "",
        "earlier": with_parameters(parameters, page=number - 1) if number > 1 else "",
    }


def _what_is_said(member: Member) -> dict[str, Any]:
    """Who is in and what they have said: the part of the page that every act changes."""
    evening = member.evening
    members = list(evening.members.select_related("user"))
    films = evenings.said(evening)
    shortlist = evenings.shortlist(evening, films)
    return {
        "evening": evening,
        "me": member,
        "is_maker": evening.maker_id == member.user_id,
        "members": members,
        "films_said": films,
        "agreed": [film for film in shortlist if len(members) > 1 and _all(film, members)],
        "shortlist": [(film, _said_by(member, film)) for film in shortlist],
        "vetoed": [(film, _said_by(member, film)) for film in films if film.vetoed_by],
    }


def _standing(member: Member, parameters: QueryDict) -> dict[str, Any]:
    """What the page's address asks for, and the stamp of what it shows."""
    address = member.evening.get_absolute_url()
    return {
        "stamp": evenings.stamp(member.evening),
        "parameters": [(name, value) for name, value in parameters.items() if value],
        "here": (address + with_parameters(parameters)).removesuffix("?"),
    }


def _row(pick: Pick, members: list[Member], mine: dict[int, str]) -> Row:
    likings = [(one, pick.likings[one.user_id]) for one in members if one.user_id in pick.likings]
    return Row(pick, likings, mine.get(pick.movie.pk, ""))


def _mine(member: Member, films: list[Said]) -> dict[int, str]:
    """What the member has said, by film."""
    return {film.movie.pk: _said_by(member, film) for film in films}


def _said_by(member: Member, film: Said) -> str:
    if member in film.vetoed_by:
        return "veto"
    return "yes" if member in film.yes else ""


def _all(film: Said, members: list[Member]) -> bool:
    return len(film.yes) == len(members)


def _without_stamp(parameters: QueryDict) -> QueryDict:
    kept = parameters.copy()
    kept.pop("at", None)
    return kept
