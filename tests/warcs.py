"""Small WARC files for tests, good and broken: bytes of records, of pages, and of the ways in which they are packed."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

import lz4.frame

from gristmill.crawl.warc.packing import zstd

DATE = "2024-04-21T06:24:15Z"
PROSE = (
    "The miller opened the sluice before dawn, and the wheel began to turn as the water rose in the race. "
    "Grain ran from the hopper into the eye of the stone, and warm flour fell into the bin below. "
    "By noon the carts from three villages stood in the yard, and nobody was in a hurry to leave. "
)


def record(
    kind: str, block: bytes, url: str | None = "http://example.org/", length: object = None, **fields: str
) -> bytes:
    """Return a WARC record; ``length`` replaces the right Content-Length, and a field's ``_`` stands for ``-``."""
    lines = [
        f"WARC-Type: {kind}",
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>",
        f"WARC-Date: {DATE}",
    ]
    lines += [f"WARC-Target-URI: {url}"] if url is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    lines += [f"Content-Length: {len(block) if length is None else length}"]
    return ("WARC/1.0\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + block + b"\r\n\r\n"


def http(
    body: bytes, status: str = "200 OK", headers: Iterable[str] = ("Content-Type: text/html; charset=utf-8",)
) -> bytes:
    """Return an HTTP response."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("utf-8", "surrogateescape") + body


def page(text: str = PROSE, title: str = "A page") -> bytes:
    """Return an HTML page whose main text is ``text``."""
    head, body = f"<title>{title}</title>", f"<article><p>{text}</p></article>"
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def response(number: int = 0, body: bytes | None = None, length: object = None) -> bytes:
    """Return a response record of the page http://example.org/<number>; by default each has a text of its own."""
    body = page(f"{PROSE} This is page {number}.") if body is None else body
    return record("response", http(body), f"http://example.org/{number}", length)


def responses(count: int) -> list[bytes]:
    """Return records of pages 0, 1, …"""
    return [response(number) for number in range(count)]


def member(data: bytes) -> bytes:
    """Return a gzip member that is the same at any time."""
    return gzip.compress(data, mtime=0)


def zstd_frame(data: bytes, dictionary: bytes | None = None) -> bytes:
    """Return a Zstandard frame with its checksum, packed by a dictionary if there is one."""
    checked = {zstd.CompressionParameter.checksum_flag: 1}
    return zstd.compress(data, options=checked, zstd_dict=zstd.ZstdDict(dictionary) if dictionary else None)


def skippable_frame(data: bytes) -> bytes:
    """Return a frame that holds a Zstandard dictionary, as WARCs have it."""
    return b"\x5d\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def lz4_frame(data: bytes) -> bytes:
    """Return an LZ4 frame with its checksum."""
    return bytes(lz4.frame.compress(data, content_checksum=True))


def members(records: Iterable[bytes]) -> bytes:
    """Return a WARC with a gzip member for each record."""
    return b"".join(map(member, records))


def common_crawl(count: int, first: int = 0) -> bytes:
    """Return a WARC as Common Crawl writes it: warcinfo, then request, response and metadata of each page."""
    records = [record("warcinfo", b"format: WARC File Format 1.0\r\n", None)]
    for number in range(first, first + count):
        url = f"http://example.org/{number}"
        records += [
            record("request", b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", url),
            response(number),
            record("metadata", b"fetchTimeMs: 5\r\n", url),
        ]
    return members(records)


def damaged(data: bytes, start: int, size: int = 8) -> bytes:
    """Return bytes of which some are inverted."""
    return data[:start] + bytes(byte ^ 0xFF for byte in data[start : start + size]) + data[start + size :]


def arc_record(block: bytes, url: str = "http://example.org/", length: object = None, version: int = 1) -> bytes:
    """Return an ARC record of either version, which ends in the line end that follows its block."""
    more = "200 fac069150613fe55599cc7fa88aa089d - 209 x.arc " if version == 2 else ""
    size = len(block) if length is None else length
    return f"{url} 192.0.2.1 20240421062415 text/html {more}{size}\n".encode() + block + b"\n"


def arc(count: int, version: int = 1) -> list[bytes]:
    """Return the records of an ARC file: the one that describes it, then pages 0, 1, …"""
    names = "URL IP-address Archive-date Content-type Archive-length\n"
    about = f"{version} 0 gristmill\n{names}".encode()
    head = f"filedesc://x.arc 0.0.0.0 20240421062415 text/plain {len(about)}\n".encode()
    pages = (http(page(f"{PROSE} This is page {number}.")) for number in range(count))
    return [
        head + about + b"\n",
        *(arc_record(block, f"http://example.org/{number}", version=version) for number, block in enumerate(pages)),
    ]
