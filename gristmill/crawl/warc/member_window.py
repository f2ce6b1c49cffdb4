"""The bytes of a packed file: a run for each member that starts with a record, as WARC has it for gzip.

A member that does not start with a record continues the run before it, so a file that is one member, or whose members
were cut anywhere, is read too. After damage, reading resumes at the next member that starts with a record.
"""

from __future__ import annotations

from typing import BinaryIO

from gristmill.crawl.warc.dialect import Dialect
from gristmill.crawl.warc.packed_file import PackedFile
from gristmill.crawl.warc.packing import Packing
from gristmill.crawl.warc.window import Window

_FEED = 1 << 14
_FIRST_FEED = 1 << 9
_SALVAGE_FEED = 1 << 6
_PIECE = 1 << 20
_SMALL_MEMBER = 1 << 18


class _CorruptError(Exception):
    """A member cannot be unpacked to its end."""


class MemberWindow(Window):
    """The unpacked bytes of a packed file, damaged or not."""

    def __init__(self, file: BinaryIO, packing: Packing, dialect: Dialect, size: int | None) -> None:
        """``file``: open for reading; ``size``: its bytes."""
        super().__init__(dialect, size)
        self._packed = PackedFile(file, packing.magics, packing.head_bytes)
        self._packing = packing
        self._unpacker = packing.unpacker()
        self._member_start = 0
        self._member_bytes = 0
        self._next: bytes | bytearray | None = None
        self._is_whole = False
        self._is_corrupt = False
        self._ended = True

    def open(self) -> bool:
        """Move to the next member, past what cannot be unpacked."""
        self.lost = None
        if self.broken:
            self._leave_broken_member()
        if self._next is None and not self._begin_member() and not self._find_member():
            return False
        self.run_start, self.run_position = self._member_start, self.position
        self._buffer, self._index = self._next or b"", 0
        self._next, self._ended, self.broken = None, False, False
        return True

    @property
    def packed_position(self) -> int:
        """Offset in the packed file."""
        return self._packed.position

    @property
    def holds_rest(self) -> bool:
        """True if the member is unpacked whole, and what follows it is another run."""
        if self._is_whole and not self._ended and self._next is None:
            self._ended = self._ends_run()
        return self._ended and not self.broken

    def _more(self) -> bytes:
        while not self._ended:
            if self._next is not None:
                piece, self._next = self._next, None
                if piece:
                    return bytes(piece)
            try:
                if not self._is_whole and (piece := self._unpack(_FEED)):
                    return piece
            except _CorruptError:
                self._ended = self.broken = True
                return self._salvage()
            self._ended = self._ends_run()
        return b""

    def _ends_run(self) -> bool:
        """Begin the next member; return whether there is none that continues this run."""
        return not self._begin_member() or self.dialect.begins(self._next or b"")

    def _unpack(self, feed: int) -> bytes:
        """Return the next bytes of the member, or none at its end. Raises _CorruptError if it is corrupt or cut off."""
        unpacker, packed = self._unpacker, self._packed
        if self._is_corrupt:
            raise _CorruptError
        while not unpacker.eof:
            data = packed.take(feed) if unpacker.needs_input else b""
            if not data and unpacker.needs_input:
                raise _CorruptError
            try:
                piece = unpacker.decompress(data, _PIECE)
            except self._packing.errors as error:
                raise _CorruptError from error
            if unpacker.eof:
                packed.seek(packed.position - len(unpacker.unused_data or b""))
            if piece:
                self._member_bytes += len(piece)
                return piece
        return b""

    def _salvage(self) -> bytes:
        """Return what could be unpacked of a broken member and was not returned yet: unpackers drop it with the error.

        It is at most a piece.
        """
        if not self.afford(self._member_bytes):
            return b""
        self._packed.seek(self._member_start)
        unpacker, passed, rest = self._packing.unpacker(), 0, b""
        try:
            while (data := self._packed.take(_SALVAGE_FEED)) or not unpacker.needs_input:
                piece = unpacker.decompress(data, _PIECE)
                passed += len(piece)
                rest += piece[max(0, len(piece) - max(0, passed - self._member_bytes)) :]
        except self._packing.errors:
            return rest
        return rest

    def _begin_member(self) -> bool:
        """Unpack the first bytes of the member here; return False, without moving, if there is none."""
        self._is_whole = self._is_corrupt = False
        packed = self._packed
        start = packed.block_start + packed.index
        if not self._unpack_quickly():
            first = self._unpack_first()
            if first is None:
                packed.seek(start)
                return False
            self._next = first
        self._member_start = start
        return True

    def _unpack_first(self) -> bytes | None:
        """Return the first bytes of the member here, enough to see what it starts with; None if there is none."""
        self._unpacker, self._member_bytes = self._packing.unpacker(), 0
        first = b""
        try:
            while len(first) < self.dialect.ahead_bytes and (piece := self._unpack(_FIRST_FEED)):
                first += piece
        except _CorruptError:
            self._is_corrupt = True
            return first if self.dialect.begins(first) else None
        return first

    def _unpack_quickly(self) -> bool:
        """Unpack the member here whole, if it is small and its end is at hand; return False, without moving, if not.

        Anything odd is left to the packing's own unpacker: nothing depends on what the quick one makes of damage.
        """
        if self._packing.unpack_whole is None or not (packed := self._packed.take_member(_SMALL_MEMBER)):
            return False
        whole = self._packing.unpack_whole(packed)
        if whole is None:
            self._packed.give_back(len(packed))
            return False
        self._next, self._is_whole, self._member_bytes = whole, True, len(whole)
        return True

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
            if self._begin_member() and self.dialect.begins(self._next or b""):
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
            self._ended = self.broken = False  # `_more` returns the member's first bytes
        self.skip(position - self.run_position)

    def _cost_of_going_back(self, position: int) -> int:
        return self.position - self.run_position
