import pytest
from django.core.cache import cache

from tests.factories import MovieFactory, UserFactory
from tests.recommender.api.conftest import client_of, problem
from users import evenings, ratings
from users.models import Evening, Vote
from users.throttle import WRONG_LINKS_AN_ADDRESS

pytestmark = pytest.mark.django_db

EVENINGS = "/api/v1/evenings/"


@pytest.fixture(autouse=True)
def _nothing_tried_yet():
    cache.clear()


@pytest.fixture
def evening(user) -> str:
    """The address of an evening that `user` made."""
    return f"{EVENINGS}{evenings.start(user, 'Friday').pk}/"


def friend_of(client, evening: str):
    """Somebody else's client, whose owner has joined."""
    friend = client_of(UserFactory())
    token = client.get(f"{evening}invitation/").json()["token"]
    assert friend.post(f"{EVENINGS}join/", {"token": token}, format="json").status_code == 200
    return friend


def member_ids(client, evening: str) -> dict[bool, int]:
    return {member["is_you"]: member["id"] for member in client.get(evening).json()["members"]}


def test_an_evening_from_its_start_to_its_end(client):
    made = client.post(EVENINGS, {"name": "Friday"}, format="json")
    assert made.status_code == 201 and made.json()["is_yours"]
    evening = f"{EVENINGS}{made.json()['id']}/"
    friend = friend_of(client, evening)
    movie = MovieFactory()
    vote = f"{evening}votes/{movie.pk}/"
    assert client.put(vote, {"vote": "yes"}, format="json").status_code == 200
    ids = member_ids(client, evening)
    (said,) = friend.get(evening).json()["shortlist"]
    assert said["movie"]["id"] == movie.pk and said["yes"] == [ids[True]]
    assert friend.put(vote, {"vote": "veto"}, format="json").status_code == 200
    told = client.get(evening).json()
    assert told["shortlist"] == [] and told["vetoed"][0]["vetoed_by"] == [ids[False]]
    assert friend.delete(vote).status_code == 204 and friend.delete(vote).status_code == 404
    assert friend.get(EVENINGS).json()["count"] == 1
    assert friend.delete(f"{evening}members/{ids[False]}/").status_code == 204
    assert friend.get(evening).status_code == 404
    assert client.delete(evening).status_code == 204
    assert not Evening.objects.exists()


def test_an_unchanged_evening_is_answered_with_nothing(client, evening):
    etag = client.get(evening)["ETag"]
    unchanged = client.get(evening, headers={"If-None-Match": etag})
    assert unchanged.status_code == 304 and not unchanged.content
    friend_of(client, evening)
    changed = client.get(evening, headers={"If-None-Match": etag})
    assert changed.status_code == 200 and changed["ETag"] != etag


def test_films_come_with_what_each_would_make_of_them(trained, camps):
    ann, ben = camps[0][:2]
    made = evenings.start(ann, "Friday")
    evenings.join(ben, made.token)
    films = f"{EVENINGS}{made.pk}/films/"
    members = set(made.members.values_list("pk", flat=True))
    results = client_of(ben).get(f"{films}?k=5&care=4").json()["results"]
    assert len(results) == 5
    for found in results:
        assert {liking["member"] for liking in found["likings"]} == members
        assert all(0 <= liking["relevance"] <= 1 for liking in found["likings"])
        assert found["seen_by"] == 0
    seen = client_of(ben).get(f"{films}?k=60&seen=true").json()["results"]
    assert any(found["seen_by"] == 1 for found in seen)
    assert all(not (found["seen_by"] and found["likings"]) for found in seen)
    for query, field in (("care=5", "care"), ("genre=none", "genre"), ("seen=what", "seen")):
        response = client_of(ben).get(f"{films}?{query}")
        assert response.status_code == 400 and set(problem(response)) == {field}


def test_to_whoever_is_not_in_it_there_is_no_evening(client, evening, anonymous):
    outsider, movie = client_of(UserFactory()), MovieFactory()
    mine = member_ids(client, evening)[True]
    addresses = {
        evening: ("get", "delete"),
        f"{evening}films/": ("get",),
        f"{evening}invitation/": ("get", "post", "delete"),
        f"{evening}votes/{movie.pk}/": ("put", "delete"),
        f"{evening}members/{mine}/": ("delete",),
    }
    for who, code in ((outsider, 404), (anonymous, 401)):
        for address, methods in addresses.items():
            for method in methods:
                response = getattr(who, method)(address, {"vote": "veto"}, format="json")
                assert response.status_code in (code, 400) and (
                    method == "get" or response.status_code == code
                )
    assert outsider.get(EVENINGS).json()["count"] == 0
    assert Evening.objects.get().has_open_invitation and not Vote.objects.exists()


def test_a_member_has_no_say_over_the_evening_or_the_others(client, evening):
    friend, other = friend_of(client, evening), friend_of(client, evening)
    ids = member_ids(client, evening)
    assert friend.delete(evening).status_code == 403
    for method in ("get", "post", "delete"):
        assert getattr(friend, method)(f"{evening}invitation/").status_code == 403
    theirs = member_ids(other, evening)[True]
    assert friend.delete(f"{evening}members/{theirs}/").status_code == 403
    assert problem(client.delete(f"{evening}members/{ids[True]}/")) == {None: "your_own"}
    assert client.delete(f"{evening}members/{theirs}/").status_code == 204
    assert other.get(evening).status_code == 404
    assert client.get(f"{evening}invitation/").status_code == 404


def test_nothing_of_a_person_is_told_but_their_name(client, evening):
    person = UserFactory(username="ben", email="ben@example.org")
    movie = MovieFactory(title="Rated by Ben")
    ratings.rate(person, movie, 0.5)
    evenings.join(person, Evening.objects.get().token)
    for address in (evening, f"{evening}films/?seen=true", EVENINGS):
        text = client.get(address).content.decode()
        assert "ben@example.org" not in text and '"stars"' not in text
    member = next(one for one in client.get(evening).json()["members"] if not one["is_you"])
    assert member == {"id": member["id"], "name": "ben", "is_you": False}


def test_guessing_invitations_has_an_end(client):
    join = f"{EVENINGS}join/"
    for _ in range(WRONG_LINKS_AN_ADDRESS):
        assert client.post(join, {"token": "guess"}, format="json").status_code == 404
    response = client.post(join, {"token": "guess"}, format="json")
    assert response.status_code == 429 and response["Retry-After"]
    assert problem(response) == {None: "throttled"}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 61}, {"name": None}])
def test_a_name_that_is_wrong_is_named(client, body):
    response = client.post(EVENINGS, body, format="json")
    assert response.status_code == 400 and set(problem(response)) == {"name"}
    assert not Evening.objects.exists()


def test_limits_are_told(client, evening):
    for _ in range(evenings.MOST_MEMBERS - 1):
        friend_of(client, evening)
    token = client.get(f"{evening}invitation/").json()["token"]
    late = client_of(UserFactory()).post(f"{EVENINGS}join/", {"token": token}, format="json")
    assert late.status_code == 409 and problem(late) == {None: "full"}
    for _ in range(evenings.MOST_EVENINGS - 1):
        client.post(EVENINGS, {"name": "Another"}, format="json")
    response = client.post(EVENINGS, {"name": "One too many"}, format="json")
    assert response.status_code == 409 and problem(response) == {None: "too_many"}
