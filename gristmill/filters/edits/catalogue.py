"""All edits, by name, and the making of them on a batch of texts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from gristmill import schema
from gristmill.characters import UNICODE_VERSION
from gristmill.filters.edits import c4_lines, citations, pii, refinedweb_lines, repeated_lines, symbol_lines, unicode
from gristmill.filters.edits.edit import Edit, Made
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.edits.spans import edited_bytes
from gristmill.filters.rules.kept import Measured, rules_with
from gristmill.filters.rules.rule import Rule
from gristmill.text import SEGMENTATION_VERSION, TextBatch

EDITS: Final[Mapping[str, Edit]] = MappingProxyType(
    {
        edit.name: edit
        for edit in (
            c4_lines.EDIT,
            refinedweb_lines.EDIT,
            citations.EDIT,
            repeated_lines.EDIT,
            symbol_lines.EDIT,
            pii.EDIT,
            unicode.EDIT,
        )
    }
)

# Every intended difference from datatrove's filter and formatters: what it does, what is done here.
DIFFERENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "citation_between_words": (
            "a citation cut between two words joins them: `wanted[1]store` becomes `wantedstore`",
            "a space takes its place",
        ),
        "sentences": (
            "C4's sentences are those of spaCy's sentencizer",
            "`c4_lines` counts those of `unicode` words, as the signal `c4_sentence_count` does, which has spaCy's "
            "with `words: spacy`",
        ),
        "all_reasons": (
            "the first line with `lorem ipsum` or `{` ends the check",
            "every line is looked at, and every rule evaluated",
        ),
        "empty_page": (
            "with the fewest sentences off, a page of which no line stays is kept, empty",
            "`edit.c4_lines.text_bytes.min` drops it",
        ),
        "object_identifiers": (
            "four numbers within a longer dotted number are taken for an IP address: OIDs, versions",
            "an address has no further digit or dotted number beside it",
        ),
        "one_replacement": (
            "replacements are used in turn, so that they depend on the documents before",
            "one replacement for each type",
        ),
    }
)


@cache
def layout(name: str) -> pa.Schema:
    """Return the columns of an edit's layer: the spans, the bytes that are left, then its facts."""
    facts = (schema.column(fact.name, fact.type, fact.meaning) for fact in EDITS[name].facts)
    return pa.schema([*schema.EDITS_LAYER, *facts])


def facts_of(name: str) -> tuple[str, ...]:
    """Return the columns of an edit's layer that rules may bound."""
    return tuple(layout(name).names[1:])


def make(texts: pa.Array, settings: EditSettings) -> Made:
    """Return the edit made on a batch of texts. A row's edits depend on its text alone."""
    return EDITS[settings.name].make(TextBatch(texts), settings.own)


def annotate(texts: pa.Array, settings: EditSettings) -> pa.RecordBatch:
    """Return the edit's layer for a batch of texts, in the order of ``layout``; a null text has nulls."""
    made = make(texts, settings)
    missing = ~made.batch.valid
    facts = [pa.array(fact.function(made), fact.type, mask=missing) for fact in EDITS[settings.name].facts]
    columns = [made.edits, edited_bytes(made.texts), *facts]
    return pa.RecordBatch.from_arrays(columns, schema=layout(settings.name))


def rules_of(settings: EditSettings) -> tuple[Rule, ...]:
    """Return the rules that an edit comes with, their bounds changed as the recipe says, then the recipe's own.

    Raises ValueError for a bound on what the edit does not measure, and for texts as a bound.
    """
    published = EDITS[settings.name].rules(settings.own)
    return rules_with(
        published, settings.keep, Measured(settings.name, f"edit.{settings.name}", facts_of(settings.name))
    )


def versions(settings: EditSettings) -> dict[str, str]:
    """Return what the layer depends on apart from the text: the edit's version, its libraries', words and Unicode."""
    edit = EDITS[settings.name]
    known = {edit.name: str(edit.version), "segmentation": str(SEGMENTATION_VERSION), "unicode": UNICODE_VERSION}
    return known | dict(edit.uses())
