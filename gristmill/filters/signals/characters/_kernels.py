"""The loops over a text's characters. The scans call them and allocate ``out``, which has a line per row."""

from __future__ import annotations

from gristmill._kernels import Array, Integer, decode
from gristmill.filters.signals.lines._kernels import characters_in
from gristmill.jit import inlined, kernel

# kinds of characters
OTHER = 0  # marks, controls, formats, what is unassigned
LETTER = 1  # str.isalpha
DIGIT = 2  # of a decimal system (Nd)
NUMBER = 3  # other numbers: fractions, superscripts, Roman numerals
PUNCTUATION = 4  # general category P
SYMBOL = 5  # general category S
SPACE = 6  # str.isspace
KINDS = 7

_LONGEST_REFERENCE = 32  # letters and digits; the longest name of HTML has 31


@kernel
def kinds_and_scripts(data: Array, offsets: Array, tables: tuple[Array, Array], out: Array, letters: Array) -> None:
    """Fill in how many characters of each kind a row has, then its runs of what is not white space.

    ``tables`` are the kind and the script of every code point. ``letters`` has a column for each script, for the
    letters of it; both are zeros.
    """
    kinds, scripts = tables
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        before = SPACE
        while i < stop:
            point, width = decode(data, i)
            i += width
            kind = kinds[point]
            out[row, kind] += 1
            out[row, KINDS] += before == SPACE and kind != SPACE
            if kind == LETTER:
                letters[row, scripts[point]] += 1
            before = kind


@kernel
def line_lengths(data: Array, counts: Array, spans: tuple[Array, Array], out: Array) -> None:
    """Fill in, for each row: the characters of all its spans, and of the longest."""
    starts, ends = spans
    for row in range(counts.shape[0] - 1):
        total = 0
        longest = 0
        for k in range(counts[row], counts[row + 1]):
            length = characters_in(data, starts[k], ends[k])
            total += length
            longest = max(longest, length)
        out[row, 0] = total
        out[row, 1] = longest


@inlined
def _is_letter(byte: Integer) -> bool:
    return bool(0x61 <= byte | 0x20 <= 0x7A)


@inlined
def _is_space(byte: Integer) -> bool:
    """Return whether a byte is white space in a tag."""
    return bool(byte == 0x20 or 0x09 <= byte <= 0x0A or 0x0C <= byte <= 0x0D)


@inlined
def _starts(data: Array, i: Integer, stop: Integer, word: Array) -> bool:
    """Return whether the lower-case word stands at ``i``, in any case, as a whole tag name."""
    end = i + word.shape[0]
    if end > stop:
        return False
    for k in range(word.shape[0]):
        if data[i + k] | 0x20 != word[k]:
            return False
    return bool(end == stop or _is_space(data[end]) or data[end] == 0x2F or data[end] == 0x3E)


@kernel
def _after_tag(data: Array, i: Integer, stop: Integer) -> Integer:
    """Return where the tag ends whose name begins at ``i``: after the first ``>`` that is not in a quoted value."""
    assigned = False
    while i < stop:
        byte = data[i]
        i += 1
        if byte == 0x3E:
            return i
        if assigned and byte in (0x22, 0x27):
            while i < stop and data[i] != byte:
                i += 1
            i += 1
            assigned = False
        elif byte == 0x3D:
            assigned = True
        elif not _is_space(byte):
            assigned = False
    return stop


@kernel
def _after_markup(data: Array, i: Integer, stop: Integer) -> Integer:
    """Return where the markup ends that begins at ``i`` (``<``), or ``i`` if none does."""
    if i + 1 >= stop:
        return i
    byte = data[i + 1]
    if _is_letter(byte) or (byte == 0x2F and i + 2 < stop and _is_letter(data[i + 2])):
        return min(_after_tag(data, i + 1, stop), stop)
    if byte not in (0x21, 0x2F, 0x3F):
        return i
    if byte == 0x21 and i + 3 < stop and data[i + 2] == 0x2D and data[i + 3] == 0x2D:
        for k in range(i + 4, stop):
            if data[k] == 0x3E and data[k - 1] == 0x2D and data[k - 2] == 0x2D:
                return k + 1
        return stop
    for k in range(i + 2, stop):
        if data[k] == 0x3E:
            return k + 1
    return stop


@inlined
def _reference_end(data: Array, i: Integer, stop: Integer) -> Integer:
    """Return where the character reference ends that begins at ``i`` (``&``), or ``i`` if none does."""
    k = i + 1
    if k < stop and data[k] == 0x23:
        k += 1
    first = k
    while k < stop and k - first < _LONGEST_REFERENCE and (_is_letter(data[k]) or 0x30 <= data[k] <= 0x39):
        k += 1
    return k + 1 if k > first and k < stop and data[k] == 0x3B else i


@inlined
def _content_end(data: Array, i: Integer, stop: Integer, name: Array) -> Integer:
    """Return where the end tag of an element begins, from ``i`` on, or ``stop``."""
    while i < stop:
        if data[i] == 0x3C and i + 1 < stop and data[i + 1] == 0x2F and _starts(data, i + 2, stop, name):
            break
        i += 1
    return i


@inlined
def _is_blank(data: Array, start: Integer, stop: Integer) -> bool:
    """Return whether a span has nothing but white space."""
    while start < stop and _is_space(data[start]):
        start += 1
    return bool(start == stop)


@kernel
def visible_characters(data: Array, offsets: Array, hidden: tuple[Array, ...], out: Array) -> None:
    """Fill in the characters of each row outside of markup and of the elements ``hidden``; a reference is one.

    Markup are tags, comments, declarations and processing instructions. What is not closed reaches to the end. What
    stands between two of them and has nothing but white space is one character.
    """
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        first = i  # of the piece since the last markup
        piece = 0
        visible = 0
        while i < stop:
            after = i
            if data[i] == 0x3C:
                after = _after_markup(data, i, stop)
                for name in hidden:
                    if after > i and _starts(data, i + 1, stop, name):
                        after = _content_end(data, after, stop, name)
            if after > i:
                visible += min(piece, 1) if _is_blank(data, first, i) else piece
                piece = 0
                first = i = after
                continue
            if data[i] == 0x26:
                after = _reference_end(data, i, stop)
            piece += 1
            i = max(after, i + 1)
            while i < stop and data[i] != 0x3C and data[i] != 0x26:
                piece += data[i] & 0xC0 != 0x80
                i += 1
        out[row] = visible + (min(piece, 1) if _is_blank(data, first, i) else piece)
