"""The addresses below `/api/`."""

from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from recommender.api import (
    catalogue,
    docs,
    map,
    newcomers,
    personal,
    profile,
    together,
    token,
    training,
    tuning,
)

version_1 = [
    path("token/", token.TokenView.as_view()),
    path("search/", catalogue.SearchView.as_view()),
    path("movies/", catalogue.MovieListView.as_view()),
    path("movies/<int:movie_id>/", catalogue.MovieView.as_view()),
    path("movies/<int:movie_id>/similar/", catalogue.SimilarView.as_view()),
    path("map/", map.MapView.as_view()),
    path("ratings/", personal.RatingListView.as_view()),
    path("ratings/<int:movie_id>/", personal.RatingView.as_view()),
    path("recommendations/", personal.RecommendationsView.as_view()),
    path("watchlist/", personal.WatchlistView.as_view()),
    path("watchlist/<int:movie_id>/", personal.WatchlistEntryView.as_view()),
    path("dismissals/", personal.DismissalListView.as_view()),
    path("dismissals/<int:movie_id>/", personal.DismissalView.as_view()),
    path("movies-to-rate/", newcomers.MoviesToRateView.as_view()),
    path("not-seen/", newcomers.NotSeenListView.as_view()),
    path("not-seen/<int:movie_id>/", newcomers.NotSeenView.as_view()),
    path("seen/", personal.SeenListView.as_view()),
    path("seen/<int:movie_id>/", personal.SeenView.as_view()),
    path("less-like/", personal.LessLikeListView.as_view()),
    path("less-like/<int:movie_id>/", personal.LessLikeView.as_view()),
    path("profile/", profile.ProfileView.as_view()),
    path("left-out/", personal.LeftOutListView.as_view()),
    path("left-out/<int:movie_id>/", personal.LeftOutView.as_view()),
    path("dials/", personal.DialsView.as_view()),
    path("evenings/", together.EveningListView.as_view()),
    path("evenings/join/", together.JoinView.as_view()),
    path("evenings/<int:evening_id>/", together.EveningView.as_view()),
    path("evenings/<int:evening_id>/films/", together.EveningFilmsView.as_view()),
    path("evenings/<int:evening_id>/votes/<int:movie_id>/", together.EveningVoteView.as_view()),
    path("evenings/<int:evening_id>/invitation/", together.InvitationView.as_view()),
    path(
        "evenings/<int:evening_id>/members/<int:member_id>/", together.EveningMemberView.as_view()
    ),
    path("training-runs/", training.TrainingRunListView.as_view()),
    path("training-runs/<int:run_id>/", training.TrainingRunView.as_view()),
    path("training-runs/<int:run_id>/cancel/", training.CancelRunView.as_view()),
    path("tunings/", tuning.TuningListView.as_view()),
    path("tunings/<int:study_id>/", tuning.TuningView.as_view()),
    path("tunings/forget/", tuning.ForgetTuningView.as_view()),
    path("models/", training.ModelListView.as_view()),
    path("models/<int:version_id>/promote/", training.PromoteModelView.as_view()),
]

app_name = "api"
urlpatterns = [
    path("v1/", include(version_1)),
    path("schema/", docs.SchemaView.as_view(), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api:schema", template_name="api/docs.html"),
        name="docs",
    ),
]
