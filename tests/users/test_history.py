"""From a file to ratings: matching, choosing, writing, and what is left when a worker is lost."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from movies.importers.files import ImportFailed
from recommender.config import locks
from recommender.serving.recommend import recommend
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.worker import wait_until, worker
from users import export, history, ratings
from users.importers.history.columns import Naming
from users.models import (
    Dismissal,
    Evening,
    HistoryEntry,
    HistoryImport,
    Member,
    NotSeen,
    Rating,
    User,
    Vote,
)
from users.scales import Scale

State = HistoryImport.State
HEAD = "Date,Name,Year,Letterboxd URI,Rating\n"
FILE = HEAD + (
    "2021-03-01,Heat,1995,https://boxd.it/a,4.5\n"
    "2021-03-02,Alien 3,1992,https://boxd.it/b,2\n"
    "2021-03-03,Stalker,1979,https://boxd.it/c,5\n"
    "2021-03-04,Nobody Knows This,1999,https://boxd.it/d,3\n"
)


@pytest.fixture
def person(db) -> User:
    return UserFactory()


@pytest.fixture
def films(db):
    return {
        "heat": MovieFactory(title="Heat", year=1995, imdb_id=113277),
        "alien": MovieFactory(title="Alien³", year=1992, alternative_titles=["Alien 3"]),
        "stalker": MovieFactory(title="Stalker", year=1979),
        "ran": MovieFactory(title="Ran", year=1985),
    }


def bring(person: User, text: str = FILE, name: str = "ratings.csv") -> HistoryImport:
    return history.begin(person, name, text.encode())


def finish(history_import: HistoryImport) -> dict[str, int]:
    assert history_import.state == State.READY
    history.start(history_import, State.WRITING)
    assert history_import.state == State.DONE
    return history_import.outcome


def given(person: User) -> dict[str, float]:
    return {rating.movie.title: rating.stars for rating in person.ratings.with_movies()}


def watched(*rows: str) -> str:
    return "Date,Name,Year,Letterboxd URI\n" + "".join(f"2021-03-01,{row},\n" for row in rows)


def test_a_history_is_matched_shown_and_written_with_its_dates(person, films):
    brought = bring(person)
    assert not Rating.objects.exists(), "nothing changes before it is written"
    assert [entry.title for entry in brought.entries.unknown()] == ["Nobody Knows This"]
    outcome = finish(brought)
    assert given(person) == {"Heat": 4.5, "Alien³": 2, "Stalker": 5}
    assert outcome["new"] == 3
    rated_at = person.ratings.get(movie=films["heat"]).rated_at
    assert rated_at == datetime(2021, 3, 1, tzinfo=UTC)
    films["heat"].refresh_from_db()
    assert (films["heat"].rating_count, films["heat"].rating_sum) == (1, 9)


def test_bringing_it_again_changes_nothing(person, films):
    finish(bring(person))
    before = list(Rating.objects.values_list("movie", "value", "rated_at").order_by("movie"))
    revision = User.objects.get(pk=person.pk).taste_revision
    outcome = finish(bring(person))
    assert (outcome["new"], outcome["same"], outcome["replaced"]) == (0, 3, 0)
    assert (
        list(Rating.objects.values_list("movie", "value", "rated_at").order_by("movie")) == before
    )
    assert User.objects.get(pk=person.pk).taste_revision == revision


@pytest.mark.parametrize(("takes_theirs", "stars"), [(False, 1.0), (True, 4.5)])
def test_other_stars_are_kept_or_replaced_as_the_person_says(person, films, takes_theirs, stars):
    ratings.rate(person, films["heat"], 1)
    ratings.rate(person, films["stalker"], 5)
    brought = bring(person)
    differing = brought.entries.filter(movie__isnull=False).differing(person)
    assert [(entry.title, entry.mine, entry.half_stars) for entry in differing] == [("Heat", 2, 9)]
    brought.takes_theirs = takes_theirs
    outcome = finish(brought)
    assert given(person)["Heat"] == stars
    assert (outcome["same"], outcome["kept"] + outcome["replaced"]) == (1, 1)


def test_what_is_rated_leaves_the_other_lists(person, films):
    for put in (ratings.add_to_watchlist, ratings.dismiss, ratings.not_seen):
        put(person, films["heat"])
    finish(bring(person))
    person = User.objects.get(pk=person.pk)
    assert films["heat"].pk not in person.settled_ids - set(person.stars)
    assert not Dismissal.objects.exists()
    assert not NotSeen.objects.exists()


def test_films_watched_without_stars_are_seen_not_recommended_and_no_part_of_taste(person, films):
    ratings.not_seen(person, films["ran"])
    outcome = finish(bring(person, watched("Ran,1985", "Heat,1995"), "watched.csv"))
    assert outcome["seen"] == 2
    assert {entry.movie.title for entry in person.seen.with_movies()} == {"Ran", "Heat"}
    assert User.objects.get(pk=person.pk).taste_revision == 0
    assert not NotSeen.objects.exists()
    shown = {found.movie.title for found in recommend(person, 10)}
    assert shown == {"Alien³", "Stalker"}
    ratings.rate(person, films["ran"], 4)
    assert [entry.movie.title for entry in person.seen.with_movies()] == ["Heat"]


def test_a_watchlist_goes_to_the_watchlist_but_for_what_is_rated(person, films):
    ratings.rate(person, films["heat"], 4)
    finish(bring(person, watched("Ran,1985", "Heat,1995"), "watchlist.csv"))
    assert User.objects.get(pk=person.pk).watchlist_ids == {films["ran"].pk}


def test_doubtful_films_wait_to_be_chosen(person):
    one, other = MovieFactory.create_batch(2, title="Alone", year=2020)
    brought = bring(person, HEAD + "2021-03-01,Alone,2020,,4\n")
    (entry,) = brought.entries.doubtful()
    assert sorted(entry.candidates) == sorted([one.pk, other.pk])
    stranger = MovieFactory()
    history.choose(brought, {entry.number: stranger.pk, 99: one.pk})
    assert not brought.entries.filter(movie__isnull=False).exists(), "only a candidate is taken"
    history.choose(brought, {entry.number: other.pk})
    finish(brought)
    assert list(Rating.objects.values_list("movie", "value")) == [(other.pk, 8)]


def test_what_is_left_out_stays_out_and_the_likeliest_can_be_taken_at_once(person, films):
    MovieFactory(title="Ran", year=1985)
    brought = bring(person, FILE + "2021-03-05,Ran,1985,https://boxd.it/e,4\n")
    heat = brought.entries.get(title="Heat")
    history.choose(brought, {heat.number: None})
    history.take_the_likeliest(brought)
    finish(brought)
    assert set(given(person)) == {"Alien³", "Stalker", "Ran"}


def test_two_rows_that_are_one_film_give_it_the_later_rating(person, films):
    text = HEAD + "2021-03-09,Alien³,1992,a,4\n2021-03-01,Alien 3,1992,b,1\n"
    finish(bring(person, text))
    assert given(person) == {"Alien³": 4}


def test_a_table_of_ones_own_waits_for_its_columns_and_its_scale_can_be_changed(person, films):
    brought = bring(person, "Film,How good\nHeat (1995),4\nRan,3\nStalker,5\n", "mine.csv")
    assert (brought.state, brought.entries.count()) == (State.NAMING, 0)
    _, naming = history.named_columns(brought)
    assert (naming.title, naming.rating) == ("Film", "")
    brought = history.name_columns(brought, Naming(title="Film", rating="How good"))
    assert (brought.state, brought.scale) == (State.READY, Scale.STARS)
    assert history.scales_for(brought) == [Scale.STARS, Scale.TEN, Scale.PERCENT]
    history.rescale(brought, Scale.TEN)
    finish(brought)
    assert given(person) == {"Heat": 2, "Ran": 1.5, "Stalker": 2.5}


def test_a_scale_that_is_known_cannot_be_changed(person, films):
    with pytest.raises(history.NotNow):
        history.rescale(bring(person), Scale.TEN)


def test_a_file_that_cannot_be_read_leaves_what_was_brought_before(person, films):
    before = bring(person)
    for name, content in (("films.pdf", b"%PDF\0"), ("a.json", b'{"a": 1}')):
        with pytest.raises(ImportFailed):
            history.begin(person, name, content)
    assert HistoryImport.objects.get() == before
    assert bring(person, watched("Ran,1985"), "watched.csv") != before
    assert HistoryEntry.objects.count() == 1


def test_old_imports_are_deleted_and_new_ones_kept(person, films):
    old, new = bring(person), bring(UserFactory())
    long_ago = timezone.now() - history.KEPT - timedelta(minutes=1)
    HistoryImport.objects.filter(pk=old.pk).update(updated_at=long_ago)
    history.tidy()
    assert list(HistoryImport.objects.all()) == [new]


def test_thousands_of_films_are_written_in_a_few_statements(person, django_assert_max_num_queries):
    films = MovieFactory.create_batch(60)
    text = HEAD + "".join(f"2021-03-01,{film.title},{film.year},,4\n" for film in films)
    brought = bring(person, text)
    with django_assert_max_num_queries(40):
        finish(brought)
    assert person.ratings.count() == 60


# Workers


@pytest.fixture
def left_to_workers(monkeypatch):
    monkeypatch.setattr(history, "AT_ONCE", 0)


def state_of(history_import: HistoryImport) -> str:
    history_import.refresh_from_db()
    return history_import.state


@pytest.mark.django_db(transaction=True)
def test_long_histories_are_matched_and_written_by_a_worker(films, left_to_workers):
    person = UserFactory()
    waiting = bring(person)
    assert waiting.state == State.MATCHING
    assert not history.is_stuck(waiting)
    with worker():  # it takes up what was asked for while none was up
        wait_until(lambda: state_of(waiting) == State.READY)
        history.start(waiting, State.WRITING)
        wait_until(lambda: state_of(waiting) == State.DONE)
    assert given(person) == {"Heat": 4.5, "Alien³": 2, "Stalker": 5}


@pytest.mark.django_db(transaction=True)
def test_what_a_lost_worker_left_can_be_started_again(films, left_to_workers, monkeypatch):
    lost = bring(UserFactory())
    HistoryImport.objects.filter(pk=lost.pk).update(started_at=timezone.now())
    lost.refresh_from_db()
    with locks.held(history.LOCK_CLASS, lost.pk):
        assert not history.is_stuck(lost), "it is under way"
        with pytest.raises(history.NotNow):
            history.start_again(lost)
    assert history.is_stuck(lost)
    monkeypatch.setattr(history, "AT_ONCE", 1000)
    history.start_again(lost)
    assert state_of(lost) == State.READY


def test_a_worker_gives_up_on_what_it_was_lost_over_again_and_again(person, films, left_to_workers):
    bring(person)
    for _ in range(history.MOST_TRIES + 2):
        history.requeue()
    assert HistoryImport.objects.get().tries == history.MOST_TRIES


# Taking it along


def test_what_is_exported_comes_back_as_it_was(person, films):
    finish(bring(person))
    ratings.add_to_watchlist(person, films["ran"])
    member = Member.objects.create(
        evening=Evening.objects.create(name="Friday", maker=person), user=person
    )
    Vote.objects.create(member=member, movie=films["ran"])
    person = User.objects.get(pk=person.pk)
    content = export.archive(person)
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        table = files.read("ratings.csv").decode()
        everything = json.loads(files.read("marquee.json"))
    assert table.splitlines()[0] == "tmdbID,imdbID,Title,Year,Rating"
    assert ",tt0113277,Heat,1995,4.5" in table.splitlines()
    assert everything["account"]["name"] == person.username
    (evening,) = everything["evenings"]
    assert evening["is_mine"]
    assert [(vote["title"], vote["says"]) for vote in evening["votes"]] == [("Ran", "yes")]
    other = UserFactory()
    finish(history.begin(other, "marquee.zip", content))
    assert given(other) == given(person)
    assert other.watchlist.get().movie == films["ran"]
    dates = [set(who.ratings.values_list("movie", "rated_at")) for who in (person, other)]
    assert dates[0] == dates[1]
    third = UserFactory()
    finish(history.begin(third, "ratings.csv", table.encode()))
    assert given(third) == given(person)


def test_nothing_of_anybody_else_is_exported(person, films):
    RatingFactory(movie=films["ran"])
    assert "Ran" not in json.dumps(export.of(person))
