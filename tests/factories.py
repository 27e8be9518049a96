"""Test data, built with the fewest words."""

from collections.abc import Iterable

import factory
from django.db import transaction
from django.utils.text import slugify

from movies import catalogue
from movies.catalogue import Film
from movies.models import Credit, Genre, Movie, Person
from users.models import Rating, User


class GenreFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Genre
        django_get_or_create = ("name",)

    name = "Drama"
    slug = factory.LazyAttribute(lambda genre: slugify(genre.name))


class PersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Person
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda n: f"Person {n}")


class MovieFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Movie
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Film {n}")
    year = 1999

    @factory.post_generation
    def genres(self, create, names, **kwargs):
        """`MovieFactory(genres=["Drama"])`: genres by name."""
        if names:
            self.genres.set([GenreFactory(name=name) for name in names])


@transaction.atomic
def films_at_once(films: Iterable[Film]) -> list[Movie]:
    """Make many films as an import does, in a tenth of the time, and return them in this order."""
    by_id = dict(zip(catalogue.fresh_ids(), films, strict=False))
    catalogue.write_films(by_id)
    return list(Movie.objects.filter(pk__in=by_id).order_by("pk"))


class CreditFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Credit

    movie = factory.SubFactory(MovieFactory)
    person = factory.SubFactory(PersonFactory)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("a long passphrase")


class RatingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Rating

    user = factory.SubFactory(UserFactory)
    movie = factory.SubFactory(MovieFactory)
    value = 8
