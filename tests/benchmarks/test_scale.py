"""The benchmark of sizes: what it asks, counts, draws and writes down."""

import httpx
import numpy as np
import pytest
from django.db import connection

from benchmarks.peers import tournament
from benchmarks.scale import engines, load, plans, plots, requests, retrieval
from recommender.interactions import Ratings
from recommender.serving import foldin
from recommender.serving.retrieval import Filters, candidates, pool
from recommender.training.splits import time_split
from tests.factories import MovieFactory
from users.models import User


@pytest.mark.django_db(transaction=True)
def test_what_the_site_finds_is_what_it_is_held_against(trained, camps, settings):
    person = camps[0][0]
    vector = foldin.user_vector(person, trained)
    found = pool(trained, vector, candidates(person, Filters()), 10)
    given = {"person": person.pk, "version": trained.pk, "pool": 10}
    with connection.cursor() as cursor:
        cursor.execute(requests._nearest_statement(trained), given)
        assert [movie_id for movie_id, _ in cursor.fetchall()] == found.movie_ids.tolist()
    measured = retrieval.measure(trained, camps[0][:5])
    assert measured["films"] == 60 and measured["questions"] == 5
    assert measured["found"] == measured["found_by_pool"] == 1
    assert settings.EXACT_SCAN_MAX_VECTORS > 0


@pytest.mark.django_db(transaction=True)
def test_plans_are_those_of_the_sites_own_statements(trained, camps):
    told = plans.document(plans.heading())
    assert "60 films" in told
    for title in plans.questions():
        assert f"## {title}" in told
    assert "recommender_movievector" in told and "users_rating" in told
    # Nothing is explained any more.
    with plans._explained():
        pass
    heard = []
    connection.connection.add_notice_handler(heard.append)
    User.objects.count()
    assert not heard


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not load.is_there(), reason="wrk is not installed")
def test_many_clients_ask_for_all_targets_and_errors_are_counted(live_server, settings):
    settings.ROOT_URLCONF = "benchmarks.scale.urls"
    film = MovieFactory()
    assert httpx.get(f"{live_server.url}/bare/{film.pk}/").json() == {"title": film.title}
    alike = load.ask(live_server.url, [(f"/bare/{film.pk}/", "")], clients=2, seconds=1)
    assert alike.requests_a_second > 0 and alike.errors == 0
    assert 0 < alike.p50 <= alike.p95 <= alike.p99
    mixed = [(f"/bare/{film.pk}/", ""), (f"/bare/{film.pk + 1}/", "Token of nobody")]
    assert load.ask(live_server.url, mixed, clients=2, seconds=1).errors > 0


def test_a_pair_is_the_median_of_its_turns():
    ours = [load.Load(rate, 1, 2, 3, 0) for rate in (50, 10, 30)]
    theirs = [load.Load(100, 1, 2, 3, 0) for _ in ours]
    assert load.LoadPair(8, ours, theirs).ratio == 0.3


def test_curves_are_drawn_beside_what_is_published(tmp_path):
    counts = np.arange(1, 1001)
    drawn = plots.curve(counts)
    assert drawn[0] == (1, 1000) and drawn[-1] == (1000, 1)
    stages = [{"stage": "matrix", "ours": [{"seconds": 2.0}]}]
    result = {
        "ratings": 1_000_000,
        "shape": {"gini of films": 0.63},
        "curves": {"people": drawn, "films": drawn},
        "stages": stages,
    }
    small = {"ratings": 100_000, "stages": stages}
    plots.draw({"100k": small, "1m": result}, tmp_path)
    people = (tmp_path / "scale-people.svg").read_text()
    assert "generated 1M" in people and "MovieLens 1M" in people and "<script" not in people
    assert "0.63" in (tmp_path / "scale-films.svg").read_text()
    assert "matrix" in (tmp_path / "scale-seconds.svg").read_text()


def test_an_engine_is_judged_by_the_likes_that_were_held_out(tmp_path):
    random = np.random.default_rng(0)
    people, films = np.nonzero(random.random((30, 40)) < 0.5)
    values = np.where(people % 2 == films % 2, 9, 3)
    ratings = Ratings(people, films, values, random.permutation(len(people)))
    for name, part in vars(time_split(ratings)).items():
        tournament.write_ratings(tmp_path / f"{name}.npz", part)
    found = engines._fit("ials", tmp_path)
    assert found["ndcg"] > 0.3
    assert 0 < found["seconds"] <= found["whole"]
    goes = {"ials": [found], "spark": [{**found, "processor": 2 * found["processor"]}]}
    (_, cluster) = engines._rows({**goes, "lenskit": []})
    assert cluster["times the site's"] == pytest.approx(2)
