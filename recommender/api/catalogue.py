"""Movies: search, one film's facts, and films like it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, QuerySet, prefetch_related_objects
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from movies import search
from movies.forms import BrowseForm
from movies.models import Credit, Genre, Movie, genres
from recommender.api.endpoint import Endpoint, PagedEndpoint, PageQuery, Query
from recommender.models import Space
from recommender.serving.finding import find
from recommender.serving.similar import BLEND, similar
from recommender.serving.stars import Prediction, predicted_stars
from users.models import MAX_HALF_STARS, MIN_HALF_STARS

FIRST_YEAR, LAST_YEAR = 1870, 2200
MAX_K = 100
MOST_FOUND = 500
PREDICTED_STARS = (
    "What you would give it, 0.5 to 5; null where that cannot be told honestly, where you have"
    " rated it, and signed out."
)


class FilmFilters(Query):
    """Which films may be answered with."""

    genre = serializers.CharField(
        required=False, max_length=50, help_text="Only this genre: its slug, such as `sci-fi`."
    )
    first_year = serializers.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, help_text="From this year on."
    )
    last_year = serializers.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, help_text="Up to this year."
    )

    def validate_genre(self, slug: str) -> str:
        if not Genre.objects.filter(slug=slug).exists():
            raise serializers.ValidationError(f"There is no genre “{slug}”.", code="does_not_exist")
        return slug

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("first_year"), attrs.get("last_year")
        if first and last and first > last:
            raise serializers.ValidationError(
                {"last_year": f"The last year lies before the first, {first}."}
            )
        return attrs


class CountQuery(Query):
    k = serializers.IntegerField(
        min_value=1, max_value=MAX_K, default=20, help_text="How many films to answer with."
    )


class SimilarQuery(CountQuery):
    space = serializers.ChoiceField(
        required=False,
        choices=[*Space.values, "blend"],
        help_text="By what they are to be alike; `blend` by all of it, weighed as on the site."
        " Without a space and weights it is taste, or a blend where taste does not know the film."
        " A space that does not know the film names none.",
    )

    def get_fields(self) -> dict[str, Any]:
        weights = {
            space: serializers.FloatField(
                required=False,
                min_value=0,
                max_value=1000,
                help_text=f"The weight of {space} in a blend of your own.",
            )
            for space in Space.values
        }
        return {**super().get_fields(), **weights}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        weights = {space: attrs[space] for space in Space.values if space in attrs}
        if weights and "space" in attrs:
            raise serializers.ValidationError(
                {"space": "Ask for a space or for weights, not both."}
            )
        if weights and not any(weights.values()):
            raise serializers.ValidationError("One of the weights must be more than 0.")
        return attrs

    @staticmethod
    def weights(query: dict[str, Any]) -> Mapping[str, float] | None:
        """What each space counts, None where nothing was asked for."""
        if "space" in query:
            return BLEND if query["space"] == "blend" else {query["space"]: 1}
        return {space: query[space] for space in Space.values if space in query} or None


class SearchQuery(CountQuery):
    q = serializers.CharField(
        max_length=200,
        help_text="A title, a name, or what a film is about. Typing mistakes in titles are"
        " forgiven. Years, genres and people that are asked for (“funny heist films from the"
        " nineties”) are conditions on all films of the answer.",
    )
    plain = serializers.ListField(
        child=serializers.CharField(max_length=50),
        required=False,
        max_length=10,
        help_text="Keys of conditions whose words are to be plain words.",
    )


class MovieQuery(PageQuery, FilmFilters):
    q = serializers.CharField(
        required=False,
        max_length=200,
        help_text="A title or a part of it. Typing mistakes and missing accents are forgiven."
        f" At most the likeliest {MOST_FOUND} films are found.",
    )
    min_ratings = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Only films that at least so many people have rated.",
    )
    max_minutes = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**15 - 1,
        help_text="Only films that are known to be no longer.",
    )
    sort = serializers.ChoiceField(
        required=False,
        # On the site the empty choice is best first; a search without a sort is by likeness here.
        choices=[("best", "Best rated"), *BrowseForm.SORTS[1:]],
        help_text="Without it, what was searched for comes likeliest first, and all else best"
        " rated first.",
    )


class GenreSerializer(serializers.ModelSerializer[Genre]):
    class Meta:
        model = Genre
        fields = ["slug", "name"]


class MovieSerializer(serializers.ModelSerializer[Movie]):
    genres = GenreSerializer(source="genre_list", many=True, read_only=True)
    mean_stars = serializers.FloatField(
        read_only=True, allow_null=True, help_text="The mean of its ratings, null without any."
    )
    is_new = serializers.BooleanField(
        read_only=True,
        help_text="Whether nobody has rated it yet, so that its genres, its people and its story"
        " alone speak for it.",
    )

    class Meta:
        model = Movie
        fields = [
            "id",
            "title",
            "year",
            "minutes",
            "genres",
            "poster_url",
            "rating_count",
            "mean_stars",
            "is_new",
        ]

    def to_representation(self, movie: Movie) -> dict[str, Any]:
        return self.told(movie)

    @staticmethod
    def told(movie: Movie) -> dict[str, Any]:
        """The fields as they are declared, written out.

        Recommendations tell of eighty films: field by field that takes as long as finding them.
        """
        return {
            "id": movie.pk,
            "title": movie.title,
            "year": movie.year,
            "minutes": movie.minutes,
            "genres": [{"slug": genre.slug, "name": genre.name} for genre in movie.genre_list],
            "poster_url": movie.poster_url,
            "rating_count": movie.rating_count,
            "mean_stars": movie.mean_stars,
            "is_new": movie.is_new,
        }


class CreditSerializer(serializers.ModelSerializer[Credit]):
    name = serializers.CharField(source="person.name", read_only=True)

    class Meta:
        model = Credit
        fields = ["name", "role"]


class StarsCountSerializer(serializers.Serializer[Any]):
    stars = serializers.FloatField(help_text="0.5 to 5.0.")
    count = serializers.IntegerField(help_text="How many people gave these.")


class MovieDetailSerializer(MovieSerializer):
    people = CreditSerializer(source="credits", many=True, read_only=True)
    distribution = serializers.SerializerMethodField(
        help_text="How many people gave each number of stars, all ten in order."
    )

    predicted_stars = serializers.SerializerMethodField(help_text=PREDICTED_STARS)

    # Field by field, of the one film.
    to_representation = serializers.ModelSerializer.to_representation

    class Meta(MovieSerializer.Meta):
        fields = [
            *MovieSerializer.Meta.fields,
            "alternative_titles",
            "overview",
            "people",
            "movielens_id",
            "imdb_id",
            "tmdb_id",
            "distribution",
            "predicted_stars",
        ]

    @extend_schema_field(StarsCountSerializer(many=True))
    def get_distribution(self, movie: Movie) -> list[dict[str, float]]:
        ratings = movie.ratings.order_by().values_list("value").annotate(count=Count("*"))
        counts: dict[int, int] = dict(ratings)
        return [
            {"stars": value / 2, "count": counts.get(value, 0)}
            for value in range(MIN_HALF_STARS, MAX_HALF_STARS + 1)
        ]

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_predicted_stars(self, movie: Movie) -> float | None:
        found = predicted_stars(self.context["request"].user, [movie])
        return rounded_stars(found.get(movie.pk))


class SimilarSerializer(serializers.Serializer[Any]):
    results = MovieSerializer(many=True, help_text="The nearest first.")


class ConditionSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="What `plain` takes, such as `genre:comedy`.")
    label = serializers.CharField(help_text="For people to read, such as `Comedy`.")


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class SearchSerializer(serializers.Serializer[Any]):
    conditions = ConditionSerializer(many=True, help_text="What was read off the query.")
    people = PersonSerializer(many=True, help_text="People of such a name, the likeliest first.")
    results = MovieSerializer(many=True, help_text="Films, the likeliest first.")


class MovieListView(PagedEndpoint):
    query_class = MovieQuery
    serializer_class = MovieSerializer

    @extend_schema(operation_id="movies_list")
    def get(self, request: Request) -> Response:
        """Search, filter and sort the catalogue."""
        return self.list(request)

    def get_queryset(self) -> "QuerySet[Movie] | list[Movie]":
        query = self.query
        movies = Movie.objects.with_genres().from_years(
            query.get("first_year"), query.get("last_year")
        )
        if "genre" in query:
            movies = movies.of_genre(query["genre"])
        movies = movies.rated_at_least(query.get("min_ratings", 0))
        movies = movies.of_minutes_at_most(query.get("max_minutes"))
        if "q" not in query:
            return movies.in_order(query.get("sort", "best"))
        found = [movie.pk for movie in search.find(query["q"], MOST_FOUND, people=0).movies]
        if "sort" in query:
            return movies.filter(pk__in=found).in_order(query["sort"])
        return search.in_given_order(movies, found)


class SearchView(Endpoint):
    query_class = SearchQuery
    serializer_class = SearchSerializer

    @extend_schema(operation_id="search")
    def get(self, request: Request) -> Response:
        """Films by title and by what they are about, people by name: as the search box answers."""
        found = find(self.query["q"], self.query["k"], plain=self.query.get("plain", ()))
        prefetch_related_objects(found.films, genres())
        answer = {
            "conditions": found.conditions,
            "people": found.people,
            "results": found.films,
        }
        return Response(self.get_serializer(answer).data)


class MovieView(Endpoint):
    serializer_class = MovieDetailSerializer

    @extend_schema(operation_id="movies_retrieve")
    def get(self, request: Request, movie_id: int) -> Response:
        """Everything that is known of one film."""
        movies = Movie.objects.with_genres().prefetch_related("credits__person")
        return Response(self.get_serializer(get_object_or_404(movies, pk=movie_id)).data)


class SimilarView(Endpoint):
    query_class = SimilarQuery
    serializer_class = SimilarSerializer

    @extend_schema(operation_id="movies_similar")
    def get(self, request: Request, movie_id: int) -> Response:
        """Films like this one: by taste, story, people, words, those who watched it, or a blend."""
        movie = get_object_or_404(Movie, pk=movie_id)
        weights = SimilarQuery.weights(self.query)
        films = similar(movie, self.query["k"], request.user, weights)
        return Response(self.get_serializer({"results": films}).data)


def rounded_stars(prediction: Prediction | None) -> float | None:
    """The prediction's stars to two places, or None."""
    return round(prediction.stars, 2) if prediction else None
