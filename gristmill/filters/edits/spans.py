"""Spans that an edit deletes or replaces: as arrays, as an Arrow column, and applied to the texts.

Nothing here knows why a span is cut. Applying copies what stays; a batch without edits is returned as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.columns import text_column
from gristmill.filters.edits import _kernels
from gristmill.text import Integers, TextBatch

EDITS_TYPE = schema.EDITS_LAYER.field(schema.EDITS).type


class Kind(NamedTuple):
    """Why a span goes, and what stands in its place: nothing, if it is only deleted."""

    reason: str
    replacement: str = ""


class Cuts(NamedTuple):
    """Spans of a batch, in order and without overlap; those of row *i* are ``counts[i]`` to ``counts[i + 1]``.

    ``starts`` and ``ends`` are byte positions in the batch's ``data``, on character boundaries. ``kinds`` are
    positions in ``table``.
    """

    counts: Integers
    starts: Integers
    ends: Integers
    kinds: npt.NDArray[np.int64]
    table: tuple[Kind, ...]


def cuts_of_marks(batch: TextBatch, marks: npt.NDArray[np.uint8], table: tuple[Kind, ...]) -> Cuts:
    """Return a span for each run of equal marks within a row; ``marks`` has a byte for each byte, 0 for what stays.

    A mark is a position in ``table``, whose first entry is not used.
    """
    counts = np.zeros(batch.rows + 1, np.int64)
    total = _kernels.count_runs(marks, batch.offsets, counts)
    starts, ends, kinds = (np.empty(total, np.int64) for _ in range(3))
    _kernels.fill_runs(marks, batch.offsets, (starts, ends, kinds))
    return Cuts(counts, starts, ends, kinds, table)


def cuts_of_spans(batch: TextBatch, spans: tuple[Integers, Integers, Integers], table: tuple[Kind, ...]) -> Cuts:
    """Return cuts of starts, ends and positions in ``table``, sorted and without overlap."""
    starts, ends, kinds = spans
    counts = np.searchsorted(starts, batch.offsets, side="left").astype(np.int64)
    return Cuts(counts, starts, ends, kinds, table)


def edit_column(batch: TextBatch, cuts: Cuts) -> pa.ListArray:
    """Return the spans as a column of ``schema.EDITS``: positions in each text; null where the text is."""
    bases = np.repeat(batch.offsets[:-1], np.diff(cuts.counts))
    kinds = pa.array(cuts.kinds)
    columns = [
        pa.array(cuts.starts - bases),
        pa.array(cuts.ends - bases),
        pa.array([kind.replacement for kind in cuts.table], pa.string()).take(kinds),
        pa.array([kind.reason for kind in cuts.table], pa.string()).take(kinds),
    ]
    values = pa.StructArray.from_arrays(columns, fields=list(EDITS_TYPE.value_type))
    mask = None if batch.valid.all() else pa.array(~batch.valid)
    return pa.ListArray.from_arrays(pa.array(cuts.counts, pa.int32()), values, type=EDITS_TYPE, mask=mask)


def apply_edits(texts: pa.Array, edits: pa.ListArray) -> pa.Array:
    """Return the texts with their edits made; the same array if there are none.

    Raises ValueError for edits that are not those of such texts: out of order, out of bounds, within a character.
    """
    if len(texts) != len(edits):
        raise ValueError(f"{len(edits)} rows of edits for {len(texts)} texts")
    counts = np.asarray(edits.offsets, np.int64)
    values = edits.values.slice(counts[0], counts[-1] - counts[0])
    if not len(values):
        return texts
    counts = counts - counts[0]
    column = text_column(texts)
    offsets = column.offsets - column.offsets[0]
    data = column.data[column.offsets[0] : column.offsets[-1]]
    bases = np.repeat(offsets[:-1], np.diff(counts))
    starts, ends = (bases + values.field(name).to_numpy() for name in (schema.START, schema.END))
    _check((data, offsets), counts, starts, ends)
    inserted = text_column(values.field(schema.REPLACEMENT).cast(pa.large_string()))
    grown = np.concatenate([[0], np.cumsum(np.diff(inserted.offsets) - (ends - starts))])
    edited = offsets + grown[counts]
    out = np.empty(edited[-1], np.uint8)
    _kernels.copy_edited(data, (starts, ends), (inserted.data, inserted.offsets), out)
    validity = texts.is_valid().buffers()[1] if texts.null_count else None
    return pa.Array.from_buffers(pa.large_string(), len(texts), [validity, pa.py_buffer(edited), pa.py_buffer(out)])


def _check(texts: tuple[npt.NDArray[np.uint8], Integers], counts: Integers, starts: Integers, ends: Integers) -> None:
    data, offsets = texts
    lows, highs = (np.repeat(bound, np.diff(counts)) for bound in (offsets[:-1], offsets[1:]))
    right = (lows <= starts) & (starts <= ends) & (ends <= highs)
    right[1:] &= starts[1:] >= ends[:-1]
    if right.all():
        inside = np.concatenate([starts[starts < highs], ends[ends < highs]])
        if not (data[inside] & 0xC0 == 0x80).any():
            return
    raise ValueError("edits do not fit their texts: out of order, out of bounds or within a character")


def misfits(sizes: pa.Array, edits: pa.ListArray, left: pa.Array) -> npt.NDArray[np.bool_]:
    """Return, for each row, whether its edits cannot be those of a text of so many bytes that left so many.

    The texts are not read: order, overlap, bounds and sizes are looked at.
    """
    counts = np.asarray(edits.offsets, np.int64)
    values = edits.values.slice(counts[0], counts[-1] - counts[0])
    rows = np.repeat(np.arange(len(edits)), np.diff(counts))
    starts, ends = (values.field(name).to_numpy() for name in (schema.START, schema.END))
    wrong = (starts < 0) | (ends < starts) | (ends > np.asarray(sizes)[rows])
    wrong[1:] |= (rows[1:] == rows[:-1]) & (starts[1:] < ends[:-1])
    grown = np.asarray(pc.binary_length(values.field(schema.REPLACEMENT)), np.int64) - (ends - starts)
    total = np.bincount(rows, weights=grown, minlength=len(edits)).astype(np.int64)
    found: npt.NDArray[np.bool_] = np.asarray(sizes) + total != np.asarray(left)
    found[rows[wrong]] = True
    return found


def edited_bytes(texts: pa.Array) -> pa.Array:
    """Return the UTF-8 bytes of each text as int64; null where there is none."""
    return pc.binary_length(texts).cast(pa.int64())
