"""Word vectors from how often words stand near each other: GloVe."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.catalogue import Material
from recommender.embedders import words
from recommender.embedders.base import FilmEmbedding, Progress, silent
from recommender.parameters import Configured, number

_COUNTING = 0.25
"""Share of the time that reading and counting take."""

_BATCHES = 16
"""Steps in an epoch; each sees as many of the pairs."""

_CEILING = 10.0
_EXPONENT = 0.75
"""How much a pair that stands together x times counts: (x / ceiling)^exponent, at most 1."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Settings(words.Settings):
    """What a person may choose about GloVe."""

    epochs: int = number(25, 1, 500)
    """How often all pairs of words are gone through."""

    window: int = number(20, 1, 100)
    """How far from each other two words may stand; the farther, the less it counts (1 / places)."""

    least: float = number(0.5, 0.0, 100.0)
    """Pairs that stand together less are passed over: they are most of all, and say little."""

    learning_rate: float = number(0.2, 1e-4, 1.0)
    """Of AdaGrad: the length of the first step."""


class GloVe(Configured[Settings]):
    r"""Vectors whose inner products are the logarithms of how often words stand together.

    Minimizes Σ f(x_ij) (w_i·c_j + b_i + b_j − log x_ij)² over pairs of words that stand within a
    window, x_ij the sum of 1 / places between them, by AdaGrad; a word is w + c (Pennington,
    Socher, Manning, "GloVe: Global Vectors for Word Representation", EMNLP 2014). No package that
    is still kept carries it. Films and names as in `fasttext`; a word never seen has no place.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`."""
        settings = self._settings
        progress(0.0, "the words")
        told = words.Told.of(material.films, settings.fewest)
        sentences = list(told.sentences())
        words.require(sentences, settings.fewest)
        occurrences = Counter(chain.from_iterable(sentences))
        vocabulary = [w for w, count in occurrences.most_common() if count >= settings.fewest]
        progress(_COUNTING / 2, "which words stand together")
        together = cooccurrences(sentences, vocabulary, settings.window)
        together.data[together.data < settings.least] = 0
        together.eliminate_zeros()

        def later(fraction: float, message: str, /) -> None:
            progress(_COUNTING + (1 - _COUNTING) * fraction, message)

        vectors = learn(together, settings, later)
        progress(1.0, "fitted")
        return told.embedding(material.films, vocabulary, vectors, settings)


def cooccurrences(
    sentences: list[words.Tokens], vocabulary: list[str], window: int
) -> sparse.csr_matrix:
    """(w, w) symmetric: the sum of 1 / places between two words over all the places they share."""
    numbers = {word: number for number, word in enumerate(vocabulary)}
    known = [[numbers[word] for word in sentence if word in numbers] for sentence in sentences]
    text = np.fromiter(chain.from_iterable(known), dtype=np.int32)
    sentence = np.repeat(np.arange(len(known)), [len(part) for part in known])
    shape = (len(vocabulary), len(vocabulary))
    nothing = np.empty(0, dtype=np.int32)
    total = sparse.csr_matrix((nothing.astype(np.float32), (nothing, nothing)), shape=shape)
    for distance in range(1, min(window, len(text) - 1) + 1):
        same = sentence[distance:] == sentence[:-distance]
        first, second = text[:-distance][same], text[distance:][same]
        shares = np.full(len(first), 1 / distance, dtype=np.float32)
        total = total + sparse.csr_matrix((shares, (first, second)), shape=shape)
    return sparse.csr_matrix(total + total.T)


def learn(together: sparse.csr_matrix, settings: Settings, progress: Progress) -> Matrix:
    """(w, d) the vectors of words that stand together so often (w, w).

    Raises ValueError where none do.
    """
    if not together.nnz:
        raise ValueError("films: there is nothing to learn from")
    random = np.random.default_rng(settings.seed)
    count, size = together.shape[0], settings.dimension
    pairs = together.tocoo()
    logarithms = np.log(pairs.data)
    importance = np.minimum((pairs.data / _CEILING) ** _EXPONENT, 1)
    # A bias is one more coordinate, against a 1 of the other side.
    word, context = (_Side.start(count, size, random) for _ in range(2))
    for epoch in range(settings.epochs):
        progress(epoch / settings.epochs, f"epoch {epoch + 1} of {settings.epochs}")
        for batch in np.array_split(random.permutation(len(logarithms)), _BATCHES):
            rows, columns = pairs.row[batch], pairs.col[batch]
            foreseen = (word.vectors[rows] * context.vectors[columns]).sum(axis=1)
            foreseen += word.biases[rows] + context.biases[columns]
            errors = importance[batch] * (foreseen - logarithms[batch])
            slope = sparse.csr_matrix((errors, (rows, columns)), shape=together.shape)
            downhill = word.slopes(slope, context), context.slopes(slope.T.tocsr(), word)
            word.step(*downhill[0], settings.learning_rate)
            context.step(*downhill[1], settings.learning_rate)
    return word.vectors + context.vectors


@dataclass
class _Side:
    """The vectors (w, d) and biases (w,) of words, or of their contexts, and AdaGrad's memory."""

    vectors: Matrix
    biases: Matrix
    vector_squares: Matrix
    bias_squares: Matrix

    @classmethod
    def start(cls, count: int, size: int, random: np.random.Generator) -> "_Side":
        vectors = (random.random((count, size), dtype=np.float32) - np.float32(0.5)) / np.float32(
            size
        )
        biases = np.zeros(count, dtype=np.float32)
        return cls(vectors, biases, np.full_like(vectors, 1e-8), np.full_like(biases, 1e-8))

    def slopes(self, errors: sparse.csr_matrix, other: "_Side") -> tuple[Matrix, Matrix]:
        """Of the error by the vectors and by the biases; `errors` (w, w) has this side's rows."""
        return errors @ other.vectors, np.asarray(errors.sum(axis=1), dtype=np.float32).ravel()

    def step(self, by_vectors: Matrix, by_biases: Matrix, rate: float) -> None:
        """AdaGrad (Duchi, Hazan, Singer, JMLR 2011)."""
        self.vector_squares += by_vectors * by_vectors
        self.bias_squares += by_biases * by_biases
        self.vectors -= rate * by_vectors / np.sqrt(self.vector_squares)
        self.biases -= rate * by_biases / np.sqrt(self.bias_squares)
