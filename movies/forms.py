"""What a reader may ask of the catalogue."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from movies.models import Genre, Movie, MovieQuerySet

FIRST_DECADE = 1900


def decades() -> list[tuple[str, str]]:
    """Return ("1990", "1990s") and its like, latest first."""
    latest = timezone.now().year // 10 * 10
    return [(str(first), f"{first}s") for first in range(latest, FIRST_DECADE - 1, -10)]


class YearField(forms.IntegerField):
    """A year that may be left empty. The box keeps what is no number, so that it can be mended."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1870, max_value=2200, required=False, **kwargs)


class FilterForm(forms.Form):
    """Genre and years: the filters that the catalogue and the recommendations share."""

    genre = forms.ModelChoiceField(
        Genre.objects.all(), to_field_name="slug", required=False, empty_label="All genres"
    )
    decade = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    first_year = YearField(label="From")
    last_year = YearField(label="To")

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

    def chosen(self) -> list[tuple[str, str | None, str]]:
        """Return (field, value, words) for each filter that holds, to be shown and taken off.

        The value is None where the field takes but one.
        """
        words = {
            "genre": "{}",
            "decade": "{}s",
            "first_year": "from {}",
            "last_year": "to {}",
            "max_minutes": "up to {} minutes",
            "min_ratings": "{}+ ratings",
            "unrated": "not yet rated by you",
        }
        return [
            (name, getattr(value, "slug", None), text.format(value))
            for name, text in words.items()
            for value in _each(self.cleaned_data.get(name))
        ]


def _each(value: Any) -> list[Any]:
    """Return what a field holds, one by one: nothing, one thing, or several."""
    if isinstance(value, QuerySet):
        return list(value)
    return [value] if value else []


class BrowseForm(FilterForm):
    SORTS = [
        ("", "Best rated"),
        ("most_rated", "Most rated"),
        ("newest", "Newest"),
        ("oldest", "Oldest"),
        ("title", "Title, A to Z"),
    ]
    MAX_MINUTES = [
        ("", "Any length"),
        ("90", "Up to 1½ hours"),
        ("120", "Up to 2 hours"),
        ("150", "Up to 2½ hours"),
    ]
    MIN_RATINGS = [("", "Any number"), *[(str(n), f"{n} or more") for n in (10, 50, 100, 200)]]

    genre = forms.ModelMultipleChoiceField(
        Genre.objects.all(),
        to_field_name="slug",
        required=False,
        label="Genres",
        widget=forms.CheckboxSelectMultiple,
    )
    max_minutes = forms.TypedChoiceField(
        choices=MAX_MINUTES, coerce=int, empty_value=None, required=False, label="Length"
    )
    min_ratings = forms.TypedChoiceField(
        choices=MIN_RATINGS, coerce=int, empty_value=None, required=False, label="Ratings"
    )
    unrated = forms.BooleanField(required=False, label="Not yet rated by me")
    sort = forms.ChoiceField(choices=SORTS, required=False)

    def __init__(self, *args: Any, person_id: int | None = None, **kwargs: Any) -> None:
        """Let filters be asked for: what one has rated by a person, length where any is known."""
        super().__init__(*args, **kwargs)
        self.person_id = person_id
        if person_id is None:
            del self.fields["unrated"]
        if not Movie.objects.of_known_length().exists():
            del self.fields["max_minutes"]

    def narrow(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Return the films that pass every filter which could be read, in the order asked for."""
        values = self.cleaned_data
        movies = movies.of_genres(values.get("genre") or ())
        movies = movies.from_years(*self.years)
        movies = movies.of_minutes_at_most(values.get("max_minutes"))
        movies = movies.rated_at_least(values.get("min_ratings") or 0)
        if values.get("unrated"):
            movies = movies.not_rated_by(self.person_id)
        return movies.in_order(values.get("sort", ""))
