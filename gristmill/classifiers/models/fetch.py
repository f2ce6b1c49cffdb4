"""Fetching a model into the cache: resumed where it was left, checked before it gets its name.

What is not complete lies beside the target in ``<name>.<digest>.part``, and survives any interruption: the next attempt
reads it, and asks for what is missing. One process at a time fetches a file; others wait, and find it there. Network
faults are tried again as `gristmill.access` does; reading on after a fault begins at the same byte.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from gristmill.access.policy import Fault
from gristmill.access.settings import AccessSettings
from gristmill.access.source import Source, open_source
from gristmill.classifiers.models.digests import Tell
from gristmill.classifiers.models.registry import Model
from gristmill.errors import AccessError, CorruptError, MissingError

ACCESS: Final = AccessSettings.model_validate({"tries": 5, "first_wait": 1.0, "timeout": 30.0})
"""Without a network it takes 8 seconds on average, and 15 at most, to give up."""

_PIECE: Final = 1 << 18
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: from where, to where; ``sha256``: the content that is accepted, None for any."""

    url: str
    target: Path
    sha256: str | None = None


def fetch_registered(model: Model, target: Path, tell: Tell) -> None:
    """Fetch a registered model. Raises CorruptError for another content, AccessError, MissingError."""
    with closing_source(model.url) as source:
        if source.size is not None and source.size != model.size:
            raise CorruptError(
                f"model {model.name!r}: {model.url} has {source.size:,} bytes now, not the {model.size:,} of the "
                f"published file: it is another one. Nothing was fetched; {by_hand(model, target)}"
            )
        fetch(source, Wanted(model.url, target, model.sha256), tell)


@contextmanager
def closing_source(url: str) -> Iterator[Source]:
    """Yield an open file and its size. Raises MissingError, AccessError."""
    source = open_source(url, ACCESS)
    with closing(source.file):
        yield source


def fetch(source: Source, wanted: Wanted, tell: Tell) -> None:
    """Fetch a file that was opened. Raises CorruptError for another content than the wanted one, AccessError.

    Raises MissingError, before it begins or later, if the disk has no room for it.
    """
    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(wanted)
    with _alone(part) as lock:
        if not wanted.target.is_file():  # another process may have fetched it meanwhile
            is_resumed = part.is_file() and part.stat().st_size > 0
            digest = _filled(part, source, tell)
            if wanted.sha256 is not None and digest != wanted.sha256 and is_resumed:
                part.unlink()  # what was there before may be at fault
                digest = _filled(part, source, tell)
            _check(part, digest, wanted)
            part.replace(wanted.target)
        lock.unlink(missing_ok=True)


def part_of(wanted: Wanted) -> Path:
    """Return where a file lies until it is complete: named by the digest, since another content needs another one."""
    mark = wanted.sha256[:16] if wanted.sha256 else "any"
    return wanted.target.with_name(f"{wanted.target.name}.{mark}.part")


def reason_of(error: Exception) -> str:
    """Return why a file could not be had, without what a crawl's user would be told to do."""
    cause = error.__cause__
    return str(cause) if isinstance(cause, Fault) else str(error).removesuffix("; check the recipe's source")


def by_hand(model: Model, target: Path) -> str:
    """Return where a file that was got in another way belongs, and how its content is known."""
    return f"put the file ({model.size:,} bytes, sha256 {model.sha256}) at {target}"


def _filled(part: Path, source: Source, tell: Tell) -> str:
    """Append to the part what it lacks; return the digest of the whole."""
    digest = hashlib.sha256()
    try:
        with part.open("a+b") as sink:
            done = _read_again(sink, digest, source.size)
            _check_room(part, done, source.size)
            source.file.seek(done)
            while piece := source.file.read(_PIECE):
                done += sink.write(piece)
                digest.update(piece)
                tell(done, source.size or done)
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise MissingError(_no_room(part, f"the disk is full ({error.strerror})")) from error
        raise
    if source.size is not None and done != source.size:
        raise AccessError(f"{part} has {done:,} bytes instead of {source.size:,}; run the same again")
    return digest.hexdigest()


def _read_again(sink: BinaryIO, digest: hashlib._Hash, size: int | None) -> int:
    """Take what is there into the digest; return its bytes. A part that is longer than the file is of another one."""
    if size is None or sink.seek(0, os.SEEK_END) > size:
        sink.truncate(0)
    sink.seek(0)
    while piece := sink.read(_PIECE):
        digest.update(piece)
    return sink.tell()


def _check(part: Path, digest: str, wanted: Wanted) -> None:
    if wanted.sha256 is None or digest == wanted.sha256:
        return
    size = part.stat().st_size
    part.unlink()
    raise CorruptError(
        f"{wanted.target.name}: {size:,} bytes came from {wanted.url} whose sha256 is {digest}, not {wanted.sha256}: "
        "it is another file, or was altered on its way; nothing was kept"
    )


def _check_room(part: Path, done: int, size: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    if size is not None and size - done > free:
        raise MissingError(_no_room(part, f"{size - done:,} more bytes are needed, and the disk has {free:,} free"))


def _no_room(part: Path, what: str) -> str:
    return (
        f"no room for {part.name} in {part.parent}: {what}. Free some, or set GRISTMILL_CACHE to a folder on a larger "
        "disk; what was fetched so far stays, and the next attempt goes on from there"
    )


@contextmanager
def _alone(part: Path) -> Iterator[Path]:
    """Let one process at a time fetch a file; yield the file that they agree by."""
    lock = part.with_name(f"{part.name}.lock")
    with lock.open("wb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield lock
