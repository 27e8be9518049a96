"""One protocol's table: every recommender on the same split, asked once, measured alike."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import marquee, peers
from benchmarks.dataset import Dataset
from benchmarks.peers import tournament
from benchmarks.peers.tournament import LONGEST, Entry
from benchmarks.protocols import RELEVANCE, Protocol
from benchmarks.table import ACCURACY
from recommender.config.stack import BASE_DIR
from recommender.interactions import Interactions, Ratings, index_ids
from recommender.training.evaluation import Lists, Outcome, Question, judge
from recommender.training.intervals import mean_interval, paired_interval
from recommender.training.splits import Split

MARQUEE = "marquee"
"""The name of Marquee's own rows, beside those of the peers."""

ALL = (*peers.PLACES, MARQUEE)

PEERS_PYTHON = BASE_DIR / ".venv-benchmarks" / "bin" / "python"
"""The peers' own environment, where it is there."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What every row is given alike."""

    minutes: float
    trials: int
    seed: int = 0
    names: Sequence[str] = ALL
    python: str = str(PEERS_PYTHON) if PEERS_PYTHON.exists() else sys.executable
    """The interpreter for the peers."""


@dataclass(frozen=True)
class Answers:
    """What one row of the table recommends, to be judged; or why it does not."""

    entry: Entry
    lists: Lists | None
    """(q, LONGEST) for the users asked about."""
    failed: str = ""
    untuned: bool = False
    """It has the settings of the row above."""


def compare(dataset: Dataset, protocol: Protocol, options: Options, say: Say) -> dict[str, Any]:
    """Tune, fit, ask and judge all rows; JSON-able, see `table`.

    The test split is looked at here alone, after the last of them has answered.
    """
    split = protocol.split(dataset.ratings, options.seed)
    interactions = Interactions.build(split.training, RELEVANCE)
    question = Question.build(split, interactions, RELEVANCE, protocol.liked_only)
    answers = [
        *_ask_peers(split.training, question, protocol, options, say),
        *_ask_marquee(dataset, split.training, interactions, question, protocol, options, say),
    ]
    return {
        "dataset": {
            "label": dataset.label,
            "users": len(index_ids(dataset.ratings.user_ids)[0]),
            "movies": len(index_ids(dataset.ratings.movie_ids)[0]),
            "ratings": len(dataset.ratings),
        },
        "protocol": {"name": protocol.name, "summary": protocol.summary},
        "options": {
            "minutes": options.minutes,
            "trials": options.trials,
            "seed": options.seed,
        },
        "machine": {"cores": os.cpu_count()},
        "split": _sizes(split, question),
        "rows": list(_rows(answers, question)),
    }


def _ask_peers(
    training: Ratings, question: Question, protocol: Protocol, options: Options, say: Say
) -> Iterator[Answers]:
    """Each in a process of its own, which is given the training ratings and nothing else."""
    with tempfile.TemporaryDirectory(prefix="marquee-peers-") as name:
        folder = Path(name)
        tournament.write_ratings(folder / tournament.TRAINING, training)
        for peer in options.names:
            if peer != MARQUEE:
                say(f"{protocol.name}: {peer}, at most {options.minutes:g} minutes")
                yield _ask_peer(peer, folder, question, protocol, options)


def _ask_peer(
    name: str, folder: Path, question: Question, protocol: Protocol, options: Options
) -> Answers:
    command = [options.python, "-m", "benchmarks.peers", name, str(folder), protocol.name]
    command += ["--minutes", str(options.minutes), "--trials", str(options.trials)]
    command += ["--seed", str(options.seed)]
    done = subprocess.run(command, cwd=BASE_DIR, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        if done.returncode == tournament.NOT_INSTALLED:
            reason = f"not installed ({reason})"
        return Answers(Entry(name, "", 0.0), None, failed=reason)
    entry = Entry(**json.loads((folder / f"{name}.json").read_text()))
    with np.load(folder / f"{name}.npz") as kept:
        return Answers(entry, kept["lists"][question.rows])


def _ask_marquee(
    dataset: Dataset,
    training: Ratings,
    interactions: Interactions,
    question: Question,
    protocol: Protocol,
    options: Options,
    say: Say,
) -> Iterator[Answers]:
    """The site's own rows: as it is, and without the re-ranking for variety."""
    if MARQUEE not in options.names:
        return
    people = interactions.user_ids[question.rows].tolist()
    with marquee.database():
        say(f"{protocol.name}: Marquee, importing")
        marquee.fill(dataset, training)
        say(f"{protocol.name}: Marquee, at most {options.minutes:g} minutes")
        trained = marquee.train(
            protocol.tuning,
            minutes=options.minutes,
            most_trials=options.trials,
            seed=options.seed,
        )
        say(f"{protocol.name}: Marquee, reading {len(people):,} people's recommendations")
        for title, given in marquee.ROWS.items():
            served = marquee.serve(dataset.label, people, LONGEST, **given)
            yield Answers(
                replace(trained.entry, title=title),
                marquee.columns_of(served, interactions),
                untuned=title != marquee.TITLE,
            )


def _sizes(split: Split, question: Question) -> dict[str, int]:
    return {
        "training": len(split.training),
        "held_out": len(split.held_out),
        "users": len(question.rows),
        "movies": len(question.popularity),
        "relevant": int(question.relevant_counts.sum()),
    }


def _rows(answers: Sequence[Answers], question: Question) -> Iterator[dict[str, Any]]:
    """Every row's figures, and how far Marquee is ahead of it."""
    own: Judged | None = None
    judged: list[Judged | None] = []
    for each in answers:
        judged.append(None if each.lists is None else Judged.of(each.lists, question))
        if each.entry.title == marquee.TITLE:
            own = judged[-1]
    for each, found in zip(answers, judged, strict=True):
        row = {**asdict(each.entry), "untuned": each.untuned}
        if found is None:
            yield {**row, "failed": each.failed}
        else:
            yield {**row, **found.figures(None if found is own else own)}


@dataclass(frozen=True)
class Judged:
    """How one row's lists answer the question."""

    at_20: Outcome
    accuracy: dict[str, NDArray[np.float64]]
    """Each of ACCURACY for every user asked about."""

    @classmethod
    def of(cls, lists: Lists, question: Question) -> "Judged":
        """Judge the lists (q, ≥ 100)."""
        at_20, at_100 = (judge(lists, question, k) for k in (20, LONGEST))
        measured = (at_20.recall, at_20.ndcg, at_100.ndcg)
        return cls(at_20, dict(zip(ACCURACY, measured, strict=True)))

    def figures(self, other: "Judged | None") -> dict[str, Any]:
        """All that the table shows, with the other's lead over this one."""
        accuracy = {
            name: {
                "mean": float(values.mean()),
                **_bounds(mean_interval(values)),
                "lead": other and _lead(other.accuracy[name], values),
            }
            for name, values in self.accuracy.items()
        }
        return {
            **accuracy,
            "coverage@20": self.at_20.coverage,
            "novelty@20": self.at_20.novelty,
            "popularity_lift@20": self.at_20.popularity_lift,
        }


def _lead(first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float((first - second).mean()), **_bounds(paired_interval(first, second))}


def _bounds(interval: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("low", "high"), interval, strict=True))
