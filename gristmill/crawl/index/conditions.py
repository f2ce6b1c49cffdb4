"""The conditions of a query: which rows of an index satisfy each, and which stretches of its Parquet files can.

Columns have Common Crawl's names. A row satisfies a condition or does not whatever stands in the other rows, so
batches and files can be looked at in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.crawl.index.patterns import Host, Span, UrlPattern, merged, overlap
from gristmill.crawl.index.settings import IndexSettings

KEY, URL, HOST = "url_surtkey", "url", "url_host_name"
TIME, STATUS = "fetch_time", "fetch_status"
MIME, LANGUAGES = "content_mime_detected", "content_languages"
FILE, OFFSET, LENGTH = "warc_filename", "warc_record_offset", "warc_record_length"

_END = b"\xff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Bounds(NamedTuple):
    """What a stretch of a Parquet file tells of a column: its least and greatest value."""

    least: Any
    most: Any


class Condition(NamedTuple):
    """One condition: its name in the recipe, the column it is on, and how it is answered.

    ``holds`` gives one boolean a row, false for null; ``bounded`` names the column whose bounds ``can_hold`` judges.
    """

    name: str
    column: str
    holds: Callable[[pa.Array], Mask]
    bounded: str
    can_hold: Callable[[Bounds], bool]


def conditions(settings: IndexSettings) -> tuple[Condition, ...]:
    """Return the conditions that a query has, those that are cheapest to answer first."""
    return tuple(_conditions(settings))


def _conditions(settings: IndexSettings) -> Iterator[Condition]:
    if settings.hosts:
        yield _hosts([Host.parse(host) for host in settings.hosts])
    if settings.status:
        yield _status(settings.status)
    if settings.mime:
        accepted = frozenset(settings.mime)
        yield Condition("mime", MIME, _by_value(accepted.__contains__), MIME, _strings(accepted, b"\0"))
    if settings.languages:
        yield _languages(frozenset(settings.languages))
    if settings.since or settings.until:
        yield _dates(settings.since, settings.until)
    if settings.url_patterns:
        yield _url_patterns([UrlPattern.parse(pattern) for pattern in settings.url_patterns])


def _hosts(hosts: Sequence[Host]) -> Condition:
    alone = frozenset(host.name for host in hosts)
    above = frozenset(host.name for host in hosts if host.and_below)

    def is_wanted(name: str) -> bool:
        return name in alone or any(parent in above for parent in _parents(name))

    return Condition("hosts", HOST, _by_value(is_wanted), KEY, _within(span for host in hosts for span in host.spans()))


def _parents(name: str) -> Iterator[str]:
    """Yield the domains that a host is below of."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _status(codes: Collection[int]) -> Condition:
    wanted = pa.array(codes, pa.int32())

    def holds(values: pa.Array) -> Mask:
        return _mask(pc.is_in(values.cast(pa.int32()), value_set=wanted))

    return Condition(
        "status", STATUS, holds, STATUS, lambda bounds: any(bounds.least <= code <= bounds.most for code in codes)
    )


def _languages(codes: Collection[str]) -> Condition:
    """Return the condition on a page's first language; ``fra,eng`` is French."""
    return Condition(
        "languages",
        LANGUAGES,
        _by_value(lambda value: value.partition(",")[0] in codes),
        LANGUAGES,
        _strings(codes, _END),
    )


def _dates(since: date | None, until: date | None) -> Condition:
    """Return the condition on the day of fetching; both days belong to it."""
    start = _milliseconds(since) if since else -(1 << 62)
    end = _milliseconds(until + timedelta(days=1)) if until else 1 << 62

    def holds(values: pa.Array) -> Mask:
        times = values.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        return _mask(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))

    def can_hold(bounds: Bounds) -> bool:
        if not isinstance(bounds.least, datetime) or not isinstance(bounds.most, datetime):
            return True
        return _milliseconds(bounds.least) < end and _milliseconds(bounds.most) + 1 > start

    return Condition("since and until", TIME, holds, TIME, can_hold)


def _url_patterns(patterns: Sequence[UrlPattern]) -> Condition:
    regexes = [pattern.regex for pattern in patterns]

    def holds(values: pa.Array) -> Mask:
        found = np.zeros(len(values), np.bool_)
        for regex in regexes:
            found |= _mask(pc.match_substring_regex(values, regex))
        return found

    spans = [pattern.spans() for pattern in patterns]
    anywhere = [Span(b"", _END)]
    return Condition("url_patterns", URL, holds, KEY, _within(span for known in spans for span in (known or anywhere)))


def _by_value(verdict: Callable[[str], bool]) -> Callable[[pa.Array], Mask]:
    """Return what judges a column of text by judging each of its different values once."""

    def holds(values: pa.Array) -> Mask:
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        verdicts = np.array([value is not None and verdict(value) for value in encoded.dictionary.to_pylist()], bool)
        places = pc.fill_null(encoded.indices, len(verdicts)).to_numpy(zero_copy_only=False)
        return cast(Mask, np.append(verdicts, False)[places])

    return holds


def _strings(values: Iterable[str], end: bytes) -> Callable[[Bounds], bool]:
    """Return what tells whether texts that are one of some values, or start with it, can lie within bounds."""
    return _within(Span(value.encode(), value.encode() + end) for value in values)


def _within(spans: Iterable[Span]) -> Callable[[Bounds], bool]:
    whole = merged(spans)
    return lambda bounds: overlap(whole, bounds.least, bounds.most)


def _mask(found: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), np.bool_)


def _milliseconds(day: date) -> int:
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
