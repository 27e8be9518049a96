"""A person's history from elsewhere: one file a site, and whatever table has titles.

documents   the zip, table or JSON that a person brings: bounded, decoded
base        what is read of it: entries, problems, notes; what stands in a cell
letterboxd  imdb  trakt  tmdb  movielens  marquee     one file a format
columns     any other table, by what a person says of its columns
"""

from users.importers.history.base import Format, History
from users.importers.history.documents import Documents
from users.importers.history.imdb import IMDb
from users.importers.history.letterboxd import Letterboxd, LetterboxdImport
from users.importers.history.marquee import Marquee
from users.importers.history.movielens import MovieLens, MovieLensDataset
from users.importers.history.tmdb import TMDB
from users.importers.history.trakt import Trakt

FORMATS: tuple[Format, ...] = (
    Marquee(),
    Letterboxd(),
    IMDb(),
    TMDB(),
    Trakt(),
    MovieLens(),
    MovieLensDataset(),
    LetterboxdImport(),
)


def recognized(documents: Documents) -> Format | None:
    """Return the format that the documents are in, None where it is none of ours.

    Raises:
        ImportFailed: they are damaged.
    """
    return next((form for form in FORMATS if form.recognizes(documents)), None)


def read(form: Format, documents: Documents) -> History:
    """Return what the documents say, with what was odd about them among its notes.

    Raises:
        ImportFailed: they cannot be read, or hold no film.
    """
    history = form.read(documents)
    history.notes[:0] = dict.fromkeys(documents.notes)
    return history.finish()
