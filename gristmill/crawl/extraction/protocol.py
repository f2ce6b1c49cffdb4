"""What the worker and its extraction process say to each other: pages one way, what became of them the other.

Messages are a fixed head, which holds lengths, and the bytes that it counts. Nothing is unpickled: what comes from the
extraction process went through parsers of hostile input.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_PAGE = struct.Struct("<IBBBBB")
_ANSWER = struct.Struct("<IIIBBBB")
_END_OF_VALUE = "\0"
READY = b"\x06"
"""What the extraction process says once, when it is ready for pages."""


class Page(NamedTuple):
    """A page to extract: its body, the charset named for it, and whether it is plain text.

    ``is_cheap`` asks a cascade for the cheap text; ``is_label_of_warc``: the WARC names the charset, not HTTP;
    ``is_again``: it was asked for its cheap text and had one, so its depth and its columns are known.
    """

    body: bytes | memoryview
    label: str | None = None
    is_plain: bool = False
    is_cheap: bool = False
    is_label_of_warc: bool = False
    is_again: bool = False


class Answer(NamedTuple):
    """What became of a page: a text in UTF-8, or the fate for having none; and the charset, if it was decoded.

    ``extractor`` is what gave the text; ``columns`` are the values of the columns asked for, in their order, or empty.
    """

    text: bytes | None
    fate: str | None
    charset: str | None = None
    charset_source: str | None = None
    resident_bytes: int = 0
    extractor: str | None = None
    columns: tuple[str | None, ...] = ()


PAGE_HEAD_BYTES = _PAGE.size


def pack_page(page: Page) -> bytes:
    """Return a page as a message, without its body, which follows."""
    label = (page.label or "").encode("ascii", "ignore")[:255]
    facts = page.is_plain, page.is_cheap, page.is_label_of_warc, page.is_again
    return _PAGE.pack(len(page.body), len(label), *facts) + label


def unpack_page_head(head: bytes) -> tuple[int, int, bool, bool, bool, bool]:
    """Return the bytes of a page's body, those of its label, which comes first, and what else is known of it."""
    body, label, is_plain, is_cheap, is_label_of_warc, is_again = _PAGE.unpack(head)
    return body, label, bool(is_plain), bool(is_cheap), bool(is_label_of_warc), bool(is_again)


def pack_answer(answer: Answer) -> bytes:
    """Return an answer as a message. A value of a column holds no NUL and is not empty."""
    text = answer.text or b""
    columns = "".join((value or "") + _END_OF_VALUE for value in answer.columns).encode()
    words = [(word or "").encode("ascii") for word in _words(answer)]
    head = _ANSWER.pack(len(text), answer.resident_bytes >> 10, len(columns), *map(len, words))
    return b"".join([head, *words, columns, text])


def unpack_answer(buffer: bytearray) -> tuple[Answer, int] | None:
    """Return the answer at a buffer's start, with the bytes it takes; None while it is not complete."""
    if len(buffer) < _ANSWER.size:
        return None
    text_bytes, resident, column_bytes, *lengths = _ANSWER.unpack_from(buffer)
    size = _ANSWER.size + sum(lengths) + column_bytes + text_bytes
    if len(buffer) < size:
        return None
    at, words = _ANSWER.size, []
    for length in lengths:
        words.append(buffer[at : at + length].decode("ascii") or None)
        at += length
    fate, charset, source, extractor = words
    columns = buffer[at : at + column_bytes].decode().split(_END_OF_VALUE)[:-1]
    text = None if fate else bytes(buffer[at + column_bytes : size])
    values = tuple(value or None for value in columns)
    return Answer(text, fate, charset, source, resident << 10, extractor, values), size


def _words(answer: Answer) -> tuple[str | None, ...]:
    return answer.fate, answer.charset, answer.charset_source, answer.extractor
