"""Yourself in pictures: what a person's ratings say of them, for their own eyes alone."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from recommender import pictures
from recommender.models import ModelVersion
from recommender.serving import neighbours, seeds
from users.models import LeftOut, User
from users.portrait import Portrait, portray

DEFINING, SEEDS, LEFT_OUT = 8, 24, 100
FEWEST_RATINGS = 5
"""Of a person for whom pictures are drawn: fewer say nothing that their list does not."""
NAMED = 4


@login_required
@require_safe
@never_cache
@vary_on_headers("HX-Request")
def profile(request: HttpRequest) -> HttpResponse:
    """The pictures; htmx fetches what the recommendations are made of again after a switch."""
    person = cast(User, request.user)
    if request.htmx:
        return render(request, "recommender/_seeds.html", _seeds(person))
    portrait = portray(person)
    context: dict[str, object] = {
        "portrait": portrait,
        "missing": max(0, FEWEST_RATINGS - portrait.films),
        "has_model": ModelVersion.objects.live() is not None,
        "neighbours_from": neighbours.FEWEST_RATINGS,
    }
    if portrait.films >= FEWEST_RATINGS:
        context |= {
            "pictures": pictures.of_portrait(portrait),
            "words": _in_words(portrait),
            "neighbours": neighbours.neighbours_of(person),
            **_seeds(person),
        }
    return render(request, "recommender/profile.html", context)


def _seeds(person: User) -> dict[str, object]:
    left_out = LeftOut.objects.filter(user=person).with_movies()
    return {
        "ingredients": seeds.ingredients(person, DEFINING, SEEDS),
        "first": seeds.FIRST,
        "left_out": left_out.order_by("-left_out_at", "movie_id")[:LEFT_OUT],
    }


def _in_words(portrait: Portrait) -> dict[str, list[str]]:
    """Name the genres and decades that the person loves, does not like, and skips."""
    kinds = [*portrait.genres, *portrait.decades]
    loved = sorted(kinds, key=lambda kind: -kind.love)
    skipped = sorted(kinds, key=lambda kind: kind.reach)
    return {
        "loved": [kind.name for kind in loved if kind.is_loved][:NAMED],
        "disliked": [kind.name for kind in loved[::-1] if kind.is_disliked][:NAMED],
        "skipped": [kind.name for kind in skipped if kind.is_skipped][:NAMED],
    }
