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
from typing import Final, NamedTuple

from gristmill.errors import CorruptError, UsageError

_MAGIC: Final = struct.pack("<i", 793712314)
_DICTIONARY_AT: Final = 8 + 12 * 4 + 8
_DICTIONARY: Final = "<3i2q"
_SUPERVISED: Final = 3
_CENTROIDS: Final = 256


def check_fasttext_file(path: Path) -> None:
    """Check that a file is a whole, supervised fastText model.

    Raises CorruptError if it is no model, is cut short, has bytes left over or parts that do not fit each other;
    UsageError if it has no labels.
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


class _Matrix(NamedTuple):
    rows: int
    columns: int
    ends_at: int


def _measure(data: mmap.mmap, path: Path) -> int:
    """Return the bytes that the parts of the model need. Raises CorruptError for parts that do not fit each other.

    fastText looks up rows by what the dictionary says, wherever that leads.
    """
    if data[:4] != _MAGIC:
        raise CorruptError(f"model {path} is not a fastText model")
    _, dimension, *settings = _numbers(data, 4, "<13i")
    if settings[6] != _SUPERVISED:
        raise UsageError(f"model {path} has word vectors, not labels: a supervised fastText model is needed")
    entries, words, labels, _, pruned = _numbers(data, _DICTIONARY_AT, _DICTIONARY)
    rows = words + (settings[7] if pruned < 0 else pruned)
    given = _matrix(data, _after_dictionary(data, entries, pruned))
    answers = _matrix(data, given.ends_at)
    counts = min(words, labels, rows - words)
    if counts < 0 or words + labels != entries or given[:2] != (rows, dimension) or answers[:2] != (labels, dimension):
        raise CorruptError(
            f"model {path} is damaged: {words:,} words, {labels:,} labels and matrices of {given.rows:,} by "
            f"{given.columns:,} and {answers.rows:,} by {answers.columns:,} do not fit each other; fetch it again"
        )
    return answers.ends_at


def _after_dictionary(data: mmap.mmap, entries: int, pruned: int) -> int:
    """Return where the dictionary ends: its words, each NUL-terminated with a count and a type, and pruned indices."""
    at = _DICTIONARY_AT + struct.calcsize(_DICTIONARY)
    for _ in range(entries):
        end = data.find(b"\0", at)
        if end < 0:
            raise _CutShortError
        at = end + 1 + 8 + 1
    return at + 8 * max(pruned, 0)


def _matrix(data: mmap.mmap, at: int) -> _Matrix:
    """Return the shape of a matrix that starts with its byte of being quantized, and where it ends."""
    (quantized,) = _numbers(data, at, "<b")
    at += 1
    if not quantized:
        rows, columns = _numbers(data, at, "<2q")
        return _Matrix(rows, columns, at + 16 + 4 * rows * columns)
    layout = "<b2qi"
    with_norms, rows, columns, codes = _numbers(data, at, layout)
    at = _after_quantizer(data, at + struct.calcsize(layout) + codes)
    return _Matrix(rows, columns, _after_quantizer(data, at + rows) if with_norms else at)


def _after_quantizer(data: mmap.mmap, at: int) -> int:
    dimension, *_ = _numbers(data, at, "<4i")
    return at + 16 + 4 * dimension * _CENTROIDS


def _numbers(data: mmap.mmap, at: int, layout: str) -> tuple[int, ...]:
    return struct.unpack_from(layout, data, at)
