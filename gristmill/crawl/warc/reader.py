"""Reading WARC files so that nothing vanishes: every record, and every damaged stretch, is told with its offset.

fastwarc reads as long as what it says adds up, which `fast` checks for every record. From the first record on that does
not, `careful` reads to the end of the file. What is read is what `careful` alone would read.

Offsets rise strictly within a file. They are those of gzip members where each record has its own, of records in a file
that is not compressed, and of records in the unpacked bytes where a gzip member holds several.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from gristmill.crawl.warc.careful import CarefulReader
from gristmill.crawl.warc.fast import FastReader
from gristmill.crawl.warc.record import Record


class WarcReader:
    """Iterates over the records of a file, in order, in one pass."""

    def __init__(self, file: BinaryIO, size: int | None, block_bytes: int) -> None:
        """``file``: open for reading, at its start; ``block_bytes``: how much of a response's block is kept."""
        self._file = file
        self._size = size
        self._block_bytes = block_bytes
        self._fast = FastReader(file, block_bytes)
        self._reader: FastReader | CarefulReader = self._fast

    @property
    def packed_position(self) -> int:
        """Bytes of the file read so far."""
        return self._reader.packed_position

    def __iter__(self) -> Iterator[Record]:
        """Yield the records, and the damage between them; a stretch of damage is told once."""
        yield from self._fast
        self._reader = CarefulReader(self._file, self._size, self._block_bytes, self._fast.place)
        yield from self._reader
