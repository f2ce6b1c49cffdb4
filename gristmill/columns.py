"""An Arrow text column as the arrays that kernels read: bytes and offsets, without a copy.

Kernels take ``data`` (uint8, UTF-8) and ``offsets`` (int64, one more than the rows): row *i* is
``data[offsets[i]:offsets[i + 1]]``. A null row has length 0; callers that must tell null from empty keep the
column's validity. Arrays are read-only, so that numba compiles each kernel for one type.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class TextColumn(NamedTuple):
    """``data``: uint8[bytes]; ``offsets``: int64[rows + 1], not always from 0, never decreasing."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1


def text_column(texts: pa.Array | pa.ChunkedArray) -> TextColumn:
    """Return the bytes and offsets of a string column; a single large_string chunk is not copied.

    32-bit offsets are widened (8 bytes a row), chunks are joined, and a column with nulls that hide bytes is
    compacted. Raises TypeError for a column that is not text.
    """
    array = _one_chunk(texts)
    if not pa.types.is_large_string(array.type):
        if not pa.types.is_string(array.type):
            raise TypeError(f"expected a string column, got {array.type}")
        array = array.cast(pa.large_string())
    if array.null_count:
        array = array.fill_null("")
    _, offsets_buffer, data_buffer = array.buffers()
    return TextColumn(_data(data_buffer), _offsets(offsets_buffer, array))


def _one_chunk(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(texts, pa.ChunkedArray):
        return texts
    if texts.num_chunks == 1:
        return texts.chunk(0)
    return pa.concat_arrays([c.cast(pa.large_string()) for c in texts.chunks] or [pa.array([], pa.large_string())])


def _data(buffer: pa.Buffer | None) -> npt.NDArray[np.uint8]:
    data = np.frombuffer(buffer, np.uint8) if buffer is not None else np.empty(0, np.uint8)
    data = data.view()
    data.flags.writeable = False
    return data


def _offsets(buffer: pa.Buffer | None, array: pa.Array) -> npt.NDArray[np.int64]:
    if buffer is None or buffer.size == 0:
        offsets = np.zeros(len(array) + 1, np.int64)
    else:
        offsets = np.frombuffer(buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    offsets = offsets.view()
    offsets.flags.writeable = False
    return offsets
