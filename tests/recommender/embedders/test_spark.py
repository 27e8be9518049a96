"""Spark's ALS on a real cluster; what it writes is asked about as of any technique."""

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from recommender.embedders import spark
from recommender.embedders.base import Unavailable
from recommender.embedders.spark import SparkALS, SparkFailed
from recommender.interactions import Interactions, Weighting
from recommender.models import ModelVersion, TrainingRun, UserVector
from recommender.serving.foldin import model_of, rated_movies
from recommender.training import pipeline, runs
from tests.factories import UserFactory
from tests.recommender.api.conftest import client_of, problem
from tests.recommender.embedders.material import ratings
from tests.recommender.embedders.spark_cluster import Cluster, cluster, environment
from tests.worker import ROOT, wait_until
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
installed = pytest.mark.skipif(bool(SparkALS.lacking()), reason=SparkALS.lacking())


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Path:
    """An empty folder at SPARK_STORAGE, which Spark must leave as empty."""
    configuration = tmp_path / "configuration"
    configuration.mkdir()
    for name, value in environment(configuration).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "storage"
    folder.mkdir()
    monkeypatch.setenv(spark.STORAGE, str(folder))
    return folder


@pytest.fixture
def without_java(monkeypatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.fixture
def staff(db) -> User:
    """Somebody who may train."""
    staff = UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="run_training"))
    return staff


# On a cluster ------------------------------------------------------------------------------------


@installed
@pytest.mark.slow
@pytest.mark.timeout(600)  # a dozen processes of Java start
def test_a_run_on_a_cluster_that_loses_a_worker_is_as_good_as_ials(
    camps, two_workers, storage, monkeypatch
):
    people, _ = camps
    monkeypatch.setenv(spark.MASTER, two_workers.master)
    small = {"factors": 2, "iterations": 12}  # two camps take two factors
    live = pipeline.execute(runs.create(parameters=small, embedder="als"))
    lost, seen = two_workers.workers[1], []

    def kill_one(step: str, fraction: float, message: str) -> None:
        seen.append(fraction)
        is_in_the_middle = message.startswith("iteration") and " 1 " not in message
        if is_in_the_middle and lost.process.poll() is None:
            assert lost.executors()
            lost.kill()

    run = runs.create(parameters=small, embedder="spark")
    version = pipeline.execute(run, kill_one)
    assert lost.process.poll() is not None
    assert seen == sorted(seen) and len(set(seen)) > 8
    beside = version.comparison["against_live"]
    assert version.comparison["live"] == live.pk and version.state == ModelVersion.State.LIVE
    assert beside["new"] > 0.9 * beside["other"] > version.metrics["most_popular"]["ndcg@20"]
    for person in people[:3]:
        rated = rated_movies(person, version).rated
        fold_in = model_of(version).fold_in
        stored = np.array(UserVector.objects.get(user=person, version=version).vector)
        np.testing.assert_allclose(fold_in.vector(rated), stored, atol=1e-4 * np.abs(stored).max())
        shares = fold_in.contributions(rated, rated.vectors).sum(axis=1)
        np.testing.assert_allclose(shares, rated.vectors @ stored, atol=1e-4)
    assert not list(storage.iterdir())


@installed
def test_a_cancelled_run_stops_spark_and_removes_its_files(camps, storage, monkeypatch):
    monkeypatch.setenv(spark.MASTER, "local[1]")
    run = runs.create(parameters={"factors": 8, "iterations": 200}, embedder="spark")
    before = set(children())

    def cancel(step: str, fraction: float, message: str) -> None:
        if message.startswith("iteration"):
            assert list(storage.glob("*/checkpoints"))
            runs.cancel(run)

    with pytest.raises(runs.RunCancelled):
        pipeline.execute(run, cancel)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.CANCELLED
    assert not ModelVersion.objects.exists() and not list(storage.iterdir())
    wait_until(lambda: set(children()) <= before)


FIT = """
from recommender.embedders.spark import SparkALS
from recommender.interactions import Interactions, Weighting
from tests.recommender.embedders.material import ratings

SparkALS().fit(Interactions.build(ratings([[10, 20], [20, 30]]), Weighting()))
"""


@installed
def test_a_killed_worker_leaves_neither_process_nor_file(storage):
    killed = subprocess.Popen([sys.executable, "-c", FIT], cwd=ROOT)
    wait_until(lambda: list(storage.glob("*/interactions/*.parquet")))
    beside = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.wait()
    assert beside
    wait_until(lambda: not any(process.is_running() for process in beside))
    assert not list(storage.iterdir())


@installed
def test_what_spark_refuses_is_said_and_nothing_is_left(storage, monkeypatch):
    monkeypatch.setenv(spark.MASTER, "no-such-cluster")
    learnt = Interactions.build(ratings([[10, 20], [20, 30]]), Weighting())
    with pytest.raises(SparkFailed, match=r"Spark at no-such-cluster gave up: .*JAVA_GATEWAY"):
        SparkALS().fit(learnt)
    assert not list(storage.iterdir())


@installed
def test_an_address_that_nothing_here_can_reach_is_named(storage, monkeypatch):
    monkeypatch.setenv(spark.STORAGE, "no-such://folder")
    with pytest.raises(Unavailable, match="SPARK_STORAGE is no-such://folder, which cannot be"):
        SparkALS().fit(Interactions.build(ratings([[10, 20]]), Weighting()))


@installed
def test_where_nothing_was_liked_there_is_nothing_to_learn(storage):
    with pytest.raises(ValueError, match="nothing was liked"):
        SparkALS().fit(Interactions.build(ratings([[10]], [[1]]), Weighting()))


def test_folders_of_fits_long_ago_are_removed_and_no_others(storage):
    for name in ("marquee-fit-20200101T000000-0000abcd", "marquee-fit-29990101T000000-0", "other"):
        (storage / name).mkdir()
    with spark._folder() as address:
        Path(address).mkdir()
        assert len(list(storage.iterdir())) == 3
    assert {path.name for path in storage.iterdir()} == {"marquee-fit-29990101T000000-0", "other"}


@pytest.mark.parametrize(
    ("address", "read_by_spark"),
    [
        ("s3://bucket/folder", "s3a://bucket/folder"),
        ("hdfs://name/x", "hdfs://name/x"),
        ("/a b", "file:///a b"),
    ],
)
def test_an_address_means_the_same_to_spark(address, read_by_spark):
    assert spark._as_hadoop_has_it(address) == read_by_spark


# Without what it needs ---------------------------------------------------------------------------

LACKING = r"To train on Spark, install .*Java 17 \(such as Debian's openjdk-17-jre-headless\)\.$"


def test_without_java_the_command_says_what_to_install_and_nothing_starts(without_java):
    with pytest.raises(CommandError, match=LACKING):
        call_command("train", engine="spark", stdout=StringIO())
    assert not TrainingRun.objects.exists()
    with pytest.raises(Unavailable, match=LACKING):
        SparkALS().fit(Interactions.build(ratings([[10, 20]]), Weighting()))


def test_without_java_the_console_says_why_spark_cannot_be_chosen(client, staff, without_java):
    client.force_login(staff)
    page = client.get("/studio/").content.decode()
    assert "<strong>spark</strong> cannot be chosen. To train on Spark, install" in page
    assert "embedder=spark" not in page and "embedder=als" in page
    posted = client.post("/studio/retrain/", {"embedder": "spark"}, follow=True)
    assert "To train on Spark, install" in posted.content.decode()
    assert not TrainingRun.objects.exists()


def test_without_java_a_program_is_told(staff, without_java):
    body = {"embedder": "spark"}
    response = client_of(staff).post("/api/v1/training-runs/", body, format="json")
    assert response.status_code == 409
    assert problem(response) == {None: "not_installed"}
    assert not TrainingRun.objects.exists()
