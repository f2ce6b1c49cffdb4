"""What the header of an HTTP answer says of its bytes, and whether it adds up."""

from __future__ import annotations

import re
from collections.abc import Callable

from urllib3.response import BaseHTTPResponse

from gristmill.access.policy import Fault

WHOLE, PARTIAL, BEYOND = 200, 206, 416
"""Statuses of answers that carry a file, a part of it, or nothing since it ends before."""

Sizes = tuple[int | None, int | None]
"""The file's bytes and the answer's, None where they are not told."""

Check = Callable[[BaseHTTPResponse], Sizes]

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)")
_NO_RANGE = re.compile(r"bytes \*/(\d{1,18})")


def whole(response: BaseHTTPResponse) -> Sizes:
    """Return the sizes of an answer that carries a whole file. Raises Fault if nothing tells where it ends."""
    length = _length(response)
    if length is None and "chunked" not in response.headers.get("Transfer-Encoding", "").lower():
        raise Fault("the answer does not tell where it ends")
    return length, length


def part(response: BaseHTTPResponse, start: int, end: int | None) -> Sizes:
    """Return the sizes of an answer that carries the bytes from ``start`` on. Raises Fault unless it does."""
    said = response.headers.get("Content-Range", "")
    match = _RANGE.fullmatch(said.strip())
    if match is None:
        raise Fault(f"it answered with a part, but its Content-Range is '{said[:80]}'")
    first, behind = int(match[1]), int(match[2]) + 1
    if first != start or behind <= first or (end is not None and behind > end):
        raise Fault(f"it answered with '{said[:80]}' to a request for the bytes from {start} on")
    length = _length(response)
    if length is not None and length != behind - first:
        raise Fault(f"its Content-Length of {length} does not fit '{said[:80]}'")
    return int(match[3]) if match[3] else None, behind - first


def nothing(response: BaseHTTPResponse, start: int) -> Sizes:
    """Return the sizes of an answer that says that the file ends before ``start``. Raises Fault if it does not."""
    match = _NO_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) > start:
        raise Fault(f"the server refuses to give the bytes from {start} on")
    return int(match[1]), 0


def validator(response: BaseHTTPResponse) -> str | None:
    """Return what changes when the file does: its ETag, or else the time of its last change; None without either."""
    tag = response.headers.get("ETag", "").strip().removeprefix("W/")
    return tag or response.headers.get("Last-Modified", "").strip() or None


def _length(response: BaseHTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
