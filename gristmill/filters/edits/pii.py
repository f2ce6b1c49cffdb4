"""Personal data replaced: each kind by a text of its own, the same wherever it is found."""

from __future__ import annotations

from typing import Final

from gristmill.filters.edits.edit import EDIT_COUNT, Edit, Made, counted, not_emptied
from gristmill.filters.edits.settings import PiiSettings
from gristmill.filters.edits.spans import Kind, cuts_of_spans
from gristmill.filters.pii.find import KINDS, counts_per_row, found
from gristmill.text import TextBatch

NAME: Final = "pii"
# The first of datatrove's replacements for e-mail and IP addresses, which it uses in turn.
REPLACEMENTS: Final[dict[str, str]] = {
    "email": "email@example.com",
    "ip": "22.214.171.124",
    "iban": "[iban]",
    "card": "[card]",
    "phone": "[phone]",
}


def make(batch: TextBatch, settings: PiiSettings) -> Made:
    """Replace what is found of the chosen types; where two overlap, the type that precedence puts first is taken."""
    replacements: dict[str, str] = REPLACEMENTS | dict(settings.replacements.items())
    table = tuple(Kind(f"{NAME}.{kind}", replacements[kind]) for kind in KINDS)
    spans = found(batch, settings.types)
    counts = counts_per_row(batch, spans)
    masked = {f"masked_{kind}_count": counts[:, number] for number, kind in enumerate(KINDS)}
    return Made(batch, cuts_of_spans(batch, spans, table), masked)


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
