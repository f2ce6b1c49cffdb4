"""Indexes that were built once, for every run of a user: in the cache, by the digest of all that decides them.

A run keeps a copy of its own beside. Any process can be killed at any time: an index has its name only once it is
whole, and one that is damaged nevertheless is built again. Of the indexes the ones that were used last are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Final

from loguru import logger

from gristmill import cache
from gristmill.dedup.benchmarks.keep import keep
from gristmill.dedup.benchmarks.read import read_items
from gristmill.dedup.benchmarks.sources import benchmarks_digest
from gristmill.dedup.contamination import BenchmarkIndex, versions
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import CorruptError, MissingError, StaleError

MOST_INDEXES: Final = 8
_NOT_OF_THE_INDEX: Final = {"benchmarks", "action", "actions", "most_documents"}


def benchmark_index(settings: DecontaminateSettings) -> BenchmarkIndex:
    """Return the index of a recipe's benchmarks, built if no run of this user has built it before.

    It is always one that was loaded, so that runs which save it again write the same bytes. Where the cache cannot be
    written to, it is built each time. Raises what ``read_items`` raises, and StaleError if a file changes meanwhile.
    """
    place = place_of(settings)
    found = _kept(place)
    if found is not None:
        return found
    built: list[bytes] = []

    def build() -> bytes:
        built.append(_content(BenchmarkIndex.build(settings)))
        if place_of(settings) != place:
            raise StaleError("a file of the benchmarks changed while it was read; run it again")
        return built[0]

    try:
        keep(place, build)
    except OSError as error:
        logger.warning("the index of the benchmarks cannot be kept at {}: {}", place, error)
    else:
        _forget_oldest(place.parent)
    found = None if built else _kept(place)
    return found or BenchmarkIndex.load(io.BytesIO(built[0] if built else build()))


def checked_digest(settings: DecontaminateSettings) -> str:
    """Return the digest of a recipe's benchmarks, all of which can be read. Raises what ``read_items`` raises.

    They are not read again if an index was built of them.
    """
    if not is_kept(settings):
        read_items(settings.benchmarks)
    return benchmarks_digest(settings.benchmarks)


def is_kept(settings: DecontaminateSettings) -> bool:
    """Return whether a recipe's index was built before and is in the cache."""
    return place_of(settings).is_file()


def place_of(settings: DecontaminateSettings) -> Path:
    """Return where a recipe's index is kept. Raises MissingError, AccessError for benchmarks that are not there."""
    said = settings.model_dump(mode="json", exclude=_NOT_OF_THE_INDEX)
    decides = [versions(), benchmarks_digest(settings.benchmarks), said]
    digest = hashlib.blake2b(json.dumps(decides, sort_keys=True).encode(), digest_size=16).hexdigest()
    return cache.cache_folder("benchmarks") / "indexes" / f"{digest}.parquet"


def _kept(place: Path) -> BenchmarkIndex | None:
    """Return the index that is kept; None if there is none that is whole."""
    try:
        found = BenchmarkIndex.load(place)
    except MissingError:
        return None
    except CorruptError:
        with contextlib.suppress(OSError):  # what cannot be removed is not kept either
            place.unlink(missing_ok=True)
        return None
    with contextlib.suppress(OSError):  # it only tells which one was used last
        os.utime(place)
    return found


def _content(index: BenchmarkIndex) -> bytes:
    sink = io.BytesIO()
    index.save(sink)
    return sink.getvalue()


def _forget_oldest(folder: Path) -> None:
    """Remove the indexes that were not used for the longest time; another process that misses one builds it."""
    used = {}
    for path in folder.glob("*.parquet"):
        with contextlib.suppress(FileNotFoundError):  # another process forgot it
            used[path] = path.stat().st_mtime_ns
    for path in sorted(used, key=lambda each: used[each])[:-MOST_INDEXES]:
        path.unlink(missing_ok=True)  # its lock stays, since another process may hold it
