"""Durations and changes as people say them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def duration(length: timedelta | None) -> str:
    """42 s, 3 min, 2 h 5 min: coarse, for a person who waits."""
    if length is None:
        return ""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} days"


@register.filter
def since(end: datetime | None, start: datetime | None) -> timedelta | None:
    """The time between two moments, None where one is missing."""
    return end - start if end and start else None


@register.filter
def until(moment: datetime) -> timedelta:
    """The time from now to the moment."""
    return moment - timezone.now()


@register.filter
def change(percent: float | None) -> str:
    """+12.3 %, −4.0 %, ±0 %, or nothing."""
    if percent is None:
        return ""
    if not round(percent, 1):
        return "±0 %"
    sign = "−" if percent < 0 else "+"
    digits = 0 if abs(percent) >= 100 else 1
    return f"{sign}{abs(percent):,.{digits}f} %"


@register.filter
def signed(number: float) -> str:
    """+0.0123 or −0.0123."""
    return f"{number:+.4f}".replace("-", "−")


@register.filter
def times(percent: float | None) -> str:
    """2.1 ×: a change in percent as a factor."""
    return "" if percent is None else f"{1 + percent / 100:.1f} ×"


@register.filter
def setting(value: float | None) -> str:
    """128, 0.0073, 1e-05: a setting's value with as many digits as it has."""
    return "" if value is None else f"{value:g}"


@register.filter
def entry(values: dict[str, object], name: str) -> object:
    """The value of this name, None where there is none."""
    return values.get(name)
