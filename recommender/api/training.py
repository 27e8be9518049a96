"""For staff who may train: training runs and model versions."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender import vectors
from recommender.api.access import MayTrain
from recommender.api.endpoint import Endpoint, PagedEndpoint
from recommender.api.problems import Conflict, ProblemSerializer, Unavailable
from recommender.embedders import Unavailable as NotInstalled
from recommender.models import ModelVersion, Space, TrainingRun
from recommender.training import runs

CONFLICT = OpenApiResponse(ProblemSerializer, "It is at odds with how things stand; see `detail`.")
UNAVAILABLE = OpenApiResponse(ProblemSerializer, "The queue cannot be reached.")


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    requested_by = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        slug_field="username", read_only=True, help_text="Null where a schedule or command asked."
    )
    fraction = serializers.FloatField(read_only=True, help_text="How much is done, 0 to 1.")
    version = serializers.PrimaryKeyRelatedField(  # type: ignore[var-annotated]
        read_only=True, help_text="The model version that it trains, once there is one."
    )

    held_because = serializers.CharField(  # type: ignore[assignment]
        source="version.held_because",
        default="",
        read_only=True,
        help_text="Why its version did not go live by itself; empty where nothing speaks against.",
    )

    study = serializers.PrimaryKeyRelatedField(  # type: ignore[var-annotated]
        read_only=True, help_text="That a tuning works on, or whose findings a training uses."
    )

    class Meta:
        model = TrainingRun
        fields = [
            "id",
            "kind",
            "space",
            "embedder",
            "parameters",
            "study",
            "promote",
            "state",
            "step",
            "fraction",
            "error",
            "cancel_requested",
            "requested_by",
            "version",
            "held_because",
            "created_at",
            "started_at",
            "updated_at",
            "finished_at",
        ]
        read_only_fields = [name for name in fields if name not in ("parameters", "promote")]


class TrainingRunDetailSerializer(TrainingRunSerializer):
    class Meta(TrainingRunSerializer.Meta):
        fields = [*TrainingRunSerializer.Meta.fields, "log"]
        read_only_fields = [*TrainingRunSerializer.Meta.read_only_fields, "log"]


class TrainingRequestSerializer(serializers.Serializer[Any]):
    space = serializers.ChoiceField(
        choices=Space.choices, default=Space.TASTE.value, help_text="Which space to train."
    )
    embedder = serializers.CharField(
        required=False,
        max_length=50,
        help_text="The technique, such as `als`, or `spark` for a cluster of Apache Spark;"
        " without, the space's default.",
    )
    parameters = serializers.DictField(
        required=False,
        help_text="Settings by name; those left out are as tuned, or else the defaults.",
    )
    promote = serializers.BooleanField(
        default=True,
        help_text="Go live by itself, unless it is worse than the live version: then it is held.",
    )


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "space",
            "embedder",
            "state",
            "metric",
            "dimensions",
            "parameters",
            "metrics",
            "comparison",
            "held_because",
            "saw",
            "user_count",
            "movie_count",
            "rating_count",
            "snapshot_at",
            "created_at",
            "promoted_at",
            "vectors_dropped",
        ]


class PromotionSerializer(serializers.Serializer[Any]):
    anyway = serializers.BooleanField(
        default=False, help_text="Also where the release gate holds it; see `held_because`."
    )


class TrainingRunListView(PagedEndpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TrainingRunSerializer

    @extend_schema(operation_id="training_runs_list")
    def get(self, request: Request) -> Response:
        """All runs, trainings and tunings, the newest first."""
        runs.tidy()
        return self.list(request)

    def get_queryset(self) -> "QuerySet[TrainingRun]":
        return TrainingRun.objects.select_related("requested_by", "version").newest_first()

    @extend_schema(
        operation_id="training_runs_create",
        request=TrainingRequestSerializer,
        responses={202: TrainingRunSerializer, 409: CONFLICT, 503: UNAVAILABLE},
        examples=[OpenApiExample("With the defaults", {}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Ask for a training run; follow it at the address in `Location`."""
        asked = TrainingRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run = runs.request(requested_by=request.user, **asked.validated_data)
        except runs.RunUnderway as underway:
            raise Conflict(str(underway), code="run_underway") from underway
        except NotInstalled as error:
            raise Conflict(str(error), code="not_installed") from error
        except runs.QueueUnavailable as error:
            raise Unavailable(str(error)) from error
        except ValueError as error:
            raise _wrong_parameter(error) from error
        location = request.build_absolute_uri(f"{run.pk}/")
        headers = {"Location": location}
        return Response(self.get_serializer(run).data, status.HTTP_202_ACCEPTED, headers=headers)


class TrainingRunView(Endpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TrainingRunDetailSerializer

    @extend_schema(operation_id="training_runs_retrieve")
    def get(self, request: Request, run_id: int) -> Response:
        """One run, with its log. Ask again every second or so to follow it."""
        runs.tidy()
        return Response(self.get_serializer(get_object_or_404(TrainingRun, pk=run_id)).data)


class CancelRunView(Endpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TrainingRunSerializer

    @extend_schema(
        operation_id="training_runs_cancel",
        request=None,
        responses={202: TrainingRunSerializer, 409: CONFLICT},
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Stop a run: at once while it waits, at its next report while it trains.

        A tuning makes no more trials and checks the best; stopped again, it leaves them unchecked.
        """
        run = get_object_or_404(TrainingRun, pk=run_id)
        if not run.is_active:
            raise Conflict(f"Run {run.pk} is over already: {run.state}.", code="run_over")
        runs.cancel(run)
        return Response(self.get_serializer(run).data, status.HTTP_202_ACCEPTED)


class ModelListView(PagedEndpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = ModelVersionSerializer

    @extend_schema(operation_id="models_list")
    def get(self, request: Request) -> Response:
        """All model versions with their metrics, the newest first."""
        return self.list(request)

    def get_queryset(self) -> "QuerySet[ModelVersion]":
        return ModelVersion.objects.newest_first().defer("gramian")


class PromoteModelView(Endpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = ModelVersionSerializer

    @extend_schema(
        operation_id="models_promote",
        request=PromotionSerializer,
        responses={200: ModelVersionSerializer, 409: CONFLICT},
    )
    def post(self, request: Request, version_id: int) -> Response:
        """Make a version live, an older one too: that is a roll-back.

        A version that the release gate holds goes live only with `anyway`.
        """
        asked = PromotionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = get_object_or_404(ModelVersion, pk=version_id)
        if version.is_held and not asked.validated_data["anyway"]:
            raise Conflict(f"Version {version.pk} is held. {version.held_because}", code="held")
        try:
            live = vectors.promote(version)
        except vectors.NotPromotable as error:
            raise Conflict(str(error), code="not_promotable") from error
        return Response(self.get_serializer(live).data)


def _wrong_parameter(error: ValueError) -> serializers.ValidationError:
    """The problem answer to a setting that training refuses; its message begins with the name."""
    name, _, sentence = str(error).partition(": ")
    if name == "embedder":
        return serializers.ValidationError({name: sentence}, code="invalid")
    return serializers.ValidationError({"parameters": {name: sentence}}, code="invalid")
