"""What each edit did to the texts that came into it, added up over shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.pipeline.plan import Step
from gristmill.report.view import ShardView


@dataclass
class _Sums:
    """One edit: texts that came in and that it changed, their bytes; and for each reason documents, spans and bytes."""

    documents: int = 0
    edited: int = 0
    bytes_after: int = 0
    bytes_cut: int = 0
    bytes_put: int = 0
    by_reason: dict[str, Counter[str]] = field(
        default_factory=lambda: {kind: Counter() for kind in ("documents", "spans", "bytes_cut")}
    )


class Edits:
    """For each editing step: what it cut and put into the texts that came into its stage, by reason."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        self._sums = {step.name: _Sums() for step in steps}

    def add(self, view: ShardView) -> None:
        """Count a shard."""
        for step in self._steps:
            came = pc.and_(view.left_before(step.stage), pc.is_valid(view.column(step, schema.TEXT_BYTES)))
            sums = self._sums[step.name]
            sums.documents += pc.sum(came).as_py() or 0
            sums.bytes_after += pc.sum(view.column(step, schema.TEXT_BYTES).filter(came)).as_py() or 0
            edits = view.column(step, schema.EDITS).filter(came)
            sums.edited += pc.sum(pc.greater(pc.list_value_length(edits), 0)).as_py() or 0
            _add(sums, edits)

    def result(self) -> list[dict[str, Any]]:
        """Return one record for each edit, its reasons by the bytes that they cut."""
        return [self._of(step, self._sums[step.name]) for step in self._steps]

    def _of(self, step: Step, sums: _Sums) -> dict[str, Any]:
        spans, cut = sums.by_reason["spans"], sums.by_reason["bytes_cut"]
        return {
            "stage": step.stage,
            "documents": sums.documents,
            "documents_edited": sums.edited,
            "bytes_before": sums.bytes_after + sums.bytes_cut - sums.bytes_put,
            "bytes_after": sums.bytes_after,
            "reasons": [
                {"reason": reason} | {kind: counts[reason] for kind, counts in sums.by_reason.items()}
                for reason in sorted(spans, key=lambda reason: (-cut[reason], -spans[reason], reason))
            ],
        }


def _add(sums: _Sums, edits: pa.ListArray) -> None:
    """Count the spans of a shard's documents."""
    spans = edits.flatten()
    if not len(spans):
        return
    reasons = spans.field(schema.REASON).dictionary_encode()
    codes, names = np.asarray(reasons.indices, np.int64), reasons.dictionary.to_pylist()
    sizes = _numbers(spans.field(schema.END)) - _numbers(spans.field(schema.START))
    sums.bytes_cut += int(sizes.sum())
    sums.bytes_put += pc.sum(pc.binary_length(spans.field(schema.REPLACEMENT))).as_py() or 0
    pairs = np.unique(_numbers(pc.list_parent_indices(edits)) * len(names) + codes) % len(names)
    for kind, numbers in (
        ("documents", np.bincount(pairs, minlength=len(names))),
        ("spans", np.bincount(codes, minlength=len(names))),
        ("bytes_cut", np.bincount(codes, sizes, len(names)).astype(np.int64)),
    ):
        sums.by_reason[kind].update(dict(zip(names, numbers.tolist(), strict=True)))


def _numbers(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(column, np.int64)
