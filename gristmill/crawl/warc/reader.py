"""Reading archives so that nothing vanishes: every record, and every damaged stretch, is told with its offset.

A damaged record is one that is cut off, fails its checksum, or is not followed by what must follow it. Reading goes on
after it, at the next record. Other readers stop at an empty gzip member, read a record whose length is wrong into its
neighbour, or cannot go on after an error.

Offsets rise strictly within a file. They are those of members where each record has its own, of records in a file that
is not packed, and of records in the unpacked bytes where a member holds several.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import BinaryIO

from gristmill.crawl.warc.dialect import WARC
from gristmill.crawl.warc.member_window import MemberWindow
from gristmill.crawl.warc.opening import choose_window, is_unsupported
from gristmill.crawl.warc.record import (
    DAMAGE,
    NO_FIELDS,
    TYPES_BY_NAME,
    TYPES_WITH_BLOCKS,
    TYPES_WITH_FIELDS,
    UNKNOWN,
    UNSUPPORTED,
    Record,
    kept_fields,
    plain_fields,
)

_MAGIC_BYTES = 16
_PLAIN_LINES = rb"(?:(?!(?i:warc-type|content-length):)[0-9A-Za-z_-]+: .*\r\n)*+"
_PLAIN_HEAD = re.compile(
    rb"WARC/\d\.\d{1,2}\r\n%b(?i:warc-type): ([a-z]+)\r\n%b(?i:content-length): (\d{1,18})\r\n%b\r\n"
    % ((_PLAIN_LINES,) * 3)
)
"""A header as nearly all tools write it: nothing folded, type and length once and in this order."""

_PLAIN_HEAD_BYTES = 1 << 15
_AFTER_BLOCK = b"\r\n\r\n"
_NEXT_RECORD = b"\r\n\r\nWARC/"


class WarcReader:
    """Iterates over the records of a file, in order, in one pass."""

    def __init__(self, file: BinaryIO, size: int | None, block_bytes: int) -> None:
        """``file``: open for reading; ``size``: its bytes; ``block_bytes``: how much of a block is kept."""
        self._window = choose_window(file, size)
        self._dialect = self._window.dialect
        self._block_bytes = block_bytes
        self._by_member = isinstance(self._window, MemberWindow)
        self._last_offset = -1
        self._count = 0
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
            if self._count == 0 and is_unsupported(window.peek(_MAGIC_BYTES)):
                yield self._number(window.run_start, UNSUPPORTED, NO_FIELDS)
                return
            self._starts_run, is_told = True, False
            if (holds_rest := window.holds_rest) and (record := self._read_plain(holds_rest)):
                self._starts_run = False
                yield record
            if not holds_rest or window.buffered_bytes:
                is_told = yield from self._run()

    def _run(self) -> Generator[Record, None, bool]:
        """Yield the records of a run; return whether it ended in damage that was told."""
        window, is_told = self._window, False
        window.skip_newlines()
        while window.peek(1):
            record = self._read_plain(window.holds_rest) or self._read()
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

    def _read_plain(self, holds_rest: bool) -> Record | None:
        """Return the record here and move past it, if it is written as the standard has it and at hand as a whole.

        None, without moving, if not, for `_read` to look at: it would return the same, in twice the time.
        """
        buffer, start = self._window.buffered
        found = _PLAIN_HEAD.match(buffer, start, start + _PLAIN_HEAD_BYTES)
        if found is None:
            return None
        head, kind, length = found[0], TYPES_BY_NAME.get(found[1], UNKNOWN), int(found[2])
        if (head.find(b"WARC/", 1) > 0 or head.find(b"warc/", 1) > 0) and WARC.start.search(head, 1):
            return None
        block_end = found.end() + length
        after = buffer[block_end : block_end + len(_NEXT_RECORD)]
        if after != _NEXT_RECORD and (after != _AFTER_BLOCK or not holds_rest):
            return None
        offset, block = self._offset(), b""
        if kind in TYPES_WITH_BLOCKS:
            block = bytes(memoryview(buffer)[found.end() : found.end() + min(length, self._block_bytes)])
        self._window.move(block_end + len(_AFTER_BLOCK) - start)
        fields = plain_fields(head) if kind in TYPES_WITH_FIELDS else NO_FIELDS
        return self._number(offset, kind, fields, length, block)

    def _read(self) -> Record | None:
        """Return the record here and move to what follows it; None, without moving, if no record starts here."""
        window, offset = self._window, self._offset()
        head = self._dialect.take_head(window)
        if head is None:
            return None
        length, block_start = head.length, window.position
        block = window.take(min(length or 0, self._block_bytes)) if head.kind in TYPES_WITH_BLOCKS else b""
        is_whole = length is not None and len(block) + window.skip(length - len(block)) == length
        if is_whole and self._ends_well(block_start):
            return self._number(offset, head.kind, kept_fields(head.fields, head.kind), length or 0, block)
        window.rewind(block_start)
        window.seek_record()
        return self._number(offset, DAMAGE, kept_fields(head.fields, DAMAGE))

    def _ends_well(self, block_start: int) -> bool:
        """Move past the line ends after a block; return whether what must follow a block does.

        Where something else follows enough line ends, the block is right if it has not swallowed the start of a record.
        """
        block_end = self._window.position
        line_ends = self._window.skip_newlines()
        follows = self._window.peek(self._dialect.ahead_bytes)
        if not follows:
            return not self._window.broken
        if self._dialect.begins(follows):
            return True
        return line_ends >= self._dialect.line_ends and not self._holds_record(block_start, block_end)

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
        if offset <= self._last_offset:
            offset = self._last_offset + 1
        self._last_offset = offset
        return Record(offset, kind, fields, length, block)
