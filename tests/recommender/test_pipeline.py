import pytest
from django.db import connection

from recommender import vectors
from recommender.models import ModelVersion, MovieVector, TrainingRun, UserVector
from recommender.training import pipeline, release, runs, snapshot
from tests.conftest import SMALL
from tests.factories import MovieFactory, RatingFactory
from users import ratings
from users.models import Rating

pytestmark = pytest.mark.django_db(transaction=True)


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^recommender_(movie|user)vector_v'"
        )
        return {name for (name,) in cursor.fetchall()}


def test_a_run_goes_live_with_vectors_metrics_and_a_log(trained, camps):
    people, films = camps
    run = TrainingRun.objects.get()
    assert trained.state == ModelVersion.State.LIVE
    assert run.state == TrainingRun.State.SUCCEEDED and run.fraction == 1
    assert run.version == trained and "ratings by" in run.log
    assert MovieVector.objects.filter(version=trained).count() == len(films)
    assert UserVector.objects.filter(version=trained).count() == len(people)
    assert trained.metrics["model"]["ndcg@20"] > trained.metrics["most_popular"]["ndcg@20"]


def test_the_next_version_retires_the_first_and_a_rollback_brings_it_back(trained):
    second = pipeline.execute(runs.create(parameters=SMALL))
    trained.refresh_from_db()
    assert (trained.state, second.state) == ("retired", "live")
    vectors.promote(trained)
    assert ModelVersion.objects.live() == trained
    second.refresh_from_db()
    assert second.state == "retired"


def test_a_run_that_does_not_promote_leaves_the_live_version(trained):
    version = pipeline.execute(runs.create(parameters=SMALL, promote=False))
    assert version.state == ModelVersion.State.CANDIDATE
    assert ModelVersion.objects.live() == trained


def test_the_same_seed_gives_the_same_metrics(trained):
    again = pipeline.execute(runs.create(parameters=SMALL))
    assert again.metrics == trained.metrics


def test_with_many_ratings_the_last_fit_goes_on_from_the_first(trained, camps, monkeypatch):
    monkeypatch.setattr(pipeline, "RESUMED_FROM", 1)
    resumed = pipeline.execute(runs.create(parameters=SMALL))
    assert resumed.metrics["model"] == trained.metrics["model"]
    assert MovieVector.objects.filter(version=resumed).count() == len(camps[1])
    first, second = (
        MovieVector.objects.filter(version=version).order_by("movie_id")[0].vector
        for version in (trained, resumed)
    )
    assert first != second


def test_without_ratings_the_run_fails_in_one_sentence_and_leaves_nothing():
    run = runs.create(parameters=SMALL)
    with pytest.raises(release.NothingToLearn):
        pipeline.execute(run)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.FAILED
    assert run.error == "NothingToLearn: There are no liked ratings to learn from."
    assert not ModelVersion.objects.exists()


def test_a_handful_of_ratings_train_without_metrics():
    RatingFactory(value=10)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert version.state == "live" and version.metrics == {}


def test_a_failure_while_writing_drops_what_was_written(trained, monkeypatch):
    before = partitions()

    def broken(version):
        raise OSError("no space left on device")

    monkeypatch.setattr(vectors, "index_and_attach", broken)
    run = runs.create(parameters=SMALL)
    with pytest.raises(OSError):
        pipeline.execute(run)
    run.refresh_from_db()
    assert run.error == "OSError: no space left on device"
    assert partitions() == before
    assert run.version.state == ModelVersion.State.FAILED
    assert ModelVersion.objects.live() == trained


def test_only_so_many_versions_keep_their_vectors(trained, settings):
    settings.KEPT_VERSIONS = 1
    for _ in range(3):
        newest = pipeline.execute(runs.create(parameters=SMALL))
    kept = ModelVersion.objects.filter(vectors_dropped=False)
    assert set(kept) == {newest, kept.promotable().get()}
    trained.refresh_from_db()
    with pytest.raises(vectors.NotPromotable):
        vectors.promote(trained)
    assert ModelVersion.objects.live() == newest


def test_people_and_films_deleted_while_it_trains_are_left_out(camps, monkeypatch):
    people, films = camps
    index_and_attach = vectors.index_and_attach

    def delete_first(version):
        people[0].delete()
        films[0].delete()
        index_and_attach(version)

    monkeypatch.setattr(vectors, "index_and_attach", delete_first)
    version = pipeline.execute(runs.create(parameters=SMALL))
    assert UserVector.objects.filter(version=version).count() == len(people) - 1
    assert MovieVector.objects.filter(version=version).count() == len(films) - 1


def test_a_snapshot_sees_every_rating_and_each_persons_revision(camps):
    people, films = camps
    ratings.rate(people[0], films[0], 2.5)
    taken = snapshot.take()
    assert len(taken.ratings) == Rating.objects.count()
    mine = (taken.ratings.user_ids == people[0].pk) & (taken.ratings.movie_ids == films[0].pk)
    rating = Rating.objects.get(user=people[0], movie=films[0])
    assert taken.ratings.values[mine].tolist() == [5]
    assert taken.ratings.rated_at[mine].tolist() == [round(rating.rated_at.timestamp() * 1e6)]
    people[0].refresh_from_db()
    assert taken.revisions_of(taken.ratings.user_ids[mine]).tolist() == [people[0].taste_revision]


def test_a_snapshot_refuses_ids_that_a_packed_rating_has_no_room_for(camps):
    MovieFactory(id=2**28)
    with pytest.raises(ValueError, match="movies_movie: ids must have 28 bits"):
        snapshot.take()
