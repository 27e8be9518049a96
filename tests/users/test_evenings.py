"""Evenings: who comes in by which invitation, what members say, and what goes with whom."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from movies.models import Movie
from tests.factories import MovieFactory, UserFactory
from users import evenings, ratings
from users.evenings import MOST_EVENINGS, MOST_MEMBERS, EveningFull, InvitationVoid, Refused
from users.models import Evening, Member, User, Vote
from users.throttle import WRONG_LINKS_AN_ADDRESS, InvitationTries


@pytest.fixture
def evening(db) -> Evening:
    return evenings.start(UserFactory(username="ann"), "Friday")


def come_in(evening: Evening, **named) -> Member:
    person = UserFactory(**named)
    evenings.join(person, evening.token)
    return evening.members.get(user=person)


def maker_of(evening: Evening) -> Member:
    return evening.members.get(user=evening.maker)


def test_whoever_starts_an_evening_is_in_it_and_has_a_link(evening):
    assert [member.user.username for member in evening.members.all()] == ["ann"]
    assert evening.has_open_invitation
    assert len(evening.token) >= 32
    assert evenings.invited_to(evening.token) == evening


def test_one_joins_once_however_often_they_press(evening):
    person = UserFactory()
    assert evenings.join(person, evening.token) == evenings.join(person, evening.token)
    assert evening.members.count() == 2


def test_an_invitation_ends_by_time_by_a_new_one_and_by_being_revoked(evening):
    first = evening.token
    evenings.invite(evening)
    second = evening.token
    evenings.revoke_invitation(evening)
    assert not evening.has_open_invitation
    evenings.invite(evening)
    third = evening.token
    assert len({first, second, third}) == 3
    Evening.objects.update(token_expires_at=timezone.now() - timedelta(seconds=1))
    for token in (first, second, third, "", "x" * 500):
        with pytest.raises(InvitationVoid):
            evenings.invited_to(token)
        with pytest.raises(InvitationVoid):
            evenings.join(UserFactory(), token)
    assert evening.members.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_come_at_once_do_not_both_get_the_last_place():
    evening = evenings.start(UserFactory(), "Full house")
    for _ in range(MOST_MEMBERS - 2):
        come_in(evening)
    late, barrier, outcomes = UserFactory.create_batch(2), Barrier(2), []

    def try_to_join(person: User) -> None:
        barrier.wait()
        try:
            outcomes.append(evenings.join(person, evening.token))
        except EveningFull as full:
            outcomes.append(str(full))
        finally:
            connection.close()

    threads = [Thread(target=try_to_join, args=[person]) for person in late]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert evening.members.count() == MOST_MEMBERS
    assert sorted(isinstance(outcome, str) for outcome in outcomes) == [False, True]


def test_nobody_has_evenings_without_number(evening):
    for _ in range(MOST_EVENINGS - 1):
        evenings.start(evening.maker, "Another")
    with pytest.raises(Refused, match="End one of them first"):
        evenings.start(evening.maker, "One too many")
    assert Evening.objects.count() == MOST_EVENINGS
    evenings.end(evening)
    evenings.start(evening.maker, "In its place")


def test_who_leaves_takes_back_what_they_said(evening):
    ben, movie = come_in(evening), MovieFactory()
    evenings.veto(ben, movie)
    assert movie not in evenings.without_refused(Movie.objects.all(), evening)
    evenings.leave(ben)
    assert movie in evenings.without_refused(Movie.objects.all(), evening)
    assert not Vote.objects.exists()
    with pytest.raises(Refused, match="end it"):
        evenings.leave(maker_of(evening))
    assert evening.members.count() == 1


def test_who_is_taken_out_cannot_come_back_by_the_link_they_know(evening):
    ben, token = come_in(evening), evening.token
    evenings.remove(ben)
    with pytest.raises(InvitationVoid):
        evenings.join(ben.user, token)
    with pytest.raises(Refused):
        evenings.remove(maker_of(evening))
    assert evening.members.count() == 1


def test_what_a_deleted_account_said_goes_with_it_and_its_evenings_end(evening):
    ben, movie = come_in(evening), MovieFactory()
    evenings.veto(ben, movie)
    before = evenings.stamp(evening)
    ben.user.delete()
    assert not Vote.objects.exists() and evening.members.count() == 1
    assert evenings.stamp(evening) != before
    evening.maker.delete()
    assert not Evening.objects.exists() and not Member.objects.exists()
    assert Movie.objects.exists()


def test_a_member_says_one_thing_of_a_film_and_takes_back_their_own_alone(evening):
    ann, ben, movie = maker_of(evening), come_in(evening), MovieFactory()
    assert evenings.say_yes(ann, movie) and not evenings.say_yes(ann, movie)
    assert evenings.veto(ben, movie)
    (said,) = evenings.said(evening)
    assert said.yes == [ann] and said.vetoed_by == [ben]
    assert evenings.shortlist(evening, [said]) == []
    assert evenings.take_back(ann, movie) and not evenings.take_back(ann, movie)
    assert Vote.objects.get().is_veto
    assert evenings.say_yes(ben, movie)
    assert not Vote.objects.get().is_veto
    (said,) = evenings.said(evening)
    assert [film.movie for film in evenings.shortlist(evening, [said])] == [movie]


def test_the_most_wanted_film_stands_first_on_the_shortlist(evening):
    ann, ben = maker_of(evening), come_in(evening)
    one, both = MovieFactory(title="A"), MovieFactory(title="B")
    for member, movie in ((ann, both), (ben, both), (ann, one)):
        evenings.say_yes(member, movie)
    films = evenings.shortlist(evening, evenings.said(evening))
    assert [film.movie for film in films] == [both, one]


@pytest.mark.parametrize("refuse", [ratings.dismiss, ratings.ask_for_less])
def test_what_a_member_refuses_on_their_own_lists_is_out_for_all(evening, refuse):
    ann, ben, movie = maker_of(evening), come_in(evening), MovieFactory()
    evenings.say_yes(ann, movie)
    refuse(ben.user, movie)
    assert movie not in evenings.without_refused(Movie.objects.all(), evening)
    # Nothing tells that it was refused, let alone by whom.
    (said,) = evenings.said(evening)
    assert said.vetoed_by == [] and evenings.shortlist(evening, [said]) == []


def test_what_others_refuse_elsewhere_is_nothing_to_this_evening(evening):
    movie = MovieFactory()
    other = evenings.start(UserFactory(), "Elsewhere")
    evenings.veto(maker_of(other), movie)
    ratings.dismiss(UserFactory(), movie)
    ratings.rate(other.maker, movie, 4)
    movies = evenings.without_refused(Movie.objects.all(), evening)
    assert movie in evenings.without_seen(movies, evening)


def test_films_that_some_or_all_have_seen(evening):
    ben, some, both = come_in(evening), MovieFactory(), MovieFactory()
    ratings.rate(ben.user, some, 1)
    for person in (ben.user, evening.maker):
        ratings.rate(person, both, 5)
    assert set(evenings.without_seen(Movie.objects.all(), evening)) == set()
    assert set(evenings.without_seen(Movie.objects.all(), evening, by_all=True)) == {some}


def test_the_stamp_changes_with_each_act_and_with_nothing_else(evening):
    movie = MovieFactory()
    stamps = [evenings.stamp(evening)]
    ben = come_in(evening)
    stamps.append(evenings.stamp(evening))
    for act in (evenings.say_yes, evenings.veto, evenings.take_back):
        act(ben, movie)
        stamps.append(evenings.stamp(evening))
    ratings.rate(ben.user, movie, 3)
    stamps.append(evenings.stamp(evening))
    assert len(set(stamps)) == len(stamps)
    ratings.rate(UserFactory(), movie, 3)
    evenings.take_back(ben, movie)
    assert evenings.stamp(evening) == stamps[-1]


def test_an_address_that_tries_links_in_vain_has_to_wait():
    guesser, friend = InvitationTries("192.0.2.7"), InvitationTries("192.0.2.8")
    for _ in range(WRONG_LINKS_AN_ADDRESS):
        assert guesser.allow()
    assert not guesser.allow()
    for _ in range(2 * WRONG_LINKS_AN_ADDRESS):
        assert friend.allow()
        friend.forget()
