"""Compiled kernels: the only module that imports numba.

A kernel is a plain loop over arrays that its caller allocated. It is compiled on its first call and kept on disk, in
a folder keyed by the sources of every kernel: numba alone would not notice that a helper in another file changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from gristmill.cache import cache_folder

_PACKAGE = Path(__file__).parent


def _sources_digest() -> str:
    """Return 16 hex digits of the names and contents of all kernel files, and of the constants compiled into them."""
    digest = hashlib.blake2b(digest_size=8)
    constants = _PACKAGE / "characters.py", _PACKAGE / "spacy_words" / "traits.py"
    for path in (*sorted(_PACKAGE.rglob("_kernels.py")), *constants):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _cache_folder() -> Path:
    return cache_folder("kernels") / _sources_digest()


_FOLDER = Path(os.environ.get("NUMBA_CACHE_DIR") or _cache_folder())

numba.config.CACHE_DIR = str(_FOLDER)  # type: ignore[attr-defined]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a loop over arrays; it releases the GIL and is cached on disk."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def is_compiled(part: str) -> bool:
    """Return whether the kernels of a part were compiled on this machine before."""
    return _mark(part).exists()


def mark_compiled(part: str) -> None:
    """Remember that the kernels of a part are compiled. Raises OSError where the cache cannot be written to."""
    _mark(part).parent.mkdir(parents=True, exist_ok=True)
    _mark(part).touch()


def _mark(part: str) -> Path:
    return _FOLDER / f"{part}.compiled"


def inlined(function: Function) -> Function:
    """Compile a helper into each kernel that calls it."""
    return cast(Function, numba.njit(inline="always")(function))
