"""The ways in which quality is asked after: what is held out, and what of it is relevant.

What is held out here is looked at once, when everything is trained. Settings are chosen on parts of
the training ratings, which each protocol's `tuning` holds out of those alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

from recommender.interactions import Ratings, Weighting
from recommender.training import tuning
from recommender.training.splits import Split, random_split, time_split

RELEVANCE = Weighting()
"""Whose middle decides what is liked: one yardstick, whatever is being measured."""


@dataclass(frozen=True)
class Protocol:
    """One way to ask."""

    name: str
    summary: str
    split: Callable[[Ratings, int], Split]
    """Ratings and a seed to training and test."""
    tuning: tuning.Protocol
    """How settings are judged, within training."""

    @property
    def liked_only(self) -> bool:
        """Whether only held-out ratings that the user liked are relevant, or all."""
        return self.tuning.liked_only


def _spared(ratings: Ratings, seed: int) -> Split:
    """Hold out a fifth at random; half of it is the test, the other half is never looked at."""
    split = random_split(ratings, seed=seed)
    return Split(split.training, random_split(split.held_out, 0.5, fewest=2, seed=seed).held_out)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "random",
            "A random 20 % of each user's ratings held out, all of them relevant.",
            lambda ratings, seed: random_split(ratings, seed=seed),
            tuning.PUBLISHED,
        ),
        Protocol(
            "time",
            "Each user's latest 20 % of ratings held out, those that the user liked relevant.",
            lambda ratings, seed: time_split(ratings, seed=seed),
            tuning.SITE,
        ),
        Protocol(
            "published",
            "A random 80 % of each user's ratings to train on and 10 % held out, all relevant;"
            " the other 10 % go unused, as the validation part of published tables does.",
            _spared,
            tuning.PUBLISHED,
        ),
    )
}
"""By name. `published` gives the figures of papers that split 80/10/10: half as many relevant
movies a user as `random`, and so a lower NDCG for the very same model."""
