"""Opening a file of the crawl, wherever it lies."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, cast

import fsspec

from gristmill.errors import MissingError


class Source(NamedTuple):
    """An open file and its size in bytes, or None where the store does not tell."""

    file: BinaryIO
    size: int | None


def open_source(url: str) -> Source:
    """Return a local path or fsspec URL opened for reading. Raises MissingError if there is no such file."""
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
        size = filesystem.size(path)
        return Source(cast(BinaryIO, filesystem.open(path, "rb")), None if size is None else int(size))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingError(f"{url} does not exist or is no file; check the recipe's source") from error
    except (ImportError, ValueError) as error:
        raise MissingError(f"{url} cannot be opened: {error}") from error
