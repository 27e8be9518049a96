"""What a person thinks of a film, in templates.

A page asks once for the person's stars and once for all their lists, however many films it shows;
for a visitor who has not logged in it asks for nothing.
"""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.template import Context

from movies.models import Movie
from users.models import MAX_HALF_STARS, MIN_HALF_STARS, Rating, User
from users.navigation import current_page

register = template.Library()

# The picture of the distribution, in its own units.
BAR_WIDTH, BAR_STEP, BAR_HEIGHT, BARS_FLOOR = 26, 32, 84, 100
SCALE = [half_stars / 2 for half_stars in range(MIN_HALF_STARS, MAX_HALF_STARS + 1)]


@register.filter
def stars_of(movie: Movie, person: User | AnonymousUser) -> float | None:
    """`{{ movie|stars_of:user }}`: the person's stars for the film, or None."""
    return person.stars.get(movie.pk) if person.is_authenticated else None


@register.filter
def star_label(stars: float) -> str:
    """`{{ 3.5|star_label }}`: "3½ stars"."""
    whole, half = divmod(round(stars * 2), 2)
    number = f"{whole or ''}{'½' if half else ''}"
    return f"{number} star" if stars <= 1 else f"{number} stars"


@register.filter
def half_stars_label(half_stars: int) -> str:
    """`{{ 7|half_stars_label }}`: "3½ stars"."""
    return star_label(half_stars / 2)


@register.inclusion_tag("users/_rating_control.html", takes_context=True)
def rating_control(
    context: Context,
    movie: Movie,
    focus: bool = False,
    next: str = "",
    out_of_band: bool = False,
) -> dict[str, Any]:
    """`{% rating_control movie %}`: the stars to give.

    With `focus`, an answer to htmx moves the focus there; `out_of_band` puts the control in the
    place of all those of the film on the page. `next` is the page to come back to where that is not
    the one that shows the control.
    """
    return {
        **_film(context, movie, next),
        "stars": stars_of(movie, context["request"].user),
        "choices": SCALE,
        "focus": focus,
        "out_of_band": out_of_band,
    }


@register.inclusion_tag("users/_list_controls.html", takes_context=True)
def list_controls(
    context: Context, movie: Movie, pressed: str = "", out_of_band: bool = False
) -> dict[str, Any]:
    """`{% list_controls movie %}`: the watchlist, "not interested" and "less like this".

    In an answer to htmx, `pressed` (`watch`, `dismiss` or `less`) is the button that gets the
    focus, and `out_of_band` puts the controls in the place of all those of the film on the page.
    """
    person = context["request"].user
    return {
        **_film(context, movie),
        "is_listed": person.is_authenticated and movie.pk in person.watchlist_ids,
        "is_dismissed": person.is_authenticated and movie.pk in person.dismissed_ids,
        "is_less": person.is_authenticated and movie.pk in person.less_like_ids,
        "pressed": pressed,
        "out_of_band": out_of_band,
    }


@register.inclusion_tag("users/_less_like_card.html", takes_context=True)
def less_like_card(context: Context, movie: Movie, out_of_band: bool = False) -> dict[str, Any]:
    """`{% less_like_card movie %}`: "less like this" on a card, and its undoing once pressed."""
    person = context["request"].user
    is_less = person.is_authenticated and movie.pk in person.less_like_ids
    return {**_film(context, movie), "is_less": is_less, "out_of_band": out_of_band}


@register.inclusion_tag("users/_counts_switch.html", takes_context=True)
def counts_switch(context: Context, movie: Movie, out_of_band: bool = False) -> dict[str, Any]:
    """`{% counts_switch movie %}`: whether the stars of a rated film count for one's taste."""
    counts = movie.pk not in context["request"].user.left_out_ids
    return {**_film(context, movie), "counts": counts, "out_of_band": out_of_band}


@register.inclusion_tag("users/_distribution.html")
def rating_distribution(movie: Movie) -> dict[str, Any]:
    """`{% rating_distribution movie %}`: how many people gave how many stars, as bars."""
    counts = Rating.objects.filter(movie=movie).distribution()
    most = max(counts)
    bars = [_bar(*bar, most=most) for bar in zip(SCALE, counts, strict=True)]
    return {"movie": movie, "bars": bars, "bar_width": BAR_WIDTH, "floor": BARS_FLOOR}


def _bar(stars: float, count: int, most: int) -> dict[str, Any]:
    x = (stars * 2 - MIN_HALF_STARS) * BAR_STEP
    height = BAR_HEIGHT * count / most if most else 0
    return {
        "stars": stars,
        "label": star_label(stars).split()[0],
        "count": count,
        "x": x,
        "middle": x + BAR_WIDTH / 2,
        "top": BARS_FLOOR - height,
        "height": height,
        "label_y": BARS_FLOOR - height - 4,
    }


def _film(context: Context, movie: Movie, next: str = "") -> dict[str, Any]:
    request = context["request"]
    return {"movie": movie, "user": request.user, "next": next or current_page(request)}
