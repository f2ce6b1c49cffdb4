"""Header fields as WARC and HTTP write them: ``Name: value`` lines, folded or not, odd ones included."""

from __future__ import annotations

import re

_FOLD = re.compile(rb"\r?\n[ \t]+")
_FOLD_START = re.compile(rb"\n[ \t]")


def parse_fields(lines: bytes) -> list[tuple[bytes, bytes]]:
    r"""Return the fields of a header, in order, names in lower case; a line without a colon is no field.

    >>> parse_fields(b"A: 1\r\nB:\r\n 2\r\n\r\n")
    [(b'a', b'1'), (b'b', b'2')]
    """
    if _FOLD_START.search(lines):
        lines = _FOLD.sub(b" ", lines)
    fields = []
    for line in lines.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    return fields
