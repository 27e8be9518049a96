"""Dials and "less like this": what they do to the list, for whom, and how they are taken back."""

import json

import numpy as np
import pytest
from django.urls import reverse

from recommender.models import MovieVector
from recommender.serving import dials as turning
from recommender.serving.recommend import Filters, recommend
from recommender.serving.retrieval import Pool
from tests.factories import MovieFactory, UserFactory
from tests.recommender.api.conftest import client_of, problem
from users.dials import NEUTRAL, Dials
from users.models import User
from users.ratings import ask_for_less, rate, take_back_less

FOR_YOU = "/recommendations/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/recommendations/"}


# What the dials do, in numbers


def pool_of(**columns):
    n = len(next(iter(columns.values())))
    pool = {
        "movie_ids": np.arange(n),
        "scores": np.linspace(1, 0.5, n),
        "vectors": np.eye(n, dtype=np.float32),
        "genres": np.zeros((n, 0), dtype=bool),
        "years": np.full(n, np.nan),
        "rating_counts": np.full(n, 10),
    }
    return Pool(**pool | {name: np.asarray(values) for name, values in columns.items()})


NO_VECTORS = np.zeros((0, 3), dtype=np.float32)


def test_dials_in_the_middle_pull_at_nothing():
    pool = pool_of(years=[1950.0, 1980.0, 2010.0], rating_counts=[1, 10, 100])
    assert turning.pulls(NEUTRAL, pool, pool.vectors, NO_VECTORS) == {}
    assert turning.variety(NEUTRAL) == turning.VARIETY


@pytest.mark.parametrize("stop", [-2, -1, 1, 2])
def test_each_dial_pulls_its_own_way_and_twice_as_far_at_its_end(stop):
    pool = pool_of(years=[1950.0, 1980.0, 2010.0], rating_counts=[1, 10, 100])
    obscurity = turning.pulls(Dials(obscurity=stop), pool, NO_VECTORS, NO_VECTORS)["obscurity"]
    newness = turning.pulls(Dials(newness=stop), pool, NO_VECTORS, NO_VECTORS)["newness"]
    assert np.sign(obscurity[0]) == np.sign(stop) == -np.sign(obscurity[2])
    assert np.sign(newness[2]) == np.sign(stop) == -np.sign(newness[0])
    once = turning.pulls(Dials(newness=1), pool, NO_VECTORS, NO_VECTORS)["newness"]
    assert newness == pytest.approx(stop * once)


def test_adventure_is_distance_to_the_nearest_of_the_persons_films():
    pool = pool_of(scores=[1.0, 0.9, 0.8])
    own = np.array([[2, 0, 0], [0, 0.5, 0]], dtype=np.float32)
    pull = turning.pulls(Dials(adventure=1), pool, own, NO_VECTORS)["adventure"]
    assert pull[0] == pull[1] < 0 < pull[2]
    assert turning.variety(Dials(adventure=1)) > turning.VARIETY
    assert turning.variety(Dials(adventure=-1)) < turning.VARIETY


def test_less_like_takes_the_cosine_off_and_never_adds():
    pool = pool_of(vectors=np.array([[1, 0], [1, 1], [-1, 0]], dtype=np.float32))
    less = np.array([[3, 0]], dtype=np.float32)
    pull = turning.pulls(NEUTRAL, pool, less[:0], less)["less_like"]
    assert pull == pytest.approx([-1, -(0.5**0.5), 0])


def test_a_film_of_no_known_year_is_pulled_neither_way():
    pool = pool_of(years=[1950.0, np.nan, 2010.0])
    assert turning.pulls(Dials(newness=2), pool, NO_VECTORS, NO_VECTORS)["newness"][1] == 0


def test_where_all_are_alike_there_is_no_pull():
    assert not turning.deviations(np.array([3.0, 3.0])).any()
    assert not turning.deviations(np.array([np.nan])).any()
    assert not len(turning.deviations(np.array([])))


@pytest.mark.parametrize("stop", [-3, 3, 1.5, "1", None])
def test_a_dial_stands_on_one_of_its_stops(stop):
    with pytest.raises(ValueError, match="newness: must be a whole number"):
        Dials(newness=stop)


# What they do to a person's list

database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fan(camps):
    """Someone new who loves four films of the first camp."""
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    return person


def years(found):
    return [pick.movie.year for pick in found]


@database
def test_dials_turn_the_list_and_in_the_middle_bring_it_back(trained, fan):
    plain = recommend(fan, 10)
    older, newer = (recommend(fan, 10, dials=Dials(newness=stop)) for stop in (-2, 2))
    assert np.mean(years(older)) < np.mean(years(plain)) < np.mean(years(newer))
    popular, obscure = (recommend(fan, 10, dials=Dials(obscurity=stop)) for stop in (-2, 2))
    counts = [[pick.movie.rating_count for pick in found] for found in (popular, plain, obscure)]
    assert np.mean(counts[0]) > np.mean(counts[1]) > np.mean(counts[2])
    assert recommend(fan, 10, dials=NEUTRAL) == plain


@database
def test_adventure_leads_away_from_the_persons_films(trained, fan):
    vectors = dict(MovieVector.objects.filter(version=trained).values_list("movie_id", "vector"))
    own = np.array([vectors[movie_id] for movie_id in fan.stars], dtype=np.float32)

    def nearness(adventure):
        found = recommend(fan, 10, dials=Dials(adventure=adventure))
        rows = np.array([vectors[pick.movie.pk] for pick in found], dtype=np.float32)
        return turning.nearness(rows, own).mean()

    assert nearness(-2) > nearness(2)


@database
def test_dials_are_one_persons_alone(trained, camps, fan):
    neighbour = camps[0][0]
    before = recommend(neighbour, 20)
    fan.keep_dials(Dials(newness=2, obscurity=-1))
    assert recommend(User.objects.get(pk=neighbour.pk), 20) == before
    kept = User.objects.get(pk=fan.pk)
    assert kept.dials == Dials(newness=2, obscurity=-1)
    assert years(recommend(kept, 10)) == years(recommend(kept, 10, dials=kept.dials))
    assert years(recommend(kept, 10)) != years(recommend(kept, 10, dials=NEUTRAL))


@database
def test_less_like_pushes_alike_films_down_and_can_be_taken_back(trained, camps, fan):
    before = [pick.movie for pick in recommend(fan, 40)]
    disliked = before[0]
    ask_for_less(fan, disliked)
    after = [pick.movie for pick in recommend(fan, 40)]
    assert disliked not in after
    vectors = dict(MovieVector.objects.filter(version=trained).values_list("movie_id", "vector"))
    near = turning.nearness(
        np.array([vectors[movie.pk] for movie in before[1:]], dtype=np.float32),
        np.array([vectors[disliked.pk]], dtype=np.float32),
    )
    twin = before[1:][int(np.argmax(near))]
    assert after.index(twin) > before.index(twin)
    take_back_less(fan, disliked)
    assert [pick.movie for pick in recommend(fan, 40)] == before


@database
@pytest.mark.parametrize("dials", [NEUTRAL, Dials(obscurity=2, adventure=2, newness=-2)])
@pytest.mark.parametrize("exact_up_to", [0, 10_000])
def test_pages_go_on_where_the_last_one_ended(trained, fan, settings, dials, exact_up_to):
    settings.EXACT_SCAN_MAX_VECTORS = exact_up_to
    whole = [pick.movie for pick in recommend(fan, 56, dials=dials)]
    assert len(whole) == len(set(whole)) == 56
    for k in (1, 20, 21, 41):
        assert [pick.movie for pick in recommend(fan, k, dials=dials)] == whole[:k]


@database
def test_filters_never_shorten_a_turned_list(trained, fan):
    ask_for_less(fan, recommend(fan, 1)[0].movie)
    dials = Dials(obscurity=-2, adventure=-2, newness=2)
    found = recommend(fan, 10, Filters(genre="drama"), dials)
    assert len(found) == 10
    assert all("Drama" in [genre.name for genre in pick.movie.genres.all()] for pick in found)


@database
def test_without_variety_the_order_is_the_models(trained, fan):
    found = recommend(fan, 30, variety=0)
    assert [pick.placing.by_taste for pick in found] == list(range(1, 31))
    assert [pick.score for pick in found] == sorted((pick.score for pick in found), reverse=True)


@database
def test_a_place_is_told_with_figures_that_add_up(trained, camps, fan):
    ask_for_less(fan, camps[1][1])
    found = recommend(fan, 30, dials=Dials(obscurity=2, newness=-1))
    by_taste = {pick.movie: pick.placing.by_taste for pick in recommend(fan, 50, dials=NEUTRAL)}
    for number, pick in enumerate(found, start=1):
        placing = pick.placing
        assert placing.place == number
        assert placing.by_taste == by_taste.get(pick.movie, placing.by_taste)
        assert {pull.name for pull in placing.pulls} == {"obscurity", "newness", "less_like"}
    totals = [p.placing.relevance + sum(q.share for q in p.placing.pulls) for p in found]
    order = sorted(range(30), key=lambda i: found[i].placing.by_relevance)
    assert [totals[i] for i in order] == sorted(totals, reverse=True)
    sentences = list(found[0].placing.sentences())
    assert sentences[0].startswith("By your taste alone it stands ")
    assert "Your dial “much more obscure”" in sentences[1]
    assert sentences[4].startswith("That makes ")


@database
def test_a_film_that_nothing_moved_has_nothing_to_tell(trained, fan):
    best = recommend(fan, 1)[0]
    assert best.placing.relevance == 1
    assert list(best.placing.sentences()) == []


# The page


@pytest.fixture
def logged_in(client, fan):
    client.force_login(fan)
    return client


@database
def test_turning_a_dial_keeps_it_and_tells_the_list(trained, logged_in, fan):
    address = reverse("recommender:dials")
    answer = logged_in.post(address, {"obscurity": 2}, headers=HTMX)
    assert answer.status_code == 204
    assert "turned" in json.loads(answer["HX-Trigger"])
    logged_in.post(address, {"newness": -1}, headers=HTMX)
    assert User.objects.get(pk=fan.pk).dials == Dials(obscurity=2, newness=-1)
    page = logged_in.get(FOR_YOU)
    assert page.context["dials"] == Dials(obscurity=2, newness=-1)
    assert 'aria-valuetext="much more obscure"' in page.content.decode()


@database
def test_without_scripts_the_form_comes_back_to_the_list(trained, logged_in, fan):
    form = {"obscurity": 1, "adventure": 0, "newness": 0, "next": f"{FOR_YOU}?genre=drama"}
    answer = logged_in.post(reverse("recommender:dials"), form)
    assert answer.status_code == 302 and answer.url == f"{FOR_YOU}?genre=drama"
    assert User.objects.get(pk=fan.pk).dials == Dials(obscurity=1)
    logged_in.post(reverse("recommender:dials"), {**form, "reset": 1})
    assert User.objects.get(pk=fan.pk).dials == NEUTRAL


@database
@pytest.mark.parametrize("stop", ["3", "-9", "x", "1.5", "9" * 40])
def test_a_dial_that_makes_no_sense_changes_nothing(trained, logged_in, fan, stop):
    fan.keep_dials(Dials(obscurity=1))
    answer = logged_in.post(reverse("recommender:dials"), {"obscurity": stop}, headers=HTMX)
    assert answer.status_code == 422
    assert User.objects.get(pk=fan.pk).dials == Dials(obscurity=1)
    assert logged_in.get(f"{FOR_YOU}?obscurity={stop}").status_code == 200


@database
def test_an_address_carries_dials_and_leaves_the_readers_own(trained, logged_in, fan):
    fan.keep_dials(Dials(obscurity=-2))
    page = logged_in.get(f"{FOR_YOU}?newness=2")
    assert page.context["dials"] == Dials(newness=2)
    assert "Your own stay as they are" in page.content.decode()
    expected = recommend(fan, 20, dials=Dials(newness=2))
    assert page.context["found"] == expected
    assert "newness=2" in page.context["next_url"]
    assert User.objects.get(pk=fan.pk).dials == Dials(obscurity=-2)
    linked = logged_in.get(page.context["link"])
    assert linked.context["found"] == expected
    assert logged_in.get(page.context["own"]).context["dials"] == Dials(obscurity=-2)


@database
def test_visitors_have_no_dials(trained, client, camps):
    page = client.get(f"{FOR_YOU}?newness=2")
    assert 'id="dials"' not in page.content.decode()
    assert "This address carries dials" in page.content.decode()
    answer = client.post(reverse("recommender:dials"), {"newness": 1})
    assert answer.status_code == 302 and "/login/" in answer.url


@database
def test_less_like_on_a_card_is_pressed_and_taken_back(trained, logged_in, fan):
    film = logged_in.get(FOR_YOU).context["found"][0].movie
    address = reverse("users:ask_for_less", args=[film.pk])
    pressed = logged_in.post(address, {"card": 1}, headers=HTMX)
    assert "Undo" in pressed.content.decode()
    assert film.title in logged_in.get(reverse("users:less_like")).content.decode()
    back = logged_in.post(address, {"card": 1, "restore": 1}, headers=HTMX)
    assert "Less like this" in back.content.decode()
    assert not fan.less_like.exists()


# The API

DIALS = "/api/v1/dials/"


@database
def test_the_api_reads_and_turns_dials(trained, fan):
    client = client_of(fan)
    assert client.get(DIALS).json() == {"obscurity": 0, "adventure": 0, "newness": 0}
    turned = {"obscurity": 2, "adventure": -1, "newness": 1}
    assert client.put(DIALS, turned, format="json").json() == turned
    assert client_of(User.objects.get(pk=fan.pk)).get(DIALS).json() == turned
    for wrong in ({**turned, "newness": 3}, {**turned, "newness": True}):
        response = client.put(DIALS, wrong, format="json")
        assert response.status_code == 400 and set(problem(response)) == {"newness"}
    response = client.put(DIALS, {"obscurity": 1}, format="json")
    assert problem(response) == {"adventure": "required", "newness": "required"}
    assert User.objects.get(pk=fan.pk).dials == Dials(**turned)


@database
def test_the_api_takes_dials_and_variety_for_one_answer(trained, fan):
    client = client_of(fan)
    fan.keep_dials(Dials(newness=-2))
    address = "/api/v1/recommendations/?k=10"
    old = client.get(address).json()["results"]
    new = client.get(f"{address}&newness=2").json()["results"]
    plain = client.get(f"{address}&newness=0&variety=0").json()["results"]
    mean_year = [np.mean([row["movie"]["year"] for row in rows]) for rows in (old, new)]
    assert mean_year[0] < mean_year[1]
    assert [row["placing"]["by_taste"] for row in plain] == list(range(1, 11))
    assert new[0]["placing"]["pulls"][0]["word"] == "much newer"
    response = client.get(f"{address}&newness=5&variety=-1")
    assert set(problem(response)) == {"newness", "variety"}


@database
def test_the_api_wants_to_know_whose_dials():
    anonymous = client_of(None)
    assert anonymous.get(DIALS).status_code == 401
    assert anonymous.put(DIALS, {}, format="json").status_code == 401
    movie = MovieFactory()
    assert anonymous.put(f"/api/v1/less-like/{movie.pk}/").status_code == 401
