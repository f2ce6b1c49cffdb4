"""A recipe's source resolved to shards: one for each WARC file, named after it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.access.source import edges, file_name
from gristmill.crawl.access.commoncrawl import crawl_of, published_fingerprint
from gristmill.pipeline.files import File, find_files, take
from gristmill.pipeline.lookups import NO_LOOKUPS, Lookups
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.storage import TEMPORARY

_SUFFIX = re.compile(r"(\.warc|\.arc)?(\.wet|\.wat)?(\.gz|\.zst|\.bz2|\.xz|\.lz4)?$", re.IGNORECASE)
_EDGE_BYTES = 1 << 16
_LONGEST_NAME = 120


def resolve_sources(
    source: SourceSettings, access: AccessSettings = DEFAULT_ACCESS, lookups: Lookups = NO_LOOKUPS
) -> tuple[Shard, ...]:
    """Return one shard for each file that a source names, sorted by name.

    Raises MissingError for a crawl, a list or a pattern that is not there, UsageError if fewer files are there than
    are to be taken, AccessError.
    """
    files = take(find_files(source, access, lookups), source)
    with ThreadPoolExecutor(16) as pool:
        fingerprints = list(pool.map(partial(fingerprint, access=access), files))
    urls = [file.url for file in files]
    shards = map(Shard, _names(urls, fingerprints), urls, fingerprints)
    return tuple(sorted(shards, key=lambda shard: shard.name))


def shard_name(path: str) -> str:
    """Return a WARC's name without its folder and suffixes, in characters that are safe in a file name.

    >>> shard_name("crawl/CC-MAIN-20240421062415-00000.warc.gz")
    'CC-MAIN-20240421062415-00000'
    """
    base = file_name(path)
    stem = _SUFFIX.sub("", base) or base
    name = re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip(".").replace(TEMPORARY, "_") or "shard"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.blake2b(stem.encode(), digest_size=4).hexdigest()}"


def fingerprint(file: File, access: AccessSettings = DEFAULT_ACCESS) -> str:
    """Return 32 hex digits that change with a file's bytes, and with the crawl that its address names.

    They are of the path of a file that a crawl has published, which never changes; of any other file's crawl, size,
    first and last 64 KiB. A change in the middle that keeps the size goes unseen; reading a crawl whole to make a plan
    would cost more.
    """
    if file.published is not None:
        return published_fingerprint(file.published)
    size, data = edges(file.url, _EDGE_BYTES, access)
    crawl = crawl_of(file.url) or ""
    return hashlib.blake2b(f"{crawl}{size}".encode() + b"\0" + data, digest_size=16).hexdigest()


def _names(urls: Sequence[str], fingerprints: Sequence[str]) -> list[str]:
    """Return the shards' names; files of one name get the start of their fingerprint, equal files a number too."""
    names = [shard_name(url) for url in urls]
    count = Counter(name.lower() for name in names)
    seen: Counter[str] = Counter()
    unlike = []
    for name, fingerprint_ in zip(names, fingerprints, strict=True):
        told = name if count[name.lower()] == 1 else f"{name}-{fingerprint_[:8]}"
        seen[told.lower()] += 1
        unlike.append(told if seen[told.lower()] == 1 else f"{told}-{seen[told.lower()]}")
    return unlike
