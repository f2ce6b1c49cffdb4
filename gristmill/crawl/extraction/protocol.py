"""What the worker and its extraction process say to each other: pages one way, what became of them the other.

Messages are a fixed head, which holds lengths, and the bytes that it counts. Nothing is unpickled: what comes from the
extraction process went through parsers of hostile input.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_PAGE = struct.Struct("<IBB")
_ANSWER = struct.Struct("<IIBBB")
READY = b"\x06"
"""What the extraction process says once, when it is ready for pages."""


class Page(NamedTuple):
    """A page to extract: its body, the charset that HTTP names, and whether it is plain text."""

    body: bytes
    label: str | None = None
    is_plain: bool = False


class Answer(NamedTuple):
    """What became of a page: a text in UTF-8, or the fate for having none; and the charset, if it was decoded."""

    text: bytes | None
    fate: str | None
    charset: str | None = None
    charset_source: str | None = None
    resident_bytes: int = 0


PAGE_HEAD_BYTES = _PAGE.size


def pack_page(page: Page) -> bytes:
    """Return a page as a message, without its body, which follows."""
    label = (page.label or "").encode("ascii", "ignore")[:255]
    return _PAGE.pack(len(page.body), len(label), page.is_plain) + label


def unpack_page_head(head: bytes) -> tuple[int, int, bool]:
    """Return the bytes of a page's body, those of its label, which comes first, and whether it is plain text."""
    body, label, is_plain = _PAGE.unpack(head)
    return body, label, bool(is_plain)


def pack_answer(answer: Answer) -> bytes:
    """Return an answer as a message."""
    text = answer.text or b""
    words = [(word or "").encode("ascii") for word in (answer.fate, answer.charset, answer.charset_source)]
    return b"".join([_ANSWER.pack(len(text), answer.resident_bytes >> 10, *map(len, words)), *words, text])


def unpack_answer(buffer: bytearray) -> tuple[Answer, int] | None:
    """Return the answer at a buffer's start, with the bytes it takes; None while it is not complete."""
    if len(buffer) < _ANSWER.size:
        return None
    text_bytes, resident, *lengths = _ANSWER.unpack_from(buffer)
    size = _ANSWER.size + sum(lengths) + text_bytes
    if len(buffer) < size:
        return None
    at, words = _ANSWER.size, []
    for length in lengths:
        words.append(buffer[at : at + length].decode("ascii") or None)
        at += length
    fate, charset, source = words
    text = None if fate else bytes(buffer[at:size])
    return Answer(text, fate, charset, source, resident << 10), size
