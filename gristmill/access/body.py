"""Bytes of a file on their way: the body of one HTTP answer, which must not end early or stand still."""

from __future__ import annotations

import time
from typing import NamedTuple

from urllib3.response import BaseHTTPResponse

from gristmill.access.faults import NETWORK_ERRORS, in_words
from gristmill.access.policy import PROGRESS_BYTES, Fault

_PIECE = 1 << 20


class Facts(NamedTuple):
    """What is told of a file: its bytes, and what changes when it does; None where it is not told."""

    size: int | None
    validator: str | None


class Body:
    """The body of an answer. ``facts``: what the answer says of the file."""

    def __init__(self, response: BaseHTTPResponse, facts: Facts, expected: int | None, timeout: float) -> None:
        """Take an answer that was begun; ``expected``: how many bytes it has, None if its last chunk tells."""
        self.facts = facts
        self._response = response
        self._left = expected
        self._timeout = timeout
        self._seconds = 0.0
        self._bytes = 0

    def read(self, size: int) -> bytes:
        """Return at least one and at most ``size`` next bytes; none at the end. Raises Fault if it comes too early."""
        wanted = min(size, _PIECE) if self._left is None else min(size, _PIECE, self._left)
        if wanted == 0:
            return b""
        began = time.monotonic()
        try:
            piece = self._response.read1(wanted, decode_content=False) or b""
        except NETWORK_ERRORS as error:
            raise Fault(in_words(error)) from error
        self._clock(time.monotonic() - began, len(piece))
        if self._left is not None and not piece:
            raise Fault(f"the answer ended {self._left:,} bytes early")
        self._left = None if self._left is None else self._left - len(piece)
        return piece

    def skip(self, size: int) -> None:
        """Pass so many bytes. Raises Fault if there are fewer."""
        while size:
            piece = self.read(size)
            if not piece:
                raise Fault(f"the answer ended {size:,} bytes early")
            size -= len(piece)

    def close(self) -> None:
        """Keep the connection for the next request if nothing is left on it, or else close it."""
        if self._left == 0:
            self._response.drain_conn()
        self._response.close()

    def _clock(self, seconds: float, size: int) -> None:
        """Raise Fault where 64 KiB take longer than the timeout; the time between reads is the reader's own."""
        self._seconds, self._bytes = self._seconds + seconds, self._bytes + size
        if self._bytes >= PROGRESS_BYTES:
            self._seconds, self._bytes = 0.0, 0
        elif self._seconds > self._timeout:
            raise Fault(f"only {self._bytes:,} bytes came in {self._seconds:.0f} s")
