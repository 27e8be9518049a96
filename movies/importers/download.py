"""Fetching a published file once: resumed if cut short, checked, and kept for the next time."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.progress import Progress

from movies.importers.files import ImportFailed

TIMEOUT = httpx.Timeout(30, connect=10)
_MD5 = re.compile(r"\b[0-9a-f]{32}\b", re.IGNORECASE)


def fetch(url: str, folder: Path, is_whole: Callable[[Path], bool], progress: Progress) -> Path:
    """Return the file that the address leads to, kept in `folder` under its own name.

    A kept file is used again if it is whole. What comes is checked with `is_whole`, and with the
    MD5 sum at the same address plus `.md5` where there is one. A download that was cut short is
    resumed; one that turns out broken is begun anew once.

    Raises:
        ImportFailed: the address cannot be reached, or what came is broken.
    """
    path = folder / Path(urlsplit(url).path).name
    if path.exists() and is_whole(path):
        return path
    part = path.with_name(path.name + ".part")
    resumed = part.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
            md5 = _published_md5(client, url)
            _download(client, url, part, progress)
            fault = _fault(part, md5, is_whole)
            if fault and resumed:
                part.unlink()
                _download(client, url, part, progress)
                fault = _fault(part, md5, is_whole)
    except httpx.HTTPError as error:
        raise ImportFailed(
            f"cannot be downloaded: {str(error) or type(error).__name__}. Without a connection,"
            " give a folder or zip that is already here",
            url,
        ) from error
    except OSError as error:
        raise ImportFailed(f"cannot be kept in {folder} ({error.strerror})", url) from error
    if fault:
        part.unlink()
        raise ImportFailed(f"{fault}. Nothing of it was kept; try again", url)
    return part.replace(path)


def _published_md5(client: httpx.Client, url: str) -> str | None:
    """Return the sum that is published beside the file; many files have none."""
    response = client.get(f"{url}.md5")
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    found = _MD5.search(response.raise_for_status().text)
    return found[0].lower() if found else None


def _download(client: httpx.Client, url: str, part: Path, progress: Progress) -> None:
    """Bring `part` to its end, from where it stopped if the server can do that."""
    have = part.stat().st_size if part.exists() else 0
    # Compressed transfer would make the sizes in the headers those of something else.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            have = 0
        left = response.headers.get("Content-Length")
        total = have + int(left) if left else None
        task = progress.add_task(f"Downloading {part.stem}", total=total, completed=have)
        with part.open("ab" if have else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                progress.advance(task, len(chunk))


def _fault(path: Path, md5: str | None, is_whole: Callable[[Path], bool]) -> str:
    """Return what is wrong with a finished download, or nothing."""
    if md5 and _md5(path) != md5:
        return f"the checksum of what came is not the published one ({md5})"
    return "" if is_whole(path) else "what came is damaged or cut short"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
