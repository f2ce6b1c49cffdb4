"""The layout of a SentencePiece model, read far enough to know that the file is whole.

It is one protobuf message (``sentencepiece_model.proto``): pieces in field 1, then how it was trained (2), how text is
normalized (3), tests of itself (4) and the way back (5), each with its length before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gristmill.errors import CorruptError

_PIECES: Final = 1
_NORMALIZER: Final = 3
_FIELDS: Final = range(1, 6)
_WITH_LENGTH: Final = 2
_LARGEST: Final = 1 << 28


class _NoMessageError(Exception):
    """The bytes are no message of these fields, or end inside one."""


def check_sentencepiece_file(path: Path) -> None:
    """Check that a file is a whole SentencePiece model. Raises CorruptError."""
    size = path.stat().st_size
    data = path.read_bytes() if size <= _LARGEST else b""
    try:
        fields = _fields(data)
        if not {_PIECES, _NORMALIZER} <= fields:
            raise _NoMessageError(f"{size:,} bytes without all of its parts")
    except _NoMessageError as error:
        raise CorruptError(f"model {path} is no SentencePiece model, or cut short: {error}; fetch it again") from error


def _fields(data: bytes) -> set[int]:
    """Return which fields a message has."""
    at, fields = 0, set()
    while at < len(data):
        key, at = _number(data, at)
        if key & 7 != _WITH_LENGTH or key >> 3 not in _FIELDS:
            raise _NoMessageError(f"byte {at - 1:,} begins no part of one")
        fields.add(key >> 3)
        length, at = _number(data, at)
        at += length
        if at > len(data):
            raise _NoMessageError(f"{len(data):,} bytes, and a part ends at {at:,}")
    return fields


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = 0
    for place in range(5):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise _NoMessageError(f"byte {at:,} begins no number")
