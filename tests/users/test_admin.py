import re

import pytest
from django.urls import reverse
from django.utils import timezone

from movies.models import Genre, Movie
from tests.factories import (
    CreditFactory,
    GenreFactory,
    MovieFactory,
    PersonFactory,
    RatingFactory,
    UserFactory,
)
from users import ratings
from users.models import Rating, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long passphrase"


def page(client, name, *args, **query):
    response = client.get(reverse(f"admin:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def imported(source="movielens", **kwargs):
    return UserFactory(source=source, source_id=User.objects.count(), password=None, **kwargs)


@pytest.mark.parametrize("model", ["movies_movie", "movies_genre", "movies_person", "users_user"])
def test_lists_and_forms_open(admin_client, model):
    made = {
        "movies_movie": MovieFactory,
        "movies_genre": GenreFactory,
        "movies_person": PersonFactory,
        "users_user": UserFactory,
    }[model]()
    page(admin_client, f"{model}_changelist")
    page(admin_client, f"{model}_add")
    page(admin_client, f"{model}_change", made.pk)


@pytest.mark.parametrize("search", ["AMELIE", "amélie", "Amelie!", "fabuleux"])
def test_films_are_found_by_title_whatever_the_accents(admin_client, search):
    MovieFactory(title="Amélie", alternative_titles=["Le Fabuleux Destin d'Amélie Poulain"])
    MovieFactory(title="Heat")
    html = page(admin_client, "movies_movie_changelist", q=search)
    assert "Amélie" in html
    assert "Heat" not in html


def test_films_are_filtered_by_genre(admin_client):
    MovieFactory(title="Heat", genres=["Crime"])
    MovieFactory(title="Amélie", genres=["Romance"])
    crime = Genre.objects.get(name="Crime")
    html = page(admin_client, "movies_movie_changelist", genres__id__exact=crime.pk)
    assert "Heat" in html
    assert "Amélie" not in html


def test_the_list_of_films_costs_as_many_queries_for_ten_as_for_one(
    admin_client, django_assert_max_num_queries
):
    MovieFactory.create_batch(10, genres=["Crime", "Drama"])
    with django_assert_max_num_queries(10):
        page(admin_client, "movies_movie_changelist")


def test_people_are_offered_for_credits_by_name(admin_client):
    CreditFactory(person__name="Michael Mann")
    query = {"app_label": "movies", "model_name": "credit", "field_name": "person", "term": "mann"}
    answer = admin_client.get(reverse("admin:autocomplete"), query).json()
    assert [result["text"] for result in answer["results"]] == ["Michael Mann"]


def test_a_film_saved_by_staff_is_found_by_its_new_title(admin_client):
    movie = MovieFactory(title="Heet")
    form = {
        "title": "Heat",
        "year": 1995,
        "alternative_titles": "Good, the Bad, The\r\n\r\nHeat: the film\r\n",
        "overview": "",
        "poster_url": "posters.example/heat.jpg",
        "movielens_id": "",
        "imdb_id": "",
        "tmdb_id": "",
        "credits-TOTAL_FORMS": 0,
        "credits-INITIAL_FORMS": 0,
    }
    answer = admin_client.post(reverse("admin:movies_movie_change", args=[movie.pk]), form)
    assert answer.status_code == 302
    movie.refresh_from_db()
    assert movie.alternative_titles == ["Good, the Bad, The", "Heat: the film"]
    assert movie.poster_url == "https://posters.example/heat.jpg"
    assert "Heat" in page(admin_client, "movies_movie_changelist", q="heat")
    form = page(admin_client, "movies_movie_change", movie.pk)
    assert "Good, the Bad, The\nHeat: the film</textarea>" in form


def test_people_are_filtered_by_where_they_came_from(admin_client):
    imported(username="from-movielens")
    UserFactory(username="from-here")
    html = page(admin_client, "users_user_changelist", source="movielens")
    assert "from-movielens" in html
    assert "from-here" not in html
    html = page(admin_client, "users_user_changelist", source="here")
    assert "from-here" in html
    assert "from-movielens" not in html


def test_staff_see_a_persons_latest_ratings(admin_client):
    rating = RatingFactory(movie__title="Heat", movie__year=1995, value=9)
    rated_on = timezone.localdate().strftime("%Y")
    html = page(admin_client, "users_user_change", rating.user.pk)
    assert "Heat (1995): 4½ stars" in html
    assert rated_on in html


def test_staff_make_people_who_can_log_in(admin_client, client):
    form = {"username": "anna", "password1": PASSWORD, "password2": PASSWORD}
    form["usable_password"] = "true"
    answer = admin_client.post(reverse("admin:users_user_add"), form)
    assert answer.status_code == 302
    assert client.login(username="anna", password=PASSWORD)


def test_staff_change_a_persons_password(admin_client, client):
    person = UserFactory(username="anna")
    form = {"password1": "another passphrase", "password2": "another passphrase"}
    form["usable_password"] = "true"
    url = reverse("admin:auth_user_password_change", args=[person.pk])
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, form).status_code == 302
    assert client.login(username="anna", password="another passphrase")


def test_a_deletion_is_counted_before_it_is_done(admin_client):
    movie = MovieFactory(title="Heat")
    RatingFactory.create_batch(3, movie=movie)
    ratings.add_to_watchlist(UserFactory(), movie)
    html = page(admin_client, "movies_movie_delete", movie.pk)
    assert re.search(r"Ratings:\s*3\b", html)
    assert "stars for" not in html
    admin_client.post(reverse("admin:movies_movie_delete", args=[movie.pk]), {"post": "yes"})
    assert not Movie.objects.filter(pk=movie.pk).exists()
    assert not Rating.objects.filter(movie_id=movie.pk).exists()


def test_counting_a_deletion_costs_the_same_for_many_ratings(
    admin_client, django_assert_max_num_queries
):
    person = UserFactory()
    RatingFactory.create_batch(30, user=person)
    with django_assert_max_num_queries(20):
        html = page(admin_client, "users_user_delete", person.pk)
    assert re.search(r"Ratings:\s*30\b", html)


def test_the_admin_is_for_staff(client):
    client.force_login(UserFactory())
    answer = client.get(reverse("admin:users_user_changelist"))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:login"))
