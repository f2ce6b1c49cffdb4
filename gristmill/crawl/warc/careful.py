"""Reading a WARC with its own framing, so that nothing vanishes: it goes on after any damage, at the next record.

A damaged record is one that is cut off, fails its checksum, or is not followed by what must follow it. fastwarc stops
at an empty gzip member, reads a record whose length is wrong into its neighbour, and cannot go on after an error.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from gristmill.crawl.warc.gzip_window import GzipWindow
from gristmill.crawl.warc.record import (
    DAMAGE,
    NO_FIELDS,
    RESPONSE,
    UNSUPPORTED,
    Record,
    all_fields,
    fields_of,
    type_and_length,
)
from gristmill.crawl.warc.window import RECORD_START, PlainWindow, Window

_UNSUPPORTED = re.compile(
    rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18|\x04\x22\x4d\x18|BZh|\xfd7zXZ\x00|PK\x03\x04|filedesc:"
)
_MAGIC_BYTES = 9
_VERSION = re.compile(rb"(?:WARC|warc)/\d{1,2}\.\d{1,4}[ \t]{0,8}\r{0,2}\n")
_VERSION_BYTES = 24
_START_BYTES = 128
_RECORD = b"WARC/"
_LINES_AFTER_BLOCK = 2


class Place(NamedTuple):
    """Where reading begins: the offset of a record, how many were read before it, and the offset of the last."""

    offset: int = 0
    records: int = 0
    last_offset: int = -1


_BEGINNING = Place()


class CarefulReader:
    """Iterates over the records of a file from a place on, in order, in one pass."""

    def __init__(self, file: BinaryIO, size: int | None, block_bytes: int, place: Place = _BEGINNING) -> None:
        """``file``: open for reading; ``block_bytes``: how much of a response's block is kept.

        Before a place other than the beginning stand only records that are whole and packed alike.
        """
        self._window = _choose_window(file, size, place.offset)
        self._block_bytes = block_bytes
        self._by_member = isinstance(self._window, GzipWindow)
        self._last_offset = place.last_offset
        self._count = place.records
        self._starts_run = True

    @property
    def packed_position(self) -> int:
        """Bytes of the file read so far."""
        return self._window.packed_position

    def __iter__(self) -> Iterator[Record]:
        """Yield the records, and the damage between them; a stretch of damage is told once."""
        window, is_told = self._window, False
        while True:
            is_open = window.open()
            if window.lost is not None and not is_told:
                yield self._number(window.lost, DAMAGE, NO_FIELDS)
            if not is_open:
                return
            if self._count == 0 and _UNSUPPORTED.match(window.peek(_MAGIC_BYTES)):
                yield self._number(window.run_start, UNSUPPORTED, NO_FIELDS)
                return
            is_told = yield from self._run()

    def _run(self) -> Generator[Record, None, bool]:
        """Yield the records of a run; return whether it ended in damage that was told."""
        window, is_told = self._window, False
        window.skip_newlines()
        self._starts_run = True
        while window.peek(1):
            record = self._read()
            if record is not None:
                yield record
            elif not is_told:
                yield self._number(self._offset(), DAMAGE, NO_FIELDS)
            if record is None:
                window.skip(1)
                window.seek_record()
            self._starts_run = False
            is_told = record is None or record.type == DAMAGE
        return is_told and window.broken

    def _read(self) -> Record | None:
        """Return the record here and move to what follows it; None, without moving, if no record starts here."""
        window, offset = self._window, self._offset()
        head = window.head() if _VERSION.match(window.peek(_VERSION_BYTES)) else None
        if head is None:
            return None
        kind, length = type_and_length(head)
        block_start = window.position
        block = window.take(min(length or 0, self._block_bytes)) if kind == RESPONSE else b""
        is_whole = length is not None and len(block) + window.skip(length - len(block)) == length
        if is_whole and self._ends_well(block_start):
            return self._number(offset, kind, fields_of(head, kind), length or 0, block)
        window.rewind(block_start)
        window.seek_record()
        return self._number(offset, DAMAGE, all_fields(head))

    def _ends_well(self, block_start: int) -> bool:
        """Move past the line ends after a block; return whether what must follow a block does.

        Where something else follows two line ends, the block is right if it has not swallowed the start of a record.
        """
        block_end = self._window.position
        line_ends = self._window.skip_newlines()
        follows = self._window.peek(len(_RECORD))
        if not follows:
            return not self._window.broken
        if follows.upper() == _RECORD or line_ends < _LINES_AFTER_BLOCK:
            return follows.upper() == _RECORD
        return not self._holds_record(block_start, block_end)

    def _holds_record(self, start: int, end: int) -> bool:
        """Return whether a record starts between two positions; move to the second unless one does."""
        self._window.rewind(start)
        if self._window.seek_record() and self._window.position < end:
            return True
        self._window.rewind(end)
        return False

    def _offset(self) -> int:
        """Return the offset of a record that starts here."""
        if self._count == 1:
            self._by_member = self._by_member and self._starts_run
        if not self._by_member:
            return self._window.position
        return self._window.run_start if self._starts_run else self._last_offset + 1

    def _number(
        self, offset: int, kind: str, fields: Mapping[bytes, bytes], length: int = 0, block: bytes = b""
    ) -> Record:
        """Return a record whose offset is beyond that of the one before."""
        self._count += 1
        self._last_offset = max(offset, self._last_offset + 1)
        return Record(self._last_offset, kind, fields, length, block)


def _choose_window(file: BinaryIO, size: int | None, offset: int) -> Window:
    """Return a window on a file: gzip if any of it can be unpacked, even after a damaged start, or else as it is."""
    file.seek(0)
    start = file.read(_START_BYTES).lstrip(b"\r\n")
    file.seek(0)
    is_plain = not start or RECORD_START.match(start) or _UNSUPPORTED.match(start)
    is_gzip = not is_plain and GzipWindow(file, size).open()
    return GzipWindow(file, size, offset) if is_gzip else PlainWindow(file, size, offset)
