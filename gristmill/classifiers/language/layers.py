"""The table of languages, with as many for each text, and as much of its lines, as a recipe asks for."""

from __future__ import annotations

import pyarrow as pa

from gristmill.schema import JUDGED_LINE_RATIO, LANGUAGE, LANGUAGE_LAYER, MIXED_LANGUAGE_RATIO, column

LANGUAGE_LINES = pa.schema(
    [
        column(
            MIXED_LANGUAGE_RATIO,
            pa.float64(),
            "bytes of judged lines in another language than the document / bytes of judged lines; 0.0 if none is",
        ),
        column(JUDGED_LINE_RATIO, pa.float64(), "bytes of judged lines / bytes of the text; 0.0 for the empty text"),
    ]
)


def language_layer(top: int = 1, lines: bool = False) -> pa.Schema:
    """Return the table of languages with so many of them for each text, and with what its lines say.

    >>> language_layer(2).names
    ['language', 'language_score', 'language_2', 'language_2_score']
    """
    others = [
        field
        for place in range(2, top + 1)
        for field in (
            column(
                f"{LANGUAGE}_{place}", pa.string(), f"language number {place} by probability; null if there is none"
            ),
            column(f"{LANGUAGE}_{place}_score", pa.float64(), "the model's probability of that label; null if none"),
        )
    ]
    return pa.schema([*LANGUAGE_LAYER, *others, *(LANGUAGE_LINES if lines else ())])
