"""Cutting what is found out of pages: each span with up to 200 characters on both sides, to where sentences meet.

A cut begins where the first sentence does that begins within the 200 characters before the span, or else the first
word; it ends where the last sentence or word does that ends within the 200 behind it. A sentence ends with a line, or
with a mark that ends sentences, and what closes quotes or brackets, before white space. GPT-3 cuts 200 characters,
whatever stands there (Brown et al. 2020, appendix C). Cuts that meet, or have only white space between them, are one.

No two words are joined: of the white space on both sides of a cut, the side with more line feeds stays, or else the
left one; where there is none, a space is put. At the beginning and the end of a text none stays.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.characters import character_classes
from gristmill.columns import text_column
from gristmill.dedup.contamination._kernels import MOST_SPANS
from gristmill.dedup.contamination.cuts import _kernels
from gristmill.schema import CONTAMINATION_CUTS, EDITS, EDITS_LAYER
from gristmill.text import Integers

MARGIN: Final = 200
"""Characters."""

REASON: Final = "decontaminate.item"
_EDIT: Final = EDITS_LAYER.field(EDITS).type


def cut_pages(texts: pa.Array, spans: tuple[Integers, Integers, Integers]) -> pa.RecordBatch:
    """Return what is cut of texts around spans: `CONTAMINATION_CUTS`.

    ``spans``: rows, starts and ends, bytes of the row's text on character boundaries, in order of rows and starts. A
    page of which one text of an item has more spans than are listed counts as cut so often.
    """
    column = text_column(texts)
    cuts = np.empty((5, len(spans[0])), np.int64)
    n = _kernels.cut_pages(column, spans, MARGIN, character_classes(), cuts)
    rows, starts, ends, spaced, characters = cuts[:, :n]
    counts = np.bincount(rows, minlength=column.rows)
    gone = np.bincount(rows, ends - starts - spaced, column.rows).astype(np.int64)
    left = np.bincount(rows, characters - spaced, column.rows).astype(np.int64)
    most = np.bincount(spans[0], minlength=column.rows)
    absent = np.asarray(texts.is_null())
    columns = [
        _edits((counts, starts, ends, spaced), absent),
        pa.array(np.diff(column.offsets) - gone, mask=absent),
        pa.array(np.where(most > MOST_SPANS, np.maximum(counts, most), counts), mask=absent),
        pa.array(np.asarray(pc.fill_null(pc.utf8_length(texts), 0)) - left, pa.int64(), mask=absent | (counts == 0)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=CONTAMINATION_CUTS)


def _edits(cuts: tuple[Integers, Integers, Integers, Integers], absent: np.ndarray) -> pa.ListArray:
    """Return the column of spans; null where there is no text."""
    counts, starts, ends, spaced = cuts
    columns = [
        pa.array(starts),
        pa.array(ends),
        pa.array(["", " "]).take(pa.array(spaced)),
        pa.repeat(REASON, len(starts)),
    ]
    values = pa.StructArray.from_arrays(columns, fields=list(_EDIT.value_type))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, type=_EDIT, mask=pa.array(absent) if absent.any() else None)
