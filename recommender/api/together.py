"""Evenings: people who choose a film together. Of the others one sees what joining shares."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from movies.models import Movie
from recommender.api.catalogue import CountQuery, FilmFilters, MovieSerializer
from recommender.api.endpoint import Endpoint, PagedEndpoint
from recommender.api.problems import Conflict, ProblemSerializer
from recommender.serving.consensus import MIDDLE, POWERS
from recommender.serving.recommend import Filters
from recommender.serving.together import Pick, films_together
from users import evenings
from users.models import Evening, Member
from users.throttle import WINDOW_SECONDS, InvitationTries

CONFLICT = OpenApiResponse(ProblemSerializer, "It cannot be done now; the sentence says why.")


class MemberSerializer(serializers.ModelSerializer[Member]):
    name = serializers.CharField(source="user.username", read_only=True)
    is_you = serializers.SerializerMethodField()

    class Meta:
        model = Member
        fields = ["id", "name", "is_you"]

    def get_is_you(self, member: Member) -> bool:
        return bool(member.user_id == self.context["request"].user.pk)


class EveningSerializer(serializers.ModelSerializer[Evening]):
    members = MemberSerializer(many=True, read_only=True)
    is_yours = serializers.SerializerMethodField(
        help_text="Whether you made it: then you invite, take people out and end it."
    )

    class Meta:
        model = Evening
        fields = ["id", "name", "made_at", "is_yours", "members"]
        read_only_fields = ["made_at"]

    def get_is_yours(self, evening: Evening) -> bool:
        return bool(evening.maker_id == self.context["request"].user.pk)


class SaidSerializer(serializers.Serializer[evenings.Said]):
    movie = MovieSerializer()
    yes = serializers.SerializerMethodField(help_text="Ids of the members who would watch it.")
    vetoed_by = serializers.SerializerMethodField(help_text="Ids of the members who vetoed it.")

    def get_yes(self, said: evenings.Said) -> list[int]:
        return [member.pk for member in said.yes]

    def get_vetoed_by(self, said: evenings.Said) -> list[int]:
        return [member.pk for member in said.vetoed_by]


class EveningDetailSerializer(EveningSerializer):
    shortlist = SaidSerializer(
        many=True, help_text="Films that somebody wants and nobody refuses, the most wanted first."
    )
    vetoed = SaidSerializer(many=True)

    class Meta(EveningSerializer.Meta):
        fields = [*EveningSerializer.Meta.fields, "shortlist", "vetoed"]


class InvitationSerializer(serializers.ModelSerializer[Evening]):
    token = serializers.CharField(read_only=True, help_text="Whoever has it may join.")
    expires_at = serializers.DateTimeField(source="token_expires_at", read_only=True)

    class Meta:
        model = Evening
        fields = ["token", "expires_at"]


class JoinSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100, help_text="The last part of an invitation.")


class VoteSerializer(serializers.Serializer[Any]):
    vote = serializers.ChoiceField(
        choices=[("yes", "You would watch it"), ("veto", "It is out, for everybody")]
    )


class EveningFilmsQuery(CountQuery, FilmFilters):
    care = serializers.IntegerField(
        min_value=0,
        max_value=len(POWERS) - 1,
        default=MIDDLE,
        help_text="The dial, from the most joy (0) to the least misery (4).",
    )
    seen = serializers.BooleanField(
        default=False, help_text="Also films that some of you have seen, but not all."
    )


class LikingSerializer(serializers.Serializer[Any]):
    member = serializers.IntegerField(help_text="The member's id.")
    relevance = serializers.FloatField(help_text="As a share of what their best film has.")
    predicted_stars = serializers.FloatField(
        allow_null=True, help_text="What they would give it; null where it cannot be told honestly."
    )


class PickSerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    seen_by = serializers.IntegerField(help_text="How many of you have seen it.")
    likings = LikingSerializer(
        many=True,
        help_text="What each would make of it; none where somebody has seen it, and where the"
        " model does not know it.",
    )


class PicksSerializer(serializers.Serializer[Any]):
    results = PickSerializer(many=True, help_text="The best for all of you first.")


class EveningEndpoint(Endpoint):
    """An address of one evening: to whoever is not in it, there is none."""

    permission_classes = [IsAuthenticated]

    def member(self, evening_id: int) -> Member:
        """The asking person's place in the evening."""
        members = Member.objects.select_related("evening", "user")
        return get_object_or_404(members, evening_id=evening_id, user=self.request.user)

    def own(self, evening_id: int) -> Evening:
        """The evening, if the asking person made it."""
        evening = self.member(evening_id).evening
        if evening.maker_id != self.request.user.pk:
            raise PermissionDenied("Only whoever made the evening may do this.")
        return evening


class EveningListView(PagedEndpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = EveningSerializer

    @extend_schema(operation_id="evenings_list")
    def get(self, request: Request) -> Response:
        """The evenings that you are in, the latest first."""
        return self.list(request)

    def get_queryset(self) -> "QuerySet[Evening]":
        return Evening.objects.of(self.request.user).with_people()

    @extend_schema(
        operation_id="evenings_create",
        request=EveningSerializer,
        responses={201: EveningSerializer, 409: CONFLICT},
    )
    def post(self, request: Request) -> Response:
        """Start an evening with you in it; its invitation is at `invitation/`."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            evening = evenings.start(request.user, asked.validated_data["name"])
        except evenings.Refused as refusal:
            raise Conflict(str(refusal), code="too_many") from refusal
        return Response(self.get_serializer(evening).data, status.HTTP_201_CREATED)


class JoinView(Endpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = EveningSerializer

    @extend_schema(
        operation_id="evenings_join",
        request=JoinSerializer,
        responses={200: EveningSerializer, 409: CONFLICT},
    )
    def post(self, request: Request) -> Response:
        """Join the evening that an invitation leads to; 404 where it leads nowhere."""
        asked = JoinSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        tries = InvitationTries.of(request)
        if not tries.allow():
            raise Throttled(WINDOW_SECONDS)
        try:
            evening = evenings.join(request.user, asked.validated_data["token"])
        except evenings.InvitationVoid as refusal:
            raise NotFound(str(refusal)) from refusal
        except evenings.EveningFull as refusal:
            raise Conflict(str(refusal), code="full") from refusal
        tries.forget()
        return Response(self.get_serializer(evening).data)


class EveningView(EveningEndpoint):
    serializer_class = EveningDetailSerializer

    @extend_schema(operation_id="evenings_retrieve")
    def get(self, request: Request, evening_id: int) -> HttpResponseBase:
        """Who is in, and what they have said of films.

        To follow it, send the `ETag` of the last answer as `If-None-Match`: as long as nothing
        has happened, the answer is an empty 304.
        """
        evening = self.member(evening_id).evening
        etag = quote_etag(evenings.stamp(evening))
        if unchanged := get_conditional_response(request, etag=etag):
            return unchanged
        films = evenings.said(evening)
        evening.shortlist = evenings.shortlist(evening, films)
        evening.vetoed = [film for film in films if film.vetoed_by]
        return Response(self.get_serializer(evening).data, headers={"ETag": etag})

    @extend_schema(operation_id="evenings_destroy", responses={204: None})
    def delete(self, request: Request, evening_id: int) -> Response:
        """End the evening you made, for everybody."""
        evenings.end(self.own(evening_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class EveningFilmsView(EveningEndpoint):
    query_class = EveningFilmsQuery
    serializer_class = PicksSerializer

    @extend_schema(operation_id="evenings_films")
    def get(self, request: Request, evening_id: int) -> Response:
        """Films for all of you that nobody refuses, and what each of you would make of them."""
        evening = self.member(evening_id).evening
        asked = dict(self.query)
        k, care, seen = asked.pop("k"), asked.pop("care"), asked.pop("seen")
        picks = films_together(evening, k, Filters(**asked), care, seen)
        members = dict(evening.members.values_list("user_id", "pk"))
        results = [{**vars(pick), "likings": _likings(pick, members)} for pick in picks]
        return Response(self.get_serializer({"results": results}).data)


class EveningVoteView(EveningEndpoint):
    serializer_class = VoteSerializer

    @extend_schema(operation_id="evenings_vote")
    def put(self, request: Request, evening_id: int, movie_id: int) -> Response:
        """Say yes to a film, or veto it, in the place of what you have said of it."""
        member = self.member(evening_id)
        movie = get_object_or_404(Movie, pk=movie_id)
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        say = evenings.veto if asked.validated_data["vote"] == "veto" else evenings.say_yes
        say(member, movie)
        return Response(asked.validated_data)

    @extend_schema(operation_id="evenings_take_back", responses={204: None})
    def delete(self, request: Request, evening_id: int, movie_id: int) -> Response:
        """Take back what you said of a film."""
        member = self.member(evening_id)
        if not evenings.take_back(member, get_object_or_404(Movie, pk=movie_id)):
            raise NotFound("You have said nothing of this film.")
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvitationView(EveningEndpoint):
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="evenings_invitation")
    def get(self, request: Request, evening_id: int) -> Response:
        """The invitation to the evening you made; 404 where none is good."""
        evening = self.own(evening_id)
        if not evening.has_open_invitation:
            raise NotFound("There is no invitation that is still good.")
        return Response(self.get_serializer(evening).data)

    @extend_schema(
        operation_id="evenings_invite", request=None, responses={201: InvitationSerializer}
    )
    def post(self, request: Request, evening_id: int) -> Response:
        """Make a new invitation in the place of the old one."""
        evening = self.own(evening_id)
        evenings.invite(evening)
        return Response(self.get_serializer(evening).data, status.HTTP_201_CREATED)

    @extend_schema(operation_id="evenings_uninvite", responses={204: None})
    def delete(self, request: Request, evening_id: int) -> Response:
        """Let nobody else in."""
        evenings.revoke_invitation(self.own(evening_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class EveningMemberView(EveningEndpoint):
    serializer_class = MemberSerializer

    @extend_schema(operation_id="evenings_leave", responses={204: None, 409: CONFLICT})
    def delete(self, request: Request, evening_id: int, member_id: int) -> Response:
        """Leave, by your own id; or take somebody out of the evening you made."""
        member = self.member(evening_id)
        try:
            if member.pk == member_id:
                evenings.leave(member)
            else:
                others = self.own(evening_id).members.select_related("evening")
                evenings.remove(get_object_or_404(others, pk=member_id))
        except evenings.Refused as refusal:
            raise Conflict(str(refusal), code="your_own") from refusal
        return Response(status=status.HTTP_204_NO_CONTENT)


def _likings(pick: Pick, members: dict[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "member": members[user_id],
            "relevance": round(liking.relevance, 4),
            "predicted_stars": liking.prediction and round(liking.prediction.stars, 2),
        }
        for user_id, liking in pick.likings.items()
        # Somebody may have left since.
        if user_id in members
    ]
