"""Figures that are kept: one JSON file a dataset and benchmark, and the same for people to read."""

import json
from collections.abc import Callable, Mapping, Sequence
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
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    kept = dict(sorted({**kept, part: result}.items()))
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    path.with_name(f"{file}.md").write_text(markdown(list(kept.values())))
