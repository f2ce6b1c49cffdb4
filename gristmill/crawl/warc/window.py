"""A window on a run of bytes: forward reading with a bounded look ahead, and going back at a price.

Records are read through a window, so that reading them does not depend on how they are packed. A window never raises
for damage: its bytes end early, and `broken` tells why. An error of the file itself (a network that fails) is raised.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import BinaryIO

from gristmill.crawl.warc.dialect import Dialect

_BLOCK = 1 << 18
_HEAD_BYTES = 1 << 16
_FIRST_LOOK = 1 << 11
_LINE_ENDS = re.compile(rb"[\r\n]+")
_HEAD_END = re.compile(rb"\n\r{0,2}\n")
_RESCUE_BYTES = 64 << 20
_RESCUE_FACTOR = 16


class Window(ABC):
    """Bytes from which records are read. ``position`` is the offset of the next byte in the unpacked file."""

    def __init__(self, dialect: Dialect, size: int | None) -> None:
        """``dialect``: how records are written; ``size``: the file's bytes.

        The size bounds what may be read twice for a damaged record's neighbours.
        """
        self.dialect = dialect
        self.position = 0
        self.run_position = 0
        self.run_start = 0
        self.lost: int | None = None
        self.broken = False
        self._buffer: bytes | bytearray = b""
        self._index = 0
        self._rescue = _RESCUE_BYTES + _RESCUE_FACTOR * (size or 0)

    @abstractmethod
    def open(self) -> bool:
        """Move to the next run of records; return False at the end of the file.

        ``run_start`` becomes the run's offset in the file as it is packed and ``run_position`` its position; ``lost``
        the offset of bytes before it that could not be unpacked, or None.
        """

    @property
    @abstractmethod
    def packed_position(self) -> int:
        """Offset in the file as it is packed, for telling how far reading has come."""

    @abstractmethod
    def _more(self) -> bytes:
        """Return the next bytes of the run, or none at its end."""

    @abstractmethod
    def _go_back(self, position: int) -> None:
        """Continue from an earlier position of this run, the buffer being empty."""

    @abstractmethod
    def _cost_of_going_back(self, position: int) -> int:
        """Return how many bytes are read again for it."""

    @property
    @abstractmethod
    def holds_rest(self) -> bool:
        """True if the run is known to end where the buffer ends, undamaged."""

    @property
    def buffered(self) -> tuple[bytes | bytearray, int]:
        """Bytes that were read ahead, and the index of the next among them."""
        return self._buffer, self._index

    @property
    def buffered_bytes(self) -> int:
        """How many bytes were read ahead."""
        return len(self._buffer) - self._index

    def peek(self, size: int) -> bytes:
        """Return the next bytes without moving: ``size`` of them, or fewer where the run ends."""
        self._fill(size)
        return bytes(self._buffer[self._index : self._index + size])

    def take(self, size: int) -> bytes:
        """Return the next bytes and move past them: ``size`` of them, or fewer where the run ends."""
        data = self.peek(size)
        self.move(len(data))
        return data

    def skip(self, size: int) -> int:
        """Move past ``size`` bytes, or fewer where the run ends; return how many."""
        left = size
        while left:
            self._fill(1)
            step = min(left, len(self._buffer) - self._index)
            if not step:
                break
            self.move(step)
            left -= step
        return size - left

    def skip_newlines(self) -> int:
        """Move past line ends; return how many LF were among them."""
        count = 0
        while self._index < len(self._buffer) or self.peek(1):
            run = _LINE_ENDS.match(self._buffer, self._index)
            if run is None:
                break
            count += run[0].count(b"\n")
            self.move(len(run[0]))
        return count

    def take_lines(self) -> bytes | None:
        """Return the lines up to a blank one and move past it.

        None, without moving, if there is none within 64 KiB, or another record starts before it.
        """
        size = _FIRST_LOOK
        while True:
            self._fill(size)
            end = _HEAD_END.search(self._buffer, self._index, self._index + size)
            if end is not None:
                return None if self._has_other_start(end.end()) else self.take(end.end() - self._index)
            if size >= _HEAD_BYTES or len(self._buffer) - self._index < size:
                return None
            size *= 4

    def seek_record(self) -> bool:
        """Move forward to the next bytes that start a record; return False if the run ends before any."""
        while True:
            self._fill(_BLOCK)
            end = min(len(self._buffer), self._index + _BLOCK)
            found = self.dialect.start.search(self._buffer, self._index, end)
            if found is not None:
                self.move(found.start() - self._index)
                return True
            if end - self._index < _BLOCK:
                self.move(end - self._index)
                return False
            self.move(_BLOCK - self.dialect.start_bytes)

    def _has_other_start(self, end: int) -> bool:
        """Return whether a record starts in the buffer between the next byte and ``end``."""
        if (
            self._buffer.find(b"WARC/", self._index + 1, end) < 0
            and self._buffer.find(b"warc/", self._index + 1, end) < 0
        ):
            return False
        return self.dialect.start.search(self._buffer, self._index + 1, end) is not None

    def rewind(self, position: int) -> None:
        """Go back to an earlier position of this run; stay, if too much has been read twice already."""
        if position < self.position and self.afford(self._cost_of_going_back(position)):
            self._buffer, self._index = b"", 0
            self.position = position
            self._go_back(position)

    def afford(self, cost: int) -> bool:
        """Return whether ``cost`` bytes may be read again, and remember that they were.

        Without a bound, a file made for it could have every byte read once for each of its records.
        """
        if cost > self._rescue:
            return False
        self._rescue -= cost
        return True

    def _fill(self, size: int) -> None:
        have = len(self._buffer) - self._index
        if have >= size:
            return
        pieces = [self._buffer[self._index :]]
        while have < size and (piece := self._more()):
            pieces.append(piece)
            have += len(piece)
        self._buffer, self._index = b"".join(pieces), 0

    def move(self, size: int) -> None:
        """Move past bytes that were read ahead."""
        self._index += size
        self.position += size


class PlainWindow(Window):
    """The bytes of a file that is not compressed: one run."""

    def __init__(self, file: BinaryIO, dialect: Dialect, size: int | None) -> None:
        """``file``: open for reading."""
        super().__init__(dialect, size)
        file.seek(0)
        self._file = file
        self._opened = False

    def open(self) -> bool:
        """Move to the start of the run, once."""
        first, self._opened = not self._opened, True
        return first

    @property
    def packed_position(self) -> int:
        """The position itself."""
        return self.position

    @property
    def holds_rest(self) -> bool:
        """False: only reading on tells where a file ends."""
        return False

    def _more(self) -> bytes:
        return self._file.read(_BLOCK)

    def _go_back(self, position: int) -> None:
        self._file.seek(position)

    def _cost_of_going_back(self, position: int) -> int:
        return self.position - position
