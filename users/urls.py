from django.contrib.auth.views import LogoutView
from django.urls import path

from users import views

app_name = "users"
urlpatterns = [
    path("signup/", views.SignUp.as_view(), name="signup"),
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", views.account, name="account"),
    path("account/password/", views.ChangePassword.as_view(), name="password"),
    path("account/token/", views.api_token, name="token"),
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
