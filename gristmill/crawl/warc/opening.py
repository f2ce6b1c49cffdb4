"""What kind of archive a file is: how it is packed and how its records are written, told by its bytes."""

from __future__ import annotations

import re
from typing import BinaryIO

from gristmill.crawl.warc.arc import ARC
from gristmill.crawl.warc.dialect import WARC, Dialect
from gristmill.crawl.warc.member_window import MemberWindow
from gristmill.crawl.warc.packing import BZIP2, GZIP, LZ4, XZ, Packing, dictionary_bytes, zstandard
from gristmill.crawl.warc.window import PlainWindow, Window

_START_BYTES = 1 << 14
_LOOK_BYTES = 1 << 20
_UNSUPPORTED = re.compile(rb"PK\x03\x04|7z\xbc\xaf\x27\x1c|\x1f\x9d|Rar!\x1a\x07")


def is_unsupported(start: bytes) -> bool:
    """Return whether a file, unpacked, starts as an archive of a kind that is not read: zip, 7z, compress or rar."""
    return _UNSUPPORTED.match(start) is not None


def choose_window(file: BinaryIO, size: int | None) -> Window:
    """Return a window on a file: packed if any of it can be unpacked, even after a damaged start, or else as it is.

    Then WARC or ARC, whichever the first record is of; WARC if there is none.
    """
    file.seek(0)
    start = file.read(_START_BYTES)
    if length := dictionary_bytes(start):
        start += file.read(max(0, length - len(start)))
    packing = _packing(file, start, size)

    def open_as(dialect: Dialect) -> Window:
        if packing is None:
            return PlainWindow(file, dialect, size)
        return MemberWindow(file, packing, dialect, size)

    return open_as(_dialect(open_as(WARC)))


def _packing(file: BinaryIO, start: bytes, size: int | None) -> Packing | None:
    first = start.lstrip(b"\r\n")
    if not first or any(dialect.start.match(first) for dialect in (WARC, ARC)) or is_unsupported(first):
        return None
    packings = (GZIP, zstandard(start), LZ4, BZIP2, XZ)
    by_magic = sorted(packings, key=lambda packing: not start.startswith(packing.magics))
    return next((packing for packing in by_magic if _can_open(file, packing, size)), None)


def _can_open(file: BinaryIO, packing: Packing, size: int | None) -> bool:
    """Return whether a member is at the start of a file, or one with a record anywhere in it."""
    return any(MemberWindow(file, packing, dialect, size).open() for dialect in (WARC, ARC))


def _dialect(window: Window) -> Dialect:
    """Return the dialect of the first record that starts among the first bytes of a file."""
    ahead = window.peek(_LOOK_BYTES) if window.open() else b""
    starts = {dialect: dialect.start.search(ahead) for dialect in (WARC, ARC)}
    found = {dialect: match.start() for dialect, match in starts.items() if match is not None}
    return min(found, key=found.__getitem__) if found else WARC
