"""Where an extraction's records come from: a whole WARC file, or ranges of several (`ranges`)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import NamedTuple, Protocol

from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.access.source import file_name, open_source
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import Record


class Origin(NamedTuple):
    """The WARC file that a record lies in: what its id starts with, and the file's name without its folder."""

    shard: str
    warc: str


Records = Generator[tuple[Origin, Record], None, None]
"""Records in their order, each with the file that it lies in; closing it lets go of what it reads from."""


class RecordSource(Protocol):
    """What records are read from."""

    @property
    def fraction(self) -> float:
        """Share that was read so far, from 0.0 to 1.0."""

    def records(self, block_bytes: int) -> Records:
        """Yield the records, with at most so many bytes of each block. Raises MissingError, AccessError."""


class WholeFile:
    """Every record of one file, and the damage between them."""

    def __init__(self, url: str, shard: str, access: AccessSettings = DEFAULT_ACCESS) -> None:
        """``url``: a path or URL; ``shard``: what the ids start with; ``access``: how it is asked for."""
        self._access = access
        self._url = url
        self._origin = Origin(shard, file_name(url))
        self._size: int | None = None
        self._reader: WarcReader | None = None

    @property
    def fraction(self) -> float:
        """Share of the file's bytes that was read so far."""
        return min(1.0, self._reader.packed_position / self._size) if self._reader and self._size else 0.0

    def records(self, block_bytes: int) -> Records:
        """Yield the file's records."""
        file, self._size = open_source(self._url, self._access)
        with closing(file):
            self._reader = WarcReader(file, self._size, block_bytes)
            for record in self._reader:
                yield self._origin, record
