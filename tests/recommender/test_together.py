"""An evening's films and pages: what suits all, whose veto counts, and what nobody gets to see."""

import re

import numpy as np
import pytest
from django.core.cache import cache
from django.urls import reverse

from recommender.models import UserVector
from recommender.serving import foldin, retrieval
from recommender.serving.consensus import LEAST, MIDDLE, POWERS, mean_of_powers
from recommender.serving.recommend import Filters, recommend
from recommender.serving.together import films_together
from tests.factories import MovieFactory, UserFactory
from users import evenings
from users.models import Evening, Member, User, Vote
from users.ratings import ask_for_less, dismiss, rate
from users.throttle import WRONG_LINKS_AN_ADDRESS

HTMX = {"HX-Request": "true"}
TOGETHER = "/together/"


@pytest.fixture(autouse=True)
def _nothing_tried_yet():
    cache.clear()


# The mean that the dial turns


def test_each_stop_lies_nearer_to_the_one_who_likes_a_film_least():
    relevances = np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.8]])
    means = np.array([mean_of_powers(relevances, power) for power in POWERS])
    assert (np.diff(means, axis=0) <= 1e-12).all()
    assert means[POWERS.index(1)] == pytest.approx([0.5, 0.5, 0.55])
    assert means[POWERS.index(0)] == pytest.approx([0.3, 0.5, 0.24**0.5])
    assert means[-1] == pytest.approx([0.1, 0.5, 0.3])


def test_a_film_counts_for_those_who_have_not_seen_it():
    relevances = np.array([[np.nan, 0.4], [0.4, np.nan]])
    for power in POWERS:
        assert mean_of_powers(relevances, power) == pytest.approx([0.4, 0.4])


def test_a_film_that_is_worth_nothing_to_somebody_is_not_worth_nothing_at_all():
    relevances = np.array([[0.0, 0.9], [0.0, 0.1]])
    for power in POWERS[:-1]:
        best, worst = mean_of_powers(relevances, power)
        assert best > worst >= LEAST


# The films

database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(camps) -> Evening:
    """Ann and Ben of the first camp, and Cy of the other."""
    films = camps[1]
    evening = evenings.start(UserFactory(username="ann"), "Friday at ours")
    for name in ("ben", "cy"):
        evenings.join(UserFactory(username=name), evening.token)
    for member in evening.members.all():
        own = films[0:8:2] if member.user.username != "cy" else films[1:9:2]
        for film in own:
            rate(member.user, film, 5)
    return evening


def of(evening: Evening, name: str) -> Member:
    return evening.members.get(user__username=name)


def movies(picks):
    return [pick.movie for pick in picks]


@database
def test_the_films_are_new_to_all_and_as_many_as_asked_for(trained, three):
    picks = films_together(three, 30)
    assert len(picks) == len(set(movies(picks))) == 30
    seen = {pk for member in three.members.all() for pk in member.user.stars}
    assert not seen & {movie.pk for movie in movies(picks)}
    members = {member.user_id for member in three.members.all()}
    placed = [pick for pick in picks if pick.likings]
    assert placed and all(pick.likings.keys() == members for pick in placed)
    for pick in placed:
        assert all(0 <= liking.relevance <= 1 for liking in pick.likings.values())
    assert movies(films_together(three, 10)) == movies(picks)[:10]


@database
def test_the_relevances_are_shares_of_each_ones_best_film(trained, three):
    ann = of(three, "ann").user
    by_film = {pick.movie.pk: pick.likings for pick in films_together(three, 100)}
    own = recommend(ann, 5, variety=0)
    scores = {found.movie.pk: found.score for found in own}
    best = max(scores.values())
    shared = scores.keys() & by_film.keys()
    assert shared
    for pk in shared:
        assert by_film[pk][ann.pk].relevance == pytest.approx(scores[pk] / best, abs=1e-4)


@database
@pytest.mark.parametrize("stop", range(len(POWERS)))
def test_retrieval_finds_what_a_look_at_all_films_would(trained, three, stop, monkeypatch):
    """Variety aside, which would move films about: the order is that of the mean itself."""
    monkeypatch.setattr("recommender.serving.rerank.by_page.__defaults__", (0.0,))
    people = [member.user for member in three.members.select_related("user")]
    vectors = foldin.user_vectors(people, trained)
    allowed = evenings.without_seen(retrieval.candidates(None, Filters()), three)
    pool = retrieval.pool(trained, vectors.mean(axis=0), allowed, 10_000)
    best = [
        retrieval.nearest(trained, vector, retrieval.candidates(person, Filters()), 1)[0].score
        for person, vector in zip(people, vectors, strict=True)
    ]
    relevances = np.clip(pool.vectors @ vectors.T / best, 0, 1)
    worth = dict(
        zip(pool.movie_ids.tolist(), mean_of_powers(relevances, POWERS[stop]), strict=True)
    )
    found = [worth[movie.pk] for movie in movies(films_together(three, 10, stop=stop))]
    assert found == pytest.approx(sorted(worth.values(), reverse=True)[:10], abs=1e-5)


@database
def test_towards_least_misery_the_one_who_stands_alone_fares_better(trained, three):
    cy = of(three, "cy").user_id
    joy, care = (films_together(three, 20, stop=stop) for stop in (0, len(POWERS) - 1))
    least = [
        np.mean([min(one.relevance for one in pick.likings.values()) for pick in picks])
        for picks in (joy, care)
    ]
    assert least[0] < least[1]
    assert np.mean([p.likings[cy].relevance for p in joy]) < np.mean(
        [p.likings[cy].relevance for p in care]
    )


@database
def test_a_veto_of_any_kind_takes_the_film_from_all(trained, three):
    first, second, third = movies(films_together(three, 3))
    evenings.veto(of(three, "ben"), first)
    dismiss(of(three, "cy").user, second)
    ask_for_less(of(three, "ann").user, third)
    left = movies(films_together(three, 60))
    assert not {first, second, third} & set(left)
    evenings.take_back(of(three, "ben"), first)
    assert first in movies(films_together(three, 60))


@database
def test_films_alike_are_worth_less_to_who_wants_fewer(trained, three):
    ann = of(three, "ann").user
    before = {pick.movie: pick.likings for pick in films_together(three, 60)}
    ask_for_less(ann, movies(films_together(three, 1))[0])
    after = {pick.movie: pick.likings for pick in films_together(three, 60)}
    changes = [
        after[film][ann.pk].relevance - before[film][ann.pk].relevance
        for film in before.keys() & after.keys()
        if before[film] and after[film]
    ]
    assert min(changes) < -0.05 and max(changes) < 0.05


@database
def test_films_that_some_have_seen_come_when_asked_for_and_tell_nothing(trained, three, camps):
    seen = camps[1][0]
    assert seen not in movies(films_together(three, 60))
    shown = {pick.movie: pick for pick in films_together(three, 60, with_seen=True)}
    assert shown[seen].seen_by == 2 and shown[seen].likings == {}
    rate(of(three, "cy").user, seen, 1)
    assert seen not in movies(films_together(three, 60, with_seen=True))


@database
def test_where_a_film_is_placed_tells_nothing_of_what_those_gave_it_who_saw_it(
    trained, three, camps
):
    """With Ann's place in the space held still, her stars for a film move nothing."""
    ann, seen = of(three, "ann").user, camps[1][0]
    lists = []
    for stars in (5, 0.5):
        rate(ann, seen, stars)
        ann.refresh_from_db()
        UserVector.objects.filter(user=ann).update(taste_revision=ann.taste_revision)
        picks = films_together(three, 60, with_seen=True)
        lists.append([(pick.movie, pick.seen_by) for pick in picks])
    assert lists[0] == lists[1] and (seen, 2) in lists[0]


@database
def test_filters_hold_and_films_outside_the_space_fill_up(trained, three):
    odd = MovieFactory(year=1931, genres=["War"])
    (pick,) = films_together(three, 5, Filters(genre="war", first_year=1930, last_year=1939))
    assert pick.movie == odd and pick.likings == {}
    for movie in movies(films_together(three, 20, Filters(genre="drama", first_year=1970))):
        assert movie.year >= 1970 and "Drama" in [genre.name for genre in movie.genres.all()]


@database
def test_somebody_without_ratings_counts_as_people_do_on_average(trained, three):
    evenings.join(UserFactory(username="new"), three.token)
    new = of(three, "new").user_id
    picks = [pick for pick in films_together(three, 20) if pick.likings]
    assert picks and all(pick.likings[new].prediction is None for pick in picks)
    assert any(pick.likings[new].relevance > 0 for pick in picks)
    alone = evenings.start(UserFactory(), "Newcomers")
    evenings.join(UserFactory(), alone.token)
    assert len(films_together(alone, 20)) == 20


@database
def test_before_the_first_model_films_are_those_that_most_like(three):
    picks = films_together(three, 10, stop=MIDDLE)
    assert len(picks) == 10 and not any(pick.likings for pick in picks)


# The pages


def page_of(client, evening: Evening, query: str = "", **named):
    return client.get(evening.get_absolute_url() + query, **named)


def as_(client, evening: Evening, name: str):
    client.force_login(of(evening, name).user)
    return client


@database
def test_an_evening_is_started_and_joined_by_its_link(client):
    ann, ben = UserFactory(username="ann"), UserFactory(username="ben")
    client.force_login(ann)
    evening_url = client.post(TOGETHER, {"name": " Friday at ours "})["Location"]
    page = client.get(evening_url).content.decode()
    assert "Friday at ours" in page and "Waiting for somebody" in page
    link = re.search(r"http://testserver(/together/join/[^\"]+/)", page)[1]
    client.force_login(ben)
    assert client.get(evening_url).status_code == 404
    invitation = client.get(link).content.decode()
    assert "ann invites you" in invitation and "Join as ben" in invitation
    assert client.post(link)["Location"] == evening_url
    page = client.get(evening_url).content.decode()
    assert "Waiting for somebody" not in page and link not in page
    assert client.get(link)["Location"] == evening_url
    assert "Friday at ours" in client.get(TOGETHER).content.decode()


@pytest.mark.django_db
def test_a_name_is_needed_and_has_an_end(client):
    client.force_login(UserFactory())
    for name in ("", "  ", "x" * 61, "a\x00b"):
        answer = client.post(TOGETHER, {"name": name})
        assert answer.status_code == 200 and answer.context["form"].errors
    assert not Evening.objects.exists()


@pytest.mark.django_db
def test_a_visitor_is_told_what_it_is_and_led_to_sign_up_and_back(client):
    evening = evenings.start(UserFactory(username="ann"), "Friday")
    assert "Sign up" in client.get(TOGETHER).content.decode()
    assert client.post(TOGETHER, {"name": "x"})["Location"].startswith("/login/")
    link = reverse("recommender:invitation", args=[evening.token])
    page = client.get(link).content.decode()
    assert f"{reverse('users:signup')}?next={link}" in page
    assert client.post(link)["Location"] == f"/login/?next={link}"
    form = {"username": "new", "password1": "long enough 7", "password2": "long enough 7"}
    welcome = client.post("/signup/", {**form, "next": link})["Location"]
    assert link in client.get(welcome).content.decode()
    client.post(link)
    assert evening.members.filter(user__username="new").exists()


@pytest.mark.django_db
def test_a_link_that_leads_nowhere_says_so_and_guessing_has_an_end(client):
    client.force_login(UserFactory())
    for _ in range(WRONG_LINKS_AN_ADDRESS):
        answer = client.post("/together/join/guess/")
        assert answer.status_code == 404
    assert "leads nowhere" in answer.content.decode()
    assert client.get("/together/join/guess/").status_code == 429
    # Whoever waits cannot use a good link either, or they would learn which are.
    evening = evenings.start(UserFactory(), "Friday")
    link = reverse("recommender:invitation", args=[evening.token])
    assert client.post(link).status_code == 429
    assert evening.members.count() == 1


@database
def test_nobody_outside_sees_or_changes_anything(client, trained, three):
    movie, ben = MovieFactory(), of(three, "ben")
    here = three.get_absolute_url()
    other = evenings.start(UserFactory(), "Elsewhere")
    acts = {
        f"{here}films/{movie.pk}/": {"say": "veto"},
        f"{here}invitation/": {"revoke": "1"},
        f"{here}leave/": {},
        f"{here}members/{ben.pk}/remove/": {},
        f"{here}end/": {},
    }
    for person in (None, other.maker):
        if person:
            client.force_login(person)
        for address, data in acts.items():
            assert client.post(address, data).status_code in (302, 404)
        assert client.get(here).status_code in (302, 404)
        answer = client.get(here, headers=HTMX)
        assert answer["HX-Redirect"].startswith(("/login/", "/together/"))
    # The maker of another evening has no say over members of this one.
    client.force_login(other.maker)
    address = reverse("recommender:remove", args=[other.pk, ben.pk])
    assert client.post(address).status_code == 404
    three.refresh_from_db()
    assert three.members.count() == 3 and three.has_open_invitation and not Vote.objects.exists()


@database
def test_only_its_maker_invites_removes_and_ends(client, three):
    as_(client, three, "ben")
    cy, here = of(three, "cy"), three.get_absolute_url()
    for address in ("invitation/", f"members/{cy.pk}/remove/", "end/"):
        assert client.post(here + address).status_code == 403
    page = page_of(client, three).content.decode()
    assert three.token not in page and "Take out" not in page
    assert three.members.count() == 3
    as_(client, three, "ann")
    client.post(f"{here}members/{cy.pk}/remove/")
    assert three.members.count() == 2
    client.post(f"{here}leave/")
    assert three.members.count() == 2
    client.post(f"{here}end/")
    assert not Evening.objects.exists()


@database
def test_the_page_tells_names_and_likings_and_nothing_else_of_a_person(client, trained, three):
    ben = of(three, "ben").user
    User.objects.filter(pk=ben.pk).update(email="ben@example.org", first_name="Benjamin")
    secret = MovieFactory(title="Nobody knows that Ben gave this half a star")
    rate(ben, secret, 0.5)
    dismissed = MovieFactory(title="Nobody knows that Ben refuses this")
    dismiss(ben, dismissed)
    as_(client, three, "ann")
    for query in ("", "?seen=on", "?seen=on&page=2", "?care=4"):
        answer = page_of(client, three, query)
        page = answer.content.decode()
        for private in ("ben@example.org", "Benjamin", dismissed.title):
            assert private not in page
        for row in answer.context["rows"]:
            assert not (row.pick.seen_by and row.likings)
    assert ">ben<" in page


@database
def test_what_is_said_is_seen_by_all_and_taken_back_by_who_said_it(client, trained, three):
    as_(client, three, "ben")
    first = page_of(client, three).context["rows"][0].movie
    address = reverse("recommender:say", args=[three.pk, first.pk])
    assert client.post(address, {"say": "veto"})["Location"] == three.get_absolute_url()
    as_(client, three, "ann")
    page = page_of(client, three)
    assert first not in [row.movie for row in page.context["rows"]]
    assert [film.movie for film, mine in page.context["vetoed"]] == [first]
    client.post(address, {"say": "back"})
    assert Vote.objects.filter(is_veto=True).exists()
    as_(client, three, "ben")
    client.post(address, {"say": "back"})
    assert not Vote.objects.exists()
    for name in ("ann", "ben", "cy"):
        as_(client, three, name).post(address, {"say": "yes"})
    assert [film.movie for film in page_of(client, three).context["agreed"]] == [first]
    assert client.post(address, {"say": "what"}).status_code == 422
    assert client.post(reverse("recommender:say", args=[three.pk, 0]), {}).status_code == 404


@database
def test_a_page_asks_for_news_and_gets_nothing_until_there_are_some(
    client, trained, three, django_assert_max_num_queries
):
    as_(client, three, "ann")
    page = page_of(client, three, "?genre=drama&care=3")
    assert ("genre", "drama") in page.context["parameters"]
    watch = f"{page.context['here']}&at={page.context['stamp']}"
    with django_assert_max_num_queries(6):
        assert client.get(watch, headers=HTMX).status_code == 204
    evenings.say_yes(of(three, "ben"), MovieFactory(title="The one"))
    answer = client.get(watch, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in page and "HX-Push-Url" not in answer
    assert "The one" in page and page.count("hx-swap-oob") == 3
    assert answer.context["stamp"] not in watch and answer.context["here"] in watch
    turned = page_of(client, three, "?genre=comedy", headers=HTMX)
    assert turned["HX-Push-Url"].endswith("?genre=comedy")


@database
def test_an_act_by_htmx_brings_what_changed_and_no_more(client, trained, three):
    as_(client, three, "ann")
    page = page_of(client, three)
    movie, stamp = page.context["rows"][0].movie, page.context["stamp"]
    address = reverse("recommender:say", args=[three.pk, movie.pk])
    headers = {**HTMX, "HX-Current-URL": f"http://testserver{three.get_absolute_url()}?care=4"}
    sent = {"say": "veto", "at": stamp, "from_list": "1"}
    answer = client.post(address, sent, headers=headers)
    text = answer.content.decode()
    assert "Out, for everybody" in text and "evening-list" not in text.replace("#evening-list", "")
    assert answer.context["here"].endswith("?care=4")
    assert '"changed"' not in answer["HX-Trigger"]
    # A page that has missed something fetches it.
    evenings.say_yes(of(three, "ben"), MovieFactory())
    answer = client.post(address, {**sent, "say": "back"}, headers=headers)
    assert '"changed"' in answer["HX-Trigger"]
    assert 'id="evening-at"' not in answer.content.decode()


@database
@pytest.mark.parametrize("query", ["?care=9", "?care=x", "?page=x", "?genre=none", "?decade=1"])
def test_an_address_that_makes_no_sense_does_no_harm(client, trained, three, query):
    answer = page_of(as_(client, three, "ann"), three, query)
    assert answer.status_code == 200 and answer.context["rows"]
    assert answer.context["form"].stop == MIDDLE


@database
def test_films_for_eight_take_a_bounded_number_of_queries(
    trained, three, camps, django_assert_max_num_queries
):
    for person in camps[0][:5]:
        evenings.join(person, three.token)
    MovieFactory.create_batch(20)
    films_together(three, 20)
    with django_assert_max_num_queries(25):
        assert len(films_together(three, 20)) == 20
