"""Ratings by the million, made from a real dataset so that their shape is a real one's.

    python -m benchmarks.scale.generator 10m FOLDER [--data ml-latest-small]

A generative model of the real ratings (latent Dirichlet allocation: Blei, Ng, Jordan, JMLR 3, 2003)
is learnt, enlarged to as many people and films as a published dataset has, and sampled:

- a person is a mixture of tastes, drawn near a real person's; how many ratings they give, by the
  published law;
- a taste is a distribution over films. A new film is the child of a real film of like popularity:
  which tastes it pleases is inherited, how many people know it follows the tail whose Gini index
  is the published one;
- so the matrix of expected ratings has low rank, as the real one nearly has, and what can be
  learnt from it is a taste, not noise;
- stars are a film's and a person's leaning and how well the film fits the taste, cut so that each
  value is as frequent as in the real data; times are sessions with the real gaps.

The same arguments give the same bytes. The result is a folder in MovieLens's form.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from gensim.models import LdaModel
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtri

from benchmarks import site

site.start()

from benchmarks import dataset  # noqa: E402
from benchmarks.dataset import Dataset  # noqa: E402
from benchmarks.scale.shapes import SHAPES, Shape  # noqa: E402
from recommender.interactions import Ratings, index_ids  # noqa: E402
from users.importers.movielens.forms import RATING_COLUMNS  # noqa: E402
from users.models import MAX_HALF_STARS  # noqa: E402

TASTES = 32
_BREADTH = 0.2
"""Prior of a person's mixture of tastes (Dirichlet's α): higher is of more tastes at once."""
_LIKENESS = 40.0
"""How near a person is to the real one whose tastes theirs are drawn from (Dirichlet)."""
_PEOPLE_AT_A_TIME = 1_024
_MOST_ROUNDS = 6
"""Of drawing films until a person has enough different ones."""
_SAMPLE = 200
"""People who stand for all where the tail of films is sought."""
_MANY = 0.02
"""The share of all films from which on a person's are drawn at once."""
_FIT, _LEANING, _NOISE = 0.4, 0.5, 0.8
"""How much a film's fit to a person counts in stars; how far people's and films' leanings spread,
and the rest."""


@dataclass(frozen=True)
class Block:
    """Some people's ratings: four arrays (n,), people ascending, and films within a person."""

    person: NDArray[np.int64]
    film: NDArray[np.int64]
    half_stars: NDArray[np.int8]
    seconds: NDArray[np.int64]


class Source:
    """What is learnt of a real dataset: tastes, leanings, values and gaps.

    Args:
        data: a dataset with some ten thousand ratings or more.
    """

    def __init__(self, data: Dataset, seed: int = 0) -> None:
        ratings = data.ratings
        self.user_ids, rows = index_ids(ratings.user_ids)
        self.movie_ids, columns = index_ids(ratings.movie_ids)
        self.genres = [data.films[int(movie)].genres for movie in self.movie_ids]
        self.counts = np.bincount(columns)
        order = np.argsort(rows, kind="stable")
        ends = np.cumsum(np.bincount(rows))
        documents = [
            [(int(film), 1) for film in films] for films in np.split(columns[order], ends[:-1])
        ]
        model = LdaModel(
            documents,
            num_topics=TASTES,
            alpha=_BREADTH,
            passes=10,
            random_state=seed,
            minimum_probability=0.0,
        )
        self.people: NDArray[np.float64] = np.asarray(model.inference(documents)[0], float)
        self.people /= self.people.sum(axis=1, keepdims=True)
        """(U, k) each real person's mixture of tastes."""
        self.tastes: NDArray[np.float64] = model.get_topics().astype(float)
        """(k, I) each taste's distribution over the real films."""
        self.values = np.bincount(ratings.values, minlength=MAX_HALF_STARS + 1) / len(ratings)
        """(11,) how frequent each value is, in half stars."""
        self.gaps = _gaps(ratings, rows)
        """(n,) seconds between two ratings that a person gave one after the other."""


def _gaps(ratings: Ratings, rows: NDArray[np.int32]) -> NDArray[np.int64]:
    order = np.lexsort((ratings.rated_at, rows))
    gaps = np.diff(ratings.rated_at[order] // 1_000_000)
    return np.asarray(gaps[np.diff(rows[order]) == 0])


class Generator:
    """Draws a dataset of a shape from what was learnt of a real one."""

    def __init__(self, source: Source, shape: Shape, seed: int = 0) -> None:
        self._source, self.shape = source, shape
        self._random = np.random.default_rng(seed)
        self._counts = shape.counts(self._random)
        parents = self._parents()
        self._genres = [source.genres[parent] for parent in parents]
        # Alike likely for all people on average, whatever the tastes.
        lifts = source.tastes / (source.people.mean(axis=0) @ source.tastes)
        self._lifts = np.ascontiguousarray(lifts[:, parents].T)
        """(films, k) how many times as likely a film is by each taste."""
        people = source.people[self._random.integers(len(source.people), size=_SAMPLE)]
        self._weights = film_weights(shape, self._counts, self._lifts, people)
        by_taste = self._lifts.T * self._weights
        self._cumulative = np.cumsum(by_taste / by_taste.sum(axis=1, keepdims=True), axis=1)
        self._film_leaning = self._random.standard_normal(shape.films)
        self._cuts: NDArray[np.float64] | None = None
        # Film numbers say nothing of how well known the film is.
        self._numbers = 1 + self._random.permutation(shape.films)

    def films(self) -> Iterator[tuple[int, str, str]]:
        """Each film's number, title and genres."""
        first, last = 1920, self.shape.last.year
        years = last - np.abs(self._random.normal(0, 22, self.shape.films)).astype(int)
        for number, year, genres in zip(self._numbers, years, self._genres, strict=True):
            title = f"Film {number} ({max(first, year)})"
            yield int(number), title, "|".join(genres) or "(no genres listed)"

    def blocks(self) -> Iterator[Block]:
        """The ratings, some hundred people at a time."""
        for start in range(0, self.shape.people, _PEOPLE_AT_A_TIME):
            yield self._block(start, self._counts[start : start + _PEOPLE_AT_A_TIME])

    def _block(self, first: int, counts: NDArray[np.int64]) -> Block:
        mixtures = self._mixtures(len(counts))
        people, films = self._choices(mixtures, counts)
        values = self._values(people, films, mixtures)
        seconds = self._seconds(people, len(counts))
        order = np.lexsort((self._numbers[films], people))
        return Block(
            first + 1 + people[order],
            self._numbers[films][order],
            values[order],
            seconds[order],
        )

    def _parents(self) -> NDArray[np.intp]:
        """Each new film's real film (films,): of as high a rank, by how many rated it."""
        by_rank = np.argsort(-self._source.counts, kind="stable")
        return by_rank[np.arange(self.shape.films) * len(by_rank) // self.shape.films]

    def _mixtures(self, people: int) -> NDArray[np.float64]:
        """Tastes (people, k), each near a real person's."""
        real = self._source.people[self._random.integers(len(self._source.people), size=people)]
        drawn = self._random.standard_gamma(_LIKENESS * real + 1e-3)
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))

    def _choices(
        self, mixtures: NDArray[np.float64], counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Who rated what (n,), (n,): `counts` different films a person, drawn one by one."""
        done: list[NDArray[np.int64]] = []
        pairs = np.empty(0, dtype=np.int64)
        films = self.shape.films
        missing = np.where(counts > films * _MANY, 0, counts)
        for _ in range(_MOST_ROUNDS):
            if not missing.any():
                break
            drawn = np.concatenate([pairs, self._draw(mixtures, 2 * missing)])
            # The first draw of a pair counts, so that what was kept stays.
            drawn = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
            drawn = drawn[_first_of_each(drawn // films, counts)]
            still = counts - np.bincount(drawn // films, minlength=len(counts))
            missing = np.where(missing > 0, still, 0)
            is_open = missing[drawn // films] > 0
            done.append(drawn[~is_open])
            pairs = drawn[is_open]
        # Who has seen nearly all that they like is left to the exact way too.
        for person in np.flatnonzero((missing > 0) | (counts > films * _MANY)):
            chosen = self._without_replacement(mixtures[person], counts[person])
            done.append(person * films + chosen)
        everything = np.concatenate(done)
        return everything // films, everything % films

    def _draw(self, mixtures: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """So many films for each person, with repetitions, as person · films + film."""
        by_taste = self._random.multinomial(counts, mixtures)
        pairs = []
        for taste, cumulative in enumerate(self._cumulative):
            people = np.repeat(np.arange(len(counts)), by_taste[:, taste])
            films = np.searchsorted(cumulative, self._random.random(len(people)))
            pairs.append(people * self.shape.films + np.minimum(films, self.shape.films - 1))
        return self._random.permutation(np.concatenate(pairs))

    def _without_replacement(self, mixture: NDArray[np.float64], count: int) -> NDArray[np.int64]:
        """The same at once for one person: the first of exponential arrival times.

        Efraimidis, Spirakis, "Weighted random sampling with a reservoir", IPL 97(5), 2006.
        """
        rates = self._weights * (self._lifts @ mixture)
        arrivals = self._random.standard_exponential(len(rates)) / rates
        return np.argpartition(arrivals, count - 1)[:count]

    def _values(
        self, people: NDArray[np.int64], films: NDArray[np.int64], mixtures: NDArray[np.float64]
    ) -> NDArray[np.int8]:
        """Half stars (n,), each value as frequent as in the real data."""
        fit = np.log(np.einsum("nk,nk->n", self._lifts[films], mixtures[people]))
        leaning = self._random.standard_normal(len(mixtures))
        liking = (
            _FIT * fit
            + _LEANING * (leaning[people] + self._film_leaning[films])
            + _NOISE * self._random.standard_normal(len(people))
        )
        if self._cuts is None:
            self._cuts = np.quantile(liking, np.cumsum(self._source.values)[:-1])
        known = np.flatnonzero(self._source.values)
        # The cuts are those of the first block: a later one may go beyond its lowest and highest.
        found = np.searchsorted(self._cuts, liking).clip(known[0], known[-1])
        return found.astype(np.int8)

    def _seconds(self, people: NDArray[np.int64], number: int) -> NDArray[np.int64]:
        """Times (n,): a person begins on any day, and goes on in the real gaps until the last."""
        first, last = (int(day.timestamp()) for day in (self.shape.first, self.shape.last))
        order = np.argsort(people, kind="stable")
        owners = people[order]
        since = np.cumsum(self._random.choice(self._source.gaps, len(people)))
        since -= since[np.searchsorted(owners, np.arange(number))][owners]
        spans = np.zeros(number, dtype=np.int64)
        np.maximum.at(spans, owners, since)
        beginnings = self._random.integers(first, last, number)
        # Who would go on beyond the last day rates faster instead.
        pace = np.minimum(1.0, (last - beginnings) / np.maximum(spans, 1))
        seconds = np.empty(len(people), dtype=np.int64)
        seconds[order] = beginnings[owners] + (since * pace[owners]).astype(np.int64)
        return seconds


def _first_of_each(owners: NDArray[np.int64], most: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the rows (n,) are among the first `most` (people,) of their owner's."""
    order = np.argsort(owners, kind="stable")
    counts = np.bincount(owners, minlength=len(most))
    place = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    keep = np.empty(len(owners), dtype=np.bool_)
    keep[order] = place < most[owners[order]]
    return keep


def film_weights(
    shape: Shape,
    counts: NDArray[np.int64],
    lifts: NDArray[np.float64],
    people: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How likely each film is to be rated next (films,), whatever the tastes, descending.

    A log-normal tail that levels off at both ends: 1 / (exp(−σz) + 1/c) + one rating. Its σ and c
    are those at which the expected numbers of ratings have the published Gini index and highest
    value, where `people` (p, k) by tastes rate as many films as the quantiles of `counts`, of films
    with `lifts` (films, k).
    """
    normal = ndtri(1 - (np.arange(shape.films) + 0.5) / shape.films)
    many = np.quantile(counts, (np.arange(len(people)) + 0.5) / len(people))
    # The best known films one by one, of the others fewer and fewer, which stand for more and more.
    films = np.unique(np.geomspace(1, shape.films, 1_500).astype(int)) - 1
    shares = np.diff(np.append(films, shape.films))
    appeal = people @ lifts[films].T

    def tail(
        sigma: float, log_top: float, z: NDArray[np.float64], shares: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        weights = 1 / (np.exp(-sigma * z) + np.exp(-log_top))
        # Somebody knows even the least known, or the dataset would not have it.
        return np.asarray(weights + weights @ shares / shape.ratings)

    def misses(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sigma, log_top = values
        weights = tail(sigma, log_top, normal[films], shares)
        expected = _expected(weights * appeal, shares, many) * shape.people / len(people)
        ratio = np.max(expected) / shape.best_known
        return np.array([_gini_of(expected, shares) - shape.film_gini, np.log(ratio)])

    sigma, log_top = least_squares(misses, x0=(2.0, 4.0), bounds=((0.1, -3), (8, 20))).x
    return tail(sigma, log_top, normal, np.ones(shape.films, dtype=np.int64))


def _expected(
    rates: NDArray[np.float64], shares: NDArray[np.int64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Expected ratings (f,) of films by people who rate `counts` (p,) different ones.

    A film that a person comes to at rate r (p, f) is among their first n with probability
    1 − exp(−rt), t such that n are expected. Of films like each there are `shares` (f,).
    """
    low, high = np.full(len(counts), 1e-9), np.full(len(counts), 1e12)
    for _ in range(50):
        middle = np.sqrt(low * high)
        enough = (1 - np.exp(-middle[:, None] * rates)) @ shares > counts
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray((1 - np.exp(-high[:, None] * rates)).sum(axis=0))


def _gini_of(values: NDArray[np.float64], shares: NDArray[np.int64]) -> float:
    """The Gini index of values (f,), each of which occurs `shares` (f,) times."""
    order = np.argsort(values)
    lorenz = np.concatenate([[0.0], np.cumsum((values * shares)[order])])
    return float(1 - (shares[order] * (lorenz[1:] + lorenz[:-1])).sum() / shares.sum() / lorenz[-1])


def gini(counts: NDArray[np.int64]) -> float:
    """The Gini index of how many ratings each film has (films,)."""
    return _gini_of(counts.astype(np.float64), np.ones(len(counts), dtype=np.int64))


def write(generator: Generator, folder: Path) -> None:
    """Write the dataset in MovieLens's form: movies.csv and ratings.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers, titles, genres = zip(*generator.films(), strict=True)
    columns = dict(zip(("movieId", "title", "genres"), (numbers, titles, genres), strict=True))
    arrow_csv.write_csv(pa.table(columns), folder / "movies.csv")
    kinds = (pa.int64(), pa.int64(), pa.float64(), pa.int64())
    schema = pa.schema(list(zip(RATING_COLUMNS, kinds, strict=True)))
    # Whoever finds the file finds it whole.
    unfinished = folder / "ratings.csv.new"
    with arrow_csv.CSVWriter(unfinished, schema) as writer:
        for block in generator.blocks():
            stars = block.half_stars / 2
            columns_of_block = (block.person, block.film, stars, block.seconds)
            writer.write_table(pa.table(list(map(pa.array, columns_of_block)), schema=schema))
    unfinished.rename(folder / "ratings.csv")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a dataset of the shape asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, help="the real dataset; the packaged sample if not")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    source = Source(dataset.read(options.data), options.seed)
    write(Generator(source, SHAPES[options.shape], options.seed), options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
