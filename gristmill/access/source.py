"""Opening a file of the crawl, wherever it lies: over HTTP, on a store that fsspec knows, on this machine."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, cast

from gristmill.access.fetch import client, is_http
from gristmill.access.remote import HttpOrigin, RemoteFile
from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.access.store import StoreOrigin, is_local, located
from gristmill.errors import MissingError


class Source(NamedTuple):
    """An open file and its size in bytes, or None where the store does not tell."""

    file: BinaryIO
    size: int | None


def open_source(url: str, access: AccessSettings = DEFAULT_ACCESS) -> Source:
    """Return a local path or URL opened for reading. Raises MissingError if there is no such file, AccessError."""
    remote = remote_file(url, access)
    return _local(url) if remote is None else Source(cast(BinaryIO, remote), remote.size)


def remote_file(url: str, access: AccessSettings) -> RemoteFile | None:
    """Return a file that lies elsewhere, open for reading; None for one of this machine. Raises as `open_source`."""
    if is_http(url):
        return RemoteFile(HttpOrigin(url, client(access)), access)
    return None if is_local(located(url)[0]) else RemoteFile(StoreOrigin(url, access), access)


def file_name(url: str) -> str:
    """Return the name of a file without its folder, and without what a query adds to a URL.

    >>> file_name("https://example.org/crawl/a.warc.gz?signature=x")
    'a.warc.gz'
    """
    path = url.split("?", 1)[0].split("#", 1)[0] if is_http(url) else url
    return path.rstrip("/").rsplit("/", 1)[-1]


def read_source(url: str, access: AccessSettings = DEFAULT_ACCESS) -> bytes:
    """Return a file's bytes, by one request over HTTP. Raises MissingError, AccessError."""
    if is_http(url):
        return client(access).read(url)
    file, _ = open_source(url, access)
    with file:
        return file.read()


def read_range(url: str, start: int, size: int, access: AccessSettings = DEFAULT_ACCESS) -> bytes:
    """Return ``size`` bytes of a file from an offset on, or fewer where it ends. Raises MissingError, AccessError."""
    if is_http(url):
        return client(access).read_range(url, start, size)
    file, _ = open_source(url, access)
    with file:
        file.seek(start)
        return file.read(size)


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


def _local(url: str) -> Source:
    filesystem, path = located(url)
    try:
        size = filesystem.size(path)
        return Source(cast(BinaryIO, filesystem.open(path, "rb")), None if size is None else int(size))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingError(f"{url} does not exist or is no file; check the recipe's source") from error
