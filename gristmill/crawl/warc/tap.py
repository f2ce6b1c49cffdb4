"""A file that fastwarc reads from, of which the bytes that it read last, and those that follow, can be looked at."""

from __future__ import annotations

from typing import BinaryIO

_BLOCK = 1 << 20
_KEPT = 1 << 18


class Tap:
    """A file read forward from its start. ``error``: what reading it raised, since fastwarc may replace it."""

    def __init__(self, file: BinaryIO) -> None:
        """``file``: open for reading, at its start."""
        self.error: BaseException | None = None
        self._file = file
        self._data = b""
        self._data_start = 0
        self._index = 0
        self._has_ended = False

    def tell(self) -> int:
        """Return the offset of the next byte that is read."""
        return self._data_start + self._index

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end. Raises what the file raises."""
        while len(self._data) - self._index < size and self._load():
            pass
        data = self._data[self._index : self._index + size]
        self._index += len(data)
        return data

    def peek(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from an offset on, or fewer at the end; none if they were dropped or are far ahead.

        Kept are the last 256 KiB that were read, and all that is read from the file already.
        """
        start = offset - self._data_start
        while 0 <= start <= len(self._data) < start + size and self._load():
            start = offset - self._data_start
        return self._data[start : start + size] if start >= 0 else b""

    def _load(self) -> bool:
        """Read a block of the file and drop the oldest bytes; return False at the end of the file."""
        if self._has_ended:
            return False
        try:
            block = self._file.read(_BLOCK)
        except BaseException as error:
            self.error = error
            raise
        dropped = max(0, self._index - _KEPT)
        self._data, self._index = self._data[dropped:] + block, self._index - dropped
        self._data_start += dropped
        self._has_ended = not block
        return bool(block)
