"""Records read by range: an index says where each lies, and only their bytes are asked for.

A range whose bytes are not the one record that the index names is damage: cut off, of another length, corrupt, of
another address, or no record at all. Each range gives one record, in order, whatever its bytes are.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

import pyarrow as pa

from gristmill import schema
from gristmill.crawl.records import Origin, Records
from gristmill.crawl.rows import url_of
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import DAMAGE, RESPONSE, REVISIT, UNSUPPORTED, Record

_GAP_BYTES = 1 << 14
_REQUEST_BYTES = 1 << 22
_REQUESTS_AHEAD = 8
_BYTES_AHEAD = 1 << 24
_TARGET = b"warc-target-uri"


class Range(NamedTuple):
    """Where the index says that a record lies: its file, offset and length there, and its address."""

    file: str
    offset: int
    length: int
    url: str


class Reader(NamedTuple):
    """How files are read: ``read`` gives bytes from an offset on, fewer where the file ends; ``open`` all of it."""

    read: Callable[[str, int, int], bytes]
    open: Callable[[str], BinaryIO]


class Ranges:
    """The records at some ranges of WARC files, several requests being under way at once."""

    def __init__(self, table: pa.Table, origin_of: Callable[[str], Origin], reader: Reader) -> None:
        """``table``: `schema.RANGES`, sorted; ``origin_of``: what a file's path says of its records."""
        self._table = table
        self._origin_of = origin_of
        self._reader = reader
        self._done = 0

    @property
    def fraction(self) -> float:
        """Share of the ranges that was read so far."""
        return self._done / self._table.num_rows if self._table.num_rows else 1.0

    def records(self, block_bytes: int) -> Records:
        """Yield a record for each range."""
        with ThreadPoolExecutor(_REQUESTS_AHEAD) as threads:
            ahead: deque[tuple[list[Range], Future[bytes] | None]] = deque()
            try:
                for request in requests(self._ranges()):
                    ahead.append((request, self._begin(request, threads)))
                    while _is_full(ahead):
                        yield from self._finish(*ahead.popleft(), block_bytes)
                while ahead:
                    yield from self._finish(*ahead.popleft(), block_bytes)
            finally:
                for _, future in ahead:
                    if future is not None:
                        future.cancel()

    def _ranges(self) -> Iterator[Range]:
        for batch in self._table.to_batches(max_chunksize=1024):
            columns = (batch.column(name).to_pylist() for name in schema.RANGES.names)
            yield from map(Range, *columns)

    def _begin(self, request: list[Range], threads: ThreadPoolExecutor) -> Future[bytes] | None:
        """Ask for the bytes of a request; a record that is too long for that is read when its turn comes."""
        size = _size(request)
        return (
            threads.submit(self._reader.read, request[0].file, request[0].offset, size)
            if size <= _BYTES_AHEAD
            else None
        )

    def _finish(
        self, request: list[Range], future: Future[bytes] | None, block_bytes: int
    ) -> Iterator[tuple[Origin, Record]]:
        """Yield the records of a request."""
        data = future.result() if future is not None else None
        for place in request:
            if data is None:
                with self._reader.open(place.file) as file:
                    record = record_of(place, stretch(file, place.offset, place.length), block_bytes)
            else:
                start = place.offset - request[0].offset
                record = record_of(place, io.BytesIO(data[start : start + place.length]), block_bytes)
            self._done += 1
            yield self._origin_of(place.file), record


def requests(ranges: Iterator[Range]) -> Iterator[list[Range]]:
    """Yield ranges that are asked for at once: of one file, next to each other, up to 4 MiB in all."""
    request: list[Range] = []
    for place in ranges:
        if request and not _belongs(place, request):
            yield request
            request = []
        request.append(place)
    if request:
        yield request


def record_of(place: Range, file: BinaryIO, block_bytes: int) -> Record:
    """Return the record in the bytes of a range; damage unless they are that record, from its start to its end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    found = list(islice(WarcReader(file, size, block_bytes), 2))
    if len(found) == 1 and found[0].type in (RESPONSE, REVISIT) and size == place.length:
        named = {_TARGET: place.url.encode()}
        if url_of(found[0].fields) == url_of(named):
            return found[0]._replace(offset=place.offset)
    kind = found[0].type if len(found) == 1 and found[0].type == UNSUPPORTED else DAMAGE
    return Record(place.offset, kind, {_TARGET: place.url.encode()})


def stretch(file: BinaryIO, start: int, size: int) -> BinaryIO:
    """Return a stretch of an open file as if it were a file of its own, shorter where the file ends."""
    return cast(BinaryIO, _Stretch(file, start, size))


class _Stretch(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = max(0, min(size, file.seek(0, io.SEEK_END) - start))
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer at the end."""
        left = max(0, self._size - self._position)
        self._file.seek(self._start + self._position)
        data = self._file.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset."""
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        return self._position

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True


def _belongs(place: Range, request: list[Range]) -> bool:
    first, last = request[0], request[-1]
    return (
        place.file == first.file
        and place.offset - (last.offset + last.length) <= _GAP_BYTES
        and max(_size(request), place.offset + place.length - first.offset) <= _REQUEST_BYTES
    )


def _size(request: list[Range]) -> int:
    """Return the bytes from a request's first range to the end of the one that ends last."""
    return max(place.offset + place.length for place in request) - request[0].offset


def _is_full(ahead: deque[tuple[list[Range], Future[bytes] | None]]) -> bool:
    """Return whether as much is asked for ahead as may be."""
    if len(ahead) >= _REQUESTS_AHEAD:
        return True
    return sum(_size(request) for request, future in ahead if future is not None) > _BYTES_AHEAD
