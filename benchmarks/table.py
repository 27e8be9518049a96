"""A table of results, for people on a terminal and in a document, out of what is kept as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

ACCURACY = ("recall@20", "ndcg@20", "ndcg@100")
"""With intervals and differences; the other metrics come without."""

_NAMES = {"recall@20": "Recall@20", "ndcg@20": "NDCG@20", "ndcg@100": "NDCG@100"}
_OTHERS = ("Coverage@20", "Novelty@20, bits", "Popularity lift@20", "Fit, s")

Result = Mapping[str, Any]
"""One protocol's results, as `comparison.compare` makes them."""


def show(result: Result, console: Console) -> None:
    """Print the table, each accuracy with its interval and Marquee's lead below it."""
    table = Table(title=heading(result), caption=_caption(result), caption_justify="left")
    table.add_column("Recommender")
    for name in (*_NAMES.values(), *_OTHERS):
        table.add_column(name, justify="right")
    for row in result["rows"]:
        if "failed" in row:
            table.add_row(row["title"], row["failed"])
            continue
        accuracy = ["\n".join(_accuracy(row[name])) for name in ACCURACY]
        table.add_row(f"{row['title']}\n{row['package']}", *accuracy, *_other_cells(row))
        table.add_section()
    console.print(table)
    for line in _tuning(result):
        console.print(line)


def markdown(results: Sequence[Result]) -> str:
    """The tables of a dataset's protocols as a document."""
    return "\n".join(line for result in results for line in _markdown(result))


def heading(result: Result) -> str:
    """Which data, split how."""
    data, split = result["dataset"], result["split"]
    return (
        f"{data['label']}, {result['protocol']['name']}: {data['ratings']:,} ratings of"
        f" {data['movies']:,} movies by {data['users']:,} users;"
        f" {split['training']:,} to train on, {split['users']:,} users asked"
    )


def _markdown(result: Result) -> Iterator[str]:
    yield f"## {heading(result)}"
    yield ""
    yield _caption(result)
    yield ""
    columns = ["Recommender", *(c for n in _NAMES.values() for c in (n, "Marquee's lead"))]
    columns += _OTHERS
    yield f"| {' | '.join(columns)} |"
    yield f"|---|{'---:|' * (len(columns) - 1)}"
    for row in result["rows"]:
        if "failed" in row:
            cells = [row["title"], row["failed"], *[""] * (len(columns) - 2)]
        else:
            accuracy = [cell for name in ACCURACY for cell in _accuracy(row[name])]
            cells = [f"{row['title']} ({row['package']})", *accuracy, *_other_cells(row)]
        yield f"| {' | '.join(cells)} |"
    yield ""
    for line in _tuning(result):
        yield f"- {line}"
    yield ""


def _accuracy(measured: Mapping[str, Any]) -> tuple[str, str]:
    """A mean with its interval, and Marquee's lead over it with its own."""
    mean = f"{measured['mean']:.4f} ({measured['low']:.4f}–{measured['high']:.4f})"
    lead = measured["lead"]
    if lead is None:
        return mean, ""
    return mean, f"{lead['mean']:+.4f} ({lead['low']:+.4f} to {lead['high']:+.4f})"


def _other_cells(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['coverage@20']:.3f}",
        f"{row['novelty@20']:.2f}",
        f"{row['popularity_lift@20']:+.2f}",
        f"{row['fit_seconds']:.1f}",
    ]


def _caption(result: Result) -> str:
    options = result["options"]
    return (
        f"{result['protocol']['summary']} In brackets 95 % bootstrap intervals over users;"
        " Marquee's lead is the paired difference to the row. Each row's settings were chosen"
        f" on training ratings alone, within {options['minutes']:g} minutes and"
        f" {options['trials']} trials on {result['machine']['cores']} cores; seed"
        f" {options['seed']}."
    )


def _tuning(result: Result) -> Iterator[str]:
    """How each row came to its settings."""
    for row in result["rows"]:
        if "failed" in row or row.get("untuned"):
            continue
        settings = ", ".join(f"{name} {_value(value)}" for name, value in row["settings"].items())
        yield (
            f"{row['title']}: {row['trials']} trials in {row['tuning_seconds'] / 60:.1f} minutes"
            f" ({row['ended']}); {settings}"
        )


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
