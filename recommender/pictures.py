"""Pictures of a person's ratings: bars, drawn on the server as SVG, each with its numbers.

pygal draws; its own style, script and tooltips are taken out, as the site's policy allows neither
in a page. The stylesheet colors what is left, so that themes and print follow.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from users.portrait import Kind, Period, Portrait
from users.templatetags.marquee_users import SCALE, star_label

WIDTH, HEIGHT, ROW = 360, 230, 17
MOST_LABELS = 6
# pygal needs the letters' size to leave room for them; the stylesheet says the same.
STYLE = Style(label_font_size=11, major_label_font_size=11)


@dataclass(frozen=True)
class Picture:
    """A drawing, what it says in words, and its numbers."""

    title: str
    says: str
    """What it shows, in a sentence."""
    svg: str
    headings: list[str]
    rows: list[list[str]]
    legend: list[str] = field(default_factory=list)
    """What the series are, where there are two: the first is filled, the second outlined."""


def of_portrait(portrait: Portrait) -> dict[str, Picture]:
    """Return the portrait's pictures by name; one that would say nothing is left out."""
    pictures = {"distribution": _distribution(portrait), "decades": _decades(portrait)}
    if len(portrait.over_time) > 1:
        pictures["over_time"] = _over_time(portrait.over_time)
    told = [kind for kind in portrait.genres if kind.is_told]
    if told:
        pictures["love"] = _love(told)
    pictures["genres"] = _genres(portrait.genres)
    return pictures


def _distribution(portrait: Portrait) -> Picture:
    yours = [count / portrait.films for count in portrait.distribution]
    everyones = portrait.everyone.distribution
    labels = [star_label(stars).split()[0] for stars in SCALE]
    chart = _chart(pygal.Bar, "How you give stars", labels)
    chart.add("You", _percent(yours))
    chart.add("Everyone", _percent(everyones))
    rows = [
        [star_label(stars), f"{count:,}", _as_percent(own), _as_percent(others)]
        for stars, count, own, others in zip(
            SCALE, portrait.distribution, yours, everyones, strict=True
        )
    ]
    return Picture(
        "How you give stars",
        f"Your mean is {portrait.mean:.1f} stars, everyone’s {portrait.everyone.mean:.1f}.",
        _drawn(chart),
        ["Stars", "Films", "You", "Everyone"],
        rows,
        ["You", "Everyone"],
    )


def _over_time(periods: list[Period]) -> Picture:
    busiest = max(periods, key=lambda period: period.films)
    chart = _chart(pygal.Bar, "Your ratings over time", _few([one.name for one in periods]))
    chart.value_formatter = lambda value: f"{value:,.0f}"
    chart.add("Films", [period.films for period in periods])
    rows = [
        [period.name, f"{period.films:,}", f"{period.mean:.1f}"]
        for period in periods
        if period.mean is not None
    ]
    return Picture(
        "Your ratings over time",
        f"The most in {busiest.name}: {busiest.films:,}.",
        _drawn(chart),
        ["When", "Films", "Mean stars"],
        rows,
    )


def _decades(portrait: Portrait) -> Picture:
    kinds = portrait.decades
    chart = _chart(pygal.Bar, "Decades", _few([kind.name for kind in kinds]))
    chart.add("You", _percent(kind.share for kind in kinds))
    chart.add("Everyone", _percent(kind.everyones_share for kind in kinds))
    return Picture(
        "Decades",
        "The share of your ratings, beside everyone’s.",
        _drawn(chart),
        KIND_HEADINGS,
        _rows_of(kinds),
        ["You", "Everyone"],
    )


def _genres(genres: list[Kind]) -> Picture:
    kinds = sorted(genres, key=lambda kind: -kind.share)
    title = "What you see"
    chart, drawn = _rows_chart(title, kinds)
    chart.add("You", _percent(kind.share for kind in drawn))
    chart.add("Everyone", _percent(kind.everyones_share for kind in drawn))
    return Picture(
        title,
        "The share of your ratings that each genre has, beside everyone’s.",
        _drawn(chart),
        KIND_HEADINGS,
        _rows_of(kinds),
        ["You", "Everyone"],
    )


def _love(kinds: list[Kind]) -> Picture:
    title = "What you love"
    chart, drawn = _rows_chart(title, kinds)
    # To the next tenth of a star.
    reach = math.ceil(10 * max(0.2, *(abs(kind.love) for kind in kinds))) / 10
    chart.range = (-reach, reach)
    chart.y_labels = [-reach, 0, reach]
    chart.value_formatter = lambda value: f"{value:+.1f} ★" if value else "as others"
    chart.add("You", [kind.love for kind in drawn])
    return Picture(
        title,
        "Stars that you give above or below what others gave the same films, beyond what you give"
        " everywhere. Where you rated few films of a genre, less is said.",
        _drawn(chart),
        KIND_HEADINGS,
        _rows_of(kinds),
    )


KIND_HEADINGS = ["", "Films", "You", "Everyone", "Your mean", "Everyone’s", "Love"]


def _rows_of(kinds: list[Kind]) -> list[list[str]]:
    return [
        [
            kind.name,
            f"{kind.films:,}",
            _as_percent(kind.share),
            _as_percent(kind.everyones_share),
            f"{kind.mean:.1f}" if kind.films else "",
            f"{kind.everyones_mean:.1f}",
            f"{kind.love:+.2f}" if kind.is_told else "",
        ]
        for kind in kinds
    ]


def _percent(parts: Iterable[float]) -> list[float]:
    return [round(100 * part, 1) for part in parts]


def _as_percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _few(labels: Sequence[str], most: int = MOST_LABELS) -> list[str]:
    """Return the labels with gaps, so that at most so many stand beside each other."""
    step = -(-len(labels) // most)
    return [label if place % step == 0 else "" for place, label in enumerate(labels)]


def _chart(
    kind: type[pygal.Graph], title: str, labels: list[str], height: int = HEIGHT
) -> pygal.Graph:
    chart = kind(
        style=STYLE,
        js=[],
        width=WIDTH,
        height=height,
        margin=2,
        spacing=6,
        show_legend=False,
        truncate_label=-1,
        max_scale=6,
        disable_xml_declaration=True,
        value_formatter=lambda value: f"{value:g} %",
    )
    chart.x_labels = labels
    chart.add_xml_filter(lambda root: _bare(root, title))
    return chart


def _rows_chart(title: str, kinds: list[Kind]) -> tuple[pygal.Graph, list[Kind]]:
    """Return a chart with a row for each, and them in its order: the first stands at the foot."""
    drawn = kinds[::-1]
    height = 40 + ROW * len(drawn)
    return _chart(pygal.HorizontalBar, title, [kind.name for kind in drawn], height), drawn


def _drawn(chart: pygal.Graph) -> str:
    return str(chart.render(is_unicode=True))


def _bare(root: ElementTree.Element, title: str) -> ElementTree.Element:
    """Take out what the page's policy forbids and what only pygal's own script uses."""
    for parent in list(root.iter()):
        for child in list(parent):
            tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else "comment"
            is_overlay = "overlay" in child.get("class", "")
            if tag in ("defs", "desc", "title", "comment") or is_overlay:
                parent.remove(child)
    root.set("role", "img")
    root.set("aria-label", title)
    root.attrib.pop("id", None)
    return root
