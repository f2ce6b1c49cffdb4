"""Personal data replaced: each kind by a text of its own, the same wherever it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gristmill.filters.edits.edit import EDIT_COUNT, Edit, Made, counted, not_emptied
from gristmill.filters.edits.pii.addresses import emails, ips
from gristmill.filters.edits.pii.numbers import cards, ibans, phones
from gristmill.filters.edits.settings import PiiSettings
from gristmill.filters.edits.spans import Kind, cuts_of_spans
from gristmill.text import Integers, TextBatch

NAME: Final = "pii"
# What is found, in the order of precedence: of spans that overlap, the first kind's is replaced.
FINDERS: Final[dict[str, Callable[[TextBatch], tuple[Integers, Integers]]]] = {
    "email": emails,
    "ip": ips,
    "iban": ibans,
    "card": cards,
    "phone": phones,
}
# The first of datatrove's replacements for e-mail and IP addresses, which it uses in turn.
REPLACEMENTS: Final = {
    "email": "email@example.com",
    "ip": "22.214.171.124",
    "iban": "[iban]",
    "card": "[card]",
    "phone": "[phone]",
}


def make(batch: TextBatch, settings: PiiSettings) -> Made:
    """Replace what is found of the chosen types; where two overlap, the type that precedence puts first is taken."""
    table = tuple(
        Kind(f"{NAME}.{kind}", settings.replacements.get(kind, text))  # type: ignore[call-overload]
        for kind, text in REPLACEMENTS.items()
    )
    taken: list[tuple[int, int, int]] = []
    occupied = np.zeros(len(batch.data), np.bool_)
    for number, (kind, find) in enumerate(FINDERS.items()):
        if kind in settings.types:
            for start, end in zip(*(positions.tolist() for positions in find(batch)), strict=True):
                if not occupied[start:end].any():
                    occupied[start:end] = True
                    taken.append((start, end, number))
    cuts = cuts_of_spans(batch, sorted(taken), table)
    rows = np.repeat(np.arange(batch.rows), np.diff(cuts.counts))
    found = {
        f"masked_{kind}_count": np.bincount(rows[cuts.kinds == number], minlength=batch.rows).astype(np.int64)
        for number, kind in enumerate(FINDERS)
    }
    return Made(batch, cuts, found)


EDIT: Final = Edit(
    name=NAME,
    source="PIIFormatter of datatrove 0.10 for e-mail and IP addresses; ISO 13616, ISO/IEC 7812 and E.164",
    version=1,
    make=make,
    facts=(
        EDIT_COUNT,
        counted("masked_email_count", "e-mail addresses replaced"),
        counted("masked_ip_count", "public IPv4 addresses replaced"),
        counted("masked_iban_count", "IBANs replaced"),
        counted("masked_card_count", "payment card numbers replaced"),
        counted("masked_phone_count", "phone numbers replaced"),
    ),
    rules=lambda settings: (not_emptied(NAME),),
)
