"""A packed file read forward in blocks, of which bytes can be given back."""

from __future__ import annotations

import re
from typing import BinaryIO

_READ = 1 << 20
_LONGEST_MAGIC = 8
_SHORT_HEAD_BYTES = 4


class PackedFile:
    """The bytes of a file, and where members may start among them.

    The next byte is at ``index`` of the block that was read last, which is at ``block_start`` of the file.
    """

    def __init__(self, file: BinaryIO, magics: tuple[bytes, ...], head_bytes: int) -> None:
        """``file``: open for reading; ``magics`` and ``head_bytes``: as a packing has them."""
        self._file = file
        self._head_bytes = head_bytes
        self._magic = re.compile(b"|".join(map(re.escape, magics)))
        self._last_head = b""
        self._block = b""
        self.block_start = 0
        self.index = 0
        self._read_block(0)

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self.block_start + self.index

    def take(self, size: int) -> bytes:
        """Return at most ``size`` next bytes; none at the end."""
        if self.index == len(self._block):
            self._load()
        piece = self._block[self.index : self.index + size]
        self.index += len(piece)
        return piece

    def take_member(self, size: int) -> bytes:
        """Return the next bytes up to what may be the start of another member, and move past them.

        None, without moving, if that is not among the next ``size`` bytes that were read ahead.
        """
        if self.index == len(self._block):
            self._load()
        block, start = self._block, self.index
        head = block[start : start + self._head_bytes]
        end = block.find(head if head == self._last_head else head[:_SHORT_HEAD_BYTES], start + 1, start + size)
        self._last_head = head
        if end < 0 and len(block) < _READ and len(block) - start < size:
            end = len(block)  # the file's last member
        if end < 0 or not head:
            return b""
        self.index = end
        return block[start:end]

    def give_back(self, size: int) -> None:
        """Move back by so many of the bytes that were taken last."""
        self.index -= size

    def seek(self, offset: int) -> None:
        """Move to an offset."""
        if self.block_start <= offset <= self.block_start + len(self._block):
            self.index = offset - self.block_start
            return
        self._read_block(offset)

    def seek_magic(self) -> bool:
        """Move to the next bytes that may start a member; return False, at the end, if there are none."""
        tail = b""
        while piece := self.take(_READ):
            piece = tail + piece
            found = self._magic.search(piece)
            if found is not None:
                self.seek(self.position - len(piece) + found.start())
                return True
            tail = piece[1 - _LONGEST_MAGIC :]
        return False

    def _load(self) -> None:
        """Read the next block, this one being used up."""
        self.block_start += len(self._block)
        self._block, self.index = self._file.read(_READ), 0

    def _read_block(self, offset: int) -> None:
        """Read the block of an offset. Blocks start at multiples of their size, whatever was read before."""
        self.index = offset % _READ
        self.block_start = offset - self.index
        self._file.seek(self.block_start)
        self._block = self._file.read(_READ)
