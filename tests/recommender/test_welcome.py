"""The welcome page and the films it asks about, over a real model."""

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving.recommend import recommend
from recommender.serving.welcome import films_to_rate
from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import Dismissal, NotSeen, Rating, User

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
WELCOME = "/welcome/"
SHOWN = 6


@pytest.fixture
def newcomer(client) -> User:
    person = UserFactory()
    client.force_login(person)
    return person


def shown(answer):
    return [movie.pk for movie in answer.context["films"]]


def say(client, film_ids, on_page=(), **answer):
    """Answer as the page does by htmx."""
    said = {"film": film_ids, "shown": list(on_page), **answer}
    return client.post(WELCOME, said, headers=HTMX)


# The films that are asked about ------------------------------------------------------------------


def test_each_film_is_asked_about_once_until_none_is_left(trained, camps):
    person = UserFactory()
    asked: list[Movie] = []
    answers = [
        lambda movie: ratings.rate(person, movie, 4),
        lambda movie: ratings.not_seen(person, movie),
        lambda movie: ratings.dismiss(person, movie),
        lambda movie: ratings.add_to_watchlist(person, movie),
    ]
    while film := next(iter(films_to_rate(person, 1)), None):
        answers[len(asked) % len(answers)](film)
        asked.append(film)
    assert len(asked) == len(set(asked)) == len(camps[1])


def test_films_of_one_page_are_all_different_and_none_is_shown_already(trained, camps):
    person = UserFactory()
    first = films_to_rate(person, 6)
    more = films_to_rate(person, 6, shown=[film.pk for film in first])
    assert len({*first, *more}) == 12


def test_the_questions_follow_the_answers(trained, camps):
    # Both camps' people have seen films of both, so the answers must tell the next questions apart.
    one, other = UserFactory(), UserFactory()
    for film in films_to_rate(one, 6):
        ratings.rate(one, film, 5)
        ratings.not_seen(other, film)
    assert films_to_rate(one, 10) != films_to_rate(other, 10)


def test_films_that_the_space_does_not_know_come_last(trained, camps):
    new = MovieFactory(title="Brand new")
    films = films_to_rate(UserFactory(), 100)
    assert len(films) == len(camps[1]) + 1
    assert films[-1] == new


def test_before_the_first_model_well_known_films_of_many_kinds_are_asked_about(db):
    for genre, count in (("Drama", 50), ("Comedy", 20), ("Horror", 19)):
        for n in range(5):
            MovieFactory(genres=[genre], year=1990, rating_count=count - n)
    assert ModelVersion.objects.live() is None
    person = UserFactory()
    films = films_to_rate(person, 8)
    assert films[0].rating_count == 50
    assert len({film.genres.get().name for film in films}) == 3
    ratings.not_seen(person, films[0])
    assert films_to_rate(person, 7) == films[1:]


def test_an_empty_catalogue_has_nothing_to_ask(db):
    assert films_to_rate(UserFactory(), 6) == []


def test_not_having_seen_a_film_neither_counts_as_a_rating_nor_hides_the_film(trained, camps):
    person = UserFactory()
    ratings.rate(person, camps[1][0], 5)
    before = [pick.movie for pick in recommend(person, 60)]
    revision = User.objects.get(pk=person.pk).taste_revision
    ratings.not_seen(person, before[0])
    assert [pick.movie for pick in recommend(person, 60)] == before
    assert User.objects.get(pk=person.pk).taste_revision == revision


# The page ----------------------------------------------------------------------------------------


def test_somebody_new_is_welcomed_first_and_goes_on_to_where_they_came_from(client, db):
    film = MovieFactory(title="Heat")
    password = {"password1": "a long passphrase", "password2": "a long passphrase"}
    answer = client.post(
        "/signup/", {"username": "anna", **password, "next": film.get_absolute_url()}, follow=True
    )
    assert answer.redirect_chain[-1][0].startswith(WELCOME)
    assert f'href="{film.get_absolute_url()}"' in answer.content.decode()


def test_nobody_is_sent_to_another_site_from_here(client, newcomer):
    page = client.get(f"{WELCOME}?next=https://elsewhere.example/").content.decode()
    assert not re.search(r'(href|value)="[^"]*elsewhere', page)


def test_nobody_is_welcomed_a_second_time_unasked(client, db):
    UserFactory(username="anna")
    said = {"username": "anna", "password": "a long passphrase"}
    assert client.post("/login/", said).url == "/"


@pytest.mark.parametrize("method", ["get", "post"])
def test_visitors_are_asked_to_log_in(client, db, method):
    answer = getattr(client, method)(WELCOME)
    assert answer.url == f"{reverse('users:login')}?next={WELCOME}"


def test_home_account_and_ratings_lead_to_it(client, newcomer):
    for address in ("/", "/account/", "/ratings/"):
        assert f'href="{WELCOME}"' in client.get(address).content.decode()


def test_without_scripts_an_answer_brings_the_page_back_with_a_way_to_undo_it(
    client, newcomer, trained
):
    film, *_ = client.get(WELCOME).context["films"]
    answer = client.post(WELCOME, {"film": film.pk, "stars": "4.5"}, follow=True)
    page = answer.content.decode()
    assert "<html" in page and "1 of 5" in page
    assert escape(f"{film}: 4½ stars") in page
    assert film.pk not in shown(answer) and len(shown(answer)) == SHOWN
    undo = dict.fromkeys(re.findall(r'name="(undo)" value="1"', page), "1")
    answer = client.post(WELCOME, {"film": film.pk, **undo}, follow=True)
    assert not Rating.objects.filter(user=newcomer).exists()
    assert "0 of 5" in answer.content.decode()


def test_by_htmx_one_card_is_renewed_and_the_others_stay_in_their_places(client, newcomer, trained):
    before = shown(client.get(WELCOME))
    answer = say(client, [before[2]], before, stars="3")
    after = shown(answer)
    assert "<html" not in answer.content.decode()
    assert after[:2] + after[3:] == before[:2] + before[3:]
    assert after[2] not in before
    assert newcomer.ratings.get().stars == 3


def test_the_peek_follows_the_answers(client, newcomer, trained):
    page = client.get(WELCOME)
    assert not page.context["peek"]
    before = shown(page)
    answer = say(client, before[:1], before, stars="5")
    peek = answer.context["peek"]
    assert peek == [pick.movie for pick in recommend(newcomer, len(peek))]
    answer = say(client, [peek[0].pk], shown(answer), not_interested="1")
    assert peek[0] not in answer.context["peek"]


@pytest.mark.parametrize(
    ("answer", "model"), [("not_seen", NotSeen), ("not_interested", Dismissal), ("stars", Rating)]
)
def test_an_answer_is_kept_and_can_be_undone(client, newcomer, trained, answer, model):
    before = shown(client.get(WELCOME))
    after = shown(say(client, [before[1]], before, **{answer: "1"}))
    assert [each.movie_id for each in model.objects.filter(user=newcomer)] == [before[1]]
    undone = say(client, [before[1]], after, undo="1", instead=[after[1]])
    assert shown(undone) == before
    assert not model.objects.filter(user=newcomer).exists()


def test_all_films_shown_can_be_answered_at_once_as_not_seen(client, newcomer, trained):
    before = shown(client.get(WELCOME))
    after = shown(say(client, before, before, not_seen="1"))
    assert len(after) == SHOWN and not set(after) & set(before)
    assert newcomer.not_seen.count() == SHOWN
    undone = say(client, before, after, undo="1", instead=after)
    assert sorted(shown(undone)) == sorted(before)
    assert not newcomer.not_seen.exists()


def test_a_film_once_rated_is_no_longer_not_seen(newcomer):
    film = MovieFactory()
    assert ratings.not_seen(newcomer, film) and not ratings.not_seen(newcomer, film)
    ratings.rate(newcomer, film, 4)
    assert not newcomer.not_seen.exists()
    assert not ratings.not_seen(newcomer, film)
    assert newcomer.ratings.get().stars == 4 and not newcomer.not_seen.exists()


def test_when_nothing_is_left_the_page_says_so(client, newcomer):
    film = MovieFactory()
    answer = say(client, [film.pk], [film.pk], not_seen="1")
    assert "That was the last one" in answer.content.decode()
    undone = say(client, [film.pk], [], undo="1")
    assert shown(undone) == [film.pk]


def test_after_a_handful_the_way_out_is_what_stands_out(client, newcomer, trained, camps):
    for film in camps[1][:5]:
        ratings.rate(newcomer, film, 4)
    assert "5</strong> rated: a good start" in client.get(WELCOME).content.decode()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"stars": "4"},
        {"film": "x", "stars": "4"},
        {"film": "0", "not_seen": "1"},
        {"film": "9" * 40, "not_seen": "1"},
        {"film": "{film}"},
        {"film": "{film}", "stars": "6"},
        {"film": "{film}", "stars": "nan"},
        {"film": "{film}", "stars": "many"},
        {"film": ["{film}", "{other}"], "stars": "4"},
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(client, newcomer, said):
    films = {"film": MovieFactory().pk, "other": MovieFactory().pk}
    said = {
        name: [each.format(**films) for each in value]
        if isinstance(value, list)
        else value.format(**films)
        for name, value in said.items()
    }
    answer = client.post(WELCOME, said, headers=HTMX)
    assert answer.status_code == 422 and "toast" in answer.headers["HX-Trigger"]
    answer = client.post(WELCOME, said, follow=True)
    assert answer.status_code == 200 and "toast--error" in answer.content.decode()
    assert not newcomer.ratings.exists() and not newcomer.not_seen.exists()


def test_films_said_to_be_shown_that_do_not_exist_do_no_harm(client, newcomer):
    film, other = MovieFactory(), MovieFactory()
    on_page = ["x", "-1", "9" * 40, str(2**40), str(film.pk)]
    answer = say(client, [film.pk], on_page, not_seen="1")
    assert shown(answer) == [other.pk]


def test_nobodys_answers_touch_anothers(client, newcomer, trained, camps):
    other = UserFactory()
    film = camps[1][0]
    ratings.rate(other, film, 4)
    say(client, [film.pk], [film.pk], not_seen="1")
    say(client, [film.pk], [film.pk], undo="1")
    assert other.ratings.get().stars == 4
    ratings.not_seen(other, camps[1][1])
    say(client, [camps[1][1].pk], [], undo="1")
    assert other.not_seen.exists()


def test_popularity_is_bounded_where_people_came_after_the_training(trained, camps):
    film = camps[1][0]
    for _ in range(60):
        RatingFactory(movie=film)
    assert len(films_to_rate(UserFactory(), 6)) == 6
