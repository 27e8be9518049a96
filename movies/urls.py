from django.urls import path

from movies import views

app_name = "movies"
urlpatterns = [
    path("films/", views.browse, name="browse"),
    path("films/<int:pk>/poster.svg", views.poster, name="poster"),
    path("films/<int:pk>/card.png", views.card, name="card"),
    path("films/<int:pk>/", views.detail, name="detail"),
    path("films/<int:pk>/<slug:slug>/", views.detail, name="detail"),
    path("people/<int:pk>/", views.person, name="person"),
    path("search/suggestions/", views.suggestions, name="suggestions"),
]
