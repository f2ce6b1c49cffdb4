"""WARC/1.0 records in Common Crawl's layout: warcinfo, then request, response and metadata for each fetch.

Each record is a gzip member of its own. Record ids are derived from content and members carry no time, so the same
fetches give the same bytes wherever the same zlib compresses them.

Source: ISO 28500:2009 (WARC/1.0); the layout of CC-MAIN files.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Headers = Sequence[tuple[str, str]]

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Fetch:
    """One page fetched: what was asked, when, and the HTTP response as it came over the wire."""

    url: str
    address: str
    date: datetime
    response: bytes
    body_start: int


def gzip_member(data: bytes) -> bytes:
    """Return a gzip member with no name, no time and no system in its header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEADER + packer.compress(data) + packer.flush() + trailer


def warcinfo_record(name: str, date: datetime) -> bytes:
    """Return the record that opens the file ``name``."""
    block = (
        b"isPartOf: gristmill-sample\r\npublisher: gristmill\r\n"
        b"description: An invented crawl. Every page was written for gristmill; no host in it exists.\r\n"
        b"software: gristmill sample\r\nrobots: none\r\nformat: WARC File Format 1.0\r\n"
    )
    fields = [("WARC-Filename", name), ("Content-Type", "application/warc-fields")]
    return _record("warcinfo", date, record_id("warcinfo", name), fields, block)


def request_record(fetch: Fetch, info: str) -> bytes:
    """Return the request that led to a fetch; ``info`` is the id of the file's warcinfo."""
    host, _, path = fetch.url.partition("://")[2].partition("/")
    lines = (
        f"GET /{path} HTTP/1.1",
        "User-Agent: gristmill-sample/1.0",
        "Accept: text/html,*/*;q=0.8",
        f"Host: {host}",
    )
    block = ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode()
    fields = [*_common(fetch, info), ("Content-Type", "application/http; msgtype=request")]
    return _record("request", fetch.date, _fetch_id("request", fetch), fields, block)


def response_record(fetch: Fetch, info: str, media_type: str) -> bytes:
    """Return the response of a fetch; ``media_type`` is what the crawler took its body for."""
    fields = [
        *_common(fetch, info),
        ("WARC-Concurrent-To", _fetch_id("request", fetch)),
        ("WARC-Payload-Digest", _digest(fetch.response[fetch.body_start :])),
        ("WARC-Identified-Payload-Type", media_type),
        ("Content-Type", "application/http; msgtype=response"),
    ]
    return _record("response", fetch.date, _fetch_id("response", fetch), fields, fetch.response)


def metadata_record(fetch: Fetch, info: str) -> bytes:
    """Return what the crawler noted about a fetch."""
    block = f"fetchTimeMs: {100 + len(fetch.response) % 400}\r\n".encode()
    fields = [
        *_common(fetch, info),
        ("WARC-Concurrent-To", _fetch_id("response", fetch)),
        ("Content-Type", "application/warc-fields"),
    ]
    return _record("metadata", fetch.date, _fetch_id("metadata", fetch), fields, block)


def record_id(*parts: str) -> str:
    """Return a record id that the parts determine.

    >>> record_id("warcinfo", "a.warc.gz") == record_id("warcinfo", "a.warc.gz")
    True
    """
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, chr(31).join(parts))}>"


def _fetch_id(kind: str, fetch: Fetch) -> str:
    return record_id(kind, fetch.url, fetch.date.isoformat(), _digest(fetch.response))


def _common(fetch: Fetch, info: str) -> list[tuple[str, str]]:
    return [("WARC-Warcinfo-ID", info), ("WARC-IP-Address", fetch.address), ("WARC-Target-URI", fetch.url)]


def _digest(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def _record(kind: str, date: datetime, identifier: str, fields: Headers, block: bytes) -> bytes:
    headers = [
        ("WARC-Type", kind),
        ("WARC-Date", date.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("WARC-Record-ID", identifier),
        *fields,
        ("WARC-Block-Digest", _digest(block)),
        ("Content-Length", str(len(block))),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"
