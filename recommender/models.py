"""Model versions, the runs that train them, and their vectors."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from pgvector.django import VectorField

from movies.models import Movie


class Space(models.TextChoices):
    """One kind of embedding, by what it knows."""

    TASTE = "taste", "Taste (from ratings)"
    NEIGHBOURS = "neighbours", "Neighbours (who watched this also watched)"
    WORDS = "words", "Words (of titles, genres, people, tags and overviews)"
    STORY = "story", "Story (what happens in it)"
    PEOPLE = "people", "People (who made it and who plays)"

    @property
    def knows_people(self) -> bool:
        """Whether the people who rate have a place in it, beside the films."""
        return self == Space.TASTE

    @property
    def knows_ratings(self) -> bool:
        """Whether it may learn from ratings, so that some must be held out to judge it."""
        return self not in (Space.WORDS, Space.STORY)


class Metric(models.TextChoices):
    """How nearness is measured in a space."""

    INNER_PRODUCT = "inner_product"
    COSINE = "cosine"


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self, space: str = Space.TASTE) -> "ModelVersion | None":
        """Return the space's live version without its Gramian, or None before the first."""
        # Every page asks for it, and the Gramian is as large as the page.
        return self.defer("gramian").filter(space=space, state=ModelVersion.State.LIVE).first()

    def on_show(self) -> "ModelVersion | None":
        """Return the version whose map of films people see, without its Gramian, or None.

        It is the one of those with a map that was the last to go live: while the live version's is
        drawn, the map of the one before.
        """
        mapped = self.filter(Exists(MapPlace.objects.filter(version=OuterRef("pk"))))
        gone_live = mapped.filter(space=Space.TASTE, promoted_at__isnull=False)
        return gone_live.defer("gramian").order_by("-promoted_at").first()

    def live_beside_taste(self) -> list["ModelVersion"]:
        """Return the live versions of the spaces that know films alone."""
        return list(self.filter(state=ModelVersion.State.LIVE).exclude(space=Space.TASTE))

    def promotable(self) -> Self:
        """Return the versions whose vectors are kept, so that they can go live (again)."""
        states = [ModelVersion.State.CANDIDATE, ModelVersion.State.RETIRED]
        return self.filter(state__in=states, vectors_dropped=False)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class ModelVersion(models.Model):
    """One trained result of a space. At most one version of a space is live."""

    class State(models.TextChoices):
        TRAINING = "training"
        CANDIDATE = "candidate"
        LIVE = "live"
        RETIRED = "retired"
        FAILED = "failed"

    space = models.CharField(max_length=20, choices=Space, default=Space.TASTE)
    embedder = models.CharField(max_length=50)
    state = models.CharField(max_length=20, choices=State, default=State.TRAINING)
    metric = models.CharField(max_length=20, choices=Metric, default=Metric.INNER_PRODUCT)
    dimensions = models.IntegerField()
    parameters = models.JSONField(default=dict, help_text="What it was trained with.")
    metrics = models.JSONField(default=dict, help_text="On the held-out ratings.")
    comparison = models.JSONField(
        default=dict, help_text="Beside the version that was live then; see `training.gate`."
    )
    held_because = models.TextField(
        blank=True, help_text="Why it did not go live by itself, where the release gate held it."
    )
    saw = models.TextField(
        blank=True, default="", help_text="What it was made of, for people to read."
    )
    numbers = models.JSONField(
        default=dict, help_text="What finding the place of a text takes besides the vectors."
    )
    # The d × d movie Gramian YᵀY in float32, row by row: what fold-in needs beside the vectors.
    gramian = models.BinaryField(null=True, editable=False)
    user_count = models.IntegerField(default=0)
    movie_count = models.IntegerField(default=0)
    predicted_count = models.IntegerField(
        default=0, help_text="Films placed by what is told of them; `movie_count` are the others."
    )
    rating_count = models.IntegerField(default=0)
    snapshot_at = models.DateTimeField(help_text="Ratings up to this moment were seen.")
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True)
    vectors_dropped = models.BooleanField(default=False)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space"], condition=Q(state="live"), name="one_live_version_a_space"
            )
        ]

    def __str__(self) -> str:
        return f"{self.space} v{self.pk}"

    @property
    def is_held(self) -> bool:
        """Whether the release gate keeps it from going live, and nobody has said otherwise."""
        return self.state == self.State.CANDIDATE and bool(self.held_because)

    @property
    def vector_count(self) -> int:
        """Films that had a place when it was trained."""
        return self.movie_count + self.predicted_count

    @property
    def has_vectors(self) -> bool:
        """Whether the version can go live: its vectors are written, indexed and kept."""
        states = (self.State.CANDIDATE, self.State.LIVE, self.State.RETIRED)
        return self.state in states and not self.vectors_dropped


class TuningStudyQuerySet(models.QuerySet["TuningStudy"]):
    def adopted(self, space: str = Space.TASTE) -> Self:
        """Return the space's studies whose findings training may use, the latest first."""
        return self.filter(space=space, adopted_at__isnull=False).order_by("-adopted_at")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class TuningStudy(models.Model):
    """A search for better settings. It outlives its runs: each goes on where the last one ended."""

    space = models.CharField(max_length=20, choices=Space, default=Space.TASTE)
    embedder = models.CharField(max_length=50)
    seed = models.BigIntegerField(default=0)
    defaults = models.JSONField(default=dict, help_text="All settings as they were without tuning.")
    ranges = models.JSONField(default=dict, help_text="Of the settings that are searched.")
    rating_count = models.IntegerField(default=0, help_text="When it began.")
    parameters = models.JSONField(null=True, help_text="The settings that were found, if better.")
    gain = models.JSONField(null=True, help_text="Theirs over the defaults; see `training.tuning`.")
    verdict = models.TextField(blank=True, help_text="What its last run came to.")
    adopted_at = models.DateTimeField(null=True, help_text="Since when training uses them.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TuningStudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "tuning studies"

    def __str__(self) -> str:
        return f"study {self.pk} of {self.space}"

    @property
    def percent(self) -> float | None:
        """How much more NDCG@20 the found settings have than the defaults, in percent."""
        if not self.gain or not self.gain["defaults_ndcg"]:
            return None
        return float(100 * (self.gain["ndcg"] / self.gain["defaults_ndcg"] - 1))


class TuningTrial(models.Model):
    """Settings that a study has tried, and what they were worth."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        PRUNED = "pruned", "Given up"
        FAILED = "failed"

    study = models.ForeignKey(TuningStudy, models.CASCADE, related_name="trials")
    number = models.IntegerField(help_text="From 0, which is the defaults.")
    parameters = models.JSONField()
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    looks = models.JSONField(
        default=list, help_text="NDCG@20 at each look, the first the cheapest."
    )
    value = models.FloatField(null=True, help_text="NDCG@20, of a trial that was seen through.")
    seconds = models.FloatField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_trial_a_number")
        ]

    def __str__(self) -> str:
        return f"trial {self.number} of {self.study}"


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def active(self) -> Self:
        return self.filter(state__in=TrainingRun.ACTIVE)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class TrainingRun(models.Model):
    """One request to train or tune a space: its progress while it runs, its outcome for good."""

    class Kind(models.TextChoices):
        TRAIN = "train", "Training"
        TUNE = "tune", "Tuning"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)

    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TRAIN)
    space = models.CharField(max_length=20, choices=Space, default=Space.TASTE)
    embedder = models.CharField(max_length=50, default="blend")
    parameters = models.JSONField(default=dict, help_text="As asked for; others default.")
    promote = models.BooleanField(
        default=True, help_text="Go live, unless the release gate holds it for a person."
    )
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    step = models.CharField(max_length=100, blank=True)
    fraction = models.FloatField(default=0)
    error = models.TextField(blank=True)
    log = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    version = models.OneToOneField(ModelVersion, models.SET_NULL, null=True, related_name="run")
    study = models.ForeignKey(
        TuningStudy,
        models.SET_NULL,
        null=True,
        related_name="runs",
        help_text="That a tuning works on, or whose findings a training uses.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space"],
                condition=Q(state__in=["queued", "running"]),
                name="one_active_run_a_space",
            )
        ]
        permissions = [("run_training", "Can train, promote and schedule models")]

    def __str__(self) -> str:
        return f"{self.get_kind_display().lower()} run {self.pk} of {self.space}: {self.state}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def time_left(self) -> timedelta | None:
        """How long the rest takes at the pace so far, or None while that is anyone's guess."""
        if self.state != self.State.RUNNING or self.started_at is None or self.fraction < 0.02:
            return None
        return (timezone.now() - self.started_at) * ((1 - self.fraction) / self.fraction)


class MovieVector(models.Model):
    """A movie's place in a version's space. Partitioned by version; see `recommender.vectors`."""

    pk = models.CompositePrimaryKey("movie_id", "version_id")
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="vectors", db_index=False)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+", db_index=False)
    vector = VectorField()
    # What a rating of the movie adds to a person's vector, where the embedder has that apart.
    input = VectorField(null=True)
    # From what is told of the film, and moved by ratings since: nobody had rated it when the
    # version began.
    predicted = models.BooleanField(default=False, db_default=False)
    # Of a predicted vector: how many ratings the film had when it moved last; see `serving.moving`.
    ratings_seen = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "recommender_movievector"

    def __str__(self) -> str:
        return f"movie {self.movie_id} in version {self.version_id}"


class MapPlaceQuerySet(models.QuerySet["MapPlace"]):
    def shown(self) -> Self:
        """Return those on the map that people see."""
        return self.filter(version=ModelVersion.objects.on_show())


class MapPlace(models.Model):
    """Where a movie lies on the map of a version of taste; see `recommender.film_map`."""

    pk = models.CompositePrimaryKey("movie_id", "version_id")
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="map_places", db_index=False)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="map_places")
    x = models.FloatField()
    y = models.FloatField()
    region = models.SmallIntegerField()

    objects = MapPlaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"movie {self.movie_id} on the map of version {self.version_id}"


class UserVector(models.Model):
    """A person's place in a version's space, true while `taste_revision` is the person's own."""

    pk = models.CompositePrimaryKey("user_id", "version_id")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="vectors", db_index=False
    )
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+", db_index=False)
    taste_revision = models.IntegerField()
    vector = VectorField()

    class Meta:
        db_table = "recommender_uservector"

    def __str__(self) -> str:
        return f"user {self.user_id} in version {self.version_id}"


class WordVector(models.Model):
    """A word's place in a version's space, or that of a part of words: a text's follows from it."""

    pk = models.CompositePrimaryKey("word", "version_id")
    word = models.TextField()
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+", db_index=False)
    vector = VectorField()

    class Meta:
        db_table = "recommender_wordvector"

    def __str__(self) -> str:
        return f"{self.word!r} in version {self.version_id}"
