"""An HTTP response as it was recorded: status, headers, and the body as the page's author wrote it. Never raises."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from gristmill.crawl.http.dates import http_milliseconds
from gristmill.crawl.http.encodings import unchunk, unpack
from gristmill.crawl.http.headers import parse_fields

_CONTENT_TYPE_BYTES = 1 << 10
HEAD_BYTES = 1 << 17
"""How far the end of the headers is looked for; headers that go on longer have no body."""

_STATUS = re.compile(rb"\s*(?:HTTP(?:/\d{1,2}(?:\.\d{1,2})?)?|ICY)[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_HEAD_END = re.compile(rb"\n\r?\n")
_MEDIA_TYPE = re.compile(rb"[ \t\"']*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127})")
_CHARSET = re.compile(rb"charset[ \t]*=[ \t]*[\"']?[ \t]*([!-~]{1,64}?)[ \t]*(?:[\"';,\s]|$)", re.IGNORECASE)
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html\b|!--|(?:html|head|body|meta|title|script)\b)", re.IGNORECASE
)


class Response(NamedTuple):
    """``status``, ``media_type``, ``charset`` and ``date`` are None where the response does not tell them.

    ``body``: undone of chunks and compression, or None if it is larger than the bound; ``body_bytes``: its length, or
    None if it was not unpacked to the end; ``fields``: of the header, names in lower case.
    """

    status: int | None
    media_type: str | None
    charset: str | None
    date: int | None
    body: bytes | memoryview | None
    body_bytes: int | None
    fields: Sequence[tuple[bytes, bytes]] = ()


def parse_response(block: bytes, length: int, limit: int) -> Response:
    """Return a response record's block read as HTTP.

    ``block``: the first bytes of the record, all if it is not longer than ``limit`` and ``HEAD_BYTES``;
    ``length``: bytes of the whole record; ``limit``: of the largest body.
    """
    status = _STATUS.match(block, 0, HEAD_BYTES)
    if status is None:
        return Response(None, None, None, None, None, None)
    end = _HEAD_END.search(block, 0, HEAD_BYTES)
    fields = parse_fields(block[: end.end() if end else HEAD_BYTES])
    body, body_bytes = _body(block, end.end(), length, fields, limit) if end else (b"", 0)
    media_type, charset = _content_type(fields)
    date = next((value for name, value in fields if name == b"date"), None)
    return Response(int(status[1]), media_type, charset, http_milliseconds(date), body, body_bytes, fields)


def looks_like_html(body: bytes | memoryview) -> bool:
    """Return whether a body that came without a media type starts as HTML does."""
    return _MARKUP.match(body, 0, 1024) is not None


def _content_type(fields: list[tuple[bytes, bytes]]) -> tuple[str | None, str | None]:
    """Return the media type and charset of the last Content-Type that has one, as browsers do."""
    media_type = charset = None
    for name, value in fields:
        if name == b"content-type":
            own_type, own_charset = read_content_type(value)
            media_type, charset = (own_type, own_charset) if own_type else (media_type, own_charset or charset)
    return media_type, charset


def read_content_type(value: bytes) -> tuple[str | None, str | None]:
    """Return the media type and the charset that a Content-Type names, each None if it names none."""
    return _read_content_type(value[:_CONTENT_TYPE_BYTES])


@functools.lru_cache(1024)  # crawls hold few different ones
def _read_content_type(value: bytes) -> tuple[str | None, str | None]:
    media_type, charset = _MEDIA_TYPE.match(value), _CHARSET.search(value)
    return media_type and media_type[1].decode("ascii").lower(), charset and charset[1].decode("ascii").lower()


def _body(
    block: bytes, start: int, length: int, fields: list[tuple[bytes, bytes]], limit: int
) -> tuple[bytes | memoryview | None, int | None]:
    """Return the body and its length."""
    is_chunked, codings = _packed_as(fields)
    if not (is_chunked or codings):
        bytes_ = length - start
        return (memoryview(block)[start:], bytes_) if bytes_ <= limit else (None, bytes_)
    if length > len(block):
        return None, None
    body = unchunk(block[start:]) if is_chunked else block[start:]
    unpacked = unpack(body, codings, limit)
    return (None, None) if unpacked is None or len(unpacked) > limit else (unpacked, len(unpacked))


def _packed_as(fields: list[tuple[bytes, bytes]]) -> tuple[bool, str]:
    """Return whether a body is in chunks, and its content codings, separated by commas."""
    is_chunked, codings = False, []
    for name, value in fields:
        if name == b"transfer-encoding":
            is_chunked = is_chunked or b"chunked" in value.lower()
        elif name == b"content-encoding":
            codings.append(value.decode("latin-1"))
    return is_chunked, ",".join(codings)
