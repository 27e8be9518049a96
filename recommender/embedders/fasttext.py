"""Word vectors that know the parts of words, by gensim's FastText."""

from dataclasses import dataclass

from recommender.catalogue import Material
from recommender.embedders import words
from recommender.embedders.base import FilmEmbedding, Progress, silent
from recommender.embedders.skipgram import EachEpoch
from recommender.parameters import Configured, number

_READING = 0.1
"""Share of the time that taking texts apart takes."""


@dataclass(frozen=True)
class Settings(words.Settings):
    """What a person may choose about FastText."""

    window: int = number(20, 1, 1000)
    """How many words before and after one are its context; at each a number up to it is drawn.
    With 5, as for language, words of one kind are near; with 20 words of one subject are."""

    negative: int = number(3, 1, 50)
    """Words that are drawn against each one that does stand in the context."""

    subsampling: float = number(1e-4, 0.0, 1.0)
    """Words with a higher share of all words are passed over at times."""

    learning_rate: float = number(0.05, 1e-4, 1.0)
    """How far each pair of words moves their vectors, at first; it falls to almost nothing."""

    letters: int = number(4, 2, 10)
    """Letters in a part of a word."""

    buckets: int = number(20_000, 100, 2_000_000)
    """Vectors that the parts of words share."""


class FastText(Configured[Settings]):
    """Skip-gram with negative sampling, where a word is the mean of itself and of its parts.

    Bojanowski, Grave, Joulin, Mikolov, "Enriching Word Vectors with Subword Information", TACL
    2017. So a misspelt or new word has a place through its parts. A film is one sentence: title,
    genres, people, overview; names are one word each. `Told.embedding` makes films of words.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`."""
        from gensim.models import FastText as Model

        settings = self._settings
        progress(0.0, "the words")
        told = words.Told.of(material.films, settings.fewest)
        sentences = list(told.sentences())
        words.require(sentences, settings.fewest)
        # One thread works, as several would come to other vectors each time.
        model = Model(
            sentences,
            sg=1,
            vector_size=settings.dimension,
            window=settings.window,
            epochs=settings.epochs,
            negative=settings.negative,
            sample=settings.subsampling,
            alpha=settings.learning_rate,
            min_count=settings.fewest,
            min_n=settings.letters,
            max_n=settings.letters,
            bucket=settings.buckets,
            workers=1,
            seed=settings.seed,
            callbacks=[EachEpoch(progress, settings.epochs, _READING)],
        )
        progress(1.0, "fitted")
        grams = words.Grams(model.wv.vectors_ngrams, settings.letters)
        return told.embedding(
            material.films, model.wv.index_to_key, model.wv.vectors, settings, grams
        )
