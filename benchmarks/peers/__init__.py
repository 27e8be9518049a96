"""Other packages' recommenders, tuned and fitted by themselves: what `quality` compares with.

They run in a process and an environment of their own (`requirements/benchmarks.txt`), which sees
the training ratings and nothing else.
"""

import importlib

from benchmarks.peers.base import Peer, TooLarge

__all__ = ["PLACES", "Peer", "TooLarge", "find"]

PLACES = {
    "popular": "benchmarks.peers.popular:MostPopular",
    "itemknn": "benchmarks.peers.from_implicit:ItemKNN",
    "als": "benchmarks.peers.from_implicit:ALS",
    "bpr": "benchmarks.peers.from_implicit:BPR",
    "ease": "benchmarks.peers.from_lenskit:EASE",
    "implicitmf": "benchmarks.peers.from_lenskit:ImplicitMF",
}
"""Where each peer's class is: imported when it is wanted, for not every package is installed."""


def find(name: str) -> Peer:
    """The peer of this name. Raises ImportError where its package is not installed."""
    module, _, kind = PLACES[name].partition(":")
    peer: Peer = getattr(importlib.import_module(module), kind)()
    return peer
