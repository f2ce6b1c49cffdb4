"""A recipe's source resolved to shards: one for each WARC file, named after it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from fsspec.implementations.local import LocalFileSystem

from gristmill.errors import MissingError
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.storage import TEMPORARY, located

_SUFFIX = re.compile(r"(\.warc|\.arc)?(\.gz|\.zst|\.bz2|\.xz|\.lz4)?$", re.IGNORECASE)
_EDGE_BYTES = 1 << 16
_LONGEST_NAME = 120


def resolve_sources(patterns: Sequence[str]) -> tuple[Shard, ...]:
    """Return one shard for each file that the paths, globs and URLs name, sorted by name.

    Raises MissingError for a pattern that matches nothing.
    """
    found = dict.fromkeys(path for pattern in patterns for path in _matches(pattern))
    paths = sorted(found)
    with ThreadPoolExecutor(16) as pool:
        fingerprints = list(pool.map(fingerprint, paths))
    shards = map(Shard, _names(paths, fingerprints), paths, fingerprints)
    return tuple(sorted(shards, key=lambda shard: shard.name))


def shard_name(path: str) -> str:
    """Return a WARC's name without its folder and suffixes, in characters that are safe in a file name.

    >>> shard_name("crawl/CC-MAIN-20240421062415-00000.warc.gz")
    'CC-MAIN-20240421062415-00000'
    """
    base = path.rstrip("/").rsplit("/", 1)[-1]
    stem = _SUFFIX.sub("", base) or base
    name = re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip(".").replace(TEMPORARY, "_") or "shard"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.blake2b(stem.encode(), digest_size=4).hexdigest()}"


def fingerprint(path: str) -> str:
    """Return 32 hex digits of a file's size, first and last 64 KiB: enough to see that another file took its name.

    A change in the middle that keeps the size goes unseen; reading a crawl whole to make a plan would cost more.
    """
    filesystem, inner = located(path)
    size = int(filesystem.size(inner) or 0)
    digest = hashlib.blake2b(str(size).encode() + b"\0", digest_size=16)
    with filesystem.open(inner, "rb") as file:
        digest.update(file.read(_EDGE_BYTES))
        if size > _EDGE_BYTES:
            file.seek(max(_EDGE_BYTES, size - _EDGE_BYTES))
            digest.update(file.read(_EDGE_BYTES))
    return digest.hexdigest()


def _matches(pattern: str) -> Iterator[str]:
    filesystem, inner = located(pattern)
    if any(character in inner for character in "*?["):
        paths = [path for path in filesystem.glob(inner) if filesystem.isfile(path)]
    else:
        paths = [inner] if filesystem.isfile(inner) else []
    if not paths:
        hint = f"; write '{pattern.rstrip('/')}/*.warc.gz' for what is in it" if filesystem.isdir(inner) else ""
        raise MissingError(f"source.warc: '{pattern}' matches no file{hint}")
    local = isinstance(filesystem, LocalFileSystem)
    yield from (path if local else filesystem.unstrip_protocol(path) for path in paths)


def _names(paths: Sequence[str], fingerprints: Sequence[str]) -> list[str]:
    """Return the shards' names; files of one name get the start of their fingerprint, equal files a number too."""
    names = [shard_name(path) for path in paths]
    count = Counter(name.lower() for name in names)
    seen: Counter[str] = Counter()
    unlike = []
    for name, fingerprint_ in zip(names, fingerprints, strict=True):
        told = name if count[name.lower()] == 1 else f"{name}-{fingerprint_[:8]}"
        seen[told.lower()] += 1
        unlike.append(told if seen[told.lower()] == 1 else f"{told}-{seen[told.lower()]}")
    return unlike
