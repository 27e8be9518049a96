from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django_htmx.middleware import HtmxDetails

from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import User
from users.templatetags.marquee_users import star_label, stars_of

pytestmark = pytest.mark.django_db

CARDS = """
{% load marquee_users %}
{% for movie in movies %}
  {{ movie|stars_of:user }}{% rating_control movie %}{% list_controls movie %}
{% endfor %}
"""


def render(rf, source, person, path="/films/?page=2", headers=None, **context):
    request = rf.get(path, headers=headers)
    request.user, request.htmx = person, HtmxDetails(request)
    context = Context({"request": request, "user": person, **context})
    return Template("{% load marquee_users %}" + source).render(context)


def tags(html, name):
    """Return the attributes of each `name` element."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == name:
                found.append(dict(attrs))

    Reader().feed(html)
    return found


@pytest.mark.parametrize(
    ("stars", "label"),
    [(0.5, "½ star"), (1.0, "1 star"), (1.5, "1½ stars"), (3.5, "3½ stars"), (5.0, "5 stars")],
)
def test_stars_are_named_as_people_say_them(stars, label):
    assert star_label(stars) == label


def test_stars_of_is_the_persons_own():
    rating = RatingFactory(value=7)
    assert stars_of(rating.movie, rating.user) == 3.5
    assert stars_of(rating.movie, UserFactory()) is None
    assert stars_of(rating.movie, AnonymousUser()) is None


def test_the_control_offers_ten_named_choices_and_shows_the_chosen_one(rf):
    rating = RatingFactory(value=7)
    html = render(rf, "{% rating_control movie %}", rating.user, movie=rating.movie)
    radios = [radio for radio in tags(html, "input") if radio.get("type") == "radio"]
    assert [radio["value"] for radio in radios] == [str(n / 2) for n in range(1, 11)]
    assert [radio["value"] for radio in radios if "checked" in radio] == ["3.5"]
    assert "2½ stars" in html
    assert f"Your stars for {rating.movie}" in html


def test_the_control_comes_back_to_the_page_that_shows_it(rf):
    movie, person = MovieFactory(), UserFactory()
    html = render(rf, "{% rating_control movie %}", person, movie=movie)
    assert {"type": "hidden", "name": "next", "value": "/films/?page=2"} in tags(html, "input")


def test_a_part_of_a_page_comes_back_to_the_whole_one(rf):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/films/?genre=drama"}
    html = render(
        rf, "{% list_controls movie %}", UserFactory(), headers=headers, movie=MovieFactory()
    )
    assert {"type": "hidden", "name": "next", "value": "/films/?genre=drama"} in tags(html, "input")


def test_the_list_controls_show_what_is_on(rf):
    listed, dismissed, less = MovieFactory.create_batch(3)
    person = UserFactory()
    ratings.add_to_watchlist(person, listed)
    ratings.dismiss(person, dismissed)
    ratings.ask_for_less(person, less)

    def pressed(movie):
        html = render(rf, "{% list_controls movie %}", person, movie=movie)
        return [button["aria-pressed"] for button in tags(html, "button")]

    assert pressed(listed) == ["true", "false", "false"]
    assert pressed(dismissed) == ["false", "true", "false"]
    assert pressed(less) == ["false", "false", "true"]


def test_a_title_cannot_write_html(rf):
    movie = MovieFactory(title='"><script>alert(1)</script>')
    html = render(rf, CARDS, UserFactory(), movies=[movie])
    assert "<script" not in html


def test_twenty_cards_cost_one_query_for_stars_and_one_for_all_lists(rf, django_assert_num_queries):
    movies, person = MovieFactory.create_batch(20), UserFactory()
    ratings.rate(person, movies[0], 4)
    person = User.objects.get(pk=person.pk)
    with django_assert_num_queries(2):
        render(rf, CARDS, person, movies=movies)


def test_visitors_cost_no_query(rf, django_assert_num_queries):
    movies = MovieFactory.create_batch(20)
    with django_assert_num_queries(0):
        html = render(rf, CARDS, AnonymousUser(), movies=movies)
    assert "Log in to rate" in html
