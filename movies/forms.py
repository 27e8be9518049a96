"""What a reader may ask of the catalogue."""

from typing import Any

from django import forms
from django.utils import timezone

from movies.models import Genre, MovieQuerySet

FIRST_DECADE = 1900


def decades() -> list[tuple[str, str]]:
    """Return ("1990", "1990s") and its like, latest first."""
    latest = timezone.now().year // 10 * 10
    return [(str(first), f"{first}s") for first in range(latest, FIRST_DECADE - 1, -10)]


class FilterForm(forms.Form):
    """Genre and years: the filters that the catalogue and the recommendations share."""

    genre = forms.ModelChoiceField(
        Genre.objects.all(), to_field_name="slug", required=False, empty_label="All genres"
    )
    decade = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    first_year = forms.IntegerField(min_value=1870, max_value=2200, required=False, label="From")
    last_year = forms.IntegerField(min_value=1870, max_value=2200, required=False, label="To")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decade"].choices = [("", "All years"), *decades()]

    def clean(self) -> dict[str, Any]:
        first, last = self.years
        if first and last and first > last:
            self.add_error("last_year", "The last year must not come before the first.")
        return self.cleaned_data

    @property
    def genre_slug(self) -> str | None:
        genre = self.cleaned_data.get("genre")
        return genre.slug if genre else None

    @property
    def years(self) -> tuple[int | None, int | None]:
        """The first and last year asked for: single years go before a decade."""
        decade = self.cleaned_data.get("decade")
        first, last = self.cleaned_data.get("first_year"), self.cleaned_data.get("last_year")
        if decade is not None and first is None and last is None:
            return decade, decade + 9
        return first, last

    def chosen(self) -> list[tuple[str, str]]:
        """Return (field, words) for each filter that holds, to be shown and taken off."""
        words = {
            "genre": "{}",
            "decade": "{}s",
            "first_year": "from {}",
            "last_year": "to {}",
            "min_ratings": "{}+ ratings",
        }
        values = self.cleaned_data
        return [
            (name, text.format(values[name])) for name, text in words.items() if values.get(name)
        ]


class BrowseForm(FilterForm):
    SORTS = [
        ("", "Best rated"),
        ("most_rated", "Most rated"),
        ("newest", "Newest"),
        ("title", "Title, A to Z"),
    ]
    MIN_RATINGS = [("", "Any number"), *[(str(n), f"{n} or more") for n in (10, 50, 100, 200)]]

    min_ratings = forms.TypedChoiceField(
        choices=MIN_RATINGS, coerce=int, empty_value=None, required=False, label="Ratings"
    )
    sort = forms.ChoiceField(choices=SORTS, required=False)

    def narrow(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Return the films that pass every filter which could be read, in the order asked for."""
        if self.genre_slug:
            movies = movies.of_genre(self.genre_slug)
        movies = movies.from_years(*self.years)
        movies = movies.rated_at_least(self.cleaned_data.get("min_ratings") or 0)
        return movies.in_order(self.cleaned_data.get("sort", ""))
