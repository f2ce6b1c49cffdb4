"""Personal data that has a form: what the edit ``pii`` finds, counted.

Spans of two kinds do not overlap: e-mail addresses are taken first, then IP addresses, IBANs, card numbers and phone
numbers. So the counts are what the edit replaces if it replaces all types.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from gristmill.filters.pii.find import KINDS, counts_per_row, found
from gristmill.filters.signals.signal import Column, signal
from gristmill.text import TextBatch

FAMILY: Final = "pii"
SOURCE: Final = "PIIFormatter of datatrove 0.10 for e-mail and IP addresses; ISO 13616, ISO/IEC 7812 and E.164"


def pii_counts(batch: TextBatch) -> Column:
    """Return int64[rows, kinds]: how many spans of each of ``KINDS`` a text has."""
    return counts_per_row(batch, found(batch))


def _count(batch: TextBatch, kind: str) -> Column:
    return batch.scan(pii_counts)[:, KINDS.index(kind)]


@signal(pa.int64(), FAMILY, SOURCE)
def email_count(batch: TextBatch) -> Column:
    """E-mail addresses.

    Those that datatrove's pattern finds, from the left. An empty text has 0.
    """
    return _count(batch, "email")


@signal(pa.int64(), FAMILY, SOURCE)
def ip_count(batch: TextBatch) -> Column:
    """Public IPv4 addresses.

    Four numbers from 0 to 255 without leading zeros, with no further digit or dotted number beside them, in no network
    that IANA reserves. datatrove takes parts of longer dotted numbers too, such as versions. Addresses within an e-mail
    address do not count. An empty text has 0.
    """
    return _count(batch, "ip")


@signal(pa.int64(), FAMILY, SOURCE)
def iban_count(batch: TextBatch) -> Column:
    """IBANs.

    Of their country's length, with the right check digits (ISO 7064, remainder 1 by 97), with or without spaces. An
    empty text has 0.
    """
    return _count(batch, "iban")


@signal(pa.int64(), FAMILY, SOURCE)
def card_count(batch: TextBatch) -> Column:
    """Payment card numbers.

    13 to 19 digits, the first from 3 to 6, single spaces or hyphens between them, the last the right check digit
    (Luhn). An empty text has 0.
    """
    return _count(batch, "card")


@signal(pa.int64(), FAMILY, SOURCE)
def phone_count(batch: TextBatch) -> Column:
    """Phone numbers with a country code.

    ``+`` and 8 to 15 digits, with spaces, dots, hyphens, slashes and brackets between them. Numbers without a country
    code have no form that tells them from other numbers, and do not count. An empty text has 0.
    """
    return _count(batch, "phone")


SIGNALS: Final = (email_count, ip_count, iban_count, card_count, phone_count)
