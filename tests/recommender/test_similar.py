"""Films like a film, by any space or by several at once."""

import numpy as np
import pytest
from django.utils import timezone

from movies.models import Movie
from recommender import vectors
from recommender.models import Metric, ModelVersion
from recommender.serving import fusion
from recommender.serving.similar import places, similar
from tests.factories import MovieFactory, UserFactory
from users.models import Dismissal

pytestmark = pytest.mark.django_db(transaction=True)

LENGTH = 30


def live(space: str, films: list[Movie], angles: list[float]) -> ModelVersion:
    """A live version of a space whose films lie at these angles, in degrees."""
    version = ModelVersion.objects.create(
        space=space, metric=Metric.COSINE, dimensions=2, snapshot_at=timezone.now()
    )
    turned = np.radians(angles)
    at = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    vectors.write_movies(version, np.array([film.pk for film in films]), at)
    vectors.index_and_attach(version)
    ModelVersion.objects.filter(pk=version.pk).update(state="candidate", movie_count=len(films))
    version.refresh_from_db()
    return vectors.promote(version)


@pytest.fixture
def films(transactional_db) -> list[Movie]:
    return [MovieFactory(title=f"Film {n}", genres=["Drama"]) for n in range(LENGTH)]


@pytest.fixture
def spaces(films) -> list[Movie]:
    """Near film 0 by story are the next ones, by people those from the end; taste knows nobody."""
    live("story", films, list(range(LENGTH)))
    live("people", [films[0], *films[:0:-1]], list(range(LENGTH)))
    return films


def test_each_space_has_its_own_nearest(spaces):
    first = spaces[0]
    assert similar(first, 3, weights={"story": 1}) == spaces[1:4]
    assert similar(first, 3, weights={"people": 1}) == spaces[:-4:-1]


def test_a_blend_mixes_them_by_their_weights(spaces):
    first = spaces[0]
    even = similar(first, 4, weights={"story": 1, "people": 1})
    assert set(even) == {spaces[1], spaces[2], spaces[-1], spaces[-2]}
    assert similar(first, 3, weights={"story": 1000, "people": 1}) == spaces[1:4]
    assert similar(first, 3, weights={"story": 1, "people": 0}) == spaces[1:4]


def test_only_spaces_that_know_the_film_are_offered(spaces):
    assert list(places(spaces[0])) == ["story", "people"]
    assert places(MovieFactory()) == {}


def test_a_film_that_taste_does_not_know_is_likened_by_the_rest(spaces):
    assert similar(spaces[0], 4) == similar(spaces[0], 4, weights={"story": 1, "people": 1})


def test_a_film_that_no_space_knows_is_likened_by_its_genres(spaces):
    unknown = MovieFactory(genres=["Drama"])
    assert len(similar(unknown, 5)) == 5
    assert len(similar(unknown, 5, weights={"story": 1})) == 5


def test_a_dismissed_film_is_left_out_whatever_the_space(spaces):
    person = UserFactory()
    Dismissal.objects.create(user=person, movie=spaces[1])
    assert similar(spaces[0], 2, person, {"story": 1}) == spaces[2:4]


def test_what_several_spaces_name_comes_before_what_one_names_higher():
    named = {"story": np.array([1, 2, 3]), "people": np.array([4, 3, 5])}
    ids, scores = fusion.fuse(named, {"story": 1, "people": 1})
    assert ids[0] == 3 and (np.diff(scores) <= 0).all()
    assert fusion.fuse(named, {"story": 0, "people": 2})[0].tolist() == [4, 3, 5]
    assert len(fusion.fuse(named, {})[0]) == 0


def test_the_films_page_offers_the_spaces_and_keeps_the_choice_in_its_address(client, spaces):
    address = f"/films/like/{spaces[0].pk}/"
    page = client.get(f"{address}?space=people", headers={"HX-Request": "true"})
    text = page.content.decode()
    assert "By story" in text and "By people" in text and "By taste" not in text
    assert text.index("Film 29") < text.index("Film 28")
    assert page.headers["HX-Replace-Url"] == f"{spaces[0].get_absolute_url()}?space=people"
    detail = client.get(spaces[0].get_absolute_url(), {"space": "people"}).content.decode()
    assert f'hx-get="{address}?space=people"' in detail


def test_the_page_of_its_own_blends_without_scripts(client, spaces):
    address = f"/films/like/{spaces[0].pk}/"
    text = client.get(f"{address}?story=10&people=0").content.decode()
    assert text.index("Film 1<") < text.index("Film 2<")
    assert 'name="story" value="10"' in text and "Blend them so" in text


@pytest.mark.parametrize(
    "query", ["space=nonsense", "story=many", "story=-3", "taste=5", "story=0"]
)
def test_a_wrong_address_still_shows_films(client, spaces, query):
    answer = client.get(f"/films/like/{spaces[0].pk}/?{query}")
    assert answer.status_code == 200 and "Film 1" in answer.content.decode()


def test_where_taste_alone_is_live_nothing_is_to_choose(client, films):
    live("taste", films, list(range(LENGTH)))
    text = client.get(f"/films/like/{films[0].pk}/").content.decode()
    assert "likeness" not in text and "The nearest in people’s taste" in text


def test_the_api_takes_a_space_or_weights(client, spaces):
    address = f"/api/v1/movies/{spaces[0].pk}/similar/"

    def titles(**query):
        return [film["title"] for film in client.get(address, query).json()["results"]]

    assert titles(space="people", k=2) == ["Film 29", "Film 28"]
    assert titles(story=1, k=2) == ["Film 1", "Film 2"]
    assert titles(space="blend", k=4) == titles(k=4)
    for wrong in ({"space": "story", "people": 1}, {"space": "x"}, {"story": 0}, {"story": -1}):
        assert client.get(address, wrong).status_code == 400
