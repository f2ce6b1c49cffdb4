"""Hosts and addresses as a recipe writes them: what they mean, and which stretches of the index can hold them.

An index is sorted by SURT key: the host's labels in reverse without a leading ``www.``, then the path in lower case
(``https://www.example.org/News`` is ``org,example)/news``). A stretch is always at least as large as what it is for,
since tools differ in how they make the key.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_HOST = re.compile(r"(\*?\.)?((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)")
_HOST_LENGTH = 253
_ADDRESS = re.compile(r"(https?|\*)://([a-zA-Z0-9._*-]+)(:\d{1,5})?(/[!-~]*)")
_ADDRESS_LENGTH = 2000
_WWW = re.compile(r"www\d*\.")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_-]{1,23}(?=/))*")
_END = b"\xff"


class Span(NamedTuple):
    """A stretch of keys: from ``start`` on, up to before ``end``, in the order of their bytes."""

    start: bytes
    end: bytes


class Host(NamedTuple):
    """A host, and whether those below it are meant too."""

    name: str
    and_below: bool = False

    @classmethod
    def parse(cls, text: str) -> Host:
        """Return the host that a recipe writes. Raises ValueError.

        >>> Host.parse(".Example.org")
        Host(name='example.org', and_below=True)
        """
        match = _HOST.fullmatch(text.lower())
        if match is None or len(text) > _HOST_LENGTH:
            hint = " in its ASCII form, xn--…" if not text.isascii() else ""
            raise ValueError(f"'{text[:80]}' is no host; write example.org, or *.example.org for all below it{hint}")
        return cls(match[2], match[1] is not None)

    @property
    def written(self) -> str:
        """The host in the one form that is compared."""
        return f"*.{self.name}" if self.and_below else self.name

    def spans(self, path: str = "") -> list[Span]:
        """Return the stretches that can hold it: all of it, or of what starts with a path if none below is meant."""
        own = [span for key in _keys(self.name) for span in (_prefixed(f"{key}){path.lower()}"), _prefixed(f"{key}:"))]
        return [*own, _prefixed(f"{_reversed(self.name)},")] if self.and_below else own


class UrlPattern(NamedTuple):
    """An address in which ``*`` stands for anything: its scheme (``*`` for both), host, port with colon, path."""

    scheme: str
    host: str
    port: str
    path: str

    @classmethod
    def parse(cls, text: str) -> UrlPattern:
        """Return the pattern that a recipe writes. Raises ValueError.

        >>> UrlPattern.parse("https://Example.org/news/*").host
        'example.org'
        """
        match = _ADDRESS.fullmatch(text)
        if match is None or len(text) > _ADDRESS_LENGTH:
            raise ValueError(
                f"'{text[:80]}' is no pattern of addresses; write all of it, such as https://*.example.org/news/*, "
                "in ASCII (%C3%A9 for é), with *:// for both schemes"
            )
        return cls(match[1], match[2].lower(), match[3] or "", match[4])

    @property
    def written(self) -> str:
        """The pattern in the one form that is compared."""
        return f"{self.scheme}://{self.host}{self.port}{self.path}"

    @property
    def regex(self) -> str:
        """The pattern as RE2 reads it: every character but ``*`` is escaped, and its time is linear in the address."""
        scheme = "https?" if self.scheme == "*" else self.scheme
        host = _globbed(f"{self.host}{self.port}", "[^/?#]*")
        return f"^(?i:{scheme}://{host}){_globbed(self.path, '(?s:.*)')}$"

    @property
    def domain(self) -> Host | None:
        """The host that all of its addresses are of or below; None if the pattern tells none."""
        known = self.host.rpartition("*")[2]
        if known != self.host:
            known = known.partition(".")[2]
        try:
            return Host(Host.parse(known).name, known != self.host)
        except ValueError:
            return None

    @property
    def start_of_path(self) -> str:
        """What all of its paths start with, as far as key makers keep it: whole short segments, no slash at the end.

        >>> UrlPattern.parse("https://example.org/a/b/c*").start_of_path
        '/a/b'
        """
        plain = _PLAIN_PATH.match(self.path.partition("*")[0])
        return plain[0] if plain is not None else ""

    def spans(self) -> list[Span] | None:
        """Return the stretches that can hold it; None if it can be anywhere."""
        domain = self.domain
        if domain is None:
            return None
        return domain.spans("" if domain.and_below else self.start_of_path)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the stretches in order, those that overlap or touch as one.

    >>> merged([Span(b"c", b"e"), Span(b"a", b"c")])
    [Span(start=b'a', end=b'e')]
    """
    whole: list[Span] = []
    for span in sorted(spans):
        if whole and span.start <= whole[-1].end:
            whole[-1] = Span(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    return whole


def overlap(spans: Sequence[Span], least: bytes, most: bytes) -> bool:
    """Return whether a key between two others, both included, can lie in one of the stretches, which are merged."""
    place = bisect_right(spans, least, key=lambda span: span.end)
    return place < len(spans) and spans[place].start <= most


def _prefixed(prefix: str) -> Span:
    start = prefix.encode()
    return Span(start, start + _END)


def _keys(host: str) -> list[str]:
    """Return the forms that a host may have in keys: without each ``www.`` in front, and an IP address as it is."""
    names = [host]
    while match := _WWW.match(names[-1]):
        names.append(names[-1][match.end() :])
    return [_reversed(name) for name in names] + ([host] if _IPV4.fullmatch(host) else [])


def _reversed(host: str) -> str:
    return ",".join(reversed(host.split(".")))


def _globbed(text: str, anything: str) -> str:
    return anything.join(re.sub(r"([^A-Za-z0-9])", r"\\\1", part) for part in text.split("*"))
