"""What is read from a WARC: records and damaged stretches, and what a record's header says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from gristmill.crawl.http.headers import parse_fields

RESPONSE = "response"
REVISIT = "revisit"
DAMAGE = "damage"
UNSUPPORTED = "unsupported"
TYPES = frozenset(
    {"warcinfo", RESPONSE, "resource", "request", "metadata", REVISIT, "conversion", "continuation", "unknown"}
)
NO_FIELDS: Mapping[bytes, bytes] = {}

_FACTS = re.compile(rb"(?i)\n(warc-type|content-length)[ \t]*:([^\r\n]*)")
_FOLD = re.compile(rb"\n[ \t]")
_LENGTH = re.compile(rb"\d{1,18}")
_TYPES_BY_NAME = {name.encode(): name for name in TYPES}
_TYPES_WITH_FIELDS = frozenset({RESPONSE, REVISIT})


class Record(NamedTuple):
    """One record, or one damaged stretch.

    ``type``: one of TYPES, DAMAGE or UNSUPPORTED; ``fields``: the header of a response, a revisit or a damaged record,
    by lower-case name, the first of each, empty if none was readable; ``length``: bytes of its block; ``block``: the
    first of them, only for a response.
    """

    offset: int
    type: str
    fields: Mapping[bytes, bytes]
    length: int = 0
    block: bytes = b""


def type_and_length(head: bytes) -> tuple[str, int | None]:
    r"""Return what most records are asked for: their type, and their block's bytes or None if they are unreadable.

    >>> type_and_length(b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: ten\r\n\r\n")
    ('response', None)
    """
    facts = all_fields(head) if _FOLD.search(head) else _first_facts(head)
    length = facts.get(b"content-length", b"")
    kind = _TYPES_BY_NAME.get(facts.get(b"warc-type", b"").lower(), "unknown")
    return kind, int(length) if _LENGTH.fullmatch(length) else None


def fields_of(head: bytes, kind: str) -> Mapping[bytes, bytes]:
    """Return the header fields of a record that is kept with them, else none."""
    return all_fields(head) if kind in _TYPES_WITH_FIELDS else NO_FIELDS


def all_fields(head: bytes) -> Mapping[bytes, bytes]:
    """Return the fields of a header by lower-case name, the first of each."""
    return dict(reversed(parse_fields(head)))


def _first_facts(head: bytes) -> Mapping[bytes, bytes]:
    return {name.lower(): value.strip() for name, value in reversed(_FACTS.findall(head))}
