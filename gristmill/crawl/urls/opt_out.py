"""Whether a record carries the wish not to be used: in its HTTP header, or in a meta at the start of its page.

Read are ``X-Robots-Tag`` and metas named ``robots`` or after a crawler, which hold tokens such as ``noai``; and
``tdm-reservation``, header or meta, which reserves text and data mining with ``1`` (TDM Reservation Protocol, W3C
community group, 2024). What stands at another address, as robots.txt and ``/.well-known/tdmrep.json``, is not here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from gristmill.crawl.urls.settings import OptOutSettings

SCANNED_BYTES = 1 << 18
"""How far metas are looked for: of 1,376 robots metas in 7,697 real responses the last begins at byte 205,992."""

_ROBOTS_HEADER = b"x-robots-tag"
_ROBOTS = "robots"
_TDM = "tdm"
_RESERVATION = "tdm-reservation"
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_AGENT = re.compile(r"\s*([a-z0-9_.*-]{1,60})\s*:")
_TOKEN = re.compile(r"[a-z0-9_-]+")
_MARKUP = re.compile(rb"<(?:!--.*?(?:-->|\Z)|(script|style|textarea|title)\b.*?(?:</\1|\Z)|meta(?=[\s/]))", re.DOTALL)
_ATTRIBUTE = re.compile(
    rb"[\s/]*+([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)(?:\"|\Z)|'([^']*+)(?:'|\Z)|([^\s>]*+)))?", re.DOTALL
)
_UTF16_HEAD = 64


class OptOutFinder:
    """Finds the signals that a recipe counts."""

    def __init__(self, settings: OptOutSettings) -> None:
        tokens = {str(signal) for signal in settings.signals if signal != _TDM}
        if "noindex" in tokens:
            tokens.add("none")  # which means noindex, nofollow
        self._tokens = frozenset(tokens)
        self._wants_tdm = _TDM in settings.signals
        self._agents = frozenset(settings.agents)
        self._traces = [token.encode() for token in sorted(self._tokens)]
        self._traces += [_RESERVATION.encode()] if self._wants_tdm else []

    def find(self, fields: Sequence[tuple[bytes, bytes]], page: bytes | memoryview) -> str | None:
        """Return the first signal in a response's header, or else in its page, as it is told; None if there is none.

        ``fields``: names in lower case, and values; ``page``: empty for what is no page.
        """
        return next(self._in_header(fields), None) or next(self._in_page(page), None)

    def _in_header(self, fields: Sequence[tuple[bytes, bytes]]) -> Iterator[str]:
        for name, value in fields:
            if name == _ROBOTS_HEADER:
                for agent, token in _header_tokens(value.decode("latin-1").lower()):
                    if token in self._tokens and self._counts(agent):
                        yield f"X-Robots-Tag: {token if agent is None else f'{agent}: {token}'}"
            elif self._wants_tdm and name == _RESERVATION.encode() and value.strip() == b"1":
                yield "tdm-reservation: 1"

    def _in_page(self, page: bytes | memoryview) -> Iterator[str]:
        start = bytes(page[:SCANNED_BYTES]).lower()
        if b"\0" in start[:_UTF16_HEAD]:
            start = start.replace(b"\0", b"")
        if not any(trace in start for trace in self._traces):
            return
        for name, content in _metas(start):
            if name == _RESERVATION:
                if self._wants_tdm and content.strip() == "1":
                    yield "<meta name=tdm-reservation content=1>"
            elif name == _ROBOTS or name in self._agents:
                for token in _TOKEN.findall(content):
                    if token in self._tokens:
                        yield f"<meta name={name} content={token}>"

    def _counts(self, agent: str | None) -> bool:
        return agent in (None, "*") or agent in self._agents


def _header_tokens(value: str) -> Iterator[tuple[str | None, str]]:
    """Yield the tokens of a lower-case X-Robots-Tag, each with the crawler it is addressed to, None for all.

    >>> list(_header_tokens("noarchive, ccbot: noai, max-snippet: 5, noindex"))
    [(None, 'noarchive'), ('ccbot', 'noai'), ('ccbot', 'noindex')]
    """
    agent = None
    for directive in value.split(","):
        named = _AGENT.match(directive)
        if named and named[1] in _WITH_VALUE:
            continue
        if named:
            agent, directive = named[1], directive[named.end() :]
        for token in _TOKEN.findall(directive):
            yield agent, token


def _metas(page: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and content of each meta of a lower-case page that has both, comments and scripts apart."""
    at = 0
    while found := _MARKUP.search(page, at):
        at = found.end()
        if page.startswith(b"<meta", found.start()):
            attributes, at = _attributes(page, at)
            if b"name" in attributes and b"content" in attributes:
                yield _value(attributes[b"name"]).strip(), _value(attributes[b"content"])


def _attributes(page: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Return a tag's attributes, of each name the first, and where they end."""
    attributes: dict[bytes, bytes] = {}
    while found := _ATTRIBUTE.match(page, at):
        attributes.setdefault(found[1], found[2] or found[3] or found[4] or b"")
        at = found.end()
    return attributes, at


def _value(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")).lower()
