from django.contrib.auth.views import LogoutView
from django.urls import path

from users import import_views, leaving, views

app_name = "users"
urlpatterns = [
    path("signup/", views.SignUp.as_view(), name="signup"),
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", views.account, name="account"),
    path("account/password/", views.ChangePassword.as_view(), name="password"),
    path("account/token/", views.api_token, name="token"),
    path("account/import/", import_views.page, name="import"),
    path("account/import/columns/", import_views.name_columns, name="import_columns"),
    path("account/import/progress/", import_views.progress, name="import_progress"),
    path("account/import/again/", import_views.again, name="import_again"),
    path("account/import/choices/", import_views.choices, name="import_choices"),
    path("account/import/unknown/", import_views.unknown, name="import_unknown"),
    path("account/import/discard/", import_views.discard, name="import_discard"),
    path("account/export/", leaving.export, name="export"),
    path("account/delete/", leaving.delete_account, name="delete_account"),
    path("seen/", views.seen, name="seen"),
    path("films/<int:pk>/my/seen/", views.not_seen_after_all, name="not_seen_after_all"),
    path("ratings/", views.rated_films, name="ratings"),
    path("watchlist/", views.watchlist, name="watchlist"),
    path("dismissed/", views.dismissed, name="dismissed"),
    path("less-like/", views.less_like, name="less_like"),
    # "films/<id>/<one word>/" is a film's own page, whatever its title.
    path("films/<int:pk>/my/rating/", views.rate, name="rate"),
    path("films/<int:pk>/my/watchlist/", views.watch, name="watch"),
    path("films/<int:pk>/my/dismissal/", views.dismiss, name="dismiss"),
    path("films/<int:pk>/my/less-like/", views.ask_for_less, name="ask_for_less"),
    path("films/<int:pk>/my/left-out/", views.leave_out, name="leave_out"),
]
