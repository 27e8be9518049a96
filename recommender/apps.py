from typing import Any

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    name = "recommender"

    def ready(self) -> None:
        from movies.signals import film_told

        film_told.connect(_place, dispatch_uid="place a film that staff have saved")


def _place(movie: Any, **_: object) -> None:
    # Models can be imported only once all apps are there.
    from recommender.serving import placing

    placing.place([movie.pk])
