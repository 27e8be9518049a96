"""A person's own ratings, watchlist, dismissals and recommendations. Nobody sees another's."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from movies.models import Movie
from recommender.api import kept
from recommender.api.catalogue import (
    PREDICTED_STARS,
    CountQuery,
    FilmFilters,
    MovieSerializer,
    rounded_stars,
)
from recommender.api.endpoint import Endpoint, PagedEndpoint
from recommender.api.problems import Conflict, ProblemSerializer
from recommender.models import ModelVersion
from recommender.serving.recommend import (
    Filters,
    Placing,
    Reason,
    Recommendation,
    recommend,
)
from users import ratings
from users.dials import END, NAMES, NEUTRAL, Dials
from users.models import Dismissal, LeftOut, LessLike, Rating, Seen, User, WatchlistEntry


@extend_schema_field({"type": "number", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5})
class StarsField(serializers.Field[float, Any, float, Any]):
    """0.5 to 5.0 in halves."""

    def to_internal_value(self, data: Any) -> float:
        # A bool is a number to Python, never to a person who rates.
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        try:
            return ratings.half_stars(data if is_number else 0) / 2
        except (ValueError, OverflowError):
            message = "Stars go from 0.5 to 5.0 in half stars."
            raise serializers.ValidationError(message, code="invalid") from None

    def to_representation(self, value: float) -> float:
        return value


class RatingSerializer(serializers.ModelSerializer[Rating]):
    movie = MovieSerializer(read_only=True)
    stars = StarsField(help_text="0.5 to 5.0 in half stars.")

    class Meta:
        model = Rating
        fields = ["movie", "stars", "rated_at"]
        read_only_fields = ["rated_at"]


class WatchlistEntrySerializer(serializers.ModelSerializer[WatchlistEntry]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = WatchlistEntry
        fields = ["movie", "added_at"]
        read_only_fields = ["added_at"]


class DismissalSerializer(serializers.ModelSerializer[Dismissal]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = Dismissal
        fields = ["movie", "dismissed_at"]
        read_only_fields = ["dismissed_at"]


class SeenSerializer(serializers.ModelSerializer[Seen]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = Seen
        fields = ["movie", "seen_at"]
        read_only_fields = ["seen_at"]


class LessLikeSerializer(serializers.ModelSerializer[LessLike]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = LessLike
        fields = ["movie", "asked_at"]
        read_only_fields = ["asked_at"]


class LeftOutSerializer(serializers.ModelSerializer[LeftOut]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = LeftOut
        fields = ["movie", "left_out_at"]
        read_only_fields = ["left_out_at"]


class RatingListView(PagedEndpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = RatingSerializer

    @extend_schema(operation_id="ratings_list")
    def get(self, request: Request) -> Response:
        """Your ratings, the latest first."""
        return self.list(request)

    def get_queryset(self) -> "QuerySet[Rating]":
        return Rating.objects.filter(user=self.request.user).with_movies().latest_first()


class RatingView(Endpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = RatingSerializer

    @extend_schema(operation_id="ratings_retrieve")
    def get(self, request: Request, movie_id: int) -> Response:
        """Your rating of a film; 404 where you have not rated it."""
        rating = get_object_or_404(request.user.ratings.with_movies(), movie_id=movie_id)
        return Response(self.get_serializer(rating).data)

    @extend_schema(
        operation_id="ratings_update",
        responses={200: RatingSerializer, 201: RatingSerializer},
        examples=[OpenApiExample("Four and a half stars", {"stars": 4.5}, request_only=True)],
    )
    def put(self, request: Request, movie_id: int) -> Response:
        """Rate a film, or change your rating (then 200).

        The film leaves your watchlist and your dismissals, and your very next recommendations
        know of it.
        """
        movie = get_object_or_404(Movie.objects.with_genres(), pk=movie_id)
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        is_change = request.user.ratings.filter(movie=movie).exists()
        rating = ratings.rate(request.user, movie, asked.validated_data["stars"])
        movie.refresh_from_db(fields=["rating_count", "rating_sum"])
        code = status.HTTP_200_OK if is_change else status.HTTP_201_CREATED
        return Response(self.get_serializer(rating).data, status=code)

    @extend_schema(operation_id="ratings_destroy")
    def delete(self, request: Request, movie_id: int) -> Response:
        """Take your rating back."""
        movie = get_object_or_404(Movie, pk=movie_id)
        if not ratings.withdraw(request.user, movie):
            raise NotFound("You have not rated this film.")
        return Response(status=status.HTTP_204_NO_CONTENT)


def described_mark(
    name: str, serializer: type[serializers.Serializer], put: str, delete: str, conflict: str = ""
) -> Callable[[type["MarkView"]], type["MarkView"]]:
    """Describe a `MarkView`: its operations' name, and what PUT, DELETE and a 409 say."""
    responses: dict[int, Any] = {201: serializer, 200: serializer}
    if conflict:
        responses[409] = OpenApiResponse(ProblemSerializer, conflict)
    return extend_schema_view(
        put=extend_schema(
            operation_id=f"{name}_update", summary=put, request=None, responses=responses
        ),
        delete=extend_schema(operation_id=f"{name}_destroy", summary=delete),
    )


class MarkView(Endpoint):
    """PUT sets a mark on a film for the person, DELETE takes it off again."""

    permission_classes = [IsAuthenticated]
    mark: Callable[[User, Movie], bool]
    unmark: Callable[[User, Movie], bool]
    refusal_if_rated = ""
    """What is said where the mark is not for films that the person has rated."""

    def put(self, request: Request, movie_id: int) -> Response:
        if self.refusal_if_rated and request.user.ratings.filter(movie_id=movie_id).exists():
            raise Conflict(self.refusal_if_rated, code="rated")
        movie = get_object_or_404(Movie.objects.with_genres(), pk=movie_id)
        is_new = self.mark(request.user, movie)
        model = self.get_serializer_class().Meta.model
        entry = model.objects.get(user=request.user, movie=movie)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(entry).data, status=code)

    def delete(self, request: Request, movie_id: int) -> Response:
        if not self.unmark(request.user, get_object_or_404(Movie, pk=movie_id)):
            raise NotFound("This film is not on the list.")
        return Response(status=status.HTTP_204_NO_CONTENT)


class MarkListView(PagedEndpoint):
    """The films on one of a person's lists, the latest first; subclasses say which."""

    permission_classes = [IsAuthenticated]
    moment: str
    """The field that says when a film came on the list."""

    def get_queryset(self) -> "QuerySet[Any]":
        entries = self.get_serializer_class().Meta.model.objects.filter(user=self.request.user)
        return entries.with_movies().order_by(f"-{self.moment}", "-movie_id")


class WatchlistView(MarkListView):
    serializer_class = WatchlistEntrySerializer
    moment = "added_at"

    @extend_schema(operation_id="watchlist_list")
    def get(self, request: Request) -> Response:
        """The films that you want to see, the latest first."""
        return self.list(request)


@described_mark(
    "watchlist",
    WatchlistEntrySerializer,
    put="Put a film on your watchlist; 200 where it was there already",
    delete="Take a film off your watchlist",
)
class WatchlistEntryView(MarkView):
    serializer_class = WatchlistEntrySerializer
    mark = staticmethod(ratings.add_to_watchlist)
    unmark = staticmethod(ratings.remove_from_watchlist)


class DismissalListView(MarkListView):
    serializer_class = DismissalSerializer
    moment = "dismissed_at"

    @extend_schema(operation_id="dismissals_list")
    def get(self, request: Request) -> Response:
        """The films that you do not want to be shown, the latest first."""
        return self.list(request)


@described_mark(
    "dismissals",
    DismissalSerializer,
    put="Keep a film out of your recommendations; 200 where it was out already",
    delete="Let a film be recommended again",
)
class DismissalView(MarkView):
    serializer_class = DismissalSerializer
    mark = staticmethod(ratings.dismiss)
    unmark = staticmethod(ratings.restore)


class SeenListView(MarkListView):
    serializer_class = SeenSerializer
    moment = "seen_at"

    @extend_schema(operation_id="seen_list")
    def get(self, request: Request) -> Response:
        """The films that you have seen and not rated, the latest first.

        They are not recommended, and are no part of your taste.
        """
        return self.list(request)


@described_mark(
    "seen",
    SeenSerializer,
    put="Say that you have seen a film; 200 where you had said so",
    delete="Take back that you have seen a film",
    conflict="You have rated the film.",
)
class SeenView(MarkView):
    serializer_class = SeenSerializer
    mark = staticmethod(ratings.note_seen)
    unmark = staticmethod(ratings.not_seen_after_all)
    refusal_if_rated = "You have rated this film, so it is known as seen."


class LessLikeListView(MarkListView):
    serializer_class = LessLikeSerializer
    moment = "asked_at"

    @extend_schema(operation_id="less_like_list")
    def get(self, request: Request) -> Response:
        """The films that you want fewer like, the latest first."""
        return self.list(request)


@described_mark(
    "less_like",
    LessLikeSerializer,
    put="Ask for fewer films like one; 200 where you had asked already",
    delete="Take it back that you want fewer like a film",
)
class LessLikeView(MarkView):
    serializer_class = LessLikeSerializer
    mark = staticmethod(ratings.ask_for_less)
    unmark = staticmethod(ratings.take_back_less)


class LeftOutListView(MarkListView):
    serializer_class = LeftOutSerializer
    moment = "left_out_at"

    @extend_schema(operation_id="left_out_list")
    def get(self, request: Request) -> Response:
        """The films that you rated and that do not count for your taste, the latest first."""
        return self.list(request)


@described_mark(
    "left_out",
    LeftOutSerializer,
    put="Leave a film that you rated out of your taste; 200 where it was out already",
    delete="Let a film count for your taste again",
    conflict="You have not rated the film.",
)
class LeftOutView(MarkView):
    serializer_class = LeftOutSerializer
    mark = staticmethod(ratings.leave_out)
    unmark = staticmethod(ratings.count_again)

    def put(self, request: Request, movie_id: int) -> Response:
        try:
            return super().put(request, movie_id)
        except ratings.NotRated as error:
            raise Conflict(str(error), code="not_rated") from None


DIAL_HELP = {
    "obscurity": "From popular (-2) to obscure (2).",
    "adventure": "From near to your own films (-2) to far from them (2).",
    "newness": "From older (-2) to newer (2).",
}


class DialField(serializers.IntegerField):
    """A whole number from -2 to 2; nothing but a number is one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=-END, max_value=END, **options)


class DialsSerializer(serializers.Serializer[Any]):
    obscurity = DialField(help_text=DIAL_HELP["obscurity"])
    adventure = DialField(help_text=DIAL_HELP["adventure"])
    newness = DialField(help_text=DIAL_HELP["newness"])


class DialsView(Endpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = DialsSerializer

    @extend_schema(operation_id="dials_retrieve")
    def get(self, request: Request) -> Response:
        """Where your dials stand; 0 is the middle, where a dial does nothing."""
        return Response(request.user.dials.to_dict())

    @extend_schema(operation_id="dials_update")
    def put(self, request: Request) -> Response:
        """Turn your dials, all three; your very next recommendations follow."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        request.user.keep_dials(Dials(**asked.validated_data))
        return Response(request.user.dials.to_dict())


MOST_REASONS = 3


class RecommendationQuery(CountQuery, FilmFilters):
    obscurity = DialField(required=False, help_text=DIAL_HELP["obscurity"])
    adventure = DialField(required=False, help_text=DIAL_HELP["adventure"])
    newness = DialField(required=False, help_text=DIAL_HELP["newness"])
    variety = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        help_text="What likeness to another film of the page costs, as a share of your best"
        " film's score. 0 is the model's own order, but for what the dials do.",
    )
    fields = serializers.CharField(
        required=False,
        help_text="Only these fields of each film, with commas between them, such as"
        " `movie,score`. What is not asked for is not worked out: without `reasons` and"
        " `predicted_stars` the answer takes about a third less time.",
    )

    def validate_fields(self, names: str) -> list[str]:
        asked = {name.strip() for name in names.split(",")}
        if unknown := sorted(asked - TELL.keys()):
            raise serializers.ValidationError(
                f"There is no field “{unknown[0]}” here. These are: {', '.join(TELL)}.",
                code="does_not_exist",
            )
        return [name for name in TELL if name in asked]


class ReasonSerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    stars = serializers.FloatField(help_text="What you gave it.")
    share = serializers.FloatField(help_text="Its part in what speaks for the film, 0 to 1.")

    @staticmethod
    def told(reason: Reason) -> dict[str, Any]:
        """The fields as they are declared, written out; see `MovieSerializer.told`."""
        return {
            "movie": MovieSerializer.told(reason.movie),
            "stars": reason.stars,
            "share": reason.share,
        }


class PullSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The dial's, or `less_like`.")
    word = serializers.CharField(help_text="What the dial asks for; empty for `less_like`.")
    share = serializers.FloatField(help_text="Added to the relevance.")


class PlacingSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="Where the film stands, from 1.")
    by_taste = serializers.IntegerField(help_text="Where the score alone would have put it.")
    by_relevance = serializers.IntegerField(
        help_text="Where the score and the pulls would have put it: the rest is variety."
    )
    relevance = serializers.FloatField(help_text="The score as a share of your best film's.")
    pulls = PullSerializer(many=True, help_text="What your dials and `less_like` do to it.")

    @staticmethod
    def told(placing: Placing) -> dict[str, Any]:
        """The fields as they are declared, written out."""
        return {**vars(placing), "pulls": [vars(pull) for pull in placing.pulls]}


class RecommendationSerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    is_personal = serializers.BooleanField(
        help_text="Whether your own taste chose the film, rather than what most people like."
    )
    score = serializers.FloatField(
        help_text="The model's (personal), or the weighted mean in half stars. Only its order"
        " means something."
    )
    placing = PlacingSerializer(
        allow_null=True, help_text="How it came to its place; null if not personal."
    )
    predicted_stars = serializers.FloatField(allow_null=True, help_text=PREDICTED_STARS)
    reasons = ReasonSerializer(
        many=True, help_text="Films you rated that speak most for this one; none if not personal."
    )


TELL: dict[str, Callable[[Recommendation], Any]] = {
    "movie": lambda film: MovieSerializer.told(film.movie),
    "is_personal": lambda film: film.is_personal,
    "score": lambda film: film.score,
    "placing": lambda film: PlacingSerializer.told(film.placing) if film.placing else None,
    "predicted_stars": lambda film: rounded_stars(film.prediction),
    "reasons": lambda film: [ReasonSerializer.told(reason) for reason in film.reasons],
}
"""What each field of `RecommendationSerializer` tells, written out as it is declared."""


class RecommendationsSerializer(serializers.Serializer[Any]):
    results = RecommendationSerializer(many=True, help_text="The best first.")


class RecommendationsView(Endpoint):
    query_class = RecommendationQuery
    serializer_class = RecommendationsSerializer

    @extend_schema(operation_id="recommendations_list")
    def get(self, request: Request) -> HttpResponse:
        """The best films for you that you have neither rated nor dismissed, and why.

        Signed out, or before your first ratings, these are well-liked films of many kinds. The
        dials are your own unless you name any here: then those you do not name are in the middle,
        and your own stay as they are. All that you say and turn shows at once; what others do,
        such as how many have rated a film, may be some minutes old.

        `fields` leaves out what you have no use for.
        """
        return kept.answer("recommendations", request, self.query, self._made)

    def _made(self, version: ModelVersion | None) -> Any:
        person, asked = self.request.user, dict(self.query)
        k, variety = asked.pop("k"), asked.pop("variety", None)
        fields = asked.pop("fields", list(TELL))
        turned = {name: asked.pop(name) for name in NAMES if name in asked}
        dials = Dials(**turned) if turned else getattr(person, "dials", NEUTRAL)
        films = recommend(
            person,
            k,
            Filters(**asked),
            dials,
            variety,
            version,
            most_reasons=MOST_REASONS if "reasons" in fields else 0,
            with_stars="predicted_stars" in fields,
        )
        return {"results": [{name: TELL[name](film) for name in fields} for film in films]}
