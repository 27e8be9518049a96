"""Plots of what `benchmarks.scale` has kept: how the ratings are spread, and what stages take.

    python -m benchmarks.scale.plots

draws them anew; a run of the benchmark does so at its end.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pygal
from numpy.typing import NDArray
from pygal.style import CleanStyle

from benchmarks import record
from benchmarks.scale.shapes import SHAPES

POINTS = 40
"""Of a curve."""
_DASHED = {"width": 2, "dasharray": "4, 4"}
_SOLID = {"width": 2}
_COLORS = ("#3b6ea8", "#c2571a", "#4f7a3a", "#8b4a8f", "#7a6a2f", "#2f7f86", "#a03b4d")

Curve = list[tuple[float, float]]


def curve(counts: NDArray[np.int64]) -> Curve:
    """Ranks, from 1, and the counts at them, the highest first, of counts (n,): a Zipf plot."""
    ordered = np.sort(counts)[::-1]
    ranks = np.unique(np.geomspace(1, len(ordered), POINTS).astype(int))
    return [(int(rank), int(ordered[rank - 1])) for rank in ranks]


def draw(results: Mapping[str, Mapping[str, Any]], folder: Path = record.FOLDER) -> None:
    """Draw all plots of the sizes' results, by size, into the folder."""
    shown = {size: results[size] for size in SHAPES if "curves" in results.get(size, {})}
    if shown:
        _people(shown).render_to_file(folder / "scale-people.svg")
        _films(shown).render_to_file(folder / "scale-films.svg")
    if len(results) > 1:
        _seconds(results.values()).render_to_file(folder / "scale-seconds.svg")


def _people(results: Mapping[str, Mapping[str, Any]]) -> pygal.XY:
    chart = _chart("Ratings of a person, the most active first", "people", "ratings", len(results))
    for size, result in results.items():
        shape = SHAPES[size]
        law = np.minimum(shape.activity_law(), shape.most_active)
        _add(chart, f"generated {size.upper()}", result["curves"]["people"], _SOLID)
        _add(chart, f"MovieLens {size.upper()}'s law", curve(law.astype(np.int64)), _DASHED)
    return chart


def _films(results: Mapping[str, Mapping[str, Any]]) -> pygal.XY:
    chart = _chart("Ratings of a film, the best known first", "films", "ratings", len(results))
    for size, result in results.items():
        shape, gini = SHAPES[size], result["shape"]["gini of films"]
        name = f"generated {size.upper()} (Gini {gini:.2f})"
        _add(chart, name, result["curves"]["films"], _SOLID)
        name = f"MovieLens {size.upper()}'s best known ({shape.film_gini:.2f})"
        _add(chart, name, [(1, shape.best_known)], _DASHED)
    return chart


def _seconds(results: Iterable[Mapping[str, Any]]) -> pygal.XY:
    by_stage: dict[str, Curve] = {}
    for result in sorted(results, key=lambda each: each["ratings"]):
        for row in result["stages"]:
            seconds = statistics.median(one["seconds"] for one in row["ours"])
            by_stage.setdefault(row["stage"], []).append((result["ratings"], seconds))
    chart = _chart("Seconds of each stage", "ratings", "seconds")
    for stage, points in by_stage.items():
        _add(chart, stage.replace("_", " "), points, _SOLID)
    return chart


def _chart(title: str, across: str, up: str, pairs: int = 0) -> pygal.XY:
    """A chart with logarithms on both axes; `pairs` of series that follow each other are alike."""
    colors = [color for color in _COLORS for _ in range(2)] if pairs else list(_COLORS)
    chart = pygal.XY(
        title=title,
        x_title=across,
        y_title=up,
        width=760,
        height=480,
        dots_size=2,
        legend_at_bottom=True,
        legend_at_bottom_columns=2,
        truncate_legend=-1,
        js=[],
        disable_xml_declaration=True,
        style=CleanStyle(colors=tuple(colors), background="white", plot_background="white"),
    )
    chart.x_value_formatter = chart.value_formatter = _number
    chart.add_xml_filter(_without_script)
    return chart


def _without_script(root: ElementTree.Element) -> ElementTree.Element:
    for holder in root.iter():
        for script in holder.findall("script"):
            holder.remove(script)
    return root


def _add(chart: pygal.XY, name: str, points: Sequence[tuple[float, float]], stroke: Any) -> None:
    logs = [(float(np.log10(x)), float(np.log10(y))) for x, y in points if x > 0 and y > 0]
    chart.add(name, logs, stroke_style=stroke)
    for axis, place in (("x_labels", 0), ("y_labels", 1)):
        low, high = min(p[place] for p in logs), max(p[place] for p in logs)
        known = getattr(chart, axis, ())
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        setattr(chart, axis, sorted({*known, *decades}))


def _number(log: float) -> str:
    """A decade's number, from its logarithm."""
    value = 10**log
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def main() -> int:
    """Draw what is kept."""
    draw(record.read("scale"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
