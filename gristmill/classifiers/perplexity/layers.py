"""The tables of perplexities, of lines and of buckets."""

from __future__ import annotations

import pyarrow as pa

from gristmill.schema import (
    LINE_PERPLEXITIES,
    MAX_LINE_PERPLEXITY,
    MEDIAN_LINE_PERPLEXITY,
    PERPLEXITY,
    PERPLEXITY_BUCKET,
    column,
)

PERPLEXITY_LAYER = pa.schema(
    [
        column(
            PERPLEXITY,
            pa.float64(),
            "by the n-gram model of its language, per token; null without a model or a word",
        )
    ]
)

PERPLEXITY_LINES_LAYER = pa.schema(
    [
        *PERPLEXITY_LAYER,
        column(LINE_PERPLEXITIES, pa.list_(pa.float32()), "of each line of the text; null for one without words"),
        column(MEDIAN_LINE_PERPLEXITY, pa.float64(), "the lower median over lines with words; null if there is none"),
        column(MAX_LINE_PERPLEXITY, pa.float64(), "of the least likely line; null if no line has words"),
    ]
)

PERPLEXITY_BUCKET_LAYER = pa.schema(
    [column(PERPLEXITY_BUCKET, pa.string(), "head, middle or tail of its language by perplexity; null without one")]
)
