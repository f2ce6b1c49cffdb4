"""Lists of hosts in files: a host a line, as `gristmill recall` writes them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

MARK = "@"
_LARGEST = 1 << 26


def with_lists(value: Any) -> Any:
    """Return hosts with the lines of each file that an ``@name`` among them names.

    Empty lines and lines that start with ``#`` are no hosts. A file may be packed, and lie at any fsspec URL; it is as
    if its hosts were written in its place. Raises ValueError for a file that cannot be read, or names no host.
    """
    if not isinstance(value, tuple | list):
        return value
    return tuple(host for item in value for host in (_lines(item[1:]) if _is_list(item) else (item,)))


def _is_list(item: Any) -> bool:
    return isinstance(item, str) and item.startswith(MARK)


def _lines(name: str) -> Iterator[str]:
    found = False
    for number, line in enumerate(_read(name).splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            found = True
            if any(c.isspace() for c in text):
                raise ValueError(f"{name}, line {number}: '{text[:80]}' is no host; write a host a line")
            yield text
    if not found:
        raise ValueError(f"{name} names no host; write a host a line")


def _read(name: str) -> str:
    """Return a file's text, of at most 64 MiB. Raises ValueError."""
    import fsspec

    if not name:
        raise ValueError("'@' is followed by the name of a file with a host a line, such as @hosts.txt")
    try:
        with fsspec.open(name, "rb", compression="infer") as file:
            data: bytes = file.read(_LARGEST + 1)
    except (OSError, ImportError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"the list of hosts {name} cannot be read: {error}") from error
    if len(data) > _LARGEST:
        raise ValueError(f"the list of hosts {name} has over {_LARGEST >> 20} MiB, which is no list of hosts")
    return data.decode("utf-8", "replace")
