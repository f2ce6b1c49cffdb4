"""Keeping files of a crawl on this machine: fetched by range, resumed where they were left, checked before they count.

A file that is not complete ends in ``.part``, and ``.part.facts`` says of which file it is the start. It survives any
interruption: the next attempt goes on behind it if the file elsewhere is still the same one, by its size, its ETag or
date, and the last 64 KiB that were fetched. A complete file is never asked for again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loguru import logger

from gristmill.access.body import Facts
from gristmill.access.remote import RemoteFile
from gristmill.access.settings import AccessSettings
from gristmill.access.source import file_name, remote_file
from gristmill.crawl.access.commoncrawl import is_published_path, published_fingerprint
from gristmill.crawl.access.gzip_end import ends_whole
from gristmill.errors import AccessError

Tell = Callable[[float], None]
"""Is told the share of the file that is here, from 0.0 to 1.0."""

_BLOCK = 1 << 18
_COMPARED_BYTES = 1 << 16
_IN_CRAWL = re.compile(r"crawl-data/.+")


def downloaded(url: str, fingerprint: str, folder: str, access: AccessSettings, tell: Tell) -> str:
    """Return the path of a file's copy in a folder, fetched if it is not there; a file of this machine's own path.

    A crawl's file keeps its path in the crawl, so that the folder is a mirror; another lies under its fingerprint.
    Raises MissingError, and AccessError if it cannot be read to its end.
    """
    target = Path(folder) / kept_path(url, fingerprint)
    if target.is_file():
        return str(target)
    remote = remote_file(url, access)
    if remote is None:
        return url
    with remote:
        _fetch(remote, target, tell)
    return str(target)


def kept_path(url: str, fingerprint: str) -> str:
    """Return where a file is kept in the folder of downloads."""
    found = _IN_CRAWL.search(url)
    if found is not None and is_published_path(found[0]) and published_fingerprint(found[0]) == fingerprint:
        return found[0]
    name = file_name(url)
    return f"other/{fingerprint}/{name if name.strip('.') else 'file'}"


def _fetch(remote: RemoteFile, target: Path, tell: Tell) -> None:
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(part):
        if target.is_file():  # another process has fetched it meanwhile
            return
        is_resumed = _prepare(part, remote)
        _go_on(part, remote, tell)
        if not _ends_whole(part):
            if is_resumed:  # what was there before may be at fault
                part.write_bytes(b"")
                _go_on(part, remote, tell)
            if not is_resumed or not _ends_whole(part):
                logger.warning("{}: its last gzip member is cut off where it lies; it is read as it is", remote.url)
        part.replace(target)
    for rest in (_facts_file(part), _lock_file(part)):
        rest.unlink(missing_ok=True)


def _prepare(part: Path, remote: RemoteFile) -> bool:
    """Keep the start of the file that is here if it is of the same file; return whether there is any."""
    facts = _facts_file(part)
    if part.is_file() and _read_facts(facts) == remote.facts and _is_start(part, remote):
        return part.stat().st_size > 0
    part.unlink(missing_ok=True)
    facts.write_text(json.dumps(remote.facts), encoding="utf-8")
    part.touch()
    return False


def _is_start(part: Path, remote: RemoteFile) -> bool:
    """Return whether the last 64 KiB that are here are those of the file."""
    size = part.stat().st_size
    start = max(0, size - _COMPARED_BYTES)
    if size > remote.size:
        return False
    with part.open("rb") as file:
        file.seek(start)
        remote.seek(start)
        return file.read() == remote.read(size - start)


def _go_on(part: Path, remote: RemoteFile, tell: Tell) -> None:
    """Fetch what is not here. Raises AccessError."""
    with part.open("ab") as sink:
        done = remote.seek(sink.tell())
        while done < remote.size:
            done += sink.write(remote.read(min(_BLOCK, remote.size - done)))
            tell(done / remote.size)
        sink.flush()
        os.fsync(sink.fileno())
    if part.stat().st_size != remote.size:
        raise AccessError(f"{part} has {part.stat().st_size:,} bytes instead of {remote.size:,}; run again")


def _ends_whole(part: Path) -> bool:
    with part.open("rb") as file:
        return ends_whole(file, part.stat().st_size)


def _read_facts(path: Path) -> Facts | None:
    try:
        size, validator = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return Facts(size, validator)


def _facts_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.facts")


def _lock_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.lock")


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Let one process at a time fetch a file; the others wait, and find it there."""
    with _lock_file(part).open("wb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield
