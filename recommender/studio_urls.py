"""Addresses of the training console, below /studio/."""

from django.urls import path

from recommender import studio, studio_films, studio_tuning

app_name = "studio"
urlpatterns = [
    path("", studio.overview, name="overview"),
    path("retrain/", studio.retrain, name="retrain"),
    path("schedule/", studio.set_schedule, name="schedule"),
    path("runs/<int:pk>/", studio.run, name="run"),
    path("runs/<int:pk>/progress/", studio.progress, name="progress"),
    path("runs/<int:pk>/cancel/", studio.cancel, name="cancel"),
    path("versions/<int:pk>/", studio.version, name="version"),
    path("versions/<int:pk>/promote/", studio.promote, name="promote"),
    path("films/", studio_films.films, name="films"),
    path("films/<int:pk>/", studio_films.film, name="film"),
    path("tuning/", studio_tuning.overview, name="tuning"),
    path("tuning/start/", studio_tuning.start, name="tune"),
    path("tuning/forget/", studio_tuning.forget, name="forget"),
    path("tuning/studies/<int:pk>/", studio_tuning.study, name="study"),
    path("tuning/runs/<int:pk>/", studio_tuning.progress, name="tuning_progress"),
]
