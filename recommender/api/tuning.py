"""For staff who may train: searches for better settings."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender import tuned
from recommender.api.access import MayTrain
from recommender.api.endpoint import Endpoint, PagedEndpoint
from recommender.api.problems import Conflict, Unavailable
from recommender.api.training import CONFLICT, UNAVAILABLE, TrainingRunSerializer
from recommender.models import TuningStudy, TuningTrial
from recommender.training import runs, studies
from recommender.training.studies import Effort


class TuningTrialSerializer(serializers.ModelSerializer[TuningTrial]):
    class Meta:
        model = TuningTrial
        fields = ["number", "state", "value", "looks", "seconds", "parameters", "error"]


class TuningStudySerializer(serializers.ModelSerializer[TuningStudy]):
    class Meta:
        model = TuningStudy
        fields = [
            "id",
            "space",
            "embedder",
            "seed",
            "rating_count",
            "defaults",
            "ranges",
            "parameters",
            "gain",
            "verdict",
            "adopted_at",
            "created_at",
        ]


class TuningStudyDetailSerializer(TuningStudySerializer):
    trials = TuningTrialSerializer(many=True, read_only=True)

    class Meta(TuningStudySerializer.Meta):
        fields = [*TuningStudySerializer.Meta.fields, "trials"]


class TuningRequestSerializer(serializers.Serializer[Any]):
    minutes = serializers.FloatField(
        default=Effort().minutes, help_text="How long, with the check at the end."
    )
    trials = serializers.IntegerField(
        default=Effort().trials, help_text="It also ends after so many, earlier ones counted."
    )
    seed = serializers.IntegerField(default=0, help_text="Same seed and ratings: same trials.")
    fresh = serializers.BooleanField(
        default=False, help_text="Begin a new study instead of going on with the last."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            effort = Effort.from_dict({**attrs, "fresh": int(attrs["fresh"])})
        except ValueError as error:
            name, _, sentence = str(error).partition(": ")
            raise serializers.ValidationError({name: sentence}, code="invalid") from error
        return {"effort": effort}


class TuningListView(PagedEndpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TuningStudySerializer

    @extend_schema(operation_id="tunings_list")
    def get(self, request: Request) -> Response:
        """All studies, the newest first. The one that was adopted last is what training uses."""
        return self.list(request)

    def get_queryset(self) -> "QuerySet[TuningStudy]":
        return TuningStudy.objects.newest_first()

    @extend_schema(
        operation_id="tunings_create",
        request=TuningRequestSerializer,
        responses={202: TrainingRunSerializer, 409: CONFLICT, 503: UNAVAILABLE},
        examples=[OpenApiExample("For ten minutes", {"minutes": 10}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Ask for a tuning; follow its run at the address in `Location`, and stop it there."""
        asked = TuningRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run = studies.request(requested_by=request.user, **asked.validated_data)
        except runs.RunUnderway as underway:
            raise Conflict(str(underway), code="run_underway") from underway
        except runs.QueueUnavailable as error:
            raise Unavailable(str(error)) from error
        location = request.build_absolute_uri(f"/api/v1/training-runs/{run.pk}/")
        body = TrainingRunSerializer(run).data
        return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": location})


class TuningView(Endpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TuningStudyDetailSerializer

    @extend_schema(operation_id="tunings_retrieve")
    def get(self, request: Request, study_id: int) -> Response:
        """One study with its trials, also while it is under way."""
        return Response(self.get_serializer(get_object_or_404(TuningStudy, pk=study_id)).data)


class ForgetTuningView(Endpoint):
    permission_classes = [IsAuthenticated, MayTrain]
    serializer_class = TuningStudySerializer

    @extend_schema(operation_id="tunings_forget", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Let training use the defaults again. The studies are kept."""
        tuned.forget()
        return Response(status=status.HTTP_204_NO_CONTENT)
