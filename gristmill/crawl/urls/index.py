"""Sorted hashes of millions of domains and addresses in one file, which every process maps instead of reading it.

The file is a head, a description as JSON, and two or three arrays: the hashes, little-endian uint64, each once; where
there are several lists, for each hash the number of the first list that has it (uint16); and the hashes of what is
allowed. 4.6 million entries take 37 MB, shared by all processes of a machine.

A hash is 64 bits of xxh3: that an address is taken for one of n others has the probability n / 2^64, which for
4.6 million entries is 2.5 in 10^13. Over a hundred billion pages, each looked up three times, 0.07 wrong hits are
expected.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import xxhash

from gristmill.cache import cache_folder
from gristmill.crawl.urls.entries import hash_of
from gristmill.errors import CorruptError, UsageError

FORMAT = 1
"""Raise it when the file's form, or what is hashed for an entry, changes."""

_MAGIC = b"GMURLS\r\n"
_HEAD = struct.Struct("<8sQ")
_ALIGNED = 64
_CHUNK = 1 << 20


class Listed(NamedTuple):
    """Lists by their names in the order of the recipe, each with the hashes of its entries; and what is allowed."""

    lists: Sequence[tuple[str, np.ndarray]]
    allowed: np.ndarray


class UrlIndex:
    """An index that was written by `write_index`, mapped. ``facts``: what was written with it."""

    def __init__(self, path: Path) -> None:
        """Open an index. Raises FileNotFoundError, and CorruptError if it is not whole."""
        self.path = path
        with path.open("rb") as file:
            described, start = _read_description(path, file)
            _check_payload(path, file, described)
        self.facts: Mapping[str, Any] = described["facts"]
        self.lists: tuple[str, ...] = tuple(described["lists"])
        counts = described["entries"], described["origins"], described["allowed"]
        self._hashes = _mapped(path, "<u8", start, counts[0])
        self._origins = _mapped(path, "<u2", start + 8 * counts[0], counts[1])
        self._allowed = _mapped(path, "<u8", start + 8 * counts[0] + _padded(2 * counts[1]), counts[2])

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._hashes)

    @property
    def allows(self) -> bool:
        """True if it holds anything that is allowed."""
        return len(self._allowed) > 0

    def list_of(self, key: str) -> str | None:
        """Return the name of the first list that has a host or the key of an address; None if none has it."""
        at = _place(self._hashes, hash_of(key))
        return None if at is None else self.lists[self._origins[at] if len(self._origins) else 0]

    def is_allowed(self, key: str) -> bool:
        """Return whether a host or the key of an address is among what is allowed."""
        return _place(self._allowed, hash_of(key)) is not None


def index_path(key: str) -> Path:
    """Return where the index of that key lies, or would lie."""
    return cache_folder("urls") / f"{key}.index"


def write_index(path: Path, listed: Listed, facts: Mapping[str, Any]) -> None:
    """Write an index under its name, whole or not at all, whoever else does the same.

    Raises UsageError if the folder cannot be written to.
    """
    names = list(dict.fromkeys(name for name, _ in listed.lists))
    hashes, origins = _merged(listed.lists, names)
    allowed = np.unique(listed.allowed).astype("<u8")
    payload = [hashes.tobytes(), _pad(origins.tobytes()), allowed.tobytes()]
    digest = xxhash.xxh3_128()
    for part in payload:
        digest.update(part)
    described = {
        "format": FORMAT,
        "lists": names,
        "entries": len(hashes),
        "origins": len(origins),
        "allowed": len(allowed),
        "bytes": sum(map(len, payload)),
        "xxh3_128": digest.hexdigest(),
        "facts": dict(facts),
    }
    text = json.dumps(described, ensure_ascii=False).encode()
    _write(path, [_HEAD.pack(_MAGIC, len(text)), text, b"\0" * _gap(_HEAD.size + len(text)), *payload])


def _merged(lists: Sequence[tuple[str, np.ndarray]], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return all hashes, sorted, each once, and the number of the first list of each, if there are several."""
    if len(names) < 2:
        return np.unique(_joined([hashes for _, hashes in lists])).astype("<u8"), np.zeros(0, "<u2")
    if len(names) >= 1 << 16:
        raise UsageError(f"{len(names):,} lists are too many; join some of them")
    hashes, first = np.unique(_joined([hashes for _, hashes in lists]), return_index=True)
    numbers = np.concatenate([np.full(len(found), names.index(name), "<u2") for name, found in lists])
    return hashes.astype("<u8"), numbers[first]


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.uint64)


def _write(path: Path, pieces: Sequence[bytes]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".building-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                sink.writelines(pieces)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"the index of the URL lists cannot be written to {path.parent}: {error}; set GRISTMILL_CACHE to a folder "
            "that can be written to"
        ) from error


def _read_description(path: Path, file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return an index's description and where its arrays start. Raises CorruptError."""
    head = file.read(_HEAD.size)
    magic, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
    start = _HEAD.size + length + _gap(_HEAD.size + length)
    if magic != _MAGIC or start > path.stat().st_size:
        raise CorruptError(f"{path} is no index of URL lists; delete it")
    try:
        described = json.loads(file.read(length))
        is_whole = described["format"] == FORMAT and path.stat().st_size == start + described["bytes"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{path} is no index of URL lists; delete it") from error
    if not is_whole:
        raise CorruptError(f"{path} is cut short, or of another version; delete it")
    file.seek(start)
    return described, start


def _check_payload(path: Path, file: BinaryIO, described: Mapping[str, Any]) -> None:
    """Raise CorruptError unless what follows has the digest that it had when it was written."""
    digest = xxhash.xxh3_128()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    if digest.hexdigest() != described["xxh3_128"]:
        raise CorruptError(f"{path} was altered; delete it")


def _mapped(path: Path, kind: str, offset: int, count: int) -> memoryview:
    """Return an array of a file as a memoryview, whose items Python reads faster than NumPy's."""
    array: Any = np.memmap(path, kind, "r", offset, (count,)) if count else np.zeros(0, kind)
    return memoryview(array)


def _place(hashes: memoryview, wanted: int) -> int | None:
    at = bisect_left(hashes, wanted)
    return at if at < len(hashes) and hashes[at] == wanted else None


def _padded(size: int) -> int:
    return size + -size % 8


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)


def _gap(size: int) -> int:
    return -size % _ALIGNED
