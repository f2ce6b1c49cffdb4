"""The CDX server asked for captures: which questions, and what its answers say.

A question is of one host or address, and is answered in pages of lines, each a JSON object. The server is told what it
understands of the other conditions, so that it sends less; every line it sends is judged here all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pyarrow as pa

from gristmill.access.fetch import is_http
from gristmill.crawl.access.commoncrawl import collinfo_url
from gristmill.crawl.index.conditions import FILE, HOST, LANGUAGES, LENGTH, MIME, OFFSET, STATUS, TIME, URL
from gristmill.crawl.index.patterns import Host, UrlPattern
from gristmill.crawl.index.settings import IndexSettings
from gristmill.errors import CorruptError, UsageError

_STATUS = re.compile(r"\d{3}")
_LENGTH = re.compile(r"\d{1,18}")
_TIME = re.compile(r"\d{14}")
_MOST_PAGES = 100_000
_LINES = pa.schema(
    [
        (URL, pa.string()),
        (HOST, pa.string()),
        (TIME, pa.timestamp("ms")),
        (STATUS, pa.int32()),
        (MIME, pa.string()),
        (LANGUAGES, pa.string()),
        (FILE, pa.string()),
        (OFFSET, pa.int64()),
        (LENGTH, pa.int64()),
    ]
)


def server(base: str) -> str:
    """Return the address of the CDX server of the crawls at a base. Raises UsageError for a base that has none."""
    address = collinfo_url(base).rsplit("/", 1)[0]
    if not is_http(address):
        raise UsageError(f"{base} has no CDX server, since it is no address on the web; take via: columnar")
    return address


def questions(address: str, crawl: str, settings: IndexSettings) -> list[str]:
    """Return the URLs to ask for a crawl's captures, without the number of a page."""
    common = [("output", "json"), *_filters(settings)]
    return [f"{address}/{crawl}-index?{urlencode([*wanted, *common])}" for wanted in _wanted(settings)]


def page_count(data: bytes, url: str) -> int:
    """Return the number of pages that a server names. Raises CorruptError."""
    try:
        told = json.loads(data)
        pages = int(told["pages"] if isinstance(told, dict) else told)
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptError(f"{url} does not tell the number of pages, but: {_start(data)}") from error
    if not 0 <= pages <= _MOST_PAGES:
        raise CorruptError(f"{url} tells of {pages} pages; narrow the query, or take via: columnar")
    return pages


def says_nothing_found(answer: bytes) -> bool:
    """Return whether the answer to a question is that there is no capture, which servers send as an error.

    >>> says_nothing_found(b'{"message": "No Captures found for: example.org/*"}')
    True
    """
    return b"no captures found" in answer[:4096].lower()


def parse_page(data: bytes, url: str) -> pa.Table:
    """Return the captures of a page, in the columns of the columnar index. Raises CorruptError."""
    rows = [_row(line, number, url) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    return pa.Table.from_pylist(rows, schema=_LINES)


def _wanted(settings: IndexSettings) -> Iterator[list[tuple[str, str]]]:
    """Yield what each question is of: the hosts, or else the addresses."""
    if settings.hosts:
        for host in map(Host.parse, settings.hosts):
            yield [("url", host.name), ("matchType", "domain" if host.and_below else "host")]
        return
    for pattern in map(UrlPattern.parse, settings.url_patterns):
        domain = pattern.domain
        assert domain is not None
        if domain.and_below:
            yield [("url", domain.name), ("matchType", "domain")]
        elif pattern.port or not pattern.start_of_path:
            yield [("url", domain.name + pattern.port), ("matchType", "host")]
        else:
            yield [("url", domain.name + pattern.start_of_path), ("matchType", "prefix")]


def _filters(settings: IndexSettings) -> Iterator[tuple[str, str]]:
    """Yield what the server is told of the other conditions."""
    if settings.status:
        yield "filter", _one_of("status", map(str, settings.status), "$")
    if settings.mime:
        yield "filter", _one_of("mime-detected", settings.mime, "$")
    if settings.languages:
        yield "filter", _one_of("languages", settings.languages, "(?:,|$)")
    if settings.since:
        yield "from", f"{settings.since:%Y%m%d}000000"
    if settings.until:
        yield "to", f"{settings.until:%Y%m%d}235959"


def _one_of(field: str, values: Iterable[str], end: str) -> str:
    return f"~{field}:(?:{'|'.join(map(re.escape, values))}){end}"


def _row(line: bytes, number: int, url: str) -> dict[str, Any]:
    """Return a line's values by column."""
    try:
        told = json.loads(line)
        texts = {key: value for key, value in told.items() if isinstance(value, str)}
        places = [str(told[key]) for key in ("offset", "length")]
        if not all(map(_LENGTH.fullmatch, places)) or not _TIME.fullmatch(texts["timestamp"]):
            raise ValueError("no place or time")
        status = str(told.get("status", ""))
        return {
            URL: texts["url"],
            HOST: _host(texts["url"]),
            TIME: datetime.strptime(f"{texts['timestamp']}+0000", "%Y%m%d%H%M%S%z")
            .astimezone(UTC)
            .replace(tzinfo=None),
            STATUS: int(status) if _STATUS.fullmatch(status) else None,
            MIME: texts.get("mime-detected"),
            LANGUAGES: texts.get("languages"),
            FILE: texts["filename"],
            OFFSET: int(places[0]),
            LENGTH: int(places[1]),
        }
    except (ValueError, AttributeError, KeyError) as error:
        raise CorruptError(f"{url}: line {number} is no capture: {_start(line)} ({error})") from error


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _start(data: bytes) -> str:
    return ascii(data[:120].decode("utf-8", "replace"))
