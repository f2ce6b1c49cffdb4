"""Kernels of cuts: how far one goes around what was found, and what white space stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gristmill._kernels import Integer, decode
from gristmill.characters import ALPHANUMERIC, LINE_BREAK, MARK, SPACE, TERMINAL
from gristmill.jit import inlined, kernel

Array = npt.NDArray[Any]

LOOK_BACK = 8  # characters before the margin that tell whether a sentence has ended
CLOSING = (0x22, 0x27, 0x29, 0x5D, 0x7D, 0xBB, 0x2019, 0x201D, 0x203A, 0x300D, 0x300F, 0xFF09)

_WORD = ALPHANUMERIC | MARK


@inlined
def _before(data: Array, at: int) -> int:
    """Return where the character before ``at`` starts."""
    at -= 1
    while data[at] & 0xC0 == 0x80:
        at -= 1
    return at


@inlined
def _ended(point: Integer, kind: Integer, ended: bool) -> bool:
    """Return whether a sentence has ended with a character, or had before it."""
    return kind & TERMINAL != 0 or (ended and (kind & SPACE != 0 or point in CLOSING))


@kernel
def _begin(text: Array, start: int, margin: int, classes: Array) -> int:
    """Return where a cut begins that must begin at ``start`` or up to ``margin`` characters before it."""
    at, window, n = start, start, 0
    while at > 0 and n < margin + LOOK_BACK:
        at = _before(text, at)
        n += 1
        if n <= margin:
            window = at
    if window == 0:
        return 0
    ended = False
    kind = np.int64(0)
    word, gap = -1, -1
    while True:
        if at >= window:
            if kind & LINE_BREAK or (kind & SPACE and ended):
                return at
            if word < 0 and kind & SPACE:
                word = at
            if gap < 0 and not kind & _WORD:
                gap = at
        if at >= start:
            break
        point, width = decode(text, at)
        kind = np.int64(classes[point])
        ended = _ended(point, kind, ended)
        at += width
    return word if word >= 0 else gap if gap >= 0 else start


@kernel
def _end(text: Array, end: int, margin: int, classes: Array) -> int:
    """Return where a cut ends that must end at ``end`` or up to ``margin`` characters behind it."""
    at, n = end, 0
    ended = False
    sentence, word, gap = -1, -1, -1
    while at < text.shape[0]:
        point, width = decode(text, at)
        kind = np.int64(classes[point])
        if kind & LINE_BREAK or (kind & SPACE and ended):
            sentence = at
        if kind & SPACE:
            word = at
        elif not kind & _WORD:
            gap = at
        if n == margin:
            return sentence if sentence >= 0 else word if word >= 0 else gap if gap >= 0 else end
        ended = _ended(point, kind, ended)
        at += width
        n += 1
    return at


@kernel
def _spaces(text: Array, start: int, end: int, classes: Array) -> tuple[int, int]:
    """Return where the white space before ``start`` begins, and where that behind ``end`` ends."""
    while start > 0:
        at = _before(text, start)
        if not classes[decode(text, at)[0]] & SPACE:
            break
        start = at
    while end < text.shape[0]:
        point, width = decode(text, end)
        if not classes[point] & SPACE:
            break
        end += width
    return start, end


@inlined
def _feeds(text: Array) -> int:
    """Return how many line feeds a text has."""
    found = 0
    for byte in text:
        found += byte == 0x0A
    return found


@kernel
def _without_spaces(text: Array, start: int, end: int, classes: Array) -> tuple[int, int, bool]:
    """Return a cut with the white space that goes with it, and whether a space takes its place."""
    left, right = _spaces(text, start, end, classes)
    if left == 0:
        return 0, right, False
    if right == text.shape[0]:
        return left, right, False
    if _feeds(text[end:right]) > _feeds(text[left:start]) or left == start:
        return left, end, left == start and right == end
    return start, right, False


@kernel
def cut_pages(
    column: tuple[Array, Array], spans: tuple[Array, Array, Array], margin: int, classes: Array, cuts: Array
) -> int:
    """Fill in the cuts of spans; return how many there are.

    ``spans``: int64, rows, starts and ends in bytes of a row, in order of rows and starts. ``cuts``: int64[5, spans]:
    row, start, end, whether a space takes its place, and the characters that go.
    """
    data, offsets = column
    rows, starts, ends = spans
    n = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        text = data[offsets[row] : offsets[row + 1]]
        begin, end = _begin(text, starts[i], margin, classes), _end(text, ends[i], margin, classes)
        if n and cuts[0, n - 1] == row and _spaces(text, begin, end, classes)[0] <= cuts[2, n - 1]:
            cuts[1, n - 1] = min(cuts[1, n - 1], begin)
            cuts[2, n - 1] = max(cuts[2, n - 1], end)
            continue
        cuts[0, n], cuts[1, n], cuts[2, n] = row, begin, end
        n += 1
    for i in range(n):
        row = cuts[0, i]
        text = data[offsets[row] : offsets[row + 1]]
        start, end, spaced = _without_spaces(text, cuts[1, i], cuts[2, i], classes)
        cuts[1, i], cuts[2, i], cuts[3, i], cuts[4, i] = start, end, spaced, 0
        for at in range(start, end):
            cuts[4, i] += text[at] & 0xC0 != 0x80
    return n
