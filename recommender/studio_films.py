"""The console's page for new films: add one by its number at TMDB, and see where films land."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from movies.importers import tmdb
from movies.models import Movie
from recommender.models import ModelVersion, MovieVector
from recommender.serving import placing
from recommender.serving.similar import similar
from recommender.studio import for_trainers

SHOWN = 24
LARGEST_ID = 2**31 - 1


class TMDBForm(forms.Form):
    tmdb_id = forms.IntegerField(
        label="Number at TMDB",
        min_value=1,
        max_value=LARGEST_ID,
        help_text="In a film's address there: themoviedb.org/movie/603 is 603.",
    )


@for_trainers
@require_http_methods(["GET", "POST"])
def films(request: HttpRequest) -> HttpResponse:
    """The films that came last, and the form that adds one."""
    form = TMDBForm(request.POST or None)
    if request.method == "POST":
        if not request.user.has_perm("movies.add_movie"):
            raise PermissionDenied("Adding films takes the permission to add films.")
        if form.is_valid():
            try:
                movie = tmdb.add(form.cleaned_data["tmdb_id"])
            except tmdb.NotFetched as reason:
                form.add_error("tmdb_id", str(reason))
            else:
                return redirect("studio:film", movie.pk)
    newest = Movie.objects.order_by("-created_at", "-pk").with_genres()[:SHOWN]
    return render(request, "studio/films.html", {"form": form, "newest": newest})


@for_trainers
@require_GET
def film(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a film lies: how it got its place, and its nearest films."""
    movie = get_object_or_404(Movie, pk=pk)
    placing.place([movie.pk])
    live = ModelVersion.objects.live()
    place = MovieVector.objects.filter(version=live, movie=movie).first() if live else None
    if live and place is None:
        messages.warning(request, "The live version cannot place it: the next training will.")
    context = {"movie": movie, "live": live, "place": place, "movies": similar(movie, SHOWN)}
    return render(request, "studio/film.html", context)
