"""People and what they make of films: ratings, a watchlist, films they do not want to see."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import Avg, Count, Exists, F, OuterRef, Sum
from django.db.models.functions import Abs, Cast, Trunc
from django.urls import reverse
from django.utils import timezone

from movies.models import Movie, genres
from users.dials import END, NAMES, Dials
from users.scales import MAX_HALF_STARS, MIN_HALF_STARS, Scale

_MARKED = """
    SELECT 'watchlist', movie_id FROM users_watchlistentry WHERE user_id = %(person)s
    UNION ALL SELECT 'dismissals', movie_id FROM users_dismissal WHERE user_id = %(person)s
    UNION ALL SELECT 'less_like', movie_id FROM users_lesslike WHERE user_id = %(person)s
    UNION ALL SELECT 'not_seen', movie_id FROM users_notseen WHERE user_id = %(person)s
    UNION ALL SELECT 'left_out', movie_id FROM users_leftout WHERE user_id = %(person)s
    UNION ALL SELECT 'seen', movie_id FROM users_seen WHERE user_id = %(person)s
"""


class User(AbstractUser):
    """A person who signs in, or one who came with an imported dataset and cannot."""

    source = models.CharField(
        max_length=50, blank=True, editable=False, help_text="The dataset that the person is from."
    )
    source_id = models.BigIntegerField(null=True, editable=False)
    # Counts the changes of the person's ratings (by a trigger), so that anything computed from
    # them can tell whether it is still true without being told.
    taste_revision = models.IntegerField(default=0, editable=False)
    # Likewise the changes of the lists that keep films out of their recommendations.
    lists_revision = models.IntegerField(default=0, db_default=0, editable=False)

    # Where the person's dials stand; see `Dials`.
    obscurity = models.SmallIntegerField(default=0, db_default=0, editable=False)
    adventure = models.SmallIntegerField(default=0, db_default=0, editable=False)
    newness = models.SmallIntegerField(default=0, db_default=0, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], name="user_once_a_source"),
            models.CheckConstraint(
                condition=models.Q(*((f"{name}__range", (-END, END)) for name in NAMES)),
                name="user_dials_in_range",
            ),
        ]

    @property
    def dials(self) -> Dials:
        """Where the person's dials stand."""
        return Dials(self.obscurity, self.adventure, self.newness)

    def keep_dials(self, dials: Dials) -> None:
        """Set the person's dials and save them."""
        for name, stop in dials.to_dict().items():
            setattr(self, name, stop)
        self.save(update_fields=NAMES)

    @cached_property
    def stars(self) -> dict[int, float]:
        """The person's stars by movie id, read once a request for the pages' rating controls."""
        # In plain words; see `marked_ids`.
        with connection.cursor() as cursor:
            cursor.execute("SELECT movie_id, value FROM users_rating WHERE user_id = %s", [self.pk])
            return {movie_id: value / 2 for movie_id, value in cursor.fetchall()}

    @staticmethod
    def read_stars(people: "Sequence[User]") -> None:
        """Read the `stars` of several people by one query."""
        found: dict[int, dict[int, float]] = {person.pk: {} for person in people}
        ratings = Rating.objects.filter(user__in=people).values_list("user_id", "movie_id", "value")
        for user_id, movie_id, value in ratings:
            found[user_id][movie_id] = value / 2
        for person in people:
            person.stars = found[person.pk]

    @cached_property
    def marked_ids(self) -> dict[str, set[int]]:
        """The movies on each of the person's lists, by the list's name, read by one query."""
        names = ("watchlist", "dismissals", "less_like", "not_seen", "left_out", "seen")
        found: dict[str, set[int]] = {name: set() for name in names}
        # In plain words, as every page and answer for a person asks: composing takes longer.
        with connection.cursor() as cursor:
            cursor.execute(_MARKED, {"person": self.pk})
            for name, movie_id in cursor.fetchall():
                found[name].add(movie_id)
        return found

    @property
    def watchlist_ids(self) -> set[int]:
        return self.marked_ids["watchlist"]

    @property
    def dismissed_ids(self) -> set[int]:
        return self.marked_ids["dismissals"]

    @property
    def less_like_ids(self) -> set[int]:
        return self.marked_ids["less_like"]

    @property
    def seen_ids(self) -> set[int]:
        return self.marked_ids["seen"]

    @property
    def left_out_ids(self) -> set[int]:
        return self.marked_ids["left_out"]

    @property
    def counted_ratings(self) -> int:
        """How many of the person's ratings count for their taste."""
        return len(self.stars) - len(self.left_out_ids)

    @property
    def settled_ids(self) -> set[int]:
        """The films that the person is not to be asked about: they spoke, or are yet to see.

        What they have seen and said nothing of is worth asking about.
        """
        marked = (ids for name, ids in self.marked_ids.items() if name != "seen")
        return set(self.stars).union(*marked)

    def forget_page_state(self) -> None:
        """Read what the person said of films anew when it is next asked for."""
        for name in ("stars", "marked_ids"):
            self.__dict__.pop(name, None)


class OfMoviesQuerySet(models.QuerySet):
    """What people have said of movies, be it stars, a wish to see one, or the wish not to."""

    def with_movies(self) -> Self:
        return self.select_related("movie").prefetch_related(genres("movie__"))


class RatingQuerySet(OfMoviesQuerySet):
    def counted(self) -> Self:
        """Return those that count for their people's taste: none that was left out."""
        left_out = LeftOut.objects.filter(user=OuterRef("user"), movie=OuterRef("movie"))
        return self.filter(~Exists(left_out))

    def latest_first(self) -> Self:
        return self.order_by("-rated_at", "-movie_id")

    def distribution(self) -> list[int]:
        """Return how many ratings there are of each value: half a star first, five stars last."""
        counts = dict(self.order_by().values_list("value").annotate(Count("movie_id")))
        return [counts.get(value, 0) for value in range(MIN_HALF_STARS, MAX_HALF_STARS + 1)]

    def by_time(self, unit: str) -> "models.QuerySet[Rating, dict[str, Any]]":
        """Return how many there are of each `day`, `month` or `year`, and their mean."""
        found = self.order_by().annotate(start=Trunc("rated_at", unit)).values("start")
        return found.annotate(films=Count("movie_id"), mean=Avg("value"))

    def by_genre(self) -> "models.QuerySet[Rating, dict[str, Any]]":
        """Return the sums of each genre's films, by its slug."""
        films = self.order_by().filter(movie__genres__isnull=False)
        return films.values(key=F("movie__genres__slug")).annotate(**self._sums())

    def by_decade(self) -> "models.QuerySet[Rating, dict[str, Any]]":
        """Return the sums of each decade's films, by its first year."""
        films = self.order_by().filter(movie__year__isnull=False)
        return films.values(key=F("movie__year") / 10 * 10).annotate(**self._sums())

    def by_maker(
        self, role: str, fewest: int, prior: int, generosity: float
    ) -> "models.QuerySet[Rating, dict[str, Any]]":
        """Return the sums of each director's or actor's films, the best liked first.

        Only those of `fewest` films and more. They stand by how far the half stars lie above the
        films' averages and `generosity`, with `prior` films besides at just these.
        """
        films = self.order_by().filter(movie__credits__role=role)
        makers = films.values(key=F("movie__credits__person_id")).annotate(**self._sums())
        love = (F("above") - generosity * F("films")) / (F("films") + prior)
        found = makers.filter(films__gte=fewest).annotate(love=love)
        return found.order_by("-love", "-films", "key")

    def most_contrary(self, fewest: int) -> Self:
        """Put those first that are farthest from the mean of the others, `others_mean`.

        Only of films that `fewest` others have rated.
        """
        others = F("movie__rating_count") - 1
        known = self.with_movies().filter(movie__rating_count__gt=fewest)
        total = Cast(F("movie__rating_sum") - F("value"), models.FloatField())
        found = known.annotate(others_mean=total / others)
        return found.order_by(Abs(F("value") - F("others_mean")).desc(), "movie_id")

    @staticmethod
    def _sums() -> dict[str, models.Aggregate]:
        """Films, their half stars, and by how many these lie above the films' averages."""
        return {
            "films": Count("movie_id"),
            "half_stars": Sum("value"),
            "above": Sum(F("value") - F("movie__weighted_rating")),
        }

    def in_order(self, order: str) -> Self:
        """Sort one person's ratings by a `Rating.Order`."""
        by_title = ("movie__search_titles", "movie_id")
        columns = {
            Rating.Order.NEWEST: ("-rated_at", "-movie_id"),
            Rating.Order.HIGHEST: ("-value", *by_title),
            Rating.Order.LOWEST: ("value", *by_title),
            Rating.Order.TITLE: by_title,
        }
        return self.order_by(*columns[Rating.Order(order)])


class Rating(models.Model):
    """A person's half stars for a film: one a person and film; narrow, for there are millions."""

    class Order(models.TextChoices):
        NEWEST = "newest", "Newest first"
        HIGHEST = "highest", "Most stars first"
        LOWEST = "lowest", "Fewest stars first"
        TITLE = "title", "By title"

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="ratings", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="ratings", db_index=False)
    rated_at = models.DateTimeField(default=timezone.now)
    value = models.SmallIntegerField(
        validators=[MinValueValidator(MIN_HALF_STARS), MaxValueValidator(MAX_HALF_STARS)],
        help_text="Half stars, 1 to 10.",
    )

    objects = RatingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(value__range=(MIN_HALF_STARS, MAX_HALF_STARS)),
                name="rating_in_half_stars",
            )
        ]
        # The distribution of a film's ratings is read from this index alone.
        indexes = [
            models.Index(fields=["movie", "value"], name="rating_movie_value"),
            # The latest ratings stand at the table's end, so that a few pages tell where.
            BrinIndex(fields=["rated_at"], autosummarize=True, name="rating_rated_at"),
        ]

    def __str__(self) -> str:
        return f"{self.stars} stars for {self.movie_id} by {self.user_id}"

    @property
    def stars(self) -> float:
        return self.value / 2


class WatchlistQuerySet(OfMoviesQuerySet):
    def in_order(self, order: str) -> Self:
        """Sort one person's list by a `WatchlistEntry.Order`."""
        columns = {
            WatchlistEntry.Order.NEWEST: ("-added_at", "movie_id"),
            WatchlistEntry.Order.OLDEST: ("added_at", "movie_id"),
            WatchlistEntry.Order.LIKED: ("-movie__weighted_rating", "movie_id"),
            WatchlistEntry.Order.RELEASED: (F("movie__year").desc(nulls_last=True), "movie_id"),
            WatchlistEntry.Order.TITLE: ("movie__search_titles", "movie_id"),
        }
        return self.order_by(*columns[WatchlistEntry.Order(order)])


class WatchlistEntry(models.Model):
    class Order(models.TextChoices):
        NEWEST = "newest", "Latest added"
        OLDEST = "oldest", "Waiting longest"
        LIKED = "liked", "Best liked by all"
        RELEASED = "released", "Newest films"
        TITLE = "title", "By title"

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="watchlist", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="watchlist_entries")
    added_at = models.DateTimeField(default=timezone.now)

    objects = WatchlistQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.movie_id} to watch for {self.user_id}"


class Dismissal(models.Model):
    """A film that a person does not want to be shown."""

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="dismissals", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="dismissals")
    dismissed_at = models.DateTimeField(default=timezone.now)

    objects = OfMoviesQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.movie_id} dismissed by {self.user_id}"


class NotSeen(models.Model):
    """A film that a person was asked about and has not seen: they are not asked again.

    It says nothing of whether they would like it, so it hides the film from no list and is no
    part of their taste.
    """

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="not_seen", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="not_seen")
    said_at = models.DateTimeField(default=timezone.now)

    objects = OfMoviesQuerySet.as_manager()

    class Meta:
        verbose_name = "film not seen"
        verbose_name_plural = "films not seen"

    def __str__(self) -> str:
        return f"{self.movie_id} not seen by {self.user_id}"


class Seen(models.Model):
    """A film that a person has seen and not rated, as their history from elsewhere tells.

    It is no part of their taste. It is not recommended any more; its stars may still be asked for.
    """

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="seen", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="seen")
    seen_at = models.DateTimeField(default=timezone.now)

    objects = OfMoviesQuerySet.as_manager()

    class Meta:
        verbose_name = "film seen"
        verbose_name_plural = "films seen"

    def __str__(self) -> str:
        return f"{self.movie_id} seen by {self.user_id}"


class LessLike(models.Model):
    """A film of which a person wants to be shown fewer alike."""

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="less_like", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="less_like")
    asked_at = models.DateTimeField(default=timezone.now)

    objects = OfMoviesQuerySet.as_manager()

    def __str__(self) -> str:
        return f"less like {self.movie_id} for {self.user_id}"


class LeftOut(models.Model):
    """A rating that does not count for the person's taste: nothing is learnt or follows from it.

    The stars stay what they are, for the person and in the film's average. A foreign key to the
    rating itself (in its migration) lets none be left out that is not there, and a
    trigger counts `taste_revision` up.
    """

    pk = models.CompositePrimaryKey("user_id", "movie_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="left_out", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="left_out")
    left_out_at = models.DateTimeField(default=timezone.now)

    objects = OfMoviesQuerySet.as_manager()

    class Meta:
        verbose_name = "rating left out"
        verbose_name_plural = "ratings left out"

    def __str__(self) -> str:
        return f"{self.movie_id} left out by {self.user_id}"


class HistoryImport(models.Model):
    """What a person brings of films from elsewhere, from the upload to its being theirs here."""

    class State(models.TextChoices):
        NAMING = "naming", "The columns wait to be named"
        MATCHING = "matching", "Looking for your films"
        READY = "ready", "Ready"
        WRITING = "writing", "Writing"
        DONE = "done", "Done"

    UNDER_WAY = (State.MATCHING, State.WRITING)

    user = models.OneToOneField(User, models.CASCADE, related_name="history_import")
    state = models.CharField(max_length=10, choices=State, default=State.MATCHING)
    source = models.CharField(max_length=50, blank=True, help_text="The site it is from.")
    file_name = models.CharField(max_length=200)
    upload = models.BinaryField(null=True, help_text="A table whose columns are to be named.")
    naming = models.JSONField(default=dict, help_text="What its columns were said to be.")
    scale = models.CharField(max_length=10, choices=Scale, default=Scale.STARS)
    is_scale_guessed = models.BooleanField(default=False)
    takes_theirs = models.BooleanField(
        default=False, help_text="Whether the file's stars replace others that are here."
    )
    notes = models.JSONField(default=list, help_text="What the person should know, in sentences.")
    problems = models.JSONField(default=list, help_text="The first rows left out: place, reason.")
    problem_count = models.IntegerField(default=0)
    fraction = models.FloatField(default=0, help_text="How much of the work under way is done.")
    asked_at = models.DateTimeField(null=True, help_text="When the work was handed to a worker.")
    started_at = models.DateTimeField(null=True, help_text="When the work under way began.")
    tries = models.SmallIntegerField(default=0, help_text="Workers that were lost over it.")
    error = models.TextField(blank=True)
    outcome = models.JSONField(default=dict, help_text="How many films became what.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.file_name} of {self.user_id}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY


class HistoryEntryQuerySet(models.QuerySet):
    def matched(self) -> Self:
        return self.filter(is_sure=True)

    def doubtful(self) -> Self:
        return self.filter(is_sure=False).exclude(candidates=[])

    def unknown(self) -> Self:
        return self.filter(candidates=[])

    def with_mine(self, person: User) -> Self:
        """Add `mine`: the person's own half stars for the film that was chosen."""
        mine = Rating.objects.filter(user=person, movie=OuterRef("movie")).values("value")
        return self.annotate(mine=models.Subquery(mine))

    def differing(self, person: User) -> Self:
        """Return those whose stars are others than the person has given here."""
        others = self.with_mine(person).filter(half_stars__isnull=False, mine__isnull=False)
        return others.exclude(half_stars=models.F("mine"))


class HistoryEntry(models.Model):
    """One film of a history, and which of ours it may be."""

    history_import = models.ForeignKey(HistoryImport, models.CASCADE, related_name="entries")
    number = models.IntegerField(help_text="Its place in the file.")
    title = models.CharField(max_length=500, blank=True)
    year = models.SmallIntegerField(null=True)
    imdb_id = models.IntegerField(null=True)
    tmdb_id = models.IntegerField(null=True)
    movielens_id = models.IntegerField(null=True)
    rating = models.FloatField(null=True, help_text="On the import's scale.")
    half_stars = models.SmallIntegerField(null=True)
    is_seen = models.BooleanField(default=False)
    is_wanted = models.BooleanField(default=False, help_text="Whether it is on the watchlist.")
    at = models.DateTimeField(null=True)
    candidates = ArrayField(
        models.BigIntegerField(), default=list, help_text="Ids of films that it may be."
    )
    how = models.CharField(max_length=10, blank=True)
    is_sure = models.BooleanField(default=False)
    movie = models.ForeignKey(
        Movie, models.SET_NULL, null=True, related_name="+", help_text="The film that it is."
    )

    objects = HistoryEntryQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "history entries"

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class EveningQuerySet(models.QuerySet["Evening"]):
    def of(self, person: User) -> Self:
        """Return the evenings that the person is part of, the latest first."""
        return self.filter(members__user=person).order_by("-made_at", "-pk")

    def open_to(self, token: str) -> Self:
        """Return the evening that the invitation with this token leads to, if it is still good."""
        return self.filter(token=token, token_expires_at__gt=timezone.now())

    def with_people(self) -> Self:
        return self.prefetch_related("members__user")


class Evening(models.Model):
    """People who choose a film together. Its maker invites and removes people, and ends it."""

    name = models.CharField(max_length=60)
    maker = models.ForeignKey(User, models.CASCADE, related_name="evenings_made")
    made_at = models.DateTimeField(default=timezone.now)
    # The invitation: whoever has the token may join, until it expires.
    token = models.CharField(max_length=43, unique=True, null=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    # Counts what the members do here, so that their pages can tell whether they are still true.
    revision = models.IntegerField(default=0, editable=False)

    objects = EveningQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("recommender:evening", args=[self.pk])

    @property
    def has_open_invitation(self) -> bool:
        """Whether anybody can join by its link now."""
        return self.token_expires_at is not None and self.token_expires_at > timezone.now()


class Member(models.Model):
    """Somebody who is part of an evening. What they say in it goes with them."""

    evening = models.ForeignKey(Evening, models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["joined_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["evening", "user"], name="member_once_an_evening")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.evening_id}"


class Vote(models.Model):
    """What a member says of a film in an evening: yes to this one, or a veto."""

    pk = models.CompositePrimaryKey("member_id", "movie_id")
    member = models.ForeignKey(Member, models.CASCADE, related_name="votes", db_index=False)
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="votes")
    is_veto = models.BooleanField(default=False)
    said_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{'veto' if self.is_veto else 'yes'} to {self.movie_id} by member {self.member_id}"
