"""The pages on which a history is brought, and those on which one leaves."""

import io
import zipfile

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.authtoken.models import Token

from movies.models import Movie
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.users.test_history import FILE, HEAD
from users import history, ratings, throttle
from users.importers.history import documents
from users.models import Evening, HistoryImport, Member, Rating, User, Vote

pytestmark = pytest.mark.django_db

PAGE = reverse("users:import")
PASSWORD = "a long passphrase"


@pytest.fixture
def person(client) -> User:
    person = UserFactory()
    client.force_login(person)
    MovieFactory(title="Heat", year=1995)
    MovieFactory(title="Stalker", year=1979)
    return person


def bring(client, text=FILE, name="ratings.csv"):
    content = text.encode() if isinstance(text, str) else text
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content)}, follow=True)


def shown(client, **query) -> str:
    return client.get(PAGE, query).content.decode()


def test_a_file_is_previewed_and_written_when_the_person_says_so(client, person):
    page = bring(client).content.decode()
    assert "What would happen" in page
    assert "Make 2 films mine" in page
    assert not Rating.objects.exists()
    client.post(reverse("users:import_choices"), {"write": "1"})
    assert "Your history is here" in shown(client)
    assert person.ratings.count() == 2


def test_choices_are_kept_from_page_to_page(client, person):
    bring(client)
    heat = HistoryImport.objects.get().entries.get(title="Heat")
    form = {f"film-{heat.number}": "", "to": "matched", "stars": "theirs"}
    response = client.post(reverse("users:import_choices"), form)
    assert response.url == f"{PAGE}?show=matched&page=1#films"
    heat.refresh_from_db()
    assert heat.movie is None
    assert HistoryImport.objects.get().takes_theirs
    assert "Make 1 film mine" in shown(client)


def test_what_stays_out_is_sent_as_a_table_that_can_be_brought_again(client, person):
    bring(client)
    response = client.get(reverse("users:import_unknown"))
    rows = b"".join(response.streaming_content).decode().splitlines()
    assert rows[0] == "Title,Year,imdbID,tmdbID,Rating,Date"
    assert "Nobody Knows This,1999,,,3.0,2021-03-04" in rows


@pytest.mark.parametrize("page", ["matched", "unknown", "doubtful", "nonsense"])
def test_every_list_of_the_preview_can_be_looked_at(client, person, page):
    bring(client)
    assert "What would happen" in shown(client, show=page, page="99")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7\0", "no text"),
        (b"", "empty"),
        (b"x" * (documents.LARGEST_BYTES + 1), "more than 20 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_kept(client, person, content, reason):
    response = bring(client, content)
    assert response.status_code == 422
    assert reason in response.content.decode()
    assert not HistoryImport.objects.exists()


def test_a_form_without_a_file_says_what_to_do(client, person):
    assert "Choose a file first" in client.post(PAGE).content.decode()


def test_columns_are_named_and_named_anew(client, person):
    page = bring(client, "Was,Wie\nHeat,8\nStalker,10\n", "mine.csv").content.decode()
    assert "Which column is which?" in page
    columns = reverse("users:import_columns")
    refused = client.post(columns, {"rating": "Wie"})
    assert refused.status_code == 422
    assert "Say which column has the titles." in refused.content.decode()
    client.post(columns, {"title": "Was", "rating": "Wie"})
    page = shown(client)
    assert "What would happen" in page
    assert "points, up to 10" in page
    assert "Which column is which?" in client.get(columns).content.decode()
    client.post(reverse("users:import_choices"), {"scale": "percent", "write": "1"})
    assert sorted(person.ratings.values_list("value", flat=True)) == [1, 1]


def test_a_file_can_be_forgotten(client, person):
    bring(client)
    client.post(reverse("users:import_discard"))
    assert not HistoryImport.objects.exists()
    assert "Bring your history" in shown(client)


def test_the_page_tells_while_no_worker_takes_the_work(client, person, monkeypatch):
    monkeypatch.setattr(history, "AT_ONCE", 0)
    bring(client)
    HistoryImport.objects.update(asked_at="2020-01-01T00:00:00Z")
    # That of another test may have shown a sign of life a moment ago.
    cache.clear()
    fragment = client.get(reverse("users:import_progress")).content.decode()
    assert "No worker is up" in fragment
    HistoryImport.objects.update(started_at="2020-01-01T00:00:00Z")
    assert "The worker stopped" in shown(client)
    monkeypatch.setattr(history, "AT_ONCE", 1000)
    client.post(reverse("users:import_again"))
    assert "What would happen" in shown(client)
    assert client.get(reverse("users:import_progress"))["HX-Refresh"] == "true"


def test_the_page_tells_when_the_queue_is_away(client, person, no_queue, monkeypatch):
    monkeypatch.setattr(history, "AT_ONCE", 0)
    page = bring(client).content.decode()
    assert "The queue cannot be reached" in page
    assert "Start again" in page


def test_nobody_sees_or_touches_anothers_import(client, person):
    bring(client)
    theirs = HistoryImport.objects.get()
    client.force_login(UserFactory())
    assert "Bring your history" in shown(client)
    for name in ("choices", "discard", "again", "columns"):
        client.post(reverse(f"users:import_{name}"), {"write": "1"})
    assert client.get(reverse("users:import_unknown")).url == PAGE
    assert HistoryImport.objects.get() == theirs
    assert not Rating.objects.exists()


def test_visitors_are_sent_to_log_in(client):
    names = ["import", "import_progress", "import_unknown", "export", "delete_account", "seen"]
    for name in names:
        assert reverse("users:login") in client.get(reverse(f"users:{name}")).url


def test_films_seen_are_listed_rated_and_taken_back(client, person):
    text = HEAD.replace(",Rating", "") + "2021-03-01,Heat,1995,\n"
    bring(client, text, "watched.csv")
    client.post(reverse("users:import_choices"), {"write": "1"})
    page = client.get(reverse("users:seen")).content.decode()
    assert "Not seen after all" in page
    client.post(reverse("users:not_seen_after_all", args=[Movie.objects.get(title="Heat").pk]))
    assert not person.seen.exists()


# Leaving


def test_everything_of_ones_own_is_exported(client, person):
    ratings.rate(person, Movie.objects.get(title="Heat"), 4)
    response = client.get(reverse("users:export"))
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as files:
        assert {"ratings.csv", "watchlist.csv", "marquee.json"} <= set(files.namelist())


def test_an_account_is_deleted_with_all_that_is_in_it(client, person):
    heat = Movie.objects.get(title="Heat")
    ratings.rate(person, heat, 4)
    RatingFactory(movie=heat, value=6)
    ratings.add_to_watchlist(person, Movie.objects.get(title="Stalker"))
    token = Token.objects.create(user=person)
    evening = Evening.objects.create(name="Friday", maker=person)
    member = Member.objects.create(evening=evening, user=person)
    Vote.objects.create(member=member, movie=heat, is_veto=True)
    bring(client)
    assert client.post(reverse("users:delete_account"), {"password": "wrong"}).status_code == 422
    assert User.objects.filter(pk=person.pk).exists()
    client.post(reverse("users:delete_account"), {"password": PASSWORD})
    assert not User.objects.filter(pk=person.pk).exists()
    assert not HistoryImport.objects.exists()
    assert not Vote.objects.exists()
    heat.refresh_from_db()
    assert (heat.rating_count, heat.rating_sum) == (1, 6)
    assert "_auth_user_id" not in client.session
    headers = {"Authorization": f"Token {token.key}"}
    assert client.get("/api/v1/ratings/", headers=headers).status_code == 401


def test_who_guesses_the_password_must_wait(client, person):
    address = reverse("users:delete_account")
    for _ in range(throttle.TRIES_A_NAME):
        client.post(address, {"password": "wrong"})
    assert "Wait 15 minutes" in client.post(address, {"password": PASSWORD}).content.decode()
    assert User.objects.filter(pk=person.pk).exists()


def test_the_last_administrator_stays(client, person):
    person.is_superuser = True
    person.save()
    response = client.post(reverse("users:delete_account"), {"password": PASSWORD})
    assert "the only administrator" in response.content.decode()
    assert User.objects.filter(pk=person.pk).exists()
