"""The files of an import: in a folder, in a zip or in memory, always read by name.

Nothing is ever unpacked, so a name inside an archive cannot lead anywhere.
"""

import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

# Files of films are read whole. The largest that is published has 6 MB; more is not one.
WHOLE_FILE_BYTES = 256 * 2**20


class ImportFailed(Exception):
    """A source that cannot be imported: what is wrong, in which file, on which line.

    Importers raise it before or inside their one transaction, so nothing has been changed.
    """

    def __init__(
        self, reason: str, file: str = "", line: int | None = None, unit: str = "line"
    ) -> None:
        self.reason, self.file, self.line = reason, file, line
        place = f"{file}, {unit} {line}" if line is not None else file
        super().__init__(f"{place}: {reason}" if place else reason)


class Files(ABC):
    """Named files to read. A name is the last part of a path, such as `ratings.csv`."""

    label: str
    """What the source calls itself: the name of the folder or of the zip."""

    @abstractmethod
    def __contains__(self, name: str) -> bool: ...

    @abstractmethod
    def size(self, name: str) -> int:
        """Return the file's size in bytes, unpacked."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]: ...

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file, and say in whose file it is when the disk or the archive fails.

        Raises:
            ImportFailed: the file is missing, damaged or cannot be read.
        """
        if name not in self:
            raise ImportFailed("the file is missing", name)
        try:
            with self.open(name) as file:
                yield file
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ImportFailed(f"the archive is damaged or cut short ({error})", name) from error
        except (NotImplementedError, RuntimeError) as error:
            # What zipfile raises for a password or for a compression that it does not know.
            raise ImportFailed(f"the archive cannot be read ({error})", name) from error
        except OSError as error:
            raise ImportFailed(f"the file cannot be read ({error.strerror})", name) from error

    def read(self, name: str, most: int = WHOLE_FILE_BYTES) -> bytes:
        """Return a small file's whole content, of `most` bytes."""
        with self.reading(name) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ImportFailed("the file is far larger than any published one", name)
        return content


class Folder(Files):
    """The files of a folder, or of the one folder inside it."""

    def __init__(self, path: Path) -> None:
        self.label = path.resolve().name
        inner = (
            entry
            for folder in sorted(path.iterdir())
            if folder.is_dir()
            for entry in _entries(folder)
        )
        self._paths = _first_of_each_name([*_entries(path), *inner])

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def size(self, name: str) -> int:
        return self._paths[name].stat().st_size

    def open(self, name: str) -> IO[bytes]:
        return self._paths[name].open("rb")


def _entries(folder: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(folder.iterdir()) if entry.is_file()]
    except PermissionError:
        return []


def _first_of_each_name(paths: list[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        named.setdefault(path.name, path)
    return named


class Archive(Files):
    """The files of a zip, wherever in it they lie; the shallowest of a name counts."""

    def __init__(self, path: Path, content: IO[bytes] | None = None) -> None:
        """Open the zip at the path, or the `content` that was there."""
        self.label = path.stem
        try:
            self._zip = zipfile.ZipFile(content or path)
        except (zipfile.BadZipFile, EOFError) as error:
            raise ImportFailed(
                f"the archive is damaged or cut short ({error})", path.name
            ) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        for member in sorted(members, key=lambda member: member.filename.count("/")):
            if not member.filename.startswith("__MACOSX/"):
                self._members.setdefault(PurePosixPath(member.filename).name, member)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def members(self) -> list[zipfile.ZipInfo]:
        """Everything in the zip, as its directory tells of it."""
        return self._zip.infolist()

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def size(self, name: str) -> int:
        return self._members[name].file_size

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._members[name])


class InMemory(Files):
    """Files that were made rather than read."""

    def __init__(self, label: str, contents: dict[str, bytes]) -> None:
        self.label, self._contents = label, contents

    def __contains__(self, name: str) -> bool:
        return name in self._contents

    def size(self, name: str) -> int:
        return len(self._contents[name])

    def open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self._contents[name])


def files_of(path: Path) -> Files:
    """Return the files of a folder or of a zip.

    Raises:
        ImportFailed: there is neither at the path, or it cannot be read.
    """
    try:
        if path.is_dir():
            return Folder(path)
        if path.is_file():
            return Archive(path)
    except OSError as error:
        raise ImportFailed(f"it cannot be read ({error.strerror})", str(path)) from error
    raise ImportFailed("there is no such folder or zip", str(path))


def storable(text: str) -> bool:
    """Return whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
