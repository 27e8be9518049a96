"""Every address of the site, room by room."""

from django.contrib import admin
from django.urls import include, path

from recommender.home import home

urlpatterns = [
    path("", home, name="home"),
    # Programs ask often: the rooms below have sixty addresses to be looked through.
    path("api/", include("recommender.api.urls")),
    path("", include("recommender.urls")),
    path("", include("movies.urls")),
    path("", include("users.urls")),
    path("studio/", include("recommender.studio_urls")),
    path("admin/", admin.site.urls),
]

handler404 = "recommender.errors.not_found"
handler500 = "recommender.errors.server_error"
