"""Buckets: from a score's cuts to the bucket of each document, and from several buckets to one.

Su et al. 2024 (Nemotron-CC, arXiv:2412.02595, section 2.2) rank documents by each of three classifiers, cut each
ranking into 20 buckets of equal size and take the best of a document's buckets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.ensemble.settings import EnsembleSettings, Score

_VERSION: Final = "2"

Cuts = Mapping[str | None, Sequence[float]]
"""The values between buckets by group, from the worst to the best: one less than there are buckets."""


def versions() -> dict[str, str]:
    """Return the version of what is computed here; it belongs into the stage's hash."""
    return {"ensemble": _VERSION}


def layout(settings: EnsembleSettings) -> pa.Schema:
    """Return the layer: the ensemble's bucket, the mean where there is one, then the scores' own buckets."""
    last = settings.buckets - 1
    how = {"max": "the best of the buckets of", "mean": "the weighted mean, rounded down, of the buckets of"}
    named = ", ".join(score.column for score in settings.scores)
    unknown = "null where none has a value or a rank"
    fields = [
        schema.column(settings.bucket, pa.int64(), f"0 to {last}: {how[settings.combine]} {named}; {unknown}"),
    ]
    if settings.combine == "mean":
        meaning = f"0 to {last}: the weighted mean of the buckets of {named}; {unknown}"
        fields.append(schema.column(settings.mean, pa.float64(), meaning))
    share = "bytes of text" if settings.weight == "bytes" else "documents"
    among = f" of the same {settings.by}" if settings.by else ""
    fields += [
        schema.column(
            settings.bucket_of(score),
            pa.int64(),
            f"bucket by {score.column} among the documents{among}, {settings.buckets} with as many {share} each; "
            f"0 is worst; null without value or rank",
        )
        for score in settings.scores
    ]
    return pa.schema(fields)


def buckets_of(values: pa.Array, groups: pa.Array, cuts: Cuts, score: Score) -> pa.Array:
    """Return the bucket of each value: how many of its group's cuts it is better than; int64.

    Equal values have one bucket. Null for a null, for NaN, and in a group without cuts.
    """
    numbers = np.asarray(pc.fill_null(values.cast(pa.float64()), np.nan), np.float64)
    known = pc.unique(groups)
    codes = np.asarray(pc.index_in(groups, known), np.int64)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(known) + 1))
    found = np.zeros(len(numbers), np.int64)
    missing = np.isnan(numbers)
    for number, group in enumerate(known.to_pylist()):
        rows = order[bounds[number] : bounds[number + 1]]
        if group in cuts:
            found[rows] = _better_than(cuts[group], numbers[rows], score.lower_is_better)
        else:
            missing[rows] = True
    return pa.array(found, mask=missing)


def _better_than(
    cuts: Sequence[float], values: npt.NDArray[np.float64], lower_is_better: bool
) -> npt.NDArray[np.int64]:
    sign = -1.0 if lower_is_better else 1.0
    return np.searchsorted(sign * np.asarray(cuts, np.float64), sign * values, side="left").astype(np.int64)


def combined(buckets: Sequence[pa.Array], settings: EnsembleSettings) -> pa.RecordBatch:
    """Return the layer of documents from the buckets that each score gives them. A null counts for nothing."""
    if settings.combine == "max":
        columns = [pc.max_element_wise(*buckets, skip_nulls=True)]
    else:
        weighed = list(zip(buckets, settings.whole_weights, strict=True))
        total = reduce(pc.add, [pc.fill_null(pc.multiply(of, weight), 0) for of, weight in weighed])
        weights = reduce(pc.add, [pc.multiply(pc.is_valid(of).cast(pa.int64()), weight) for of, weight in weighed])
        weights = pc.if_else(pc.equal(weights, 0), pa.scalar(None, pa.int64()), weights)
        columns = [pc.divide(total, weights), pc.divide(total.cast(pa.float64()), weights.cast(pa.float64()))]
    return pa.RecordBatch.from_arrays([*columns, *buckets], schema=layout(settings))
