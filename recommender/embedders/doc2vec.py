"""Document vectors by gensim's Doc2Vec."""

from dataclasses import dataclass

import numpy as np

from recommender.catalogue import Material
from recommender.embedders import pooling, words
from recommender.embedders.base import FilmEmbedding, Progress, silent
from recommender.embedders.skipgram import EachEpoch
from recommender.parameters import Configured, Parameters, number

_READING = 0.1
"""Share of the time that taking texts apart takes."""


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about Doc2Vec."""

    dimension: int = number(64, 2, 1024)
    """Length d of a vector."""

    epochs: int = number(20, 1, 500)
    """How often all texts are gone through."""

    negative: int = number(5, 1, 50)
    """Words that are drawn against each one that does stand in the text."""

    fewest: int = number(5, 1, 1000)
    """Rarer words are passed over."""

    subsampling: float = number(1e-4, 0.0, 1.0)
    """Words with a higher share of all words are passed over at times."""

    learning_rate: float = number(0.05, 1e-4, 1.0)
    """How far each word moves its text's vector, at first; it falls to almost nothing."""

    seed: int = number(0, 0, 2**31 - 1)
    """Start of the random numbers. The same seed gives the same vectors."""


class Doc2Vec(Configured[Settings]):
    """A film's vector is the one that best foretells the words of its title, genres and overview.

    Distributed bag of words (PV-DBOW: Le, Mikolov, "Distributed Representations of Sentences and
    Documents", ICML 2014, §2.3), which is all there is to learn where the texts are what counts.
    Films without an overview have no place: a title says too little for a vector of its own.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`."""
        from gensim.models.doc2vec import Doc2Vec as Model
        from gensim.models.doc2vec import TaggedDocument

        settings, films = self._settings, material.films
        progress(0.0, "the words")
        told = words.Told.of(films, settings.fewest)
        texts = [
            [*title, *genres, *overview]
            for title, genres, overview in zip(
                told.titles, told.genres, told.overviews, strict=True
            )
        ]
        rows = np.flatnonzero([bool(overview) for overview in films.overviews])
        words.require([texts[row] for row in rows], settings.fewest)
        # One thread works, as several would come to other vectors each time.
        model = Model(
            [TaggedDocument(texts[row], [tag]) for tag, row in enumerate(rows)],
            dm=0,
            vector_size=settings.dimension,
            epochs=settings.epochs,
            negative=settings.negative,
            min_count=settings.fewest,
            sample=settings.subsampling,
            alpha=settings.learning_rate,
            workers=1,
            seed=settings.seed,
            callbacks=[EachEpoch(progress, settings.epochs, _READING)],
        )
        progress(1.0, "fitted")
        saw = f"titles, genres and overviews of {len(rows):,} films"
        return pooling.film_embedding(films.movie_ids[rows], model.dv.vectors, saw)
