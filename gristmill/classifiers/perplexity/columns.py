"""Arrays that are too large for memory: columns in files of a scratch folder, written once and read as if in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CHUNK: Final = 1 << 22
"""Items that are worked on at once."""


class Scratch:
    """A folder of columns, gone when it is left."""

    def __init__(self, parent: Path) -> None:
        self._open = ExitStack()
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(dir=parent, prefix=".perplexity-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def column(self, name: str, kind: npt.DTypeLike) -> Column:
        """Return a new column, empty."""
        path = self.folder / name
        return Column(path, self._open.enter_context(path.open("wb")), kind)


class Column:
    """A column of one type: appended to until it is read, then mapped."""

    def __init__(self, path: Path, file: BinaryIO, kind: npt.DTypeLike) -> None:
        self._path = path
        self._file = file
        self._kind = np.dtype(kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, values: Array) -> None:
        """Write values behind those that are there. Raises OSError if the disk is full."""
        self._file.write(np.ascontiguousarray(values, self._kind).data)
        self._length += len(values)

    def fill(self, length: int) -> Array:
        """Return the column of so many zeros, to be filled in."""
        self._file.truncate(length * self._kind.itemsize)
        self._length = length
        return self.values()

    def values(self) -> Array:
        """Return all values, mapped: what is written into them is in the file."""
        self._file.flush()
        if not self._length:
            return np.empty(0, self._kind)
        return np.asarray(np.memmap(self._path, self._kind, "r+", shape=(self._length,)))


def chunks(length: int) -> Iterator[slice]:
    """Yield slices of at most `CHUNK` items that cover so many."""
    for start in range(0, length, CHUNK):
        yield slice(start, min(start + CHUNK, length))
