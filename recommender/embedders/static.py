"""Sentence embedding with a table of token vectors, which a package carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.catalogue import Films, Material
from recommender.embedders import pooling
from recommender.embedders.base import FilmEmbedding, Progress, Unavailable, silent
from recommender.parameters import Configured, Parameters, number

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"

_BATCH = 2000
"""Texts cut into tokens between two looks at `progress`."""

_QUERY_SMOOTHING = 3e-3
_COMMON = 0.8
"""In a query, tokens whose weight would be higher than this count whole."""


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose. Found on plain descriptions of 124 films; see docs/spaces.md."""

    smoothing: float = number(1e-4, 1e-7, 1.0)
    """How rare a token must be, by its share of all tokens, to count half as much as the rarest:
    the lower, the less the words count that stand in every overview ("is an American film")."""

    title_weight: float = number(0.25, 0.0, 10.0)
    """What a token of the title counts beside one of the overview."""

    genre_weight: float = number(1.0, 0.0, 10.0)
    """What a token of a genre's name counts beside one of the overview."""


class StaticEncoder(Configured[Settings]):
    """A text is the mean of the vectors of its tokens.

    The vectors are those of the package `wordllama` (github.com/dleemiller/WordLlama, 256
    numbers for each of 32,000 tokens): token embeddings of large language models, trained further
    so that means of them tell which sentences are alike. Of the package only its two files are
    read: importing it would bring a client for the web, and change the process's logging.

    A film's tokens are weighted by smooth inverse frequency, and what all films have in common is
    taken off (Arora, Liang, Ma, ICLR 2017). In a query only the most frequent tokens weigh less
    ("film", "the"): it is not told as films are.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`."""
        films = material.films
        table = _table()
        occurrences = self._occurrences(films, table, progress)
        totals = np.asarray(occurrences.sum(axis=0), dtype=np.float32).ravel()
        weights = pooling.smooth_inverse_frequency(totals, self._settings.smoothing)
        vectors = occurrences @ (table.vectors * weights[:, None])
        progress(1.0, "encoded")
        return pooling.film_embedding(
            films.movie_ids,
            pooling.without_common_direction(vectors),
            f"titles, genres and overviews of {len(films):,} films",
            numbers=_common_tokens(totals),
        )

    @staticmethod
    def encode(texts: Sequence[str], numbers: Mapping[str, Any]) -> NDArray[np.float32]:
        """See `base.TextEmbedder`; a text without a token has zeros."""
        table = _table()
        weights = np.ones(len(table.vectors), dtype=np.float32)
        weights[numbers["common_tokens"]] = numbers["their_weights"]
        tokens = [table.tokens(text) for text in texts]
        pooled = [weights[text] @ table.vectors[text] for text in tokens]
        return pooling.normalized(np.array(pooled, dtype=np.float32))

    def _occurrences(self, films: Films, table: "_Table", progress: Progress) -> sparse.csr_matrix:
        """(n, tokens) how often each token occurs in what is told of each film, weighted."""
        blocks = []
        for start in range(0, len(films), _BATCH):
            progress(0.9 * start / len(films), f"{start:,} of {len(films):,} films")
            part = slice(start, start + _BATCH)
            genres = [", ".join(names) for names in films.genres[part]]
            blocks.append(
                table.counts(films.overviews[part])
                + self._settings.title_weight * table.counts(films.titles[part])
                + self._settings.genre_weight * table.counts(genres)
            )
        if not blocks:
            raise ValueError("films: there is nothing to learn from")
        return sparse.csr_matrix(sparse.vstack(blocks))


@dataclass(frozen=True)
class _Table:
    """The token vectors, and what cuts texts into tokens."""

    vectors: NDArray[np.float32]
    """(t, 256)"""
    tokenizer: "Tokenizer"

    def tokens(self, text: str) -> NDArray[np.int32]:
        """The numbers of a text's tokens."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        return np.asarray(encoding.ids, dtype=np.int32)

    def counts(self, texts: list[str]) -> sparse.csr_matrix:
        """(n, t) how often each token occurs in each text."""
        encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        tokens = [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]
        return pooling.counts(tokens, len(self.vectors))


def _common_tokens(totals: NDArray[np.float32]) -> dict[str, Any]:
    """What `encode` needs to know of tokens that occur so often (t,)."""
    weights = pooling.smooth_inverse_frequency(totals, _QUERY_SMOOTHING)
    common = np.flatnonzero(weights < _COMMON)
    return {
        "common_tokens": common.tolist(),
        "their_weights": weights[common].round(3).tolist(),
    }


@lru_cache(maxsize=1)
def _table() -> _Table:
    """The package's table; it takes a tenth of a second and 50 MB, once a process."""
    package = util.find_spec("wordllama")
    if package is None or not package.submodule_search_locations:
        raise Unavailable("The package wordllama is not installed: pip install wordllama")
    from safetensors import numpy as safetensors
    from tokenizers import Tokenizer

    folder = Path(package.submodule_search_locations[0])
    vectors = safetensors.load_file(folder / _WEIGHTS)["embedding.weight"].astype(np.float32)
    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _Table(vectors, tokenizer)
