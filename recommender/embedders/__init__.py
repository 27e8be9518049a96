"""One file a technique. `EMBEDDERS` finds a technique by the name a model version keeps."""

from recommender.embedders.als import ImplicitALS
from recommender.embedders.base import Embedder, Embedding, Progress, silent

EMBEDDERS: dict[str, type[Embedder]] = {"als": ImplicitALS}

__all__ = ["EMBEDDERS", "Embedder", "Embedding", "ImplicitALS", "Progress", "silent"]
