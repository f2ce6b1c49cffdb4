"""Head, middle and tail: where a document's perplexity lies among those of its language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.perplexity.layers import PERPLEXITY_BUCKET_LAYER

BUCKETS: Final = ("head", "middle", "tail")

Cuts = tuple[float, float]


def bucketed(perplexities: pa.Array, languages: pa.Array | None, cuts: Mapping[str | None, Cuts]) -> pa.RecordBatch:
    """Return the bucket of each document: a batch of ``PERPLEXITY_BUCKET_LAYER``.

    ``cuts``: by language, the most of ``head`` and the most of ``middle``; where ``languages`` is None, those of None
    are for all. Null without a perplexity, or in a language without cuts. A perplexity on a cut is below it (Wenzek et
    al. 2020; cc_net's code has it above).
    """
    labels = pa.nulls(len(perplexities), pa.string()) if languages is None else languages
    encoded = labels.cast(pa.string()).dictionary_encode(null_encoding="encode")
    known = [cuts.get(label, (np.nan, np.nan)) for label in encoded.dictionary.to_pylist()]
    bounds = np.array(known, np.float64).reshape(-1, 2)[np.asarray(encoded.indices)]
    values = np.asarray(perplexities.cast(pa.float64()).fill_null(np.nan))
    numbers = (values > bounds[:, 0]).astype(np.int64) + (values > bounds[:, 1])
    none = np.isnan(values) | np.isnan(bounds[:, 0])
    found = pc.take(pa.array(BUCKETS, pa.string()), pa.array(numbers, mask=none))
    return pa.RecordBatch.from_arrays([found], schema=PERPLEXITY_BUCKET_LAYER)
