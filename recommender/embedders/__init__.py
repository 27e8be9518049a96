"""One file a technique. `EMBEDDERS` finds a technique by the name a model version keeps."""

from recommender.embedders.als import ImplicitALS
from recommender.embedders.base import Embedder, Embedding, FoldIn, Progress, Rated, silent
from recommender.embedders.blend import Blend
from recommender.embedders.bpr import BayesianRanking
from recommender.embedders.ease import ReducedRankEASE
from recommender.embedders.logistic import LogisticFactorization

EMBEDDERS: dict[str, type[Embedder]] = {
    "blend": Blend,
    "als": ImplicitALS,
    "ease": ReducedRankEASE,
    "bpr": BayesianRanking,
    "logistic": LogisticFactorization,
}

DEFAULT = "blend"
"""The best of them, by docs/quality.md."""

__all__ = ["DEFAULT", "EMBEDDERS", "Embedder", "Embedding", "FoldIn", "Progress", "Rated", "silent"]
