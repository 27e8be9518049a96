"""Model versions, the runs that train them, and their vectors."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from pgvector.django import VectorField

from movies.models import Movie


class Space(models.TextChoices):
    """One kind of embedding, by what it knows."""

    TASTE = "taste", "Taste (from ratings)"


class Metric(models.TextChoices):
    """How nearness is measured in a space."""

    INNER_PRODUCT = "inner_product"
    COSINE = "cosine"


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self, space: str = Space.TASTE) -> "ModelVersion | None":
        """Return the space's live version without its Gramian, or None before the first."""
        # Every page asks for it, and the Gramian is as large as the page.
        return self.defer("gramian").filter(space=space, state=ModelVersion.State.LIVE).first()

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
    # The d × d movie Gramian YᵀY in float32, row by row: what fold-in needs beside the vectors.
    gramian = models.BinaryField(null=True, editable=False)
    user_count = models.IntegerField(default=0)
    movie_count = models.IntegerField(default=0)
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
    def has_vectors(self) -> bool:
        """Whether the version can go live: its vectors are written, indexed and kept."""
        states = (self.State.CANDIDATE, self.State.LIVE, self.State.RETIRED)
        return self.state in states and not self.vectors_dropped


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def active(self) -> Self:
        return self.filter(state__in=TrainingRun.ACTIVE)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class TrainingRun(models.Model):
    """One request to train a space: its progress while it runs, its outcome for good."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)

    space = models.CharField(max_length=20, choices=Space, default=Space.TASTE)
    embedder = models.CharField(max_length=50, default="als")
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
        return f"run {self.pk} of {self.space}: {self.state}"

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

    class Meta:
        db_table = "recommender_movievector"

    def __str__(self) -> str:
        return f"movie {self.movie_id} in version {self.version_id}"


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
