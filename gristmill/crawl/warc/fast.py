"""Reading healthy WARCs with fastwarc, every record checked, up to the first that does not add up.

A record is trusted if, by its own header, it is exactly as long as fastwarc took it for, and the next one starts where
it ends. Its header is read here, from the bytes where fastwarc says that it starts, and must be written as the standard
has it. In a gzip file it must be alone in its member, whose last four bytes say how long it is unpacked; fastwarc has
checked the member's checksum by the time the next record is known. The last record of a file is never trusted.

All this is so that reading on with `careful`, from the first record that is not trusted, finds exactly what it finds
when it reads the whole file.
"""

from __future__ import annotations

import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple, TypeVar, cast

from fastwarc.warc import ArchiveIterator, WarcRecord

from gristmill.crawl.warc.careful import Place
from gristmill.crawl.warc.record import RESPONSE, Record, fields_of, type_and_length
from gristmill.crawl.warc.tap import Tap
from gristmill.crawl.warc.window import RECORD_START

_HEAD = re.compile(rb"WARC/\d\.\d{1,2}\r\n(?:[0-9A-Za-z_-]+: .*\r\n)+\r\n")
_HEAD_BYTES = 768
_LONG_HEAD_BYTES = 1 << 15
_AFTER_BLOCK = b"\r\n\r\n"
_GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31
_ISIZE_BYTES = 4
_MODULUS = 1 << 32
_Answer = TypeVar("_Answer")


class Framing(ABC):
    """How records lie in a file."""

    def __init__(self, tap: Tap) -> None:
        """``tap``: what fastwarc reads from."""
        self._tap = tap

    def head(self, offset: int) -> bytes | None:
        """Return the header of the record at an offset; None unless it is written as the standard has it."""
        found = _HEAD.match(self._first_bytes(offset, _HEAD_BYTES))
        found = found or _HEAD.match(self._first_bytes(offset, _LONG_HEAD_BYTES))
        head = found[0] if found is not None else b""
        return head if head and not _holds_start(head) else None

    @abstractmethod
    def _first_bytes(self, offset: int, size: int) -> bytes:
        """Return the first unpacked bytes of what stands at an offset."""

    @abstractmethod
    def adds_up(self, start: int, end: int, size: int) -> bool:
        """Return whether a record of ``size`` bytes, line ends included, takes the bytes between two offsets."""


def _holds_start(head: bytes) -> bool:
    """Return whether a record seems to start within a header."""
    has_name = head.find(b"WARC/", 1) > 0 or head.find(b"warc/", 1) > 0
    return has_name and RECORD_START.search(head, 1) is not None


class PlainFraming(Framing):
    """One record after the other."""

    def _first_bytes(self, offset: int, size: int) -> bytes:
        return self._tap.peek(offset, size)

    def adds_up(self, start: int, end: int, size: int) -> bool:
        """Return whether its line ends are the last of these bytes."""
        return end - start == size and self._tap.peek(end - len(_AFTER_BLOCK), len(_AFTER_BLOCK)) == _AFTER_BLOCK


class GzipFraming(Framing):
    """A gzip member for each record."""

    def _first_bytes(self, offset: int, size: int) -> bytes:
        try:
            return zlib.decompressobj(_GZIP).decompress(self._tap.peek(offset, size), size)
        except zlib.error:
            return b""

    def adds_up(self, start: int, end: int, size: int) -> bool:
        """Return whether the member that ends these bytes has that size; RFC 1952, 2.3.1."""
        isize = (size % _MODULUS).to_bytes(_ISIZE_BYTES, "little")
        return start < end and self._tap.peek(end - _ISIZE_BYTES, _ISIZE_BYTES) == isize


class Draft(NamedTuple):
    """A record that is not trusted yet, and its size with header and line ends."""

    record: Record
    size: int


class FastReader:
    """Iterates over the records of a file from its start, up to the first that cannot be trusted."""

    def __init__(self, file: BinaryIO, block_bytes: int) -> None:
        """``file``: open for reading, at its start; ``block_bytes``: how much of a response's block is kept."""
        self._tap = Tap(file)
        self._block_bytes = block_bytes
        self._framing: Framing = PlainFraming(self._tap)
        if self._tap.peek(0, len(_GZIP_MAGIC)) == _GZIP_MAGIC:
            self._framing = GzipFraming(self._tap)
        self.place = Place()

    @property
    def packed_position(self) -> int:
        """Bytes of the file read so far."""
        return self._tap.tell()

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; then ``place`` is where the careful reader must go on. Raises errors of the file."""
        if self._framing.head(0) is None:
            return
        drafts = self._drafts()
        last = next(drafts, None)
        if last is None or last.record.offset != self.place.offset:
            return
        for count, draft in enumerate(drafts, 1):
            start, end = last.record.offset, draft.record.offset
            if not self._framing.adds_up(start, end, last.size):
                return
            self.place = Place(end, count, start)
            yield last.record
            last = draft

    def _drafts(self) -> Iterator[Draft]:
        """Yield what fastwarc reads, up to the first record that it or the record's own header makes doubtful."""
        records = self._ask(partial(ArchiveIterator, cast(BinaryIO, self._tap), parse_http=False))
        following = partial(next, records or iter(()), None)
        while (record := self._ask(following)) and (draft := self._draft(record)):
            yield draft

    def _draft(self, record: WarcRecord) -> Draft | None:
        offset, length = record.stream_pos, record.content_length
        head = self._framing.head(offset)
        if head is None:
            return None
        kind, own_length = type_and_length(head)
        if length != own_length:
            return None
        block = self._block(record) if kind == RESPONSE else b""
        if block is None:
            return None
        size = len(head) + length + len(_AFTER_BLOCK)
        return Draft(Record(offset, kind, fields_of(head, kind), length, block), size)

    def _block(self, record: WarcRecord) -> bytes | None:
        """Return the first bytes of a record's block; None if it has fewer."""
        size = min(record.content_length, self._block_bytes)
        block = self._ask(partial(record.reader.read, size))
        return block if block is not None and len(block) == size else None

    def _ask(self, question: Callable[[], _Answer]) -> _Answer | None:
        """Return what fastwarc answers, or None if it raises something; errors of the file are raised."""
        try:
            return question()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # a panic of a Rust library is no Exception
            if self._tap.error is not None:
                raise self._tap.error from None
            return None
