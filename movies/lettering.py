"""Titles set in the sign's condensed lettering, as outlines.

An SVG inside `<img>` can load no font, so letters are drawn as the font's own outlines: they look
the same everywhere. Lengths are in the drawing's units; y grows downwards.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from itertools import combinations, pairwise
from pathlib import Path
from threading import Lock

import font_fjallaone
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

FONT_FILE = Path(font_fjallaone.font_directory) / "FjallaOne-Regular.ttf"
MAX_LETTERS = 90
MAX_LINES = 7
LEADING = 0.2
"""The gap between two lines, in cap heights."""
SPREAD = 1.9
"""How many times as large as the smallest line the largest may be."""
FALLBACK_ADVANCE, FALLBACK_FAMILY = 0.75, "'Arial Narrow', 'Noto Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Box:
    """Where a text must fit."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    text: str
    size: float
    """Cap height."""
    y: float
    """The baseline, from the top of the block."""


@dataclass(frozen=True)
class _Font:
    units_per_cap: float
    cmap: dict[int, str]
    glyphs: object


@cache
def _font() -> _Font:
    font = TTFont(FONT_FILE)
    return _Font(font["OS/2"].sCapHeight, font.getBestCmap(), font.getGlyphSet())


# fontTools unpacks a letter as it is first drawn, which two threads must not do at once.
_unpacking = Lock()


@cache
def _glyph(letter: str) -> tuple[str, float]:
    """Return the letter's outline and advance, in the font's units."""
    font = _font()
    pen = SVGPathPen(font.glyphs, ntos=lambda number: f"{number:.0f}")
    with _unpacking:
        glyph = font.glyphs[font.cmap[ord(letter)]]
        glyph.draw(pen)
        return pen.getCommands(), glyph.width


def in_capitals(title: str) -> str:
    """Return the title as it is set: capitals, one space between words, not too long."""
    text = " ".join(title.upper().split())
    if len(text) > MAX_LETTERS:
        text = text[:MAX_LETTERS].rsplit(" ", 1)[0].rstrip(" ,:;-") + "…"
    return "".join(_known(letter) for letter in text)


def _known(letter: str) -> str:
    """Return the letter, or without its accents where the font lacks it."""
    if ord(letter) in _font().cmap:
        return letter
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if ord(plain) in _font().cmap else letter


@lru_cache(maxsize=4096)
def width(text: str, tracking: float = 0) -> float:
    """Return the text's width at a cap height of 1; tracking is added after each letter."""
    font = _font()
    total = 0.0
    for letter in text:
        known = ord(letter) in font.cmap
        total += _glyph(letter)[1] / font.units_per_cap if known else FALLBACK_ADVANCE
    return total + tracking * max(len(text) - 1, 0)


def set_block(title: str, box: Box, largest: float) -> list[Line]:
    """Return the title's lines, as large as the box and `largest` (a cap height) allow.

    Every line is drawn to the block's full width where that keeps the lines within `SPREAD` of
    each other, as on a letterpress bill.
    """
    choices = (_sized(lines, box, largest) for lines in _breaks(in_capitals(title).split(" ")))
    return max(choices, key=_weight)


def _weight(lines: list[Line]) -> float:
    """Return how well a block reads: large small lines first, and few lines."""
    return min(line.size for line in lines) * 1.5 + max(line.size for line in lines) - len(lines)


def _breaks(words: list[str]) -> Iterator[list[str]]:
    """Yield ways to break the words into lines: all for short titles, even ones for long."""
    if len(words) <= 7:
        for count in range(len(words)):
            for cuts in combinations(range(1, len(words)), count):
                edges = [0, *cuts, len(words)]
                yield [" ".join(words[a:b]) for a, b in pairwise(edges)]
        return
    text_length = len(" ".join(words))
    for count in range(2, MAX_LINES + 1):
        yield _even_lines(words, text_length / count)


def _even_lines(words: list[str], target: float) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if len(longer) - target > target - len(lines[-1]):
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _sized(lines: list[str], box: Box, largest: float) -> list[Line]:
    # A text of nothing but marks that take no room has no width.
    full = [box.width / (width(text) or 1) for text in lines]
    smallest = min(min(full), largest)
    sizes = [min(size, largest, smallest * SPREAD) for size in full]
    height = sum(sizes) + LEADING * sum(sizes[1:])
    scale = min(1.0, box.height / height)
    placed, y = [], 0.0
    for number, (text, size) in enumerate(zip(lines, sizes, strict=True)):
        y += size * scale * (1 if number == 0 else 1 + LEADING)
        placed.append(Line(text, size * scale, y))
    return placed


def block_height(lines: list[Line]) -> float:
    return lines[-1].y


def draw_line(
    text: str,
    x: float,
    y: float,
    size: float,
    fill: str,
    anchor: str = "start",
    tracking: float = 0,
) -> str:
    """Return SVG for one line: its baseline begins (or, by `anchor`, ends or centers) at x, y."""
    length = width(text, tracking) * size
    x -= {"start": 0.0, "middle": length / 2, "end": length}[anchor]
    if any(ord(letter) not in _font().cmap for letter in text):
        # A script that the lettering lacks: the reader's own fonts, held to the same width.
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}"'
            ' lengthAdjust="spacingAndGlyphs"'
            f' font-family="{FALLBACK_FAMILY}" font-weight="700" font-size="{size * 1.35:.1f}"'
            f' fill="{fill}">{escape(text)}</text>'
        )
    scale = size / _font().units_per_cap
    paths, pen_x = [], 0.0
    for letter in text:
        outline, advance = _glyph(letter)
        if outline:
            paths.append(f'<path transform="translate({pen_x:.0f})" d="{outline}"/>')
        pen_x += advance + tracking * _font().units_per_cap
    return (
        f'<g fill="{fill}" transform="translate({x:.1f} {y:.1f}) scale({scale:.4f} {-scale:.4f})">'
        f"{''.join(paths)}</g>"
    )
