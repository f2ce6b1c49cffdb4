"""Order keys: what a survivor is chosen by, as one number that sorts like it, whatever it was.

A date, a length or a signal becomes a uint64 of which the smallest survives. So an exchange carries 8 bytes for any
policy, and whatever compares documents compares (order, id): a total order by content, since ids are unique.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LAST: Final = np.uint64(2**64 - 1)
"""The order of a document without a value: after all that have one."""

_SIGN: Final = np.uint64(1 << 63)


def order_keys(values: pa.Array | pa.ChunkedArray, *, largest_first: bool = False) -> pa.Array:
    """Return a uint64 for each value, which ascends as the values do, or descends where the largest comes first.

    Values are numbers, booleans or timestamps. Null and NaN give `LAST`. -0.0 equals 0.0. At the end of the range
    of 64-bit integers a few values get one order.
    """
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_floating(array.type):
        missing = np.asarray(pc.is_null(array, nan_is_null=True))
        bits = _of_floats(np.asarray(pc.fill_null(array.cast(pa.float64()), 0.0)))
    else:
        missing = np.asarray(array.is_null())
        bits = _of_integers(array)
    keys = np.minimum(~bits if largest_first else bits, LAST - np.uint64(1))
    keys[missing] = LAST
    return pa.array(keys, pa.uint64())


def _of_floats(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Return the bits of each number, which sort as IEEE 754 orders them: negative ones are turned around."""
    bits = (values + 0.0).view(np.uint64)
    turned: npt.NDArray[np.uint64] = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return turned


def _of_integers(array: pa.Array) -> npt.NDArray[np.uint64]:
    """Return each integer, boolean or timestamp moved into what a uint64 holds; a uint64's top values become one."""
    values: npt.NDArray[np.uint64]
    if array.type == pa.uint64():
        values = np.minimum(np.asarray(pc.fill_null(array, 0)), LAST - np.uint64(3)) + np.uint64(1)
    else:
        values = np.asarray(pc.fill_null(array.cast(pa.int64()), 0)).view(np.uint64) ^ _SIGN
    return values
