import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from movies.models import Movie
from recommender import vectors
from recommender.models import ModelVersion
from recommender.serving import batch
from recommender.serving.recommend import recommend
from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import User

COLUMNS = ["user_id", "movie_id", "rank", "score"]


@pytest.fixture
def dataset(trained, camps) -> tuple[list[User], list[Movie]]:
    """The camps as if they had come with MovieLens, under ids far from the site's own."""
    people, films = camps
    for n, person in enumerate(people):
        person.source, person.source_id = "movielens", 1000 + n
        person.save(update_fields=["source", "source_id"])
    for n, film in enumerate(films):
        film.movielens_id = 5000 + n
        film.save(update_fields=["movielens_id"])
    return people, films


def export(output: Path, **options) -> list[dict[str, str]]:
    call_command("export_recommendations", output=output, **options)
    with output.open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == COLUMNS
    return rows


def test_everyones_recommendations_are_the_sites_in_the_datasets_ids(dataset, tmp_path):
    people, _ = dataset
    rows = export(tmp_path / "all.csv", k=5)
    assert len(rows) == 5 * len(people)
    assert {int(row["user_id"]) for row in rows} == {person.source_id for person in people}
    person = people[7]
    mine = [row for row in rows if int(row["user_id"]) == person.source_id]
    expected = recommend(person, 5, variety=0)
    assert [int(row["rank"]) for row in mine] == [1, 2, 3, 4, 5]
    assert [int(row["movie_id"]) for row in mine] == [film.movie.movielens_id for film in expected]
    assert [float(row["score"]) for row in mine] == pytest.approx([film.score for film in expected])


def test_parquet_holds_the_same_as_csv(dataset, tmp_path):
    rows = export(tmp_path / "all.csv", k=3)
    call_command("export_recommendations", output=tmp_path / "all.parquet", k=3)
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.column_names == COLUMNS
    for column, convert in zip(COLUMNS, (int, int, int, float), strict=True):
        expected = [convert(row[column]) for row in rows]
        assert table[column].to_pylist() == pytest.approx(expected)


def test_those_without_a_datasets_id_are_told_apart(dataset, tmp_path):
    _, films = dataset
    visitor = UserFactory()
    ratings.rate(visitor, films[0], 5)
    Movie.objects.filter(pk=films[2].pk).update(movielens_id=None)
    rows = export(tmp_path / "all.csv", k=40)
    assert str(-visitor.pk) in {row["user_id"] for row in rows}
    assert str(-films[2].pk) in {row["movie_id"] for row in rows}
    only = export(tmp_path / "movielens.csv", k=1, source="movielens")
    assert all(int(row["user_id"]) > 0 for row in only)


def test_what_most_people_like_has_a_rank_and_no_score(dataset, tmp_path):
    early = UserFactory()
    ratings.rate(early, MovieFactory(title="Not trained on yet"), 0.5)
    rows = [row for row in export(tmp_path / "all.csv", k=4) if row["user_id"] == str(-early.pk)]
    assert [(row["rank"], row["score"]) for row in rows] == [(str(n), "") for n in range(1, 5)]


def test_many_chunks_make_one_file(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "PEOPLE_A_CHUNK", 7)
    people, _ = dataset
    done = []
    rows = batch.export(batch.people_with_ratings(), 2, tmp_path / "all.parquet", done.append)
    assert rows == 2 * len(people)
    assert done == [7, 7, 7, 7, 7, 5]
    assert pq.read_table(tmp_path / "all.parquet").num_rows == rows


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"output": "all.xlsx"}, "must end in .csv or .parquet"),
        ({"output": "all"}, "must end in .csv or .parquet"),
        ({"k": 0}, "--k must be 1 to 1000"),
        ({"k": 1001}, "--k must be 1 to 1000"),
        ({"source": "netflix"}, "Nobody of 'netflix'"),
        ({"output": "no/such/folder/all.csv"}, "No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(dataset, tmp_path, options, words):
    output = tmp_path / options.pop("output", "all.csv")
    with pytest.raises(CommandError, match=words):
        call_command("export_recommendations", output=output, **options)
    assert list(tmp_path.iterdir()) == []


def test_without_a_model_nothing_is_written(transactional_db, tmp_path):
    with pytest.raises(CommandError, match="Nobody has rated anything"):
        call_command("export_recommendations", output=tmp_path / "all.csv")
    RatingFactory()
    with pytest.raises(CommandError, match="no live model"):
        call_command("export_recommendations", output=tmp_path / "all.csv")
    assert list(tmp_path.iterdir()) == []


def test_ids_of_two_datasets_do_not_mix(dataset, tmp_path):
    people, _ = dataset
    User.objects.filter(pk=people[0].pk).update(source="another")
    with pytest.raises(CommandError, match="another, movielens"):
        call_command("export_recommendations", output=tmp_path / "all.csv")
    assert export(tmp_path / "one.csv", k=1, source="another")


def test_a_job_that_fails_midway_leaves_the_last_file_as_it_was(dataset, tmp_path, monkeypatch):
    output = tmp_path / "all.csv"
    before = export(output, k=1)
    monkeypatch.setattr(batch, "PEOPLE_A_CHUNK", 7)
    another = ModelVersion.objects.get()
    another.pk, another.state = None, ModelVersion.State.CANDIDATE
    another.save()

    def go_live(done: int) -> None:
        vectors.promote(another)

    with pytest.raises(batch.ExportFailed, match="went live meanwhile"):
        batch.export(batch.people_with_ratings(), 2, output, go_live)
    with output.open(newline="") as file:
        assert list(csv.DictReader(file)) == before
    assert list(tmp_path.iterdir()) == [output]
