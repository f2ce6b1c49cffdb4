"""Dates as WARC and HTTP write them, in milliseconds since 1970 (UTC)."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86400
_LONGEST = 64
_WARC = re.compile(
    rb"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?)?\s*(?:Z|([+-])(\d\d):?(\d\d))?"
)
_WHOLE_WARC = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\dZ")
_MONTHS = {name: n for n, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WHOLE_HTTP = re.compile(
    rb"[A-Z][a-z][a-z], (\d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}) "
    rb"([01]\d|2[0-3]):([0-5]\d):([0-5]\d) GMT"
)
_CLOCK = rb"(\d{1,2}):(\d\d)(?::(\d\d))?"
_HTTP = re.compile(rb"(?:[A-Za-z]+,?\s*)?(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{2,4})\s+" + _CLOCK + rb"(?:\s+(.*))?")
_ASCTIME = re.compile(rb"[A-Za-z]{3}\s+([A-Za-z]{3})\s+(\d{1,2})\s+" + _CLOCK + rb"\s+(\d{4})(?:\s+(?:GMT|UTC))?")
_ZONE = re.compile(rb"([+-])(\d\d):?(\d\d)")


def warc_milliseconds(value: bytes | None) -> int | None:
    """Return a WARC-Date, which may be cut off after any part; None if it cannot be read.

    >>> warc_milliseconds(b"1970-01-01T00:00:01.5Z"), warc_milliseconds(b"1970-01-02")
    (1500, 86400000)
    """
    if value is not None and _WHOLE_WARC.fullmatch(value):
        return _whole_milliseconds(value)
    match = _WARC.fullmatch((value or b"")[:_LONGEST].strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    fields = (int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    found = _milliseconds(*fields[:3], fields[3:], _zone(sign, zone_hours, zone_minutes))
    return None if found is None else found + int((fraction or b"0").ljust(3, b"0")[:3])


def http_milliseconds(value: bytes | None) -> int | None:
    """Return an HTTP Date in any of its three forms; None if it cannot be read. Without a zone it is taken as UTC.

    >>> http_milliseconds(b"Thu, 01 Jan 1970 00:01:00 GMT"), http_milliseconds(b"Thu Jan  1 00:01:00 1970")
    (60000, 60000)
    """
    if value is not None and (whole := _WHOLE_HTTP.fullmatch(value)):
        date, hour, minute, second = whole.groups()
        midnight = _midnight(date)
        since = (int(hour) * 60 + int(minute)) * 60 + int(second)
        return None if midnight is None else midnight + since * 1000
    value = (value or b"")[:_LONGEST].strip()
    if match := _HTTP.fullmatch(value):
        day, month, year, hour, minute, second, zone = match.groups()
        offset = _ZONE.match(zone or b"")
        minutes = _zone(*offset.groups()) if offset else 0
    elif match := _ASCTIME.fullmatch(value):
        month, day, hour, minute, second, year = match.groups()
        minutes = 0
    else:
        return None
    if month.lower() not in _MONTHS:
        return None
    clock = (int(hour), int(minute), int(second or 0))
    return _milliseconds(_full_year(year), _MONTHS[month.lower()], int(day), clock, minutes)


def _whole_milliseconds(value: bytes) -> int | None:
    """Return a date to the second, in UTC, as nearly all records have it."""
    try:
        since = datetime.fromisoformat(value.decode("ascii")) - _EPOCH
    except ValueError:
        return None
    return (since.days * _DAY_SECONDS + since.seconds) * 1000


@functools.lru_cache(1024)
def _midnight(date: bytes) -> int | None:
    """Return when a day such as ``21 Apr 2024`` began, which most pages of a crawl share with others."""
    day, month, year = date.split(b" ")
    return _milliseconds(int(year), _MONTHS[month.lower()], int(day), (0, 0, 0), 0)


def _full_year(digits: bytes) -> int:
    """Return a year; of two digits, those from 70 on are of the last century."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= 70 else 2000)


def _zone(sign: bytes | None, hours: bytes | None, minutes: bytes | None) -> int:
    """Return a zone's minutes east of UTC."""
    offset = int(hours or 0) * 60 + int(minutes or 0)
    return -offset if sign == b"-" else offset


def _milliseconds(year: int, month: int, day: int, clock: tuple[int, ...], zone: int) -> int | None:
    hour, minute, second = clock
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    since = local - _EPOCH
    return (since.days * _DAY_SECONDS + since.seconds - zone * 60) * 1000
