import pytest

from recommender.recipe import Recipe
from recommender.training.search_space import SearchSpace


@pytest.fixture
def space() -> SearchSpace:
    return SearchSpace.of("als")


def corner(space: SearchSpace, place: float, **others: float) -> dict[str, float]:
    point = {dimension.name: place for dimension in space.dimensions}
    return space.parameters(point | others)


def test_every_point_gives_settings_that_training_takes(space):
    for place in (0.0, 0.3, 0.5, 1.0):
        parameters = corner(space, place)
        assert Recipe.of("als", parameters).parameters == parameters


def test_what_is_to_be_tuned_is_searched_and_the_rest_keeps_its_default(space):
    names = {dimension.name for dimension in space.dimensions}
    assert names >= {
        "factors",
        "iterations",
        "regularization",
        "frequency_exponent",
        "alpha",
        "below",
        "growth",
    }
    assert "seed" not in names
    assert corner(space, 1.0)["prior"] == space.defaults["prior"]


def test_settings_lead_back_to_their_point(space):
    for place in (0.1, 0.5, 0.9):
        parameters = corner(space, place)
        assert space.parameters(space.point(parameters)) == parameters


def test_the_defaults_are_a_point_of_the_space(space):
    assert space.parameters(space.point(space.defaults)) == space.defaults


def test_defaults_outside_the_range_lie_at_its_end():
    space = SearchSpace.of("als", {"factors": 1024})
    assert space.point(space.defaults)["factors"] == 1
    assert space.defaults["factors"] == 1024


def test_the_range_of_the_regularization_moves_with_the_default_and_with_alpha():
    point = SearchSpace.of("als").point(SearchSpace.of("als").defaults)
    ours, ten_times = (
        SearchSpace.of("als", {"regularization": value}).parameters(point)["regularization"]
        for value in (0.01, 0.1)
    )
    assert ten_times == pytest.approx(10 * ours)
    space = SearchSpace.of("als", {"alpha": 3})
    alpha = space.point({**space.defaults, "alpha": 12})["alpha"]
    heavier = space.parameters(point | {"alpha": alpha})
    assert heavier["regularization"] == pytest.approx(2 * ours, rel=0.01)


def test_landmarks_take_the_place_of_defaults(space):
    alike, by_stars, as_dislikes = space.landmarks()
    assert alike == {**space.defaults, "below": 1, "growth": 0, "recency": 0}
    assert by_stars == {**space.defaults, "below": 0.8, "growth": 0.15, "recency": 0}
    assert as_dislikes == {**space.defaults, "below": -0.3}


def test_a_glance_is_cheaper_and_never_dearer(space):
    assert space.glance({**space.defaults, "iterations": 16})["iterations"] == 4
    assert space.glance({**space.defaults, "iterations": 2})["iterations"] == 2


def test_a_wrong_default_is_named():
    with pytest.raises(ValueError, match=r"^factors: "):
        SearchSpace.of("als", {"factors": 0})
