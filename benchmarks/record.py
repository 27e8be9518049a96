"""Figures that are kept: one JSON file a dataset and benchmark, and the same for people to read."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def keep(
    file: str,
    part: str,
    result: Mapping[str, Any],
    markdown: Callable[[Sequence[Mapping[str, Any]]], str],
    folder: Path = FOLDER,
) -> None:
    """Put the result beside the other parts of the file, in the place of an earlier one."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{file}.json"
    kept = dict(sorted({**read(file, folder), part: result}.items()))
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    path.with_name(f"{file}.md").write_text(markdown(list(kept.values())))


def read(file: str, folder: Path = FOLDER) -> dict[str, Any]:
    """All parts of the file by name, none where it is not there yet."""
    path = folder / f"{file}.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return kept


def tables(results: Sequence[Mapping[str, Any]]) -> str:
    """Results as a document.

    Each has a `title`, `columns` with the form in which their numbers are written, `rows` that hold
    a value, an interval or nothing by column, and `notes`.
    """
    return "\n".join(line for result in results for line in _table(result))


def _table(result: Mapping[str, Any]) -> Iterator[str]:
    forms: Mapping[str, str] = result["columns"]
    yield f"## {result['title']}"
    yield ""
    yield f"| {' | '.join(forms)} |"
    yield "|---" * len(forms) + "|"
    for row in result["rows"]:
        yield f"| {' | '.join(_cell(row.get(name), form) for name, form in forms.items())} |"
    yield ""
    for note in result["notes"]:
        yield f"- {note}"
    yield ""


def _cell(value: object, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " to ".join(format(part, form) for part in value)
    return format(value, form)
