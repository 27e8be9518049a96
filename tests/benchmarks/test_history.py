"""The benchmark's export: titles as another source writes them, in Letterboxd's own format."""

import pytest

from benchmarks.history import CHANGES, Meant, _export
from users.importers import history
from users.importers.history.documents import Documents


@pytest.mark.parametrize(
    ("change", "title", "changed"),
    [
        ("accents", "Amélie", "Amelie"),
        ("accents", "Schindler's List", "Schindler’s List"),
        ("ampersand", "Thelma & Louise", "Thelma and Louise"),
        ("number", "Rocky II", "Rocky 2"),
        ("number", "Scream 3", "Scream III"),
        ("part", "The Godfather: Part II", "The Godfather Part II"),
        ("no subtitle", "Mad Max: Fury Road", "Mad Max"),
        ("no article", "The Matrix", "Matrix"),
        ("punctuation", "Who Framed Roger Rabbit?", "Who Framed Roger Rabbit"),
    ],
)
def test_titles_are_changed_as_sources_differ(change, title, changed):
    assert CHANGES[change](title) == changed


def test_the_export_is_read_as_letterboxds():
    documents = Documents("ratings.csv", _export([Meant(1, "Good, the Bad", 1966, "by hand")]))
    form = history.recognized(documents)
    assert form is not None
    (entry,) = history.read(form, documents).entries
    assert (form.name, entry.title, entry.year) == ("Letterboxd", "Good, the Bad", 1966)
    assert entry.sought.imdb_id is None
