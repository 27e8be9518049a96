import gzip
import json

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from recommender import film_map, vectors
from recommender.models import MapPlace, ModelVersion, TrainingRun
from recommender.training import pipeline, projection, runs
from tests.conftest import SMALL, put_on_a_map
from tests.factories import MovieFactory, UserFactory
from users.ratings import rate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def films():
    """Horror of the eighties in one corner, which is known best, and musicals in another."""
    horror = [
        MovieFactory(title=f"Scream {n}", year=1980 + n, genres=["Horror"], rating_count=50 - n)
        for n in range(6)
    ]
    musicals = [
        MovieFactory(title=f"Song {n}", year=1935 + 9 * n, genres=["Musical"], rating_count=20 - n)
        for n in range(6)
    ]
    return horror + musicals


@pytest.fixture
def charted(films) -> ModelVersion:
    return put_on_a_map(films, [(-0.5 - n / 50 if n < 6 else 0.5, n / 10) for n in range(12)])


def columns(client) -> dict:
    response = client.get("/map/films.json", headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    return json.loads(gzip.decompress(response.content))


def test_the_map_has_its_films_with_the_best_known_first(client, charted, films):
    sky = columns(client)
    assert sky["version"] == charted.pk
    assert sky["films"]["id"] == [film.pk for film in films]
    assert sky["films"]["title"][0] == "Scream 0" and sky["films"]["year"][0] == 1980
    x, y = sky["films"]["x"], sky["films"]["y"]
    assert max(x[:6]) < min(x[6:]) and y == sorted(y)
    assert min(y) > -100 and max(y) < sky["side"] + 100
    horror = 1 << sky["genres"].index("Horror")
    assert sky["films"]["genres"][:6] == [horror] * 6


def test_regions_are_named_by_what_they_are_more_often_than_others(client, charted):
    first, second = columns(client)["regions"]
    assert (first["name"], second["name"]) == ("Horror, 1980s", "Musical")
    assert first["films"] == 6 and first["stars"] == list(range(6))
    assert len(first["lines"]) == 5


def test_the_answer_is_kept_until_the_map_changes(client, charted, films):
    tag = client.get("/map/films.json")["ETag"]
    assert client.get("/map/films.json", headers={"if-none-match": tag}).status_code == 304
    put_on_a_map(films, [(n, -n) for n in range(12)])
    changed = client.get("/map/films.json", headers={"if-none-match": tag})
    assert changed.status_code == 200 and changed["ETag"] != tag


def test_the_page_lists_the_regions_and_what_the_person_rated(client, charted, films):
    person = UserFactory()
    rate(person, films[7], 4)
    client.force_login(person)
    response = client.get(reverse("recommender:map"))
    page = response.content.decode()
    assert "Horror, 1980s" in page and films[0].get_absolute_url() in page
    assert response.context["rated"] == [films[7].pk]


def test_without_a_map_the_page_says_what_to_do(client, db):
    assert "There is no map yet" in client.get("/map/").content.decode()
    assert client.get("/map/films.json").status_code == 404
    assert client.get("/api/v1/map/").status_code == 404
    trainer = UserFactory(is_staff=True)
    trainer.user_permissions.add(Permission.objects.get(codename="run_training"))
    client.force_login(trainer)
    assert reverse("studio:overview") in client.get("/map/").content.decode()


def test_only_films_on_the_map_are_found(client, charted):
    MovieFactory(title="Scream 99")
    found = client.get("/map/suggestions/", {"q": "scream"}).content.decode()
    assert "Scream 0" in found and "Scream 99" not in found


def test_a_card_tells_of_a_film(client, charted, films):
    card = client.get(f"/map/films/{films[0].pk}/").content.decode()
    assert films[0].get_absolute_url() in card and "1980" in card and "Horror" in card
    assert client.get("/map/films/0/").status_code == 404


def test_films_like_one_lead_to_it_on_the_map(client, charted, films):
    like = reverse("recommender:similar", args=[films[0].pk])
    assert f"#film={films[0].pk}" in client.get(like).content.decode()
    MapPlace.objects.filter(movie=films[0]).delete()
    assert f"#film={films[0].pk}" not in client.get(like).content.decode()


def test_programs_get_the_same(client, charted):
    assert client.get("/api/v1/map/").json() == columns(client)
    assert client.get("/api/v1/map/", {"page": 2}).status_code == 400


def test_a_training_draws_the_map_and_the_next_begins_there(camps, monkeypatch):
    monkeypatch.setattr(projection, "FEWEST_FILMS", 20)
    first = pipeline.execute(runs.create(parameters=SMALL))
    drawn = film_map.of(first)
    assert set(drawn.movie_ids) == {film.pk for film in camps[1]}
    assert "60 films have a place on the map." in TrainingRun.objects.get().log
    second = pipeline.execute(runs.create(parameters=SMALL))
    again = film_map.of(second)
    assert np.median(np.linalg.norm(again.positions - drawn.positions, axis=1)) < 0.3
    assert "half of them moved by less than" in TrainingRun.objects.newest_first()[0].log


def test_a_map_that_fails_does_not_fail_the_training(camps, monkeypatch):
    def broken(*_):
        raise MemoryError("no room for a map")

    monkeypatch.setattr(projection, "draw", broken)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert version.state == ModelVersion.State.LIVE
    assert not len(film_map.of(version))
    assert "no room for a map" in TrainingRun.objects.get().log


def test_a_version_that_is_live_stays_so_when_its_map_is_cancelled(camps, monkeypatch):
    def cancel(*_):
        raise runs.RunCancelled("Cancelled.")

    monkeypatch.setattr(projection, "draw", cancel)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert ModelVersion.objects.live() == version
    run = TrainingRun.objects.get()
    assert run.state == TrainingRun.State.SUCCEEDED and "was not drawn (Cancelled.)" in run.log


def test_people_see_the_map_before_until_the_live_version_has_one(client, charted, films):
    drawn = columns(client)["films"]["x"]
    second = put_on_a_map(films, [(n, -n) for n in range(12)])
    assert columns(client)["films"]["x"] != drawn
    MapPlace.objects.filter(version=second).delete()
    assert columns(client)["version"] == charted.pk
    vectors.drop(charted)
    assert client.get("/api/v1/map/").status_code == 404


def test_a_map_leaves_out_films_that_were_deleted_while_it_was_drawn(charted, films):
    drawn = film_map.of(charted)
    films[0].delete()
    film_map.write(charted, drawn)
    assert set(film_map.of(charted).movie_ids) == {film.pk for film in films[1:]}
