"""How archives are packed: gzip, Zstandard, LZ4, bzip2, xz. Each packs a file as members, one after the other.

What is a member in gzip is a frame in Zstandard and LZ4, and a stream in bzip2 and xz. Small gzip members that are
whole are unpacked by libdeflate, which takes less than half of zlib's time; all others by zlib.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import deflate
import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP = 31
_SIZE_BYTES = 4
_SMALL_BYTES = 1 << 20
_XZ_MEMORY = 256 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_TRAINED_MAGIC = b"\x37\xa4\x30\xec"
_DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"
_SKIPPABLE_HEAD_BYTES = 8
_DICTIONARY_BYTES = 16 << 20


class Unpacker(Protocol):
    """Unpacks one member."""

    @property
    def eof(self) -> bool:
        """True when the member has ended, and its checksum was right if it has one."""

    @property
    def needs_input(self) -> bool:
        """False if more can be unpacked without more packed bytes."""

    @property
    def unused_data(self) -> bytes | None:
        """Bytes that follow the member, once it has ended."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next unpacked bytes, at most so many. Raises one of the packing's errors for damage."""


WholeUnpacker = Callable[[bytes], bytes | bytearray | None]


@dataclass(frozen=True)
class Packing:
    """A way of packing.

    ``magics``: what members start with; ``unpacker``: returns one for the next member; ``errors``: what it raises for
    damage; ``head_bytes``: how many bytes at a member's start are most often those of the member before it;
    ``unpack_whole``: returns what one small member holds, or None if it is damaged, large, or not alone.
    """

    name: str
    magics: tuple[bytes, ...]
    unpacker: Callable[[], Unpacker]
    errors: tuple[type[Exception], ...]
    unpack_whole: WholeUnpacker | None = None
    head_bytes: int = 4


class GzipUnpacker:
    """zlib's, under the names that the others have."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_GZIP)

    @property
    def eof(self) -> bool:
        """True when the member has ended."""
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        """False if packed bytes are left over."""
        return not self._inflater.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """Bytes that follow the member."""
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next unpacked bytes. Raises zlib.error."""
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


def unpack_whole_gzip(packed: bytes) -> bytearray | None:
    """Return what a gzip member holds if these bytes are nothing but it, and it is small; None otherwise.

    libdeflate has checked the member's checksum and its size, which are its last eight bytes (RFC 1952, 2.3.1), but
    does not tell where they stand: they are the last if the last four are the size, and it stands nowhere before.
    What states to be empty is left to others, since of that it checks nothing.
    """
    ending = packed[-_SIZE_BYTES:]
    size = int.from_bytes(ending, "little")
    if not 0 < size <= _SMALL_BYTES or packed.rfind(ending, 0, -1) >= 0:
        return None
    try:
        whole: bytearray = deflate.gzip_decompress(packed, size)
    except (deflate.DeflateError, ValueError):
        return None
    return whole if len(whole) == size else None


def whole_unpacker(unpacker: Callable[[], Unpacker], errors: tuple[type[Exception], ...]) -> WholeUnpacker:
    """Return a function that unpacks one small member whole."""

    def unpack_whole(packed: bytes) -> bytes | None:
        one = unpacker()
        try:
            whole = one.decompress(packed, _SMALL_BYTES)
        except errors:
            return None
        return whole if one.eof and not one.unused_data else None

    return unpack_whole


def _xz() -> Unpacker:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)


GZIP = Packing("gzip", (b"\x1f\x8b\x08",), GzipUnpacker, (zlib.error,), unpack_whole_gzip, 10)
_LZ4_PARTS = lz4.frame.LZ4FrameDecompressor, (RuntimeError, ValueError, EOFError)
LZ4 = Packing("lz4", (b"\x04\x22\x4d\x18",), *_LZ4_PARTS, whole_unpacker(*_LZ4_PARTS))
BZIP2 = Packing("bzip2", (b"BZh",), bz2.BZ2Decompressor, (OSError, ValueError, EOFError))
XZ = Packing("xz", (b"\xfd7zXZ\x00",), _xz, (lzma.LZMAError, ValueError, EOFError))


def zstandard(start: bytes) -> Packing:
    """Return Zstandard's packing for a file that starts with these bytes, by the dictionary that they hold, if any.

    The dictionary stands in a skippable frame before all others, packed or not; a damaged one is none.
    Source: https://iipc.github.io/warc-specifications/specifications/warc-zstd/.
    """
    dictionary = _dictionary(start)
    magics = (_ZSTD_MAGIC, *(bytes([first]) + _DICTIONARY_MAGIC[1:] for first in range(0x50, 0x60)))
    parts = (lambda: zstd.ZstdDecompressor(dictionary)), (zstd.ZstdError, ValueError, EOFError)
    return Packing("zstd", magics, *parts, whole_unpacker(*parts))


def dictionary_bytes(start: bytes) -> int:
    """Return how many bytes at a file's start hold a dictionary, at most 16 MiB; ``start``: its first 8 or more."""
    if not start.startswith(_DICTIONARY_MAGIC):
        return 0
    size = int.from_bytes(start[4:_SKIPPABLE_HEAD_BYTES], "little")
    return _SKIPPABLE_HEAD_BYTES + size if size <= _DICTIONARY_BYTES else 0


def _dictionary(start: bytes) -> Any:
    held = start[_SKIPPABLE_HEAD_BYTES : dictionary_bytes(start)]
    try:
        if held.startswith(_ZSTD_MAGIC):
            held = zstd.ZstdDecompressor().decompress(held, _DICTIONARY_BYTES)
        dictionary = zstd.ZstdDict(held, is_raw=not held.startswith(_TRAINED_MAGIC)) if held else None
        zstd.ZstdDecompressor(dictionary)  # raises for one that cannot be used
    except (zstd.ZstdError, ValueError):
        return None
    return dictionary
