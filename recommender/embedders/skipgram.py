"""Word2Vec over any sequences, by gensim: of films, of a graph's nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.embedders.base import Progress
from recommender.parameters import Parameters, number

_LONGEST = 10_000
"""gensim passes over what follows in a longer sequence."""


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about skip-gram, whatever it is of."""

    dimension: int = number(64, 2, 1024)
    """Length d of a vector."""

    window: int = number(10, 1, 1000)
    """How many places before and after one are its context; at each a number up to it is drawn."""

    epochs: int = number(10, 1, 200)
    """How often all sequences are gone through."""

    negative: int = number(5, 1, 50)
    """Others that are drawn against each one that does stand in the context."""

    learning_rate: float = number(0.025, 1e-4, 1.0)
    """How far each pair moves the vectors, at first; it falls to almost nothing."""

    seed: int = number(0, 0, 2**31 - 1)
    """Start of the random numbers. The same seed gives the same vectors."""


class EachEpoch:
    """Tells a `Progress` of gensim's epochs; what it raises ends the training."""

    def __init__(self, progress: Progress, epochs: int, start: float = 0.0) -> None:
        self._progress, self._epochs, self._start = progress, epochs, start
        self._done = 0

    def on_train_begin(self, model: Any) -> None:
        """Told by gensim."""

    def on_train_end(self, model: Any) -> None:
        """Told by gensim."""

    def on_epoch_begin(self, model: Any) -> None:
        """Told by gensim."""
        fraction = self._start + (1 - self._start) * self._done / self._epochs
        self._progress(fraction, f"epoch {self._done + 1} of {self._epochs}")

    def on_epoch_end(self, model: Any) -> None:
        """Told by gensim."""
        self._done += 1


def learn(
    sequences: Sequence[NDArray[np.integer[Any]]],
    settings: Settings,
    progress: Progress,
    start: float = 0.0,
    subsampling: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The distinct numbers (n,) in the sequences, ascending, and their vectors (n, d).

    Skip-gram with negative sampling (Mikolov, Sutskever, Chen, Corrado, Dean, NIPS 2013). Those
    whose share f of all places is over `subsampling` t are passed over at times, so that they are
    kept with probability √(t/f) + t/f; 0 keeps all. `progress` goes on from `start`.

    One thread works, as several would come to other vectors each time.
    Raises ValueError where there is nothing to learn from.
    """
    from gensim.models import Word2Vec

    pieces = [
        piece.astype(str).tolist()
        for sequence in sequences
        for piece in np.split(sequence, range(_LONGEST, len(sequence), _LONGEST))
    ]
    if not any(len(piece) > 1 for piece in pieces):
        raise ValueError("sequences: there is nothing to learn from")
    model = Word2Vec(
        pieces,
        sg=1,
        vector_size=settings.dimension,
        window=settings.window,
        epochs=settings.epochs,
        negative=settings.negative,
        alpha=settings.learning_rate,
        sample=subsampling,
        min_count=1,
        workers=1,
        seed=settings.seed,
        callbacks=[EachEpoch(progress, settings.epochs, start)],
    )
    keys = np.array(model.wv.index_to_key, dtype=np.int64)
    order = np.argsort(keys)
    return keys[order], model.wv.vectors[order]
