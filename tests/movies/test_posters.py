"""Posters drawn by us: fit, legible, alike for one film and unlike for many."""

import sys
from concurrent.futures import ThreadPoolExecutor
from string import ascii_uppercase
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from movies import lettering, posters
from tests.factories import MovieFactory

TITLES = [
    " ",
    "\u0301",
    "M",
    "Up",
    "Alien",
    "Koyaanisqatsi",
    "Crouching Tiger, Hidden Dragon",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
    "Supercalifragilisticexpialidociousness",
    "Those Magnificent Men in Their Flying Machines or How I Flew from London to Paris in 25 Hours",
    "Amélie Œuvre Łódź",
    "七人の侍",
    "Сталкер",
    "Tom & Jerry <b>",
]


@pytest.mark.parametrize("title", TITLES)
def test_titles_stay_within_their_box(title):
    box = posters.UPPER
    lines = lettering.set_block(title, box, largest=92)
    assert lettering.block_height(lines) <= box.height + 0.01
    assert all(lettering.width(line.text) * line.size <= box.width + 0.01 for line in lines)
    assert len(lines) <= lettering.MAX_LINES


@pytest.mark.parametrize("title", [title for title in TITLES if len(title) <= 90])
def test_titles_lose_no_word(title):
    lines = lettering.set_block(title, posters.UPPER, largest=92)
    assert " ".join(line.text for line in lines) == lettering.in_capitals(title)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300))
def test_any_title_at_all_can_be_set(title):
    lettering.set_block(title, posters.LOWER, largest=92)


@pytest.mark.django_db
@pytest.mark.parametrize("title", TITLES)
def test_a_poster_is_well_formed_whatever_the_title(title):
    movie = MovieFactory(title=title, year=None)
    assert ElementTree.fromstring(posters.draw(movie)).tag.endswith("svg")


@pytest.fixture
def often_switched():
    """Threads that take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_many_posters_are_drawn_at_once(often_switched):
    for _ in range(10):
        for kept in (lettering._font, lettering._glyph, lettering.width):
            kept.cache_clear()
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(lettering.width, [ascii_uppercase] * 8))) == 1


def all_compositions():
    # In the order of the source: processes that share the tests out must agree on it.
    return list(dict.fromkeys(drawn for many in posters.COMPOSITIONS.values() for drawn in many))


@pytest.mark.parametrize("composition", all_compositions(), ids=lambda drawn: drawn.__name__)
def test_every_composition_draws_with_every_palette(composition):
    for _, palettes in posters.ERAS:
        for seed, palette in enumerate(palettes * 3):
            artwork = composition(posters.Random(seed), palette)
            ElementTree.fromstring(f"<svg>{artwork.svg}</svg>")
            box = artwork.title
            assert box.x + box.width <= posters.WIDTH
            assert box.y + box.height < posters.HEIGHT - 24


def luminance(color):
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(part * c for part, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("palette", [each for _, era in posters.ERAS for each in era])
def test_titles_contrast_with_their_ground(palette):
    dark, light = sorted([luminance(palette.ink), luminance(palette.ground)])
    # 3 to 1 is what AA asks of letters this large.
    assert (light + 0.05) / (dark + 0.05) >= 3


@pytest.mark.django_db
def test_a_film_keeps_its_poster_and_films_differ():
    one, other = MovieFactory(), MovieFactory()
    assert posters.draw(one) == posters.draw(one)
    assert posters.draw(one) != posters.draw(other)


@pytest.mark.django_db
def test_browsers_keep_the_poster_until_it_changes(client):
    movie = MovieFactory(genres=["Horror"])
    address = reverse("movies:poster", args=[movie.pk])
    answer = client.get(address)
    assert answer["Content-Type"] == "image/svg+xml"
    assert "max-age=86400" in answer["Cache-Control"]
    same = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert same.status_code == 304
    movie.title = "Another"
    movie.save()
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.django_db
def test_no_film_no_poster(client):
    assert client.get(reverse("movies:poster", args=[404])).status_code == 404
