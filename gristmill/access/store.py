"""Files on a store that fsspec knows (s3 and its like), read in blocks with the same tries as over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gristmill.access.body import Facts
from gristmill.access.policy import Fault, pace, persist
from gristmill.access.settings import AccessSettings
from gristmill.errors import GristmillError, MissingError

_BLOCK = 8 << 20
_S3 = ("s3://", "s3a://")


def located(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the filesystem of a path or URL, and the path on it. Raises MissingError if it cannot be had.

    A bucket of S3 is read without signing where the machine has no credentials, as public buckets allow.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(url, **_options(url))
    except ImportError as error:
        extra = "; `pip install 'gristmill[s3]'` brings it" if url.startswith(_S3) else ""
        raise MissingError(f"{url} needs a package that is not installed: {error}{extra}") from error
    except (ValueError, OSError) as error:
        raise MissingError(f"{url} cannot be opened: {error}") from error
    return filesystem, path


def is_local(filesystem: fsspec.AbstractFileSystem) -> bool:
    """Return whether files lie on this machine's own filesystem."""
    return isinstance(filesystem, LocalFileSystem)


def glob(url: str, access: AccessSettings) -> list[str]:
    """Return the URLs of the files of a store that a path or glob names. Raises MissingError if it names none."""
    filesystem, path = located(url)

    def look() -> list[str]:
        if not any(character in path for character in "*?["):
            StoreOrigin(url, access).facts()
            return [path]
        pace(access).wait()
        with _faults(url):
            return [found for found, facts in filesystem.glob(path, detail=True).items() if facts["type"] == "file"]

    paths = persist(url, access, look)
    if not paths:
        raise MissingError(f"source.warc: '{url}' matches no file")
    return [str(filesystem.unstrip_protocol(found)) for found in paths]


class StoreOrigin:
    """A file on a store."""

    def __init__(self, url: str, settings: AccessSettings) -> None:
        """Take a file's URL. Raises MissingError if its store cannot be had."""
        filesystem, path = located(url)
        self.url = url
        self._pace = pace(settings)
        self._filesystem = filesystem
        self._path = path

    def facts(self) -> Facts:
        """Return what the store tells of the file, asked anew."""
        self._pace.wait()
        with _faults(self.url):
            self._filesystem.invalidate_cache(self._path)
            found = self._filesystem.info(self._path)
            if found["type"] == "directory":
                raise IsADirectoryError(self._path)
            size = found.get("size")
            return Facts(None if size is None else int(size), _validator(found))

    def open(self, start: int, end: int | None) -> StoreStream:
        """Return the bytes from ``start`` on."""
        return StoreStream(self, start, end)

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets, in one try."""
        self._pace.wait()
        with _faults(self.url):
            return bytes(self._filesystem.cat_file(self._path, start=start, end=end))


class StoreStream:
    """Bytes of a file on a store, a block at a time. ``facts``: what was told when it was begun."""

    def __init__(self, origin: StoreOrigin, start: int, end: int | None) -> None:
        self.facts = origin.facts()
        self._origin = origin
        self._next = start
        self._end = end if self.facts.size is None else min(self.facts.size, end or self.facts.size)
        self._block = b""
        self._index = 0

    def read(self, size: int) -> bytes:
        """Return at least one and at most ``size`` next bytes; none at the end. Raises Fault."""
        if self._index == len(self._block):
            self._load()
        piece = self._block[self._index : self._index + size]
        self._index += len(piece)
        return piece

    def skip(self, size: int) -> None:
        """Pass so many bytes. Raises Fault if there are fewer."""
        while size:
            piece = self.read(size)
            if not piece:
                raise Fault(f"the file ended {size:,} bytes early")
            size -= len(piece)

    def close(self) -> None:
        """Let go of the block."""
        self._block, self._index = b"", 0

    def _load(self) -> None:
        """Read the next block; the last one is believed only if the file is still the one that was begun."""
        end = self._next + _BLOCK if self._end is None else min(self._next + _BLOCK, self._end)
        self._block, self._index = b"", 0
        if end <= self._next:
            return
        block = self._origin.read_range(self._next, end)
        if len(block) != end - self._next:
            raise Fault(f"it gave {len(block):,} of {end - self._next:,} bytes")
        if end == self._end and self._origin.facts() != self.facts:
            raise Fault("it has changed while it was read")
        self._block, self._next = block, end


def _validator(found: dict[str, Any]) -> str | None:
    """Return what changes when a file does, by the names that stores give it; None if there is nothing such."""
    named = [str(found[key]) for key in ("ETag", "etag", "md5", "LastModified", "mtime", "created") if found.get(key)]
    return named[0] if named else None


@contextmanager
def _faults(url: str) -> Iterator[None]:
    """Raise whatever a store raises as Fault, but for a file that is not there."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingError(f"{url} does not exist or is no file; check the recipe's source") from error
    except GristmillError:
        raise
    except PermissionError as error:
        hint = "; Common Crawl's own bucket asks for credentials, its address on the web does not"
        raise Fault(f"the store refuses it{hint if url.startswith(_S3) else ''}", is_refusal=True) from error
    except Exception as error:  # each store has errors of its own, and most of them pass
        raise Fault(f"the store said: {type(error).__name__}: {error}") from error


def _options(url: str) -> dict[str, Any]:
    """Return how to open a URL's store: S3 without signing, unless there are credentials or settings for it."""
    if not url.startswith(_S3) or fsspec.config.conf.get("s3", {}).keys() & {"anon", "key", "profile"}:
        return {}
    return {} if find_spec("botocore") is None or _has_credentials() else {"anon": True}


def _has_credentials() -> bool:
    """Return whether this machine has credentials for S3, wherever AWS's own tools look for them."""
    import botocore.session

    return botocore.session.get_session().get_credentials() is not None
