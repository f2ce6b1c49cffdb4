"""A file that lies elsewhere, read as if it were here: no byte of it is ever another than the file's.

Reading forward from the start takes one request. After a jump a request asks for what is wanted, for 256 KiB at least,
and for twice as much each time that reading goes on from there, in the end for all. After a fault it goes on at the
same byte.
"""

from __future__ import annotations

import io
import os
from typing import Protocol

from gristmill.access.body import Facts
from gristmill.access.fetch import Client
from gristmill.access.policy import PROGRESS_BYTES, Fault, Tries, persist
from gristmill.access.settings import AccessSettings
from gristmill.errors import AccessError

_FIRST_SPAN = 1 << 18
_LONGEST_SPAN = 1 << 26
_SKIPPED_BYTES = 1 << 16


class Stream(Protocol):
    """Bytes of a file from some offset on."""

    facts: Facts

    def read(self, size: int) -> bytes:
        """Return at least one and at most ``size`` next bytes; none at the end. Raises Fault."""

    def skip(self, size: int) -> None:
        """Pass so many bytes. Raises Fault if there are fewer."""

    def close(self) -> None:
        """Let go of it."""


class Origin(Protocol):
    """Where a file lies."""

    @property
    def url(self) -> str:
        """Its address, for messages."""

    def facts(self) -> Facts:
        """Return what is told of the file. Raises Fault, MissingError, AccessError."""

    def open(self, start: int, end: int | None) -> Stream:
        """Return the bytes from ``start`` to ``end``, None for the file's end, or fewer or more of them.

        Raises Fault, MissingError, AccessError.
        """


class HttpOrigin:
    """A file on an HTTP server."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self._client = client

    def facts(self) -> Facts:
        """Return what the server tells of the file."""
        return self._client.facts(self.url)

    def open(self, start: int, end: int | None) -> Stream:
        """Ask for the bytes from ``start`` on."""
        return self._client.ask_range(self.url, start, end)


class RemoteFile(io.BufferedIOBase):
    """A seekable file, open for reading."""

    def __init__(self, origin: Origin, settings: AccessSettings) -> None:
        """Ask for its size. Raises MissingError, AccessError."""
        self._origin = origin
        self._tries = Tries(origin.url, settings)
        self._facts = persist(origin.url, settings, origin.facts)
        self._size = _told_size(self._facts, origin.url)
        self._position = 0
        self._is_begun = False
        self._stream: Stream | None = None
        self._stream_start = 0
        self._stream_position = 0
        self._stream_end: int | None = None
        self._span: int | None = None

    @property
    def url(self) -> str:
        """Where it lies."""
        return self._origin.url

    @property
    def size(self) -> int:
        """Its bytes."""
        return self._size

    @property
    def facts(self) -> Facts:
        """What is told of it."""
        return self._facts

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end of the file. Raises MissingError, AccessError."""
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted:
            piece = self._piece(wanted)
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Return the same."""
        return self.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset; nothing is asked for until the next read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"{self._origin.url}: byte {base + offset} is before its start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._position

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._leave()
        super().close()

    def _piece(self, wanted: int) -> bytes:
        """Return at least one of the next bytes."""
        while True:
            try:
                piece = self._stream_here(wanted).read(wanted)
                if piece:
                    return self._received(piece)
                self._check_end()
                self._leave()
            except Fault as fault:
                self._leave()
                self._tries.fail(fault, self._position)

    def _received(self, piece: bytes) -> bytes:
        self._tries.received(len(piece))
        self._position += len(piece)
        self._stream_position += len(piece)
        self._is_begun = True
        return piece

    def _stream_here(self, wanted: int) -> Stream:
        """Return a stream whose next byte is the file's next. Raises Fault, MissingError, AccessError."""
        gap = self._position - self._stream_position
        if self._stream is not None and 0 <= gap <= _SKIPPED_BYTES:
            self._stream.skip(gap)
            self._stream_position += gap
            return self._stream
        if gap:
            self._leave()
            self._span = _FIRST_SPAN
        return self._open(wanted)

    def _open(self, wanted: int) -> Stream:
        """Return a new stream from here on. Raises Fault if it is not of the file that was begun."""
        start = self._stream_start = self._stream_position = self._position
        end = None if self._span is None else min(self._size, start + max(wanted, self._span))
        self._span = None if self._span is None or self._span >= _LONGEST_SPAN else 2 * self._span
        self._stream = self._origin.open(start, end)
        self._stream_end = end
        self._check(self._stream.facts)
        return self._stream

    def _check(self, facts: Facts) -> None:
        """Raise Fault if an answer is of another file than the first; before the first byte, the last one counts."""
        known, self._facts = self._facts, self._facts if self._is_begun else facts
        if facts.size is not None and facts.size != known.size:
            self._size = facts.size if not self._is_begun else self._size
            raise Fault(f"it has {facts.size:,} bytes now, and had {known.size:,} before: it seems to have changed")
        if facts.validator and known.validator and facts.validator != known.validator:
            raise Fault("it has changed since it was begun: its ETag or its date is another")

    def _check_end(self) -> None:
        """Raise Fault if a stream ended before it should, with next to nothing read from it."""
        end = self._size if self._stream_end is None else self._stream_end
        if self._position < end and self._position - self._stream_start < PROGRESS_BYTES:
            raise Fault(f"the answer ended {end - self._position:,} bytes early")

    def _leave(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


def _told_size(facts: Facts, url: str) -> int:
    if facts.size is None:
        raise AccessError(f"{url}: nothing tells its size; fetch it, and name the local file")
    return facts.size
