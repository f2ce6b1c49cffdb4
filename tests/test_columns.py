"""Text columns are read as they lie in memory, whatever their shape."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from strategies import chunked_columns, text_columns

from gristmill.columns import TextColumn, text_column


def rows_of(column: TextColumn) -> list[str]:
    spans = zip(column.offsets[:-1], column.offsets[1:], strict=True)
    return [column.data[start:stop].tobytes().decode() for start, stop in spans]


@given(text_columns())
def test_a_column_of_any_shape_gives_its_rows(case):
    rows, column = case
    assert rows_of(text_column(column)) == [row or "" for row in rows]


@given(chunked_columns())
def test_a_chunked_column_gives_its_rows(case):
    rows, column = case
    assert rows_of(text_column(column)) == [row or "" for row in rows]


def test_a_single_large_string_chunk_is_not_copied():
    array = pa.array(["one", "two", "three"], pa.large_string())
    address = array.buffers()[2].address
    assert text_column(array.slice(1)).data.ctypes.data == address
    assert text_column(pa.chunked_array([array])).data.ctypes.data == address


def test_arrays_are_read_only_so_that_a_kernel_has_one_type():
    for column in (pa.array([], pa.string()), pa.array(["a", None]), pa.array(["a"], pa.large_string())):
        data, offsets = text_column(column)
        assert not data.flags.writeable
        assert not offsets.flags.writeable
        assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)


def test_bytes_hidden_behind_a_null_are_not_seen():
    whole = pa.array(["secret", "seen"], pa.large_string())
    hidden = pa.Array.from_buffers(pa.large_string(), 2, [pa.py_buffer(b"\x02"), *whole.buffers()[1:]])
    assert rows_of(text_column(hidden)) == ["", "seen"]


def test_what_is_not_text_is_refused():
    with pytest.raises(TypeError, match="expected a string column, got int64"):
        text_column(pa.array([1]))
