"""Records in, one table of documents out: a row for every response record and every damaged stretch.

Each row has a text or a fate (`fates`). Rows stand in the order of the records. Nothing in them depends on time, load,
or how far the reader was ahead of the extraction process.
"""

from __future__ import annotations

import importlib.metadata
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack

import pyarrow as pa

from gristmill.crawl.extraction.cascade import Cascade
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Answer, Page
from gristmill.crawl.http.response import HEAD_BYTES
from gristmill.crawl.records import Origin, RecordSource
from gristmill.crawl.rows import TYPES_WITH_ROWS, Batch, Draft, draft
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import Gate, open_gate
from gristmill.crawl.warc.record import Record

_READING_VERSION = "3"
"""Raise it when a change here can change a document: reading, charsets, fates."""

_PACKAGES = {
    "trafilatura": ("trafilatura", "lxml", "jusText"),
    "resiliparse": (),
    "justext": ("jusText", "lxml", "lxml_html_clean"),
    "cascade": ("trafilatura", "lxml", "jusText"),
}
_ROWS_AHEAD = 1024


def extractor_versions(settings: ExtractSettings) -> dict[str, str]:
    """Return the versions of all that determines what is extracted with these settings.

    resiliparse is always among them, since it detects charsets.
    """
    repairs = ("ftfy",) if settings.repair_mojibake else ()
    packages = ("resiliparse", *_PACKAGES[settings.extractor], *repairs)
    return {"gristmill.crawl": _READING_VERSION} | {name: importlib.metadata.version(name) for name in packages}


class Extraction:
    """Iterates over the documents of a source of records, in one pass.

    ``counts``: records by WARC type, and ``damage`` and ``unsupported`` stretches, complete after the iteration.
    """

    def __init__(
        self,
        source: RecordSource,
        settings: ExtractSettings,
        pool: Pool | Cascade | None = None,
        gate: Gate | None = None,
    ) -> None:
        """Take the records, such as `records.WholeFile`; a ``pool`` given is left open.

        Settings of a cascade need a `Cascade` for a pool; without its screen, trafilatura extracts every page.
        A ``gate`` given is the settings', opened before.
        """
        self.counts: dict[str, int] = {}
        self._source = source
        self._settings = settings
        self._pool = pool
        self._gate = gate
        self._is_complete = False

    @property
    def fraction(self) -> float:
        """Share of the source that was read so far, from 0.0 to 1.0."""
        return 1.0 if self._is_complete else self._source.fraction

    def __iter__(self) -> Generator[pa.RecordBatch, None, None]:
        """Yield batches of `schema.documents`, none for a source without rows. Raises MissingError, AccessError."""
        batch = Batch(self._settings.columns)
        with ExitStack() as stack:
            pool = self._pool or stack.enter_context(Pool(self._settings))
            stack.callback(pool.forget)
            records = self._source.records(self._settings.max_body + HEAD_BYTES)
            stack.callback(records.close)
            for row, answer in self._rows(records, pool):
                if batch.is_full(answer):
                    yield batch.take()
                batch.add(row, answer)
        self._is_complete = True
        if len(batch):
            yield batch.take()

    def _rows(self, records: Iterator[tuple[Origin, Record]], pool: Pool | Cascade) -> Iterator[tuple[Draft, Answer]]:
        """Yield the rows in order, while the pool works on those that follow."""
        gate = self._gate or open_gate(self._settings)
        counts: Counter[str] = Counter()
        ahead: deque[tuple[Draft, Answer | None]] = deque()
        for origin, record in records:
            counts[record.type] += 1
            if record.type not in TYPES_WITH_ROWS:
                continue
            row, page_or_fate = draft(origin, record, self._settings, gate)
            while isinstance(page_or_fate, Page) and not pool.has_room:
                yield _oldest(ahead, pool)
            if isinstance(page_or_fate, Page):
                pool.submit(page_or_fate)
                ahead.append((row, None))
            else:
                ahead.append((row, Answer(None, page_or_fate)))
            while len(ahead) > _ROWS_AHEAD:
                yield _oldest(ahead, pool)
            yield from _settled(ahead, pool)
        while ahead:
            yield _oldest(ahead, pool)
        self.counts = dict(sorted(counts.items()))


def _oldest(ahead: deque[tuple[Draft, Answer | None]], pool: Pool | Cascade) -> tuple[Draft, Answer]:
    """Return the first row, once it is settled."""
    row, answer = ahead.popleft()
    return row, answer if answer is not None else pool.take()


def _settled(ahead: deque[tuple[Draft, Answer | None]], pool: Pool | Cascade) -> Iterator[tuple[Draft, Answer]]:
    """Yield the first rows that are settled already."""
    while ahead:
        answer = ahead[0][1] or pool.poll()
        if answer is None:
            return
        yield ahead.popleft()[0], answer
