import pytest

from movies.models import Movie
from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import LeftOut, Rating, User

pytestmark = pytest.mark.django_db


def counts(movie: Movie) -> tuple[int, int]:
    movie.refresh_from_db()
    return movie.rating_count, movie.rating_sum


def test_a_rating_is_kept_in_half_stars_and_counted():
    user, movie = UserFactory(), MovieFactory()
    ratings.rate(user, movie, 4.5)
    assert Rating.objects.get().value == 9
    assert counts(movie) == (1, 9)


def test_rating_again_replaces_the_first():
    user, movie = UserFactory(), MovieFactory()
    ratings.rate(user, movie, 4.5)
    ratings.rate(user, movie, 1.0)
    assert Rating.objects.get().value == 2
    assert counts(movie) == (1, 2)


@pytest.mark.parametrize("stars", [0, 0.25, 5.5, -1, float("nan"), float("inf")])
def test_stars_outside_the_scale_change_nothing(stars):
    user, movie = UserFactory(), MovieFactory()
    with pytest.raises(ValueError):
        ratings.rate(user, movie, stars)
    assert not Rating.objects.exists()


def test_withdrawing_takes_the_rating_and_its_count_back():
    rating = RatingFactory()
    assert ratings.withdraw(rating.user, rating.movie)
    assert not ratings.withdraw(rating.user, rating.movie)
    assert counts(rating.movie) == (0, 0)


def test_every_change_of_ratings_moves_the_taste_revision():
    user, movie = UserFactory(), MovieFactory()

    def revision() -> int:
        return User.objects.get(pk=user.pk).taste_revision

    seen = [revision()]
    for change in (
        lambda: ratings.rate(user, movie, 3),
        lambda: ratings.rate(user, movie, 4),
        lambda: ratings.leave_out(user, movie),
        lambda: ratings.count_again(user, movie),
        lambda: ratings.withdraw(user, movie),
    ):
        change()
        seen.append(revision())
    assert seen == sorted(set(seen))


def test_counts_follow_bulk_writes_and_deleted_people():
    movie, other = MovieFactory(), MovieFactory()
    people = UserFactory.create_batch(3)
    Rating.objects.bulk_create(
        Rating(user=user, movie=film, value=6) for user in people for film in (movie, other)
    )
    assert counts(movie) == (3, 18)
    people[0].delete()
    assert counts(movie) == (2, 12)


def test_rating_takes_a_film_off_the_watchlist_and_brings_a_dismissed_one_back():
    user, movie = UserFactory(), MovieFactory()
    ratings.add_to_watchlist(user, movie)
    ratings.dismiss(user, movie)
    assert user.watchlist_ids == set()
    ratings.rate(user, movie, 5)
    assert user.dismissed_ids == set()
    assert user.stars == {movie.pk: 5.0}


def test_the_bayesian_average_trusts_many_ratings_more_than_few():
    loved_by_one, liked_by_many = MovieFactory(), MovieFactory()
    RatingFactory(movie=loved_by_one, value=10)
    for _ in range(30):
        RatingFactory(movie=liked_by_many, value=9)
    assert list(Movie.objects.best_first()) == [liked_by_many, loved_by_one]


def test_a_rating_that_is_left_out_stays_and_is_none_that_counts():
    rating, other = RatingFactory(value=9), RatingFactory()
    person, movie = rating.user, rating.movie
    assert ratings.leave_out(person, movie)
    assert not ratings.leave_out(person, movie)
    assert counts(movie) == (1, 9)
    assert person.stars == {movie.pk: 4.5} and person.counted_ratings == 0
    assert list(Rating.objects.counted()) == [other]
    ratings.rate(person, movie, 2)
    assert person.left_out_ids == {movie.pk}
    assert ratings.count_again(person, movie)
    assert not ratings.count_again(person, movie)
    assert person.counted_ratings == 1


def test_only_what_is_rated_can_be_left_out_and_it_goes_with_the_rating():
    rating = RatingFactory()
    with pytest.raises(ratings.NotRated):
        ratings.leave_out(UserFactory(), rating.movie)
    assert not LeftOut.objects.exists()
    ratings.leave_out(rating.user, rating.movie)
    ratings.withdraw(rating.user, rating.movie)
    assert not LeftOut.objects.exists()
    for doomed in ("user", "movie"):
        rating = RatingFactory()
        ratings.leave_out(rating.user, rating.movie)
        getattr(rating, doomed).delete()
        assert not LeftOut.objects.exists()
