"""A crawl's index asked for records, and its answer cut into shards of ranges.

The answer is one Parquet file in the run's ``source`` folder, named after the digest of what was asked: a row group for
each shard (`schema.RANGES`), sorted by file and offset. Once it is there, nothing is asked again.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.access.settings import AccessSettings
from gristmill.access.source import open_source, read_range
from gristmill.crawl.index.answer import cut, digest_of_ranges
from gristmill.crawl.index.search import Found, Place, search
from gristmill.crawl.ranges import Ranges, Reader
from gristmill.crawl.records import Origin
from gristmill.errors import CorruptError, StaleError
from gristmill.pipeline.files import absolute
from gristmill.pipeline.lookups import Lookups
from gristmill.pipeline.plan import Plan, Shard, digest_of
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.shards import ShardWriter, footer_of, reading
from gristmill.pipeline.sources import shard_name
from gristmill.pipeline.storage import Folder

_FINGERPRINTS, _READ = "fingerprints", "read"
_OWN_NAMES = frozenset({"crawldiagnostics", "robotstxt"})
_VERSION = 1
"""Raise it when a change here or in the index's part can change an answer."""


def index_shards(source: SourceSettings, access: AccessSettings, lookups: Lookups) -> tuple[tuple[Shard, ...], str]:
    """Return the shards of what a crawl's index answers, and what was read for it, in words.

    Raises UsageError for an answer without records, MissingError, AccessError, CorruptError.
    """
    settings, crawl = source.index, source.crawl
    assert settings is not None
    assert crawl is not None
    base = absolute(source.base)
    digest = digest_of(_VERSION, crawl, settings.model_dump(mode="json"))
    name = f"index-{digest[:8]}.parquet"

    def ask() -> bytes:
        return _packed(search(Place(crawl, base, access), settings), settings.records_per_shard, digest)

    data = lookups.get(name, ask)
    with reading(f"source/{name}"):
        footer = footer_of(pq.ParquetFile(pa.BufferReader(data)), f"source/{name}")
    if footer.digest != digest:
        raise StaleError(f"source/{name} answers another query than the recipe's; remove it, and run the recipe again")
    stem, files = crawl.replace("/", "-"), f"source/{name}"
    shards = tuple(
        Shard(f"{stem}-index-{number:05}", base, fingerprint, files, number)
        for number, fingerprint in enumerate(footer.counts[_FINGERPRINTS])
    )
    many = "shard" if len(shards) == 1 else "shards"
    return shards, f"index of {crawl}: {footer.rows:,} records in {len(shards):,} {many}; {footer.counts[_READ]}"


def ranges_of(folder: Folder, plan: Plan, shard: Shard) -> Ranges:
    """Return the records of a shard of ranges. Raises MissingError, CorruptError, StaleError."""
    assert shard.ranges is not None
    with folder.source(shard.ranges) as file, reading(folder.path(shard.ranges)):
        table = pq.ParquetFile(file).read_row_group(shard.group, schema.RANGES.names, use_threads=False)
    if digest_of_ranges(table) != shard.fingerprint:
        raise StaleError(
            f"{folder.path(shard.ranges)} does not hold the ranges of {shard.name}; remove it, and run the recipe again"
        )
    return Ranges(table, cache(origin_of), _reader(shard.source, plan.access))


def origin_of(path: str) -> Origin:
    """Return what ids start with and the file's name, for the records of a file of a crawl.

    Files of pages, of diagnostics and of robots.txt bear the same names, so the latter two are told apart.

    >>> origin_of("crawl-data/CC-MAIN-2024-51/segments/1/warc/CC-MAIN-00000.warc.gz").shard
    'CC-MAIN-00000'
    """
    parts = PurePosixPath(path).parts
    kind = parts[-2] if len(parts) > 1 and parts[-2] in _OWN_NAMES else ""
    return Origin(f"{shard_name(path)}-{kind}" if kind else shard_name(path), parts[-1])


def _reader(base: str, access: AccessSettings) -> Reader:
    def at(path: str) -> str:
        return f"{base.rstrip('/')}/{path}"

    return Reader(
        lambda path, start, size: read_range(at(path), start, size, access),
        lambda path: open_source(at(path), access).file,
    )


def _packed(found: Found, records_per_shard: int, digest: str) -> bytes:
    """Return an answer as a Parquet file. Raises CorruptError if two of its files would give the same ids."""
    _check_names(found.records)
    sink = io.BytesIO()
    writer = ShardWriter(sink, schema.RANGES, digest)
    fingerprints = []
    for piece in cut(found.records, records_per_shard):
        writer.write_group(piece)
        fingerprints.append(digest_of_ranges(piece))
    writer.counts = {_FINGERPRINTS: fingerprints, _READ: found.read}
    writer.close()
    return sink.getvalue()


def _check_names(records: pa.Table) -> None:
    seen: dict[str, str] = {}
    for path in records.column(schema.WARC).unique().to_pylist():
        other = seen.setdefault(origin_of(path).shard.lower(), path)
        if other != path:
            raise CorruptError(f"the index names {other} and {path}, whose records would have the same ids")
