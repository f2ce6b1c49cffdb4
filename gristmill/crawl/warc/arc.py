r"""What records look like in ARC: one line, the block, a line end. Each becomes what a response is in WARC.

The line has the URL, the address, the date, the media type and the length; in version 2 five more fields before the
length. Which version a line is of is told by the line, since files say one and have the other. URLs with spaces, dates
of 8 to 20 digits, and the date before the address are found in real files. The record that describes the file is a
``warcinfo``. Source: https://archive.org/web/researcher/ArcFileFormat.php. warcio reads version 1 only, and ends at the
first line that is not as it should be.

>>> ARC.fields(b"http://a.example/ 1.2.3.4 20080430204825 text/html 99\n")[b"warc-date"]
b'2008-04-30T20:48:25Z'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gristmill.crawl.warc.dialect import Dialect, Head
from gristmill.crawl.warc.record import RESPONSE, WARCINFO, block_length

if TYPE_CHECKING:
    from gristmill.crawl.warc.window import Window

_ADDRESS = rb"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,41}|0|-|[Nn]one|null)"
_DATE = rb"(?:\d{8,20}[^ \r\n]{0,20}|[0-9a-f]{32,36}|null)"
_PAGE_LINE = (
    rb"(?:[a-z][a-z0-9+.-]{1,15}://|dns:|whois:)[^\r\n]{0,8000}"
    rb" (?:%b %b|%b %b) [^\r\n]{0,600} ?-?\d{1,18}" % (_ADDRESS, _DATE, _DATE, _ADDRESS)
)
_VERSION_2 = re.compile(rb"(\S+) (\S+) (\d{8,20}) (\S*) (?:\d{1,3}|-) \S+ \S+ (?:\d+|-) \S+ (-?\d+)")
_VERSION_1_FIELDS = 5
_FILE = b"filedesc:"
_DATE_DIGITS = re.compile(rb"\d{8,20}")
_NAMES = (b"warc-target-uri", b"warc-date", b"content-type", b"content-length")


class ArcDialect(Dialect):
    """A line, the block, a line end."""

    start = re.compile(rb"(?<![^\n])(?:" + _PAGE_LINE + rb"|filedesc:[^\r\n]{0,8000})\r?\n")
    start_bytes = ahead_bytes = 9000
    line_ends = 1

    def begins(self, ahead: bytes | bytearray) -> bool:
        """Return whether these bytes begin with a record's line, line ends before it apart."""
        return self.start.match(ahead.lstrip(b"\r\n")) is not None

    def take_head(self, window: Window) -> Head | None:
        """Move past a record's line; see `Dialect`."""
        line = self.start.match(window.peek(self.start_bytes))
        if line is None:
            return None
        window.skip(line.end())
        fields = self.fields(line[0])
        kind = WARCINFO if line[0].startswith(_FILE) else RESPONSE
        return Head(kind, block_length(fields[b"content-length"]), fields)

    def fields(self, line: bytes) -> Mapping[bytes, bytes]:
        """Return what a record's line says, under the names that WARC has for it; what it lacks is empty."""
        line = line.rstrip(b"\r\n")
        found = _VERSION_2.fullmatch(line)
        parts = list(found.groups()) if found else line.rsplit(b" ", _VERSION_1_FIELDS - 1)
        url, address, date, media_type, length = parts + [b""] * (_VERSION_1_FIELDS - len(parts))
        if _DATE_DIGITS.match(address):
            date = address
        return dict(zip(_NAMES, (url, _warc_date(date), media_type, length), strict=True))


def _warc_date(value: bytes) -> bytes:
    """Return a date such as 20080430204825 as WARC writes it, missing digits as 0; empty if it is none."""
    found = _DATE_DIGITS.match(value)
    digits = found[0][:14].ljust(14, b"0").decode("ascii") if found else ""
    parts = (digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12], digits[12:14])
    return "{}-{}-{}T{}:{}:{}Z".format(*parts).encode() if digits else b""


ARC = ArcDialect()
