"""IBANs, payment card numbers and international phone numbers, as spans of a batch.

Patterns are fixed and bounded, so each byte is tried a bounded number of times; what they find is then checked exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow.compute as pc

from gristmill.text import Integers, TextBatch

Pairs = tuple[Integers, Integers]
Spans = Iterator[tuple[int, int]]

# Arrow's patterns, which are linear, choose the rows that are looked at.
_CARD_ROWS = r"[0-9]([ -]?[0-9]){12}"
_IBAN_ROWS = r"[A-Z]{2}[0-9]{2} ?[0-9A-Z]{4}"
_PHONE_ROWS = r"\+[1-9]"
_CARD = re.compile(rb"(?<![0-9A-Za-z])(?<![0-9][ -])[3-6](?:[ -]?[0-9]){12,18}(?![ -]?[0-9])(?![A-Za-z])")
_IBAN = re.compile(rb"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?= ?[0-9A-Z]{4})")
_PHONE = re.compile(rb"(?<![0-9A-Za-z+])\+[1-9](?:[ .()/-]{0,2}[0-9]){7,14}(?![0-9])")
_IBAN_BYTES = re.compile(rb"(?: ?[0-9A-Z])")

# Lengths of IBANs by country, from SWIFT's IBAN registry.
IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC",
    }.items()
    for code in codes.split()
}  # fmt: skip


def cards(batch: TextBatch) -> Pairs:
    """Return where payment card numbers start and end: 13 to 19 digits whose check digit is right (Luhn)."""
    return _found(batch, _CARD_ROWS, _cards)


def ibans(batch: TextBatch) -> Pairs:
    """Return where IBANs start and end: of their country's length, with the right check digits (ISO 7064, 97)."""
    return _found(batch, _IBAN_ROWS, _ibans)


def phones(batch: TextBatch) -> Pairs:
    """Return where phone numbers with a country code start and end: ``+`` and 8 to 15 digits (E.164)."""
    return _found(batch, _PHONE_ROWS, lambda text: (match.span() for match in _PHONE.finditer(text)))


def _found(batch: TextBatch, rows: str, find: Callable[[bytes], Spans]) -> Pairs:
    """Return the spans in the rows that a pattern chooses, as positions in the batch's data."""
    chosen = np.flatnonzero(np.asarray(pc.match_substring_regex(batch.texts, rows).fill_null(False)))
    spans: list[tuple[int, int]] = []
    for row in chosen.tolist():
        base, stop = int(batch.offsets[row]), int(batch.offsets[row + 1])
        spans += [(base + start, base + end) for start, end in find(batch.data[base:stop].tobytes())]
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
    return starts, ends


def _cards(text: bytes) -> Spans:
    for match in _CARD.finditer(text):
        if luhn(bytes(byte for byte in match[0] if byte not in b" -")):
            yield match.span()


def luhn(digits: bytes) -> bool:
    """Return whether the last of some ASCII digits is the right check digit (ISO/IEC 7812).

    >>> luhn(b"4111111111111111"), luhn(b"4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = (digit - 0x30) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _ibans(text: bytes) -> Spans:
    done = 0
    for match in _IBAN.finditer(text):
        length = IBAN_LENGTHS.get(match[0][:2].decode(), 0)
        start = end = match.start()
        while length and start >= done:
            step = _IBAN_BYTES.match(text, end)
            if step is None:
                break
            end = step.end()
            length -= 1
        if length or start < done or text[end : end + 1].isalnum():
            continue
        if remainder_97(text[start:end].replace(b" ", b"")) == 1:
            done = end
            yield start, end


def remainder_97(iban: bytes) -> int:
    """Return the remainder of an IBAN's number by 97; it is 1 if the check digits are right.

    >>> remainder_97(b"GB82WEST12345698765432")
    1
    """
    return int("".join(str(int(character, 36)) for character in (iban[4:] + iban[:4]).decode())) % 97
