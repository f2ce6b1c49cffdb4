"""The bytes of a gzip file: a run for each member that starts with a record, as the WARC standard has it.

A member that does not start with a record continues the run before it, so a file that is one member, or whose members
were cut anywhere, is read too. After damage, reading resumes at the next member that starts with a record.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import BinaryIO

from gristmill.crawl.warc.window import Window

_MAGIC = b"\x1f\x8b\x08"
_RECORD = b"WARC/"
_READ = 1 << 20
_FEED = 1 << 14
_FIRST_FEED = 1 << 9
_SALVAGE_FEED = 1 << 6
_PIECE = 1 << 20
_GZIP = 31


class PackedFile:
    """A file read forward in blocks, of which bytes can be given back."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        """``file``: open for reading; ``offset``: of the first byte that is taken."""
        self._file = file
        self._block = b""
        self._block_start = 0
        self._index = 0
        self._read_block(offset)

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._block_start + self._index

    def take(self, size: int) -> bytes:
        """Return at most ``size`` next bytes; none at the end."""
        if self._index == len(self._block):
            self._block_start += len(self._block)
            self._block, self._index = self._file.read(_READ), 0
        piece = self._block[self._index : self._index + size]
        self._index += len(piece)
        return piece

    def seek(self, offset: int) -> None:
        """Move to an offset."""
        if self._block_start <= offset <= self._block_start + len(self._block):
            self._index = offset - self._block_start
            return
        self._read_block(offset)

    def seek_magic(self) -> bool:
        """Move to the next bytes that may start a gzip member; return False, at the end, if there are none."""
        tail = b""
        while piece := self.take(_READ):
            piece = tail + piece
            found = piece.find(_MAGIC)
            if found >= 0:
                self.seek(self.position - len(piece) + found)
                return True
            tail = piece[1 - len(_MAGIC) :]
        return False

    def _read_block(self, offset: int) -> None:
        """Read the block of an offset. Blocks start at multiples of their size, whatever was read before."""
        self._index = offset % _READ
        self._block_start = offset - self._index
        self._file.seek(self._block_start)
        self._block = self._file.read(_READ)


class GzipWindow(Window):
    """The unpacked bytes of a gzip file, damaged or not."""

    def __init__(self, file: BinaryIO, size: int | None, offset: int = 0) -> None:
        """``file``: open for reading; ``offset``: of the member to begin with."""
        super().__init__(size)
        self._packed = PackedFile(file, offset)
        self._inflater = zlib.decompressobj(_GZIP)
        self._member_start = 0
        self._member_bytes = 0
        self._next: bytes | None = None
        self._ended = True

    def open(self) -> bool:
        """Move to the next member, past what cannot be unpacked."""
        self.lost = None
        if self.broken:
            self._leave_broken_member()
        if self._next is None and not self._begin_member() and not self._find_member():
            return False
        self.run_start, self.run_position = self._member_start, self.position
        self._enter_member()
        return True

    @property
    def packed_position(self) -> int:
        """Offset in the gzip file."""
        return self._packed.position

    def _more(self) -> bytes:
        while not self._ended:
            try:
                if piece := self._inflate():
                    return piece
            except zlib.error:
                self._ended = self.broken = True
                return self._salvage()
            self._ended = not self._begin_member() or self._next_starts_record()
            if not self._ended:
                piece, self._next = self._next or b"", None
                if piece:
                    return piece
        return b""

    def _inflate(self, feed: int = _FEED) -> bytes:
        """Return the next bytes of the member, or none at its end. Raises zlib.error if it is corrupt or cut off."""
        inflater = self._inflater
        while not inflater.eof:
            packed = inflater.unconsumed_tail or self._packed.take(feed)
            if not packed:
                raise zlib.error("the file ends inside a member")
            piece = inflater.decompress(packed, _PIECE)
            if inflater.eof:
                self._packed.seek(self._packed.position - len(inflater.unused_data))
            if piece:
                self._member_bytes += len(piece)
                return piece
        return b""

    def _salvage(self) -> bytes:
        """Return what could be unpacked of a broken member and was not returned yet: zlib drops it with the error."""
        if not self.afford(self._member_bytes):
            return b""
        self._packed.seek(self._member_start)
        inflater, passed, rest = zlib.decompressobj(_GZIP), 0, b""
        with contextlib.suppress(zlib.error):
            while packed := self._packed.take(_SALVAGE_FEED):
                piece = inflater.decompress(packed)
                passed += len(piece)
                rest += piece[max(0, len(piece) - max(0, passed - self._member_bytes)) :]
        return rest

    def _begin_member(self) -> bool:
        """Unpack the first bytes of the member here; return False, without moving, if there is none."""
        start, first = self._packed.position, b""
        self._inflater, self._member_bytes = zlib.decompressobj(_GZIP), 0
        try:
            while len(first) < len(_RECORD) and (piece := self._inflate(_FIRST_FEED)):
                first += piece
        except zlib.error:
            self._packed.seek(start)
            return False
        self._member_start, self._next = start, first
        return True

    def _next_starts_record(self) -> bool:
        return (self._next or b"").lstrip(b"\r\n")[: len(_RECORD)].upper() == _RECORD

    def _enter_member(self) -> None:
        """Read on from the first bytes of the member that was begun."""
        self._buffer, self._index = self._next or b"", 0
        self._next, self._ended, self.broken = None, False, False

    def _find_member(self) -> bool:
        """Move to the next member that starts with a record; return False if there is none.

        Nothing is lost at the end of the file.
        """
        start = self._packed.position
        if not self._packed.take(1):
            return False
        self.lost = start
        while self._packed.seek_magic():
            candidate = self._packed.position
            if self._begin_member() and self._next_starts_record():
                return True
            self._next = None
            self._packed.seek(candidate + 1)
        return False

    def _leave_broken_member(self) -> None:
        """Go to just after the start of the broken member: what broke it may have hidden where the next one starts."""
        self.broken = False
        if self.afford(self.position - self.run_position):
            self._packed.seek(self._member_start + 1)

    def _go_back(self, position: int) -> None:
        self.position = self.run_position
        self._packed.seek(self.run_start)
        if self._begin_member():
            self._enter_member()
        self.skip(position - self.run_position)

    def _cost_of_going_back(self, position: int) -> int:
        return self.position - self.run_position
