"""Addresses of the training console, below /studio/."""

from django.urls import path

from recommender import studio

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
]
