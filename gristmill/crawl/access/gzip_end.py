"""Whether a gzip file ends where its last member does."""

from __future__ import annotations

import zlib
from typing import BinaryIO

_MAGIC = b"\x1f\x8b\x08"
_WINDOW = 16 << 20
_FEED = 1 << 18
_PIECE = 1 << 20
_GZIP = 31


def ends_whole(file: BinaryIO, size: int) -> bool:
    """Return whether a file of ``size`` bytes, if it is gzip, ends with a whole member; True if it is not.

    The last bytes that can be the start of a member are unpacked, checksum included, in the last 16 MiB; where there
    are none, all of it is.
    """
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        return True
    start = max(0, size - _WINDOW)
    file.seek(start)
    window = file.read(size - start)
    place = window.rfind(_MAGIC)
    while place >= 0:
        found = _inflates(window[place:])
        if found is not None:
            return found
        place = window.rfind(_MAGIC, 0, place + len(_MAGIC) - 1)
    return start > 0 and _members_end(file)


def _inflates(data: bytes) -> bool | None:
    """Return whether a member that starts here ends with the data; None if no member starts here."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        while data and not inflater.eof:
            inflater.decompress(data, _PIECE)
            data = inflater.unconsumed_tail
    except zlib.error:
        return None
    return inflater.eof and not inflater.unused_data


def _members_end(file: BinaryIO) -> bool:
    """Return whether a whole file is members, the last of which is whole."""
    file.seek(0)
    inflater, data = zlib.decompressobj(_GZIP), b""
    try:
        while data or (data := file.read(_FEED)):
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)
            inflater.decompress(data, _PIECE)
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    except zlib.error:
        return False
    return inflater.eof
