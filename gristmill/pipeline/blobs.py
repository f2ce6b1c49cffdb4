"""Texts on a scratch disk, appended in batches and read back one by one in any order; 8 bytes of memory for each."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.columns import text_column


class Blob:
    """A file of texts without anything between them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()
        self._size = 0
        self._ends: list[npt.NDArray[np.int64]] = [np.zeros(1, np.int64)]

    def append(self, texts: pa.Array) -> None:
        """Add texts; a null is an empty one."""
        data, offsets = text_column(texts)
        with self._path.open("ab") as sink:
            sink.write(data[offsets[0] : offsets[-1]].data)
        self._ends.append(offsets[1:] - offsets[0] + self._size)
        self._size += int(offsets[-1] - offsets[0])

    def rows(self, numbers: npt.NDArray[np.int64]) -> Iterator[bytes]:
        """Yield the texts of some rows as UTF-8, in their order."""
        self._ends = [np.concatenate(self._ends)]
        ends = self._ends[0]
        if not ends[-1]:
            yield from (b"" for _ in numbers)
            return
        with self._path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for start, stop in zip(ends[numbers].tolist(), ends[numbers + 1].tolist(), strict=True):
                yield data[start:stop]
