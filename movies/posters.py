"""Posters for films that have none, drawn by us: cut paper, two or three inks, sign lettering.

A film's genre chooses among compositions, its decade among palettes, its id the rest, so that a
film always gets the same poster and a wall of them never looks like one.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from random import Random

from movies.lettering import Box, block_height, draw_line, set_block
from movies.models import Movie

WIDTH, HEIGHT, MARGIN = 300, 450, 24
# Raised with every change of the drawings, so that browsers fetch them anew.
EDITION = 2


@dataclass(frozen=True)
class Palette:
    """Inks as #rrggbb; the title's `ink` reads on the `ground`."""

    ground: str
    ink: str
    first: str
    second: str
    third: str


@dataclass(frozen=True)
class Artwork:
    """A picture and the room that it leaves for the title."""

    svg: str
    title: Box
    at_bottom: bool = False
    """Whether the title stands on the floor of its box rather than hanging from its top."""


def _palettes(*rows: str) -> list[Palette]:
    return [Palette(*(f"#{ink}" for ink in row.split())) for row in rows]


# First year of an era, and its inks.
ERAS: list[tuple[int, list[Palette]]] = [
    (
        0,  # Silent: sepia, lamp black, oxblood.
        _palettes(
            "e9dcc0 2a1d14 8c2f1d 5a4632 c9a35f",
            "241a14 efe2c6 b4502f 6d5640 d8b070",
            "d9c7a0 1f2a2c 2f5558 7c3a22 f2e6c8",
            "36201c f0dfbf c98b3d 7a3328 e0c08a",
        ),
    ),
    (
        1930,  # Deco: black, gold, bottle green, cream.
        _palettes(
            "13211f efe0b6 c79a3b 2f5a4c e6c97a",
            "17161c f1e4c3 b5893a 5b1f27 d9bd79",
            "ead9ac 1b1c22 22594f b0402c c99b3a",
            "1d2740 f0e2bd d1a545 8e2f34 5f789b",
            "5a1a22 f5e4bd d8a648 2a0f16 a8483c",
        ),
    ),
    (
        1950,  # Mid-century: cut paper.
        _palettes(
            "e8562a 1b1512 f4e3c1 1b1512 f2a93b",
            "f3e6c9 1d1a1a d8412f 1d7a78 efb034",
            "17494d f6e7c6 e9a12e d9492b 83b5a5",
            "efb536 1f1712 c93a27 20484f f7ead0",
            "f2dfc0 22221f 2d6a9a e25b32 1f2a33",
            "c2342a fbeacb 1c1a1c f0b040 7d1d1d",
        ),
    ),
    (
        1970,  # Earth and rust.
        _palettes(
            "3b2417 f6dfb4 d9732b a63f1f e9b04f",
            "ecd5a3 33200f b5501f 6c6a2c d98c2b",
            "6b2f1a f8e2b8 e48a35 351a12 c9a24b",
            "2f3b2a f1dfae d3962f 9b4a22 7d8b4a",
            "d9822b 2a160c f7dda6 7d2d17 40301c",
        ),
    ),
    (
        1980,  # Neon on night.
        _palettes(
            "1a1033 fdf1ff f0397f 22c1c3 6b3fd1",
            "0d1b3e ffeef5 ff5a6e ffb23e 2e6bd6",
            "26103f fff0e0 ff7a3d e3307f 7d3bd6",
            "071f2b eafcff 19c7b9 f2447c 1c5f78",
            "f24b7a 1d0b2b ffd0a8 3f1f86 ffe66b",
        ),
    ),
    (
        1990,  # Teal, rust, smoke.
        _palettes(
            "102a30 eef3e6 2f8f83 d0642f a9c3a2",
            "2b2d3a f3ece0 b9503a 6d7c93 dcb26a",
            "e6e2d3 1d2226 2a6f77 b6452c 8d9a8f",
            "3a1a24 f7e6dd c64a4d 7b2b46 e2a37c",
            "1c2c4c f2eee2 4a7fb5 e0913f 2e4a78",
            "283618 f4f1dc 8fa045 d98f35 4c5f2a",
        ),
    ),
    (
        2000,  # Blue hour and amber.
        _palettes(
            "0f2136 f2f4f6 2c6ca6 f09a3a 7fb1d6",
            "20242b f5f1ea 5f7180 d9572f b8c3c9",
            "dfe5e6 14202b 1f6389 e0752d 86a3ae",
            "0c2d2a effaf2 1f8a70 f2b84b 0f5e56",
            "351431 fbeef4 a5376f f08a4b 6a2560",
            "d7472f fff3e6 2a1418 f7b267 8f2320",
        ),
    ),
    (
        2010,  # Flat and bright.
        _palettes(
            "f5efe6 1d1b2e f0563f 26408f f7b83d",
            "1f1b3a f8f3ff ff6b57 5b56d6 ffc15e",
            "0f3d3e f4fbf2 28a08b f6a04d 9fd8b8",
            "ffd9c7 2a1633 e8503a 6b2d73 f59f6c",
            "11151c f5f5f0 e63f4f 4a5568 f2c14e",
            "cfe3df 122b33 1d7c80 ef6a45 f6f3e6",
        ),
    ),
]


def draw(movie: Movie) -> str:
    """Return the film's poster as an SVG document of 300 × 450."""
    genres = [genre.name for genre in movie.genre_list]
    random = Random(movie.pk)
    palette = random.choice(_era(movie.year))
    artwork = random.choice(_compositions(genres))(random, palette)
    lettering = _title(movie.title, artwork, palette) + _credit_line(movie.year, genres, palette)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH * 2}" height="{HEIGHT * 2}" role="img">'
        f"<title>{escape(str(movie))}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{palette.ground}"/>'
        f"{artwork.svg}{lettering}</svg>"
    )


def etag(movie: Movie) -> str:
    """Return a tag that changes with everything that the poster shows."""
    genres = ",".join(sorted(genre.name for genre in movie.genre_list))
    shown = f"{EDITION}|{movie.pk}|{movie.title}|{movie.year}|{genres}"
    return f'"{hashlib.sha256(shown.encode()).hexdigest()[:20]}"'


def _era(year: int | None) -> list[Palette]:
    return [palettes for first, palettes in ERAS if first <= (year or 2000)][-1]


def _title(title: str, artwork: Artwork, palette: Palette) -> str:
    box = artwork.title
    lines = set_block(title, box, largest=92)
    top = box.y + (box.height - block_height(lines) if artwork.at_bottom else 0)
    drawn = [draw_line(line.text, box.x, top + line.y, line.size, palette.ink) for line in lines]
    return "".join(drawn)


def _credit_line(year: int | None, genres: list[str], palette: Palette) -> str:
    """The small line on the poster's foot: the year on the left, the genre on the right."""
    y = HEIGHT - 16
    left = draw_line(str(year), MARGIN, y, 8, palette.ink, tracking=0.18) if year else ""
    name = telling_genre(genres)
    if not name:
        return left
    right = draw_line(name.upper(), WIDTH - MARGIN, y, 8, palette.ink, "end", tracking=0.18)
    return left + right


def telling_genre(genres: list[str]) -> str:
    """Return the genre that says most about a film's look."""
    known = [name for name in COMPOSITIONS if name in genres]
    return (known or genres or [""])[0]


# Shapes ----------------------------------------------------------------------------------------

UPPER = Box(MARGIN, 28, WIDTH - 2 * MARGIN, 132)
LOWER = Box(MARGIN, 288, WIDTH - 2 * MARGIN, 124)
LOW = Box(MARGIN, 300, WIDTH - 2 * MARGIN, 112)


def _circle(x: float, y: float, r: float, fill: str, more: str = "") -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}"{more}/>'


def _rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' fill="{fill}"{more}/>'
    )


def _polygon(points: list[tuple[float, float]], fill: str) -> str:
    return f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}Z" fill="{fill}"/>'


def _around(x: float, y: float, r: float, angle: float) -> tuple[float, float]:
    return x + r * math.cos(angle), y + r * math.sin(angle)


# Compositions ------------------------------------------------------------------------------------


def rays(random: Random, palette: Palette) -> Artwork:
    """A sun on the horizon and its rays."""
    x, y = random.choice([90, 150, 210]), 318
    count = random.choice([11, 13, 15])
    step = math.pi / count
    wedges = [
        _polygon(
            [
                (x, y),
                _around(x, y, 520, math.pi + i * step),
                _around(x, y, 520, math.pi + (i + 1) * step),
            ],
            palette.second if i % 2 else palette.ground,
        )
        for i in range(0, count + 1)
    ]
    band = _rect(0, 0, WIDTH, 190, palette.ground)
    fade = _polygon([(0, 190), (WIDTH, 190), (WIDTH, 214), (0, 178)], palette.ground)
    sun = _circle(x, y, 66, palette.third) + _circle(x, y, 46, palette.first)
    floor = _rect(0, y, WIDTH, HEIGHT - y, palette.ground)
    sea = "".join(
        _rect(x - w / 2, y + 10 + i * 15, w, 5, palette.first if i % 2 else palette.third)
        for i, w in enumerate((150, 118, 190, 84, 140))
    )
    return Artwork("".join(wedges) + band + fade + sun + floor + sea, UPPER)


def rings(random: Random, palette: Palette) -> Artwork:
    """Circles that draw the eye in, as a staircase seen from above."""
    x, y = random.choice([(150, 290), (210, 300), (84, 300)])
    inks = [palette.first, palette.ground, palette.second, palette.ground]
    drawn, drift = [], random.uniform(2.5, 5.5) * random.choice([-1, 1])
    for i, r in enumerate(range(186, 10, -17)):
        drawn.append(_circle(x + i * drift, y - i * 2.2, r, inks[i % 4]))
    drawn.append(_circle(x + 11 * drift, y - 24, 9, palette.third))
    top = _rect(0, 0, WIDTH, 150, palette.ground)
    foot = _rect(0, HEIGHT - 34, WIDTH, 34, palette.ground)
    return Artwork("".join(drawn) + top + foot, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 112))


def horizon(random: Random, palette: Palette) -> Artwork:
    """A great disc going down behind its own reflections."""
    x, r = random.choice([110, 150, 190]), random.choice([92, 104])
    y = 300
    disc = _circle(x, y, r, palette.first)
    slits = "".join(_rect(0, y + 8 + i * 17, WIDTH, 3 + i * 2.3, palette.ground) for i in range(6))
    bird = _birds(random, palette.ink) if random.random() < 0.5 else ""
    far = _circle(x + random.choice([-58, 58]), y - r + 4, 20, palette.third)
    return Artwork(far + disc + slits + bird, UPPER)


def _birds(random: Random, ink: str) -> str:
    marks = [
        (random.uniform(40, 250), random.uniform(195, 250), random.uniform(5, 10)) for _ in "abc"
    ]
    strokes = "".join(
        f"M{x - s:.0f} {y - s / 2:.0f}q{s:.0f} 0 {s:.0f} {s / 2:.0f}"
        f"q0-{s / 2:.0f} {s:.0f}-{s / 2:.0f}"
        for x, y, s in marks
    )
    return (
        f'<path d="{strokes}" fill="none" stroke="{ink}" stroke-width="2" stroke-linecap="round"/>'
    )


def slabs(random: Random, palette: Palette) -> Artwork:
    """Slabs of cut paper, leaning on each other."""
    inks = [palette.first, palette.second, palette.third, palette.first]
    random.shuffle(inks)
    left, drawn = -14.0, []
    for ink in inks:
        wide = random.uniform(52, 92)
        top, bottom = random.uniform(-10, 46), random.uniform(212, 276)
        lean = random.uniform(-16, 16)
        drawn.append(
            _polygon(
                [
                    (left, top),
                    (left + wide, top + lean),
                    (left + wide - lean, bottom),
                    (left + lean, bottom - lean),
                ],
                ink,
            )
        )
        left += wide - 4
    figure = _circle(
        random.uniform(90, 210), random.uniform(90, 170), random.choice([22, 30]), palette.ground
    )
    return Artwork("".join(drawn) + figure, LOWER, at_bottom=True)


def orbits(random: Random, palette: Palette) -> Artwork:
    """A planet, its ring and the stars."""
    stars = "".join(
        _circle(
            random.uniform(8, 292),
            random.uniform(8, 290),
            random.choice([0.8, 1.1, 1.7]),
            palette.ink,
        )
        for _ in range(46)
    )
    x, y, r = random.uniform(112, 188), random.uniform(128, 158), random.uniform(62, 82)
    tilt = random.choice([-24, -14, 16, 26])
    ring = f'fill="none" stroke="{palette.third}" stroke-width="5"'
    flat = f'cx="{x:.0f}" cy="{y:.0f}" rx="{r * 1.62:.0f}" ry="{r * 0.36:.0f}"'
    half = f"M{x - r * 1.62:.1f} {y:.1f}a{r * 1.62:.1f} {r * 0.36:.1f} 0 0 0 {r * 3.24:.1f} 0"
    clip = f'<clipPath id="p"><circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/></clipPath>'
    night = f'<g clip-path="url(#p)">{_circle(x + r * 0.42, y - r * 0.2, r, palette.second)}</g>'
    planet = (
        f'<g transform="rotate({tilt} {x:.0f} {y:.0f})"><ellipse {flat} {ring}/>'
        f'{_circle(x, y, r, palette.first)}{clip}{night}<path d="{half}" {ring}/></g>'
    )
    moon = _circle(x + r * random.choice([-1.3, 1.3]), y + r * 1.1, 9, palette.third)
    return Artwork(stars + moon + planet, LOWER, at_bottom=True)


def tiles(random: Random, palette: Palette) -> Artwork:
    """A floor of quarter circles, half circles and dots."""
    side, drawn = 75, []
    inks = [palette.first, palette.second, palette.third]
    for row in range(4):
        for column in range(4):
            x, y = column * side, row * side - 24
            back, front = random.sample([*inks, palette.ground], 2)
            drawn.append(_rect(x, y, side + 0.5, side + 0.5, back))
            drawn.append(_tile(random, x, y, side, front))
    return Artwork("".join(drawn), LOW, at_bottom=True)


def _tile(random: Random, x: float, y: float, side: float, ink: str) -> str:
    kind, half = random.randrange(5), side / 2
    if kind == 0:
        return _circle(x + half, y + half, half * random.choice([0.42, 0.72]), ink)
    if kind == 1:
        turn = random.choice([0, 90, 180, 270])
        around = f"{x + half:.1f} {y + half:.1f}"
        return (
            f'<path d="M{x} {y}v{side}a{half} {half} 0 0 0 0-{side}z"'
            f' transform="rotate({turn} {around})" fill="{ink}"/>'
        )
    if kind == 2:
        corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        corners.pop(random.randrange(4))
        return _polygon(corners, ink)
    turn = random.choice([0, 90, 180, 270])
    return (
        f'<path d="M{x} {y}h{side}a{side} {side} 0 0 1-{side} {side}z"'
        f' transform="rotate({turn} {x + half:.1f} {y + half:.1f})" fill="{ink}"/>'
    )


def lamp(random: Random, palette: Palette) -> Artwork:
    """A street lamp, someone beneath it, and a long shadow."""
    x = random.choice([104, 150, 196])
    away = random.choice([-1, 1])
    wall = "".join(_rect(0, y, WIDTH, 2, palette.second) for y in range(24, 270, 26))
    cone = _polygon([(x - 8, -6), (x + 8, -6), (x + 116, 262), (x - 116, 262)], palette.third)
    pool = f'<ellipse cx="{x}" cy="262" rx="116" ry="17" fill="{palette.third}"/>'
    feet = x + away * 18
    shadow = _polygon(
        [(feet - 7, 262), (feet + 7, 262), (feet + away * 190, 290), (feet + away * 150, 292)],
        palette.ground,
    )
    coat = _polygon(
        [
            *((feet - 15, 200), (feet + 15, 200), (feet + 19, 246)),
            *((feet + 6, 264), (feet - 6, 264), (feet - 19, 246)),
        ],
        palette.ground,
    )
    head = _circle(feet, 187, 9, palette.ground)
    brim = _polygon(
        [
            *((feet - 17, 183), (feet - 9, 181), (feet - 8, 172)),
            *((feet + 8, 172), (feet + 9, 181), (feet + 17, 183)),
        ],
        palette.first,
    )
    return Artwork(wall + cone + pool + shadow + coat + head + brim, LOW, at_bottom=True)


def teeth(random: Random, palette: Palette) -> Artwork:
    """Something opens its mouth."""
    upper, lower, x = [(0.0, 0.0)], [(0.0, 302.0)], 0.0
    while x < WIDTH:
        wide = random.uniform(26, 46)
        upper += [(x, random.uniform(18, 40)), (x + wide / 2, random.uniform(88, 138))]
        lower += [(x, random.uniform(262, 282)), (x + wide / 2, random.uniform(170, 214))]
        x += wide
    upper += [(WIDTH, 30), (WIDTH, 0)]
    lower += [(WIDTH, 270), (WIDTH, 302)]
    back = _rect(0, 0, WIDTH, 300, palette.second)
    eye = _circle(150 + random.uniform(-60, 60), 152, random.choice([17, 26]), palette.first)
    jaws = _polygon(upper, palette.ground) + _polygon(lower, palette.ground)
    return Artwork(back + eye + jaws, LOW, at_bottom=True)


def waves(random: Random, palette: Palette) -> Artwork:
    """Strings that are still sounding."""
    inks = [palette.first, palette.third, palette.second]
    center, drawn = random.uniform(90, 210), []
    for i in range(15):
        y = 196 + i * 14.5
        points = []
        for x in range(-6, 307, 6):
            swell = math.exp(-(((x - center) / 62) ** 2))
            points.append(f"{x} {y - swell * (14 + 30 * abs(math.sin(x / 13 + i * 1.7))):.1f}")
        drawn.append(
            f'<path d="M{"L".join(points)}V{HEIGHT}H0z" fill="{palette.ground}"'
            f' stroke="{inks[i % 3]}" stroke-width="3" stroke-linejoin="round"/>'
        )
    foot = _rect(0, HEIGHT - 36, WIDTH, 36, palette.ground)
    return Artwork("".join(drawn) + foot, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 116))


def peaks(random: Random, palette: Palette) -> Artwork:
    """Mountains, one behind the other, and a moon."""
    moon = _circle(
        random.uniform(70, 230), random.uniform(206, 232), random.uniform(24, 42), palette.third
    )
    drawn = [moon]
    for depth, ink in enumerate([palette.second, palette.first, palette.ground]):
        base = 276 + depth * 50
        points, x = [(-10.0, float(HEIGHT))], -10.0
        while x < 310:
            points += [(x, base + random.uniform(0, 26)), (x + 34, base - random.uniform(24, 62))]
            x += random.uniform(58, 96)
        drawn.append(_polygon([*points, (320, base), (320, HEIGHT)], ink))
    return Artwork("".join(drawn), UPPER)


def discs(random: Random, palette: Palette) -> Artwork:
    """Two discs and what they share."""
    r, apart, y = random.uniform(74, 90), random.uniform(42, 66), random.uniform(136, 150)
    angle = random.uniform(-0.7, 0.7)
    (x1, y1), (x2, y2) = _around(150, y, apart, math.pi + angle), _around(150, y, apart, angle)
    clip = f'<clipPath id="d"><circle cx="{x1:.1f}" cy="{y1:.1f}" r="{r:.1f}"/></clipPath>'
    shared = _circle(x2, y2, r, palette.third, ' clip-path="url(#d)"')
    pair = _circle(x1, y1, r, palette.first) + _circle(x2, y2, r, palette.second)
    return Artwork(clip + pair + shared, LOWER, at_bottom=True)


def arches(random: Random, palette: Palette) -> Artwork:
    """A door in a door in a door."""
    inks = [palette.first, palette.second, palette.third, palette.ground]
    x, floor, drawn = random.choice([110, 150, 190]), 412, []
    for i, half in enumerate((112, 88, 64, 40)):
        top = 250 - half * 0.35 + i * 12
        door = f"M{x - half} {floor}V{top + half:.0f}a{half} {half} 0 0 1 {half * 2} 0V{floor}z"
        drawn.append(f'<path d="{door}" fill="{inks[i]}"/>')
    light = _circle(x, 372, 11, palette.third)
    body = _polygon([(x - 10, floor), (x - 7, 384), (x + 7, 384), (x + 10, floor)], palette.third)
    return Artwork("".join(drawn) + light + body, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 130))


def sheet(random: Random, palette: Palette) -> Artwork:
    """A ruled sheet with one thing on it."""
    rules = "".join(_rect(MARGIN, y, WIDTH - 2 * MARGIN, 1.5, palette.ink) for y in (196, 414))
    x = MARGIN + random.choice([0, 63, 126])
    kind = random.randrange(3)
    side = 126
    if kind == 0:
        thing = _circle(x + side / 2, 305, side / 2 + 24, palette.first) + _circle(
            x + side / 2, 305, 26, palette.ground
        )
    elif kind == 1:
        thing = _skyline(random, palette, MARGIN, WIDTH - MARGIN, 414)
    else:
        thing = _rect(x, 226, side, 160, palette.second) + _polygon(
            [(x, 386), (x + side, 226), (x + side, 386)], palette.first
        )
    return Artwork(rules + thing, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 148))


def city(random: Random, palette: Palette) -> Artwork:
    """Roofs under a moon, a window lit here and there."""
    moon = _circle(random.uniform(60, 240), 214, random.uniform(26, 44), palette.third)
    houses = _skyline(random, palette, 0, WIDTH, HEIGHT - 32)
    return Artwork(moon + houses, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 130))


def _skyline(random: Random, palette: Palette, left: float, right: float, floor: float) -> str:
    """Houses side by side on a floor."""
    drawn, lit = [], []
    while left < right:
        wide = min(random.choice([28, 36, 44]), right - left)
        top = int(floor) - random.randrange(70, 190, 12)
        ink = random.choice([palette.first, palette.second])
        drawn.append(_rect(left, top, wide + 0.5, floor - top, ink))
        lit += [
            _rect(left + random.choice([7, 16]), story, 5, 8, palette.third)
            for story in range(top + 10, int(floor) - 14, 18)
            if random.random() < 0.4 and wide > 25
        ]
        left += wide
    return "".join(drawn + lit)


def chevrons(random: Random, palette: Palette) -> Artwork:
    """Everything goes one way, fast."""
    inks = [palette.first, palette.ground, palette.second, palette.ground, palette.third]
    up = random.choice([-1, 1])
    drawn = []
    for i, ink in enumerate(inks * 2):
        x = -150 + i * 46
        drawn.append(
            _polygon(
                [(x, -10), (x + 46, -10), (x + 176, 140), (x + 46, 290), (x, 290), (x + 130, 140)],
                ink,
            )
        )
    turned = f'<g transform="translate(150 0) scale({up} 1) translate(-150 0)">{"".join(drawn)}</g>'
    floor = _rect(0, 278, WIDTH, HEIGHT - 278, palette.ground)
    return Artwork(turned + floor, LOW, at_bottom=True)


def eye(random: Random, palette: Palette) -> Artwork:
    """An eye that looks at whoever looks at it."""
    x, y, half = 150, random.choice([286, 298]), 126
    lid = f"M{x - half} {y}Q{x} {y - 150} {x + half} {y}Q{x} {y + 150} {x - half} {y}Z"
    side = random.choice([-20, 0, 20])
    iris = _circle(x + side, y, 56, palette.first) + _circle(x + side, y, 24, palette.ground)
    glint = _circle(x + side + 16, y - 18, 8, palette.third)
    lashes = "".join(
        f"M{x + dx} {y - 84 + abs(dx) // 3}L{x + dx * 1.35:.0f} {y - 116 + abs(dx) // 3}"
        for dx in range(-80, 81, 32)
    )
    drawn = f'<path d="{lashes}" stroke="{palette.second}" stroke-width="7" fill="none"/>'
    return Artwork(f'{drawn}<path d="{lid}" fill="{palette.third}"/>{iris}{glint}', UPPER)


def road(random: Random, palette: Palette) -> Artwork:
    """A road that runs to where the sky begins."""
    x, y = random.choice([96, 150, 204]), 236
    sun = _circle(x + random.choice([-46, 46]), y - 6, random.choice([38, 54]), palette.third)
    land = _rect(0, y, WIDTH, HEIGHT - y, palette.second)
    lane = _polygon([(x - 3, y), (x + 3, y), (262, HEIGHT), (38, HEIGHT)], palette.ground)
    stripes, top, long = "", y + 14.0, 8.0
    while top < HEIGHT:
        # Between the horizon and the foot, as much of the way as of the road's width.
        near, far = (min(top + long, HEIGHT) - y) / (HEIGHT - y), (top - y) / (HEIGHT - y)
        middles = [x + (150 - x) * share for share in (far, near)]
        stripes += _polygon(
            [
                (middles[0] - 5 * far, top),
                (middles[0] + 5 * far, top),
                (middles[1] + 5 * near, min(top + long, HEIGHT)),
                (middles[1] - 5 * near, min(top + long, HEIGHT)),
            ],
            palette.ink,
        )
        top, long = top + 2 * long, long * 1.45
    foot = _rect(0, HEIGHT - 34, WIDTH, 34, palette.ground)
    return Artwork(sun + land + lane + stripes + foot, UPPER)


def stage(random: Random, palette: Palette) -> Artwork:
    """A curtain, parted, and a light on the boards."""
    middle, gap = random.choice([130, 150, 170]), random.choice([52, 66])
    beam = _polygon([(middle, -20), (middle - 84, 262), (middle + 84, 262)], palette.third)
    spot = f'<ellipse cx="{middle}" cy="262" rx="84" ry="15" fill="{palette.third}"/>'
    folds = ""
    for side, edge in ((-1, middle - gap), (1, middle + gap)):
        for fold in range(7):
            near = edge + side * fold * 30
            ink = palette.first if fold % 2 == 0 else palette.second
            folds += _polygon(
                [
                    (near - side * 18, -10),
                    (near + side * 30, -10),
                    (near + side * 34, 276),
                    (near + side * (4 if fold else 12), 276),
                ],
                ink,
            )
    floor = _rect(0, 276, WIDTH, HEIGHT - 276, palette.ground)
    return Artwork(beam + spot + folds + floor, LOW, at_bottom=True)


def windows(random: Random, palette: Palette) -> Artwork:
    """A house at night, and who is still awake in it."""
    wall = _rect(0, 168, WIDTH, 240, palette.second)
    awake = {random.randrange(15) for _ in range(random.choice([1, 2, 2]))}
    panes = ""
    for place in range(15):
        x, y = 30 + place % 5 * 52, 190 + place // 5 * 72
        ink = palette.third if place in awake else palette.ground
        panes += _rect(x, y, 32, 48, ink)
        if place in awake:
            panes += _circle(x + 16, y + 28, 6.5, palette.ground)
            panes += _rect(x + 7, y + 34, 18, 14, palette.ground, ' rx="6"')
    moon = _circle(random.choice([62, 238]), 150, 30, palette.first)
    foot = _rect(0, 408, WIDTH, HEIGHT - 408, palette.ground)
    return Artwork(moon + wall + panes + foot, Box(MARGIN, 28, WIDTH - 2 * MARGIN, 86))


Composition = Callable[[Random, Palette], Artwork]

# Most telling genre first: a comic horror film looks like a horror film.
COMPOSITIONS: dict[str, list[Composition]] = {
    "Film-Noir": [lamp, slabs, city],
    "Horror": [teeth, rings, arches, eye],
    "Sci-Fi": [orbits, rings],
    "Western": [peaks, rays, road],
    "Musical": [waves, discs, stage],
    "Animation": [tiles, discs, horizon],
    "Documentary": [sheet, waves, road],
    "Fantasy": [arches, peaks, orbits],
    "Mystery": [rings, lamp, eye, windows],
    "Children": [tiles, arches, discs],
    "Crime": [slabs, city, lamp, windows],
    "Romance": [discs, horizon, windows],
    "Thriller": [rings, slabs, eye, city],
    "Adventure": [peaks, rays, road],
    "Action": [chevrons, slabs, road],
    "Comedy": [tiles, discs, stage, city],
    "War": [rays, slabs, chevrons],
    "Drama": [horizon, arches, sheet, windows, road, waves],
}


def _compositions(genres: list[str]) -> list[Composition]:
    return COMPOSITIONS.get(telling_genre(genres), [horizon, sheet, discs])
