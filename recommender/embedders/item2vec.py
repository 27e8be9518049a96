"""Films as words, and what a person rated one after another as a sentence."""

from dataclasses import dataclass

import numpy as np

from recommender.catalogue import Material
from recommender.embedders import pooling, skipgram
from recommender.embedders.base import FilmEmbedding, Progress, silent
from recommender.interactions import Ids, Ratings
from recommender.parameters import Configured, number


@dataclass(frozen=True)
class Settings(skipgram.Settings):
    """What a person may choose. Chosen by measuring, as Caselles-Dupré, Lesaint, Royo-Letelier
    (RecSys 2018) found that defaults made for language are far from the best; see docs/spaces.md.
    """

    dimension: int = number(32, 2, 1024)
    """Length d of a vector. A hundred thousand ratings bear no more; millions do."""

    subsampling: float = number(1e-4, 0.0, 1.0)
    """Films with a higher share of all ratings are passed over at times, so that the best known
    do not fill every window. Language has 1e-3; here a tenth was better. 0 passes over none."""


class Item2Vec(Configured[Settings]):
    """Skip-gram with negative sampling over what people rated, in the order in which they did.

    Barkan, Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", 2016
    (arXiv 1603.04259). All ratings count, low ones too: to have rated a film says that one watched
    it, which is what this space is of. Ratings of one moment stand in a random order.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`. Films that nobody rated have no place."""
        settings = self._settings
        sessions = _sessions(material.ratings, settings.seed)
        movie_ids, vectors = skipgram.learn(
            sessions, settings, progress, subsampling=settings.subsampling
        )
        progress(1.0, "fitted")
        saw = (
            f"what {len(sessions):,} people rated, in its order: {len(material.ratings):,} ratings"
        )
        return pooling.film_embedding(movie_ids, vectors, saw)


def _sessions(ratings: Ratings, seed: int) -> list[Ids]:
    """What each person rated, in the order of time."""
    chance = np.random.default_rng(seed).random(len(ratings))
    order = np.lexsort((chance, ratings.rated_at, ratings.user_ids))
    ends = np.flatnonzero(np.diff(ratings.user_ids[order])) + 1
    return [session for session in np.split(ratings.movie_ids[order], ends) if len(session)]
