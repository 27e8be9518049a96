"""The fonts as browsers want them: their packages carry TrueType, which is three times as large.

Each is packed as WOFF2 when it is first asked for, and kept in `MARQUEE_HOME/fonts`.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import font_fjallaone
import font_manrope
from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from fontTools.ttLib import TTFont

PREFIX = "fonts"
SOURCES = {
    "FjallaOne-Regular.woff2": Path(font_fjallaone.font_directory) / "FjallaOne-Regular.ttf",
    "Manrope-Variable.woff2": Path(font_manrope.font_directory) / "Manrope-VariableFont_wght.ttf",
}


class FontFinder(BaseFinder):
    """Finds `fonts/*.woff2` among the static files."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return where the font lies; nothing, or an empty list, where it is none of ours."""
        prefix, _, name = path.partition("/")
        if prefix != PREFIX or name not in SOURCES:
            return []
        found = str(packed(name))
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for name in SOURCES:
            storage = FileSystemStorage(packed(name).parent)
            storage.prefix = PREFIX  # type: ignore[attr-defined]
            yield name, storage


def packed(name: str) -> Path:
    """Return the font's WOFF2 file, made if it is not there yet."""
    path: Path = settings.MARQUEE_HOME / PREFIX / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _pack(SOURCES[name], path)
    return path


def _pack(source: Path, path: Path) -> None:
    with TTFont(source) as font, tempfile.TemporaryDirectory(dir=path.parent) as folder:
        font.flavor = "woff2"
        whole = Path(folder) / path.name
        font.save(whole)
        # Whole or not there: two processes may pack at once.
        whole.replace(path)
