"""Digests of files, computed once for each state of a file.

A model of some GB takes seconds to hash, and every process of a run asks for its digest. So the digest of a large file
is noted in the cache, under the file's path, with all that changes when the file does: size, times of content and of
inode, inode. A file that was changed in the last two seconds is not noted, since another content could get the same
times. What is altered without the file system's knowledge, as by a failing disk, is seen only by `fresh_digest`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gristmill import cache

Tell = Callable[[int, int], None]
"""Is told how many bytes are done, and how many there are."""

_PIECE: Final = 1 << 20
_LARGE: Final = 1 << 20
_SETTLED_SECONDS: Final = 2.0


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal. Raises OSError if it cannot be read."""
    state = _state(path)
    if state[0] < _LARGE:
        return fresh_digest(path)
    note = cache.cache_folder("digests") / f"{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.json"
    noted = _noted(note, state)
    if noted is not None:
        return noted
    digest = fresh_digest(path)
    if _is_settled(state) and _state(path) == state:
        with contextlib.suppress(OSError):  # a cache that cannot be written to costs time, nothing else
            _write(note, json.dumps({"state": state, "sha256": digest}))
    return digest


def fresh_digest(path: Path, tell: Tell | None = None) -> str:
    """Return the sha256 of a file's content, read now."""
    digest = hashlib.sha256()
    done, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            if tell is not None:
                tell(done, size)
    return digest.hexdigest()


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _is_settled(state: list[int]) -> bool:
    return time.time() - max(state[1], state[2]) / 1e9 > _SETTLED_SECONDS


def _noted(note: Path, state: list[int]) -> str | None:
    """Return the digest that is noted for a state; None if there is none, or the note cannot be read."""
    try:
        found = json.loads(note.read_bytes())
        return str(found["sha256"]) if found["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(note: Path, text: str) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=note.parent, prefix=".note-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(note)
