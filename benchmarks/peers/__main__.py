"""Tune and fit one peer on the ratings in a folder, and leave its lists there.

    python -m benchmarks.peers NAME FOLDER PROTOCOL --minutes 10 --trials 100 --seed 0

Reads FOLDER/training.npz and writes FOLDER/NAME.npz (`lists`, (U, 100) columns) and
FOLDER/NAME.json (see `tournament.Entry`).
"""

import argparse
import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.peers import tournament
from benchmarks.protocols import PROTOCOLS


def main() -> int:
    """Run one peer. 3 says that its package is not installed, 4 that the data are too large."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=peers.PLACES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("protocol", choices=PROTOCOLS)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    # What packages have to say about each other's insides is nothing that a reader could act on.
    warnings.simplefilter("ignore")
    try:
        peer = peers.find(options.name)
    except ImportError as error:
        print(f"{error}", file=sys.stderr)
        return tournament.NOT_INSTALLED
    training = tournament.read_ratings(options.folder / tournament.TRAINING)
    try:
        entry, lists = tournament.enter(
            peer,
            training,
            PROTOCOLS[options.protocol].tuning,
            seconds=60 * options.minutes,
            most_trials=options.trials,
            seed=options.seed,
        )
    except peers.TooLarge as error:
        print(f"{error}", file=sys.stderr)
        return tournament.TOO_LARGE
    np.savez(options.folder / f"{options.name}.npz", lists=lists)
    (options.folder / f"{options.name}.json").write_text(json.dumps(asdict(entry)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
