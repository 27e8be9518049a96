"""One file a technique, and one line here: which space it fills, and under which name.

A space's first technique is its default. A model version keeps its space and its technique's name.
"""

from recommender.embedders.als import ImplicitALS
from recommender.embedders.base import (
    Embedder,
    Embedding,
    FilmEmbedder,
    FilmEmbedding,
    FoldIn,
    Joined,
    Progress,
    Rated,
    Resumable,
    TextEmbedder,
    Unavailable,
    WordVectors,
    silent,
)
from recommender.embedders.blend import Blend
from recommender.embedders.bpr import BayesianRanking
from recommender.embedders.deepwalk import DeepWalk
from recommender.embedders.doc2vec import Doc2Vec
from recommender.embedders.ease import ReducedRankEASE
from recommender.embedders.fasttext import FastText
from recommender.embedders.glove import GloVe
from recommender.embedders.item2vec import Item2Vec
from recommender.embedders.logistic import LogisticFactorization
from recommender.embedders.minilm import MiniLM
from recommender.embedders.spark import SparkALS
from recommender.embedders.static import StaticEncoder

EMBEDDERS: dict[str, type[Embedder]] = {
    "blend": Blend,
    "als": ImplicitALS,
    "ease": ReducedRankEASE,
    "bpr": BayesianRanking,
    "logistic": LogisticFactorization,
    "spark": SparkALS,
}
"""Of the space `taste`; the first is the best of them, by docs/quality.md."""

FILM_EMBEDDERS: dict[str, dict[str, type[FilmEmbedder]]] = {
    "neighbours": {
        "item2vec": Item2Vec,
    },
    "words": {
        "fasttext": FastText,
        "glove": GloVe,
    },
    "story": {
        "static": StaticEncoder,
        "doc2vec": Doc2Vec,
        "minilm": MiniLM,
    },
    "people": {
        "deepwalk": DeepWalk,
    },
}
"""Of each space that knows films alone; docs/spaces.md compares them."""

DEFAULT = next(iter(EMBEDDERS))


def techniques(space: str) -> list[str]:
    """The names of the techniques that fill the space, the default first."""
    return list(EMBEDDERS if space == "taste" else FILM_EMBEDDERS.get(space, {}))


def lacking(space: str, technique: str) -> str:
    """What to install before the technique can learn, as a sentence; empty where all is there.

    Some find that out only when they learn, and raise Unavailable.
    """
    known = EMBEDDERS if space == "taste" else FILM_EMBEDDERS[space]
    ask = getattr(known[technique], "lacking", None)
    return ask() if ask else ""


def default(space: str) -> str:
    """The technique that fills the space unless another is asked for.

    Raises ValueError where there is none.
    """
    for name in techniques(space):
        return name
    raise ValueError(f"embedder: no technique for the space {space!r} is installed")


__all__ = [
    "DEFAULT",
    "EMBEDDERS",
    "FILM_EMBEDDERS",
    "Embedder",
    "Embedding",
    "FilmEmbedder",
    "FilmEmbedding",
    "FoldIn",
    "Joined",
    "Progress",
    "Rated",
    "Resumable",
    "TextEmbedder",
    "Unavailable",
    "WordVectors",
    "default",
    "lacking",
    "silent",
    "techniques",
]
