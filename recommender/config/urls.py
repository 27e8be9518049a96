"""Every address of the site, room by room."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("movies.urls")),
    path("", include("users.urls")),
    path("studio/", include("recommender.studio_urls")),
    path("admin/", admin.site.urls),
]
