"""The catalogue: movies, their genres and the people who made them."""

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, OuterRef, Prefetch, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Left, Replace, Reverse, Upper
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import slugify

from movies import titles

# The Bayesian average's prior: so many ratings of so many half stars (3.5 stars, about what people
# give on MovieLens) are added to every film's own. With 25, a film needs a few dozen five-star
# ratings before it can pass one that thousands love.
PRIOR_RATINGS = 25
PRIOR_HALF_STARS = 7.0

# What so many people call films is a word of theirs all; below it are lists of one's own ("seen
# in 2006") and slips.
SHARED_BY = 3
MOST_TAGS = 6


# PostgreSQL's levenshtein() takes no more than 255 letters.
MOST_LETTERS = 200


def letters_of(field: str) -> models.GeneratedField:
    """A column with another's text without its spaces: what slips of typing are counted in."""
    return models.GeneratedField(
        expression=Left(Replace(field, Value(" "), Value("")), MOST_LETTERS),
        output_field=models.TextField(),
        db_persist=True,
    )


def likeness_indexes(field: str, name: str) -> list[models.Index]:
    """Indexes for trigrams of the text, and for how its letters begin and end."""
    return [
        GinIndex(OpClass(field, "gin_trgm_ops"), name=f"{name}_trigrams"),
        models.Index(OpClass("letters", "text_pattern_ops"), name=f"{name}_beginning"),
        models.Index(OpClass(Reverse("letters"), "text_pattern_ops"), name=f"{name}_end"),
    ]


class Genre(models.Model):
    name = models.CharField(max_length=50, unique=True)
    slug = models.SlugField(max_length=50, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PersonQuerySet(models.QuerySet["Person"]):
    def with_best_known(self) -> Self:
        """Give each person the title of their best-known film, `best_known`."""
        credited = Credit.objects.filter(person=OuterRef("pk")).order_by("-movie__rating_count")
        return self.annotate(best_known=Subquery(credited.values("movie__title")[:1]))


class Person(models.Model):
    name = models.CharField(max_length=200, unique=True)
    key = models.TextField(editable=False, default="", help_text="The name as it is searched for.")
    letters = letters_of("key")

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "people"
        indexes = [
            *likeness_indexes("key", "person_key"),
            models.Index(Upper("name"), name="person_name_upper"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = titles.search_key(self.name)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("movies:person", args=[self.pk])


class MovieQuerySet(models.QuerySet["Movie"]):
    def from_years(self, first: int | None = None, last: int | None = None) -> Self:
        movies = self
        if first is not None:
            movies = movies.filter(year__gte=first)
        if last is not None:
            movies = movies.filter(year__lte=last)
        return movies

    def of_known_length(self) -> Self:
        return self.filter(minutes__isnull=False)

    def of_minutes_at_most(self, minutes: int | None) -> Self:
        """Return the films that are known to be no longer."""
        return self if minutes is None else self.filter(minutes__lte=minutes)

    def of_genre(self, slug: str) -> Self:
        return self.filter(genres__slug=slug)

    def of_genres(self, genres: Iterable[Genre]) -> Self:
        """Return the films that are of every one of the genres."""
        movies = self
        for genre in genres:
            movies = movies.of_genre(genre.slug)
        return movies

    def not_rated_by(self, person_id: int) -> Self:
        return self.exclude(ratings__user=person_id)

    def credited_to(self, person: Person, role: str) -> Self:
        return self.filter(credits__person=person, credits__role=role)

    def rated_at_least(self, count: int) -> Self:
        return self.filter(rating_count__gte=count) if count else self

    def best_first(self) -> Self:
        return self.order_by("-weighted_rating", "pk")

    def in_order(self, sort: str) -> Self:
        """Return the films by `most_rated`, `newest`, `oldest` or `title`, or else best first."""
        orders = {
            "most_rated": [F("rating_count").desc(), "pk"],
            "newest": [F("year").desc(nulls_last=True), "-rating_count", "pk"],
            "oldest": [F("year").asc(nulls_last=True), "-rating_count", "pk"],
            "title": ["search_titles", "year", "pk"],
        }
        return self.order_by(*orders[sort]) if sort in orders else self.best_first()

    def by_genre(self) -> "models.QuerySet[Movie, dict[str, Any]]":
        """Return the ratings and half stars of each genre's films, by its slug and name."""
        films = self.order_by().filter(genres__isnull=False, rating_count__gt=0)
        return films.values(key=F("genres__slug"), name=F("genres__name")).annotate(**self._sums())

    def by_decade(self) -> "models.QuerySet[Movie, dict[str, Any]]":
        """Return the ratings and half stars of each decade's films, by its first year."""
        films = self.order_by().filter(year__isnull=False, rating_count__gt=0)
        return films.values(key=F("year") / 10 * 10).annotate(**self._sums())

    @staticmethod
    def _sums() -> dict[str, models.Aggregate]:
        return {"ratings": Sum("rating_count"), "half_stars": Sum("rating_sum")}

    def with_genres(self) -> Self:
        return self.prefetch_related(genres())

    def with_credits(self) -> Self:
        return self.prefetch_related("credits__person")


class Movie(models.Model):
    title = models.CharField(max_length=300)
    year = models.SmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1870), MaxValueValidator(2200)]
    )
    minutes = models.PositiveSmallIntegerField(
        "length",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="In minutes; empty where it is not known.",
    )
    alternative_titles = ArrayField(
        models.CharField(max_length=300), default=list, blank=True, help_text="Other titles."
    )
    overview = models.TextField(blank=True)
    poster_url = models.URLField(max_length=500, blank=True)
    genres = models.ManyToManyField(Genre, related_name="movies", blank=True)
    people = models.ManyToManyField(Person, through="Credit", related_name="movies")

    movielens_id = models.IntegerField(null=True, blank=True, unique=True)
    imdb_id = models.IntegerField(null=True, blank=True, db_index=True)
    tmdb_id = models.IntegerField(null=True, blank=True, db_index=True)

    # Kept by a trigger on the table of ratings, whoever writes there.
    rating_count = models.IntegerField(default=0, editable=False)
    rating_sum = models.BigIntegerField(default=0, editable=False, help_text="In half stars.")
    weighted_rating = models.GeneratedField(
        expression=(Cast(F("rating_sum"), models.FloatField()) + PRIOR_RATINGS * PRIOR_HALF_STARS)
        / (F("rating_count") + PRIOR_RATINGS),
        output_field=models.FloatField(help_text="The Bayesian average, in half stars."),
        db_persist=True,
    )

    # Every title's search key, one a line.
    search_titles = models.TextField(editable=False, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MovieQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(OpClass("search_titles", "gin_trgm_ops"), name="movie_search_titles"),
            # Without fastupdate: reading a long list of pending words costs more than it saves.
            GinIndex(
                SearchVector("overview", config="english"),
                name="movie_overview_words",
                fastupdate=False,
            ),
            models.Index(F("weighted_rating").desc(), name="movie_weighted_rating"),
            models.Index(F("rating_count").desc(), name="movie_rating_count"),
            models.Index("year", name="movie_year"),
            models.Index("minutes", name="movie_minutes", condition=Q(minutes__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_titles = search_titles(self.title, self.alternative_titles)
        super().save(*args, **kwargs)
        self.spellings.all().delete()
        Spelling.objects.bulk_create(
            Spelling(movie=self, key=key) for key in spellings(self.search_titles)
        )

    def get_absolute_url(self) -> str:
        return reverse("movies:detail", args=[self.pk, slugify(self.title) or "film"])

    @cached_property
    def genre_list(self) -> list[Genre]:
        """The film's genres by name.

        A plain list, for Django makes a manager anew whenever `genres` is read, which in long lists
        takes longer than their query.
        """
        return list(self.genres.all())

    @property
    def is_new(self) -> bool:
        """Whether nobody has rated it yet, so that it is known by what is told of it alone."""
        return not self.rating_count

    @property
    def photo_url(self) -> str:
        """The poster's photograph, where the site may show it; see `REMOTE_POSTERS`."""
        return self.poster_url if settings.REMOTE_POSTERS else ""

    @property
    def length(self) -> str:
        """How long it is, such as "2 h 5 min"; empty where that is not known."""
        hours, minutes = divmod(self.minutes or 0, 60)
        return " ".join(
            f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count
        )

    @property
    def mean_stars(self) -> float | None:
        """The plain mean of the film's ratings in stars."""
        return self.rating_sum / self.rating_count / 2 if self.rating_count else None

    @property
    def directors(self) -> list[Person]:
        return [credit.person for credit in self.credits.all() if credit.role == "director"]

    @property
    def cast(self) -> list[Person]:
        return [credit.person for credit in self.credits.all() if credit.role == "cast"]

    @property
    def shared_tags(self) -> list[str]:
        """What people call the film in words that several use, the most frequent first.

        Its genres stand elsewhere.
        """
        genres = [genre.name.lower() for genre in self.genre_list]
        kept = self.tags.filter(tag__people__gte=SHARED_BY).exclude(tag__name__in=genres)
        first = kept.order_by("-people", "-tag__people", "tag__name")[:MOST_TAGS]
        return list(first.values_list("tag__name", flat=True))

    @property
    def imdb_url(self) -> str:
        return f"https://www.imdb.com/title/tt{self.imdb_id:07d}/" if self.imdb_id else ""

    @property
    def tmdb_url(self) -> str:
        return f"https://www.themoviedb.org/movie/{self.tmdb_id}" if self.tmdb_id else ""


def search_titles(title: str, alternatives: list[str]) -> str:
    """Return the search keys of a film's titles, one a line."""
    return "\n".join(dict.fromkeys(titles.search_key(name) for name in [title, *alternatives]))


def spellings(keys: str) -> list[str]:
    """Return the spellings by which a film with these search keys (one a line) is searched for."""
    return list(dict.fromkeys(way for key in keys.splitlines() for way in titles.spellings(key)))


class Spelling(models.Model):
    """One of the ways to write a film's title: what title search reads."""

    movie = models.ForeignKey(Movie, models.CASCADE, related_name="spellings")
    key = models.TextField()
    letters = letters_of("key")

    class Meta:
        indexes = likeness_indexes("key", "spelling")

    def __str__(self) -> str:
        return self.key


class Credit(models.Model):
    class Role(models.TextChoices):
        CAST = "cast"
        DIRECTOR = "director"

    movie = models.ForeignKey(Movie, models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, models.CASCADE, related_name="credits")
    role = models.CharField(max_length=10, choices=Role, default=Role.CAST)
    position = models.SmallIntegerField(default=0)

    class Meta:
        ordering = ["role", "position"]
        constraints = [
            models.UniqueConstraint(fields=["movie", "person", "role"], name="credit_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.movie}"


class Tag(models.Model):
    """A word or a few by which people call films, in lower case."""

    name = models.CharField(max_length=100, unique=True)
    people = models.IntegerField(help_text="How many have called any film so.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MovieTag(models.Model):
    """How many people gave a film a tag: one row a film and tag, whoever they are."""

    pk = models.CompositePrimaryKey("movie_id", "tag_id")
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="tags", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="movies")
    people = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.tag_id} by {self.people}"


# Of so many of a cast a short line names.
LEADING_PARTS = 2


def leading_credits() -> Prefetch:
    """To be prefetched where a line says who made a film: its directors, and who leads its cast."""
    leading = Q(role=Credit.Role.DIRECTOR) | Q(position__lt=LEADING_PARTS)
    return Prefetch("credits", Credit.objects.filter(leading).select_related("person"))


def genres(films: str = "") -> Prefetch:
    """To be prefetched where lists tell the genres of their films, or of those at `films__`."""
    return Prefetch(f"{films}genres", to_attr="genre_list")
