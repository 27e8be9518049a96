from django.urls import path

from recommender import views

app_name = "recommender"
urlpatterns = [
    path("recommendations/", views.recommendations, name="recommendations"),
    path("films/<int:pk>/similar/", views.similar_to, name="similar"),
    path("films/<int:pk>/why/", views.why, name="why"),
]
