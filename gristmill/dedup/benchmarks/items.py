"""The table of the items of evaluation sets."""

from __future__ import annotations

from typing import Final, Literal

import pyarrow as pa

from gristmill.schema import BENCHMARK, BENCHMARK_ITEM, TEXT, column

FIELDS: Final = "fields"
KINDS: Final = "kinds"
SPLIT: Final = "split"

Kind = Literal["prose", "code"]
Split = Literal["test", "train"]

ITEMS: Final = pa.schema(
    [
        column(BENCHMARK, pa.string(), "benchmark as the recipe names it", nullable=False),
        column(
            BENCHMARK_ITEM,
            pa.string(),
            "the item's `id`, or the number of its line or row if it has none",
            nullable=False,
        ),
        column(TEXT, pa.list_(pa.large_string()), "the texts of its fields; no n-gram spans two", nullable=False),
        column(FIELDS, pa.list_(pa.string()), "for each text, the field that it is of", nullable=False),
        column(KINDS, pa.list_(pa.string()), "for each text, `prose` or `code`", nullable=False),
        column(SPLIT, pa.string(), "`test`, or `train` for an item that is to be ignored", nullable=False),
    ]
)
