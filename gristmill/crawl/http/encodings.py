"""Undoing what HTTP did to a body: chunks, then compression, never more than a bound, never an error.

A body that is not what its header says is taken as it is: crawlers, Common Crawl's among them, often store the body
unpacked under the header of the packed one.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable, Iterator

import pyarrow as pa

_CHUNK_SIZE = re.compile(rb"\r?\n?[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1024})?\r?\n")
_PIECE = 1 << 16
_SMALL_PIECE = 1 << 12  # what is lost of a body that is cut off
_GZIP = 31
_ZLIB = 15
_RAW_DEFLATE = -15
_MOST_CODINGS = 4


def unchunk(body: bytes) -> bytes:
    r"""Return a body whose chunks are joined; from the first thing on that is no chunk, bytes are kept as they are.

    >>> unchunk(b"3\r\nabc\r\n0\r\n\r\n"), unchunk(b"<html>")
    (b'abc', b'<html>')
    """
    pieces: list[bytes] = []
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        length = int(size[1], 16)
        if length == 0:
            return b"".join(pieces)
        pieces.append(body[size.end() : size.end() + length])
        at = size.end() + length
    pieces.append(body[at:].removeprefix(b"\r\n") if pieces else body)
    return b"".join(pieces)


def unpack(body: bytes, codings: str, limit: int) -> bytes | None:
    """Return a body with its content codings undone, the last one first; None if it is larger than ``limit`` bytes.

    ``codings`` is the header's value, such as ``gzip`` or ``deflate, br``. Of a body that is cut off, what there is.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    for name in reversed(names[-_MOST_CODINGS:]):
        if name in UNPACKERS:
            unpacked = _bounded(UNPACKERS[name](body), limit)
            if unpacked is None:
                return None
            body = unpacked or body
    return body


def _bounded(pieces: Iterator[bytes], limit: int) -> bytes | None:
    """Return the pieces joined, up to the first error; None if they are longer than ``limit``."""
    found: list[bytes] = []
    size = 0
    with contextlib.suppress(zlib.error, OSError, ValueError):
        for piece in pieces:
            found.append(piece)
            size += len(piece)
            if size > limit:
                return None
    return b"".join(found)


def _gzip(body: bytes) -> Iterator[bytes]:
    while body:
        inflater = zlib.decompressobj(_GZIP)
        yield from _inflated(inflater, body)
        body = inflater.unused_data


def _deflate(body: bytes) -> Iterator[bytes]:
    """Unpack zlib's format, as the standard has it, or a bare deflate stream, as some servers send it."""
    is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    yield from _inflated(zlib.decompressobj(_ZLIB if is_zlib else _RAW_DEFLATE), body)


def _inflated(inflater: zlib._Decompress, body: bytes) -> Iterator[bytes]:
    while body and not inflater.eof:
        yield inflater.decompress(body, _PIECE)
        body = inflater.unconsumed_tail


def _arrow(codec: str) -> Callable[[bytes], Iterator[bytes]]:
    def pieces(body: bytes) -> Iterator[bytes]:
        with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
            while piece := stream.read(_SMALL_PIECE):
                yield piece

    return pieces


UNPACKERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _arrow("brotli"),
    "zstd": _arrow("zstd"),
}
