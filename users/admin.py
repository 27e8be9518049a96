"""People in the admin. Their ratings are shown, not edited: they are theirs."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from movies.admin import LargeTableAdmin
from users.models import User
from users.templatetags.marquee_users import star_label

SHOWN_RATINGS = 20

admin.site.unregister(Group)


class SourceFilter(admin.SimpleListFilter):
    """People who signed up here, or those of one imported dataset."""

    title = "source"
    parameter_name = "source"
    HERE = "here"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        sources = User.objects.exclude(source="").values_list("source", flat=True)
        names = sources.order_by("source").distinct()
        return [(self.HERE, "Signed up here"), *((name, name) for name in names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        return queryset.filter(source="" if self.value() == self.HERE else self.value())


@admin.register(User)
class PersonAdmin(UserAdmin, LargeTableAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "source", "is_staff", "is_active", "date_joined"]
    list_filter = [SourceFilter, "is_staff", "is_superuser", "is_active", "groups"]
    search_fields = ["username", "email"]
    readonly_fields = ["source", "source_id", "latest_ratings", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "email"]}),
        ("Ratings", {"fields": ["latest_ratings"]}),
        ("Came from", {"fields": ["source", "source_id", "date_joined", "last_login"]}),
        (
            "Permissions",
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
    ]

    @admin.display(description=f"Latest {SHOWN_RATINGS}")
    def latest_ratings(self, person: User) -> SafeString | str:
        latest = person.ratings.latest_first().select_related("movie")[:SHOWN_RATINGS]
        rows = (
            (rating.movie, star_label(rating.stars), date_format(rating.rated_at, "j M Y"))
            for rating in latest
        )
        return format_html_join("", "<p>{}: {}, {}</p>", rows) or "None yet."


@admin.register(Group)
class PeopleGroupAdmin(GroupAdmin, ModelAdmin):
    pass
