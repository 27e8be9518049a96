"""The catalogue in the admin."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from movies.models import Credit, Genre, Movie, Person
from movies.signals import film_told
from movies.titles import search_key


class LargeTableAdmin(ModelAdmin):
    """For tables of many rows, whose rows may have tens of thousands of others hanging on them."""

    show_full_result_count = False
    # "Select all 200,000" is one click from a deletion that nobody meant.
    list_disable_select_all = True

    def get_deleted_objects(
        self, objs: Iterable[models.Model], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Count what a deletion takes along, where Django's own would load and list it all."""
        rows = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        for relation in self.opts.related_objects:
            if relation.on_delete is models.CASCADE:
                related = relation.related_model
                hanging = related._base_manager.filter(**{f"{relation.field.name}__in": rows})
                if count := hanging.count():
                    counts[str(related._meta.verbose_name_plural)] = count
        is_allowed = all(self.has_delete_permission(request, row) for row in rows)
        names = [str(row) for row in rows]
        return names, counts, set() if is_allowed else {str(self.opts.verbose_name)}, []


class TitlesField(SimpleArrayField):
    """Titles, one a line: they may well have commas in them."""

    def __init__(self) -> None:
        title = forms.CharField(max_length=300, required=False)
        super().__init__(
            title,
            delimiter="\n",
            required=False,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            help_text="Other titles, one a line.",
        )

    def clean(self, value: str) -> list[str]:
        return [title for title in super().clean(value) if title]


class MovieForm(forms.ModelForm):
    alternative_titles = TitlesField()


class CreditInline(TabularInline):
    model = Credit
    autocomplete_fields = ["movie", "person"]
    extra = 0


@admin.register(Movie)
class MovieAdmin(LargeTableAdmin):
    form = MovieForm
    list_display = ["title", "year", "genre_names", "rating_count", "stars"]
    list_filter = ["genres"]
    search_fields = ["search_titles"]
    search_help_text = "A title, or a part of one."
    ordering = ["-rating_count", "pk"]
    readonly_fields = ["rating_count", "stars", "created_at"]
    filter_horizontal = ["genres"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = [CreditInline]
    fieldsets = [
        (None, {"fields": ["title", "year", "minutes", "alternative_titles", "genres"]}),
        ("About", {"fields": ["overview", "poster_url"]}),
        ("Ids elsewhere", {"fields": ["movielens_id", "imdb_id", "tmdb_id"]}),
        ("Ratings", {"fields": ["rating_count", "stars", "created_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movie]:
        return super().get_queryset(request).with_genres()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Movie], search_term: str
    ) -> tuple[QuerySet[Movie], bool]:
        # The keys' trigram index answers this; accents and punctuation do not matter.
        if key := search_key(search_term):
            queryset = queryset.filter(search_titles__contains=key)
        return queryset, False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        transaction.on_commit(lambda: film_told.send(Movie, movie=form.instance))

    @admin.display(description="Genres")
    def genre_names(self, movie: Movie) -> str:
        return ", ".join(genre.name for genre in movie.genre_list)

    @admin.display(description="Mean stars", ordering="weighted_rating")
    def stars(self, movie: Movie) -> str:
        return "–" if movie.mean_stars is None else f"{movie.mean_stars:.2f}"


@admin.register(Genre)
class GenreAdmin(ModelAdmin):
    list_display = ["name", "slug", "films"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        return super().get_queryset(request).annotate(film_count=models.Count("movies"))

    @admin.display(ordering="film_count")
    def films(self, genre: Any) -> int:
        return genre.film_count


@admin.register(Person)
class PersonAdmin(LargeTableAdmin):
    search_fields = ["name"]
    inlines = [CreditInline]
