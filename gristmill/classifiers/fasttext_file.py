"""The layout of a fastText model's file, read far enough to know that the file is whole.

fastText reads a file that was cut short without noticing: inside the dictionary it waits for ever for the end of a
word, taking memory, and inside a matrix it goes on with whatever the memory held. So the parts are measured first.

Layout (little-endian, fastText 0.9, ``fasttext.cc``, ``dictionary.cc``, ``quantmatrix.cc``): magic and version;
12 int32 and a float64 of training settings; the dictionary; the input matrix; the output matrix. Each matrix is
preceded by a byte that tells whether it is quantized.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Final

from gristmill.errors import CorruptError, UsageError

_MAGIC: Final = 793712314
_SUPERVISED: Final = 3
_CENTROIDS: Final = 256


def check_fasttext_file(path: Path) -> None:
    """Check that a file is a whole, supervised fastText model.

    Raises CorruptError if it is no model, is cut short or has bytes left over; UsageError if it has no labels.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        if size == 0:
            raise CorruptError(f"model {path} is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                needed = _measure(data, path)
            except (struct.error, _CutShortError) as error:
                raise CorruptError(f"model {path} is cut short: it ends at byte {size:,}; fetch it again") from error
            if needed != size:
                state = "is cut short" if size < needed else "has bytes left over"
                raise CorruptError(f"model {path} {state}: {size:,} bytes, its parts need {needed:,}; fetch it again")


class _CutShortError(Exception):
    """The file ends inside a word of its dictionary."""


def _measure(data: mmap.mmap, path: Path) -> int:
    """Return the bytes that the parts of the model need."""
    magic, _, *settings = _numbers(data, 0, "<14i")
    if magic != _MAGIC:
        raise CorruptError(f"model {path} is not a fastText model")
    if settings[7] != _SUPERVISED:
        raise UsageError(f"model {path} has word vectors, not labels: a supervised fastText model is needed")
    at = _after_dictionary(data, 8 + 12 * 4 + 8)
    return _after_matrix(data, _after_matrix(data, at))


def _after_dictionary(data: mmap.mmap, at: int) -> int:
    """Return where the dictionary ends: its words, each NUL-terminated with a count and a type, and pruned indices."""
    layout = "<3i2q"
    words, _, _, _, pruned = _numbers(data, at, layout)
    at += struct.calcsize(layout)
    for _ in range(words):
        end = data.find(b"\0", at)
        if end < 0:
            raise _CutShortError
        at = end + 1 + 8 + 1
    return at + 8 * max(pruned, 0)


def _after_matrix(data: mmap.mmap, at: int) -> int:
    """Return where a matrix ends that starts with its byte of being quantized."""
    (quantized,) = _numbers(data, at, "<b")
    at += 1
    if not quantized:
        rows, columns = _numbers(data, at, "<2q")
        return at + 16 + 4 * rows * columns
    layout = "<b2qi"
    with_norms, rows, _, codes = _numbers(data, at, layout)
    at = _after_quantizer(data, at + struct.calcsize(layout) + codes)
    return _after_quantizer(data, at + rows) if with_norms else at


def _after_quantizer(data: mmap.mmap, at: int) -> int:
    dimension, *_ = _numbers(data, at, "<4i")
    return at + 16 + 4 * dimension * _CENTROIDS


def _numbers(data: mmap.mmap, at: int, layout: str) -> tuple[int, ...]:
    return struct.unpack_from(layout, data, at)
