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
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import site, table
from benchmarks.protocols import PROTOCOLS

RESULTS = Path(__file__).parent / "results"
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
    results = []
    for name in BOTH if options.protocol == "both" else [options.protocol]:
        result = comparison.compare(data, PROTOCOLS[name], given, say)
        table.show(result, console)
        if not options.only:
            keep(result, RESULTS)
        results.append(result)
    return int(any("failed" in row for result in results for row in result["rows"]))


def keep(result: table.Result, folder: Path) -> None:
    """Put the result beside those of the dataset's other protocols, as JSON and as a document."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{result['dataset']['label']}.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    kept[result["protocol"]["name"]] = result
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(
        table.markdown([kept[name] for name in PROTOCOLS if name in kept])
    )


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
