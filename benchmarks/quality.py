"""How good are the recommendations, beside those of other packages?

    make bench-quality DATA=ml-1m [MINUTES=10] [PROTOCOL=both]
    python -m benchmarks.quality ml-1m [--minutes 10] [--protocol both] ...

Takes a MovieLens-format folder or zip, prints a table for each protocol and keeps it below
`benchmarks/results/`. Every row gets the same minutes and the same number of trials to choose its
settings, on a validation split made of training ratings alone. Peers run in a process that sees
training ratings only. Marquee's ratings are imported into a PostgreSQL of the benchmark's own,
tuned, trained and promoted as on the site, and its answers are read through the code that serves
them. With `--minutes` large enough for all trials, two runs give the same figures.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import record, site, table
from benchmarks.protocols import PROTOCOLS

BOTH = ["random", "time"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it; 1 where a row is missing."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    say = Console(stderr=True, highlight=False).print
    site.start()
    # What these import needs the site's settings.
    from benchmarks import comparison, dataset
    from movies.importers.files import ImportFailed

    try:
        data = dataset.read(options.data).only(options.core, options.binary)
    except ImportFailed as failure:
        raise SystemExit(f"{failure}.") from failure
    names = options.only or comparison.ALL
    given = comparison.Options(options.minutes, options.trials, options.seed, names)
    is_whole = True
    for name in BOTH if options.protocol == "both" else [options.protocol]:
        result = comparison.compare(data, PROTOCOLS[name], given, say)
        table.show(result, console)
        if not options.only:
            record.keep(data.label, name, result, table.markdown)
        is_whole &= not any("failed" in row for row in result["rows"])
    return 0 if is_whole else 1


def _parser() -> argparse.ArgumentParser:
    from benchmarks.peers import PLACES

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="a MovieLens-format folder or zip")
    parser.add_argument(
        "--minutes", type=float, default=10, help="for each row to choose its settings in"
    )
    parser.add_argument("--trials", type=int, default=100, help="settings that a row may try")
    parser.add_argument(
        "--protocol",
        choices=[*PROTOCOLS, "both"],
        default="both",
        help="what to hold out and ask for; both are random and time",
    )
    parser.add_argument("--seed", type=int, default=0, help="of splits, searches and fits")
    parser.add_argument(
        "--core", type=int, default=0, help="keep users and movies with so many ratings"
    )
    parser.add_argument(
        "--binary", action="store_true", help="take all ratings for five stars of one moment"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*PLACES, "marquee"], help="these rows; nothing is kept"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
