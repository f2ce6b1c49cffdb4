"""What is read from a WARC: records and damaged stretches, and what a record's header says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from gristmill.crawl.http.headers import parse_fields

WARCINFO = "warcinfo"
RESPONSE = "response"
RESOURCE = "resource"
CONVERSION = "conversion"
REVISIT = "revisit"
UNKNOWN = "unknown"
DAMAGE = "damage"
UNSUPPORTED = "unsupported"
TYPES = frozenset({WARCINFO, RESPONSE, RESOURCE, "request", "metadata", REVISIT, CONVERSION, "continuation", UNKNOWN})
TYPES_WITH_BLOCKS = frozenset({RESPONSE, RESOURCE, CONVERSION})
"""Types of the records that can have a text."""

URL, DATE, MEDIA_TYPE = b"warc-target-uri", b"warc-date", b"content-type"
NO_FIELDS: Mapping[bytes, bytes] = {}

_FACTS = re.compile(rb"(?i)\n(warc-type|content-length)[ \t]*:([^\r\n]*)")
_FOLD = re.compile(rb"\n[ \t]")
_FIELDS = (URL, DATE, MEDIA_TYPE)
_SOUGHT = tuple((name, b"\n" + name + b":", len(name) + 2) for name in _FIELDS)
_LENGTH_DIGITS = 18
TYPES_BY_NAME = {name.encode(): name for name in TYPES}
TYPES_WITH_FIELDS = TYPES_WITH_BLOCKS | {REVISIT, DAMAGE}


class Record(NamedTuple):
    """One record, or one damaged stretch.

    ``type``: one of TYPES, DAMAGE or UNSUPPORTED; ``fields``: URL, DATE and MEDIA_TYPE as the header has them, for a
    record that can have a text, a revisit or a damaged record, as far as they were readable; ``length``: bytes of its
    block; ``block``: the first of them, only for a record that can have a text.
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
    kind = TYPES_BY_NAME.get(facts.get(b"warc-type", b"").lower(), UNKNOWN)
    return kind, block_length(facts.get(b"content-length", b""))


def block_length(value: bytes) -> int | None:
    """Return the number of bytes that a header states; None if it is none, or of more than 18 digits."""
    return int(value) if value.isdigit() and len(value) <= _LENGTH_DIGITS else None


def kept_fields(fields: Mapping[bytes, bytes], kind: str) -> Mapping[bytes, bytes]:
    """Return those of a header's fields that a record of a type is kept with."""
    if kind not in TYPES_WITH_FIELDS:
        return NO_FIELDS
    return {name: fields[name] for name in _FIELDS if name in fields}


def plain_fields(head: bytes) -> Mapping[bytes, bytes]:
    """Return URL, DATE and MEDIA_TYPE as `all_fields` has them, sooner, of lines that are all ``Name: value``."""
    lower, fields = head.lower(), {}
    for name, sought, size in _SOUGHT:
        at = lower.find(sought)
        if at >= 0:
            fields[name] = head[at + size : head.find(b"\n", at + size)].strip()
    return fields


def all_fields(head: bytes) -> Mapping[bytes, bytes]:
    """Return the fields of a header by lower-case name, the first of each."""
    return dict(reversed(parse_fields(head)))


def _first_facts(head: bytes) -> Mapping[bytes, bytes]:
    return {name.lower(): value.strip() for name, value in reversed(_FACTS.findall(head))}
