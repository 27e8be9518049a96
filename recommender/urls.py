from django.urls import path

from recommender import home, profile, search, views, welcome

app_name = "recommender"
urlpatterns = [
    path("shelves/", home.shelves, name="shelves"),
    path("shelves/to-rate/", home.to_rate, name="to_rate"),
    path("tonight/", home.tonight, name="tonight"),
    path("search/", search.search, name="search"),
    path("search/meaning/", search.meaning, name="meaning"),
    path("you/", profile.profile, name="profile"),
    path("welcome/", welcome.Welcome.as_view(), name="welcome"),
    path("recommendations/", views.recommendations, name="recommendations"),
    path("recommendations/dials/", views.turn_dials, name="dials"),
    # "films/<id>/<one word>/" is a film's own page, whatever its title.
    path("films/like/<int:pk>/", views.similar_to, name="similar"),
    path("films/<int:pk>/my/why/", views.why, name="why"),
]
