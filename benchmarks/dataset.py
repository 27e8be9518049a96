"""A MovieLens-format dataset in arrays, and parts of it as files that the site can import."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from movies.catalogue import Film
from movies.importers.files import Files, InMemory, files_of
from recommender.interactions import HALF_STARS, Ratings, index_ids
from users.importers.movielens.forms import RATING_COLUMNS, form_of, read_films
from users.importers.movielens.ratings import RatingsFile
from users.importers.movielens.sources import read_sample
from users.models import MAX_HALF_STARS

_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Dataset:
    """Films and ratings, both with the dataset's own ids."""

    label: str
    films: dict[int, Film]
    ratings: Ratings

    def only(self, core: int = 0, binary: bool = False) -> "Dataset":
        """What is left where each user and movie must have `core` ratings, and where `binary`
        says that all ratings are five stars given at one moment; the label tells of both."""
        ratings, label = self.ratings, self.label
        if core:
            ratings, label = core_of(ratings, core), f"{label}-core{core}"
        if binary:
            values = np.full_like(ratings.values, MAX_HALF_STARS)
            ratings = replace(ratings, values=values, rated_at=np.zeros_like(ratings.rated_at))
            label = f"{label}-binary"
        return Dataset(label, self.films, ratings)

    def files(self, ratings: Ratings) -> Files:
        """Some of the ratings, and all films, as a dataset to import."""
        return InMemory(
            self.label, {"movies.csv": self._movies(), "ratings.csv": _ratings_csv(ratings)}
        )

    def _movies(self) -> bytes:
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(("movieId", "title", "genres"))
        for movie_id, film in self.films.items():
            title = f"{film.title} ({film.year})" if film.year else film.title
            rows.writerow((movie_id, title, "|".join(film.genres)))
        return text.getvalue().encode()


def read(source: Path | None) -> Dataset:
    """Read a folder or zip in any form that the site imports; the packaged sample where None.

    Raises:
        ImportFailed: a file is missing or broken.
    """
    files = files_of(source) if source else read_sample()
    form = form_of(files)
    films = read_films(files, form)
    blocks = list(RatingsFile(files, form, {film: film for film in films}).blocks())
    ratings = Ratings(
        np.concatenate([block.person for block in blocks]),
        np.concatenate([block.movie for block in blocks]),
        np.concatenate([block.half_stars for block in blocks]),
        np.concatenate([block.seconds for block in blocks]) * _MICROSECONDS,
    )
    return Dataset(files.label, films, _last_of_each_pair(ratings))


def core_of(ratings: Ratings, fewest: int) -> Ratings:
    """The k-core: what is left when users and movies with fewer ratings go, until none does."""
    while True:
        keep = np.ones(len(ratings), dtype=np.bool_)
        for ids in (ratings.user_ids, ratings.movie_ids):
            places = index_ids(ids)[1]
            keep &= np.bincount(places)[places] >= fewest if len(ids) else True
        if keep.all():
            return ratings
        ratings = ratings.take(keep)


def _last_of_each_pair(ratings: Ratings) -> Ratings:
    """As the import has it: where two lines rate one film for one person, the later counts."""
    order = np.lexsort((ratings.movie_ids, ratings.user_ids))
    users, movies = ratings.user_ids[order], ratings.movie_ids[order]
    is_last = np.append((users[1:] != users[:-1]) | (movies[1:] != movies[:-1]), True)
    return ratings.take(np.sort(order[is_last]))


def _ratings_csv(ratings: Ratings) -> bytes:
    columns = (
        ratings.user_ids,
        ratings.movie_ids,
        ratings.values / HALF_STARS,
        ratings.rated_at // _MICROSECONDS,
    )
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(pa.table(dict(zip(RATING_COLUMNS, columns, strict=True))), sink)
    return sink.getvalue().to_pybytes()
