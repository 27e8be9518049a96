from django.urls import path

from recommender import home, map, profile, search, together, views, welcome

app_name = "recommender"
urlpatterns = [
    path("shelves/", home.shelves, name="shelves"),
    path("shelves/to-rate/", home.to_rate, name="to_rate"),
    path("tonight/", home.tonight, name="tonight"),
    path("search/", search.search, name="search"),
    path("search/meaning/", search.meaning, name="meaning"),
    path("you/", profile.profile, name="profile"),
    path("map/", map.page, name="map"),
    path("map/films.json", map.films, name="map_films"),
    path("map/films/<int:pk>/", map.film, name="map_film"),
    path("map/suggestions/", map.suggestions, name="map_suggestions"),
    path("welcome/", welcome.Welcome.as_view(), name="welcome"),
    path("recommendations/", views.recommendations, name="recommendations"),
    path("recommendations/dials/", views.turn_dials, name="dials"),
    path("together/", together.all_evenings, name="evenings"),
    path("together/join/<str:token>/", together.invitation, name="invitation"),
    path("together/<int:pk>/", together.show, name="evening"),
    path("together/<int:pk>/films/<int:movie_pk>/", together.say, name="say"),
    path("together/<int:pk>/invitation/", together.invite, name="invite"),
    path("together/<int:pk>/leave/", together.leave, name="leave"),
    path("together/<int:pk>/members/<int:member_pk>/remove/", together.remove, name="remove"),
    path("together/<int:pk>/end/", together.end, name="end"),
    # "films/<id>/<one word>/" is a film's own page, whatever its title.
    path("films/like/<int:pk>/", views.similar_to, name="similar"),
    path("films/<int:pk>/my/why/", views.why, name="why"),
]
