"""How deep a page's elements are nested, told before any parser that takes quadratic time in it.

Counted on the tags as written: an end tag closes the last open element of its name. Void elements, and those whose end
tag may be left out, do not count, since parsers close them by themselves. What stands in comments, scripts and styles
does not count either.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

_TAG = re.compile(
    rb"<(?:!--.*?(?:-->|\Z)|(?:script|style)\b.*?(?:</(?:script|style)|\Z)|(/?)([a-z][a-z0-9]*))", re.I | re.S
)
_UNCOUNTED = frozenset(
    b"area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr "
    b"a body caption colgroup dd dt head html li optgroup option p rb rp rt rtc tbody td tfoot th thead tr".split()
)
_LESS_THAN, _SLASH = ord("<"), ord("/")
_IS_LETTER = np.zeros(256, np.bool_)
_IS_LETTER[list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = True


def is_too_deep(page: bytes, limit: int) -> bool:
    """Return whether elements of an HTML page are nested deeper than ``limit``.

    Most pages are cleared by a count that knows no names, at a tenth of the cost. A page can hide from it behind stray
    end tags; the parser's CPU time then bounds it.

    >>> is_too_deep(b"<div>" * 3 + b"<p>" * 9, 3), is_too_deep(b"<div>" * 4, 3)
    (False, True)
    """
    return _rough_depth(page) > limit and nesting_depth(page) > limit


def nesting_depth(page: bytes) -> int:
    """Return the most elements that are open at once in an HTML page."""
    open_elements: Counter[bytes] = Counter()
    depth = deepest = 0
    for slash, name in _TAG.findall(page):
        name = name.lower()
        if not name or name in _UNCOUNTED:
            continue
        if not slash:
            open_elements[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif open_elements[name]:
            open_elements[name] -= 1
            depth -= 1
    return deepest


def _rough_depth(page: bytes) -> int:
    """Return the most tags opened and not yet closed, whatever their names."""
    data = np.frombuffer(page, np.uint8)
    following = data[np.flatnonzero(data[:-1] == _LESS_THAN) + 1]
    if not len(following):
        return 0
    opened = np.cumsum(_IS_LETTER[following].astype(np.int64) - (following == _SLASH))
    return int((opened - np.minimum(np.minimum.accumulate(opened), 0)).max())
