"""Opening a file of the crawl, wherever it lies: over HTTP, on a store that fsspec knows, on this machine."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, cast

import fsspec

from gristmill.crawl.access.fetch import client, is_http
from gristmill.crawl.access.remote import HttpOrigin, Origin, RemoteFile
from gristmill.crawl.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.crawl.access.store import StoreOrigin, is_local, located
from gristmill.errors import MissingError


class Source(NamedTuple):
    """An open file and its size in bytes, or None where the store does not tell."""

    file: BinaryIO
    size: int | None


def open_source(url: str, access: AccessSettings = DEFAULT_ACCESS) -> Source:
    """Return a local path or URL opened for reading. Raises MissingError if there is no such file, AccessError."""
    if is_http(url):
        return _remote(HttpOrigin(url, client(access)), access)
    filesystem, path = located(url)
    if not is_local(filesystem):
        return _remote(StoreOrigin(url, filesystem, path), access)
    return _local(url, filesystem, path)


def read_source(url: str, access: AccessSettings = DEFAULT_ACCESS) -> bytes:
    """Return a file's bytes. Raises MissingError, AccessError."""
    file, _ = open_source(url, access)
    with file:
        return file.read()


def edges(url: str, size: int, access: AccessSettings = DEFAULT_ACCESS) -> tuple[int, bytes]:
    """Return a file's bytes, with its first and its last ``size`` of them, none twice. Raises as `open_source` does."""
    file, whole = open_source(url, access)
    with file:
        whole = whole or 0
        first = file.read(size)
        if whole <= size:
            return whole, first
        file.seek(max(size, whole - size))
        return whole, first + file.read(size)


def _remote(origin: Origin, access: AccessSettings) -> Source:
    file = RemoteFile(origin, access)
    return Source(cast(BinaryIO, file), file.size)


def _local(url: str, filesystem: fsspec.AbstractFileSystem, path: str) -> Source:
    try:
        size = filesystem.size(path)
        return Source(cast(BinaryIO, filesystem.open(path, "rb")), None if size is None else int(size))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingError(f"{url} does not exist or is no file; check the recipe's source") from error
