"""The loops of the edits: lines looked at, bytes marked, marks made into spans, spans applied.

``data`` is uint8, valid UTF-8; ``offsets`` are int64, rows + 1. ``marks`` has a byte for each byte of ``data``: 0 where
it stays, else why it goes. The marks below are common to all edits; each numbers its own reasons from ``OWN`` on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import decode, hash_bytes
from gristmill.characters import ALONE, ALPHANUMERIC, SPACE
from gristmill.jit import inlined, kernel

Array = Any  # a NumPy array; its items are ints to a reader and machine integers to a kernel
Integer = Any  # an int or a NumPy integer: the same to a kernel

CITATION = 1
CITATION_SPACE = 2  # a citation between two words: a space takes its place
WHITE = 3  # white space at the end of a line, or a line break that nothing follows
FEED = 4  # a line break that becomes a line feed; two marks take turns, so that neighbours stay apart
FEED_TOO = 5
PHRASE = 6
PHRASE_SPACE = 7  # a phrase between two words: a space takes its place
OWN = 8

# columns of what `measure_lines` fills in
BEGIN, STOP, WORDS, LONGEST, WORDS_LEFT, LAST, DOTS = range(7)


@inlined
def _before(data: Array, i: Integer) -> Integer:
    """Return where the character before byte ``i`` starts."""
    i -= 1
    while data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@kernel
def count_runs(marks: Array, offsets: Array, counts: Array) -> int:
    """Fill in how many runs of equal marks there are up to each row's end; return their number."""
    n = 0
    for row in range(offsets.shape[0] - 1):
        last = 0
        for i in range(offsets[row], offsets[row + 1]):
            mark = marks[i]
            if mark != last:
                n += mark != 0
                last = mark
        counts[row + 1] = n
    return n


@kernel
def fill_runs(marks: Array, offsets: Array, runs: tuple[Array, Array, Array]) -> None:
    """Fill in where each run of equal marks starts, where it ends, and its mark."""
    starts, ends, kinds = runs
    n = 0
    for row in range(offsets.shape[0] - 1):
        last = 0
        stop = offsets[row + 1]
        for i in range(offsets[row], stop):
            mark = marks[i]
            if mark != last:
                if last:
                    ends[n - 1] = i
                if mark:
                    starts[n] = i
                    kinds[n] = mark
                    n += 1
                last = mark
        if last:
            ends[n - 1] = stop


@kernel
def copy_edited(data: Array, spans: tuple[Array, Array], inserted: tuple[Array, Array], out: Array) -> None:
    """Copy ``data`` into ``out`` but for the spans, each of which is replaced; ``inserted`` are bytes and offsets."""
    starts, ends = spans
    new, bounds = inserted
    at = 0
    done = 0
    for k in range(starts.shape[0]):
        size = starts[k] - done
        out[at : at + size] = data[done : starts[k]]
        at += size
        for i in range(bounds[k], bounds[k + 1]):
            out[at] = new[i]
            at += 1
        done = ends[k]
    out[at : at + data.shape[0] - done] = data[done:]


@inlined
def _says(data: Array, i: Integer, stop: Integer, word: Array) -> bool:
    same = stop - i >= word.shape[0]
    k = 0
    while same and k < word.shape[0]:
        same = data[i + k] == word[k]
        k += 1
    return bool(same)


@kernel
def mark_citations(data: Array, opens: tuple[Array, Array], decimals: Array, words: Any, marks: Array) -> None:
    """Mark ``[12]``, ``[]`` and ``[word]``; ``opens`` are where brackets open, and where their rows end."""
    at, stops = opens
    for k in range(at.shape[0]):
        start = at[k]
        stop = stops[k]
        i = start + 1
        while i < stop:
            point, width = decode(data, i)
            if not decimals[point]:
                break
            i += width
        end = i + 1 if i < stop and data[i] == 0x5D else 0
        for word in words:
            if not end and _says(data, start + 1, stop, word):
                end = start + 1 + word.shape[0]
        marks[start:end] = CITATION


@kernel
def mark_gaps(data: Array, offsets: Array, classes: Array, codes: tuple[int, int], marks: Array) -> None:
    """Change the mark of runs that would join two words: from ``codes[0]`` to ``codes[1]``.

    Such a run has a letter or digit after it that is no word of its own, and before it what is no white space.
    """
    code, spaced = codes
    for row in range(offsets.shape[0] - 1):
        base = offsets[row]
        stop = offsets[row + 1]
        i = base
        while i < stop:
            if marks[i] != code:
                i += 1
                continue
            start = i
            while i < stop and marks[i] == code:
                i += 1
            if start == base or i == stop:
                continue
            point, _ = decode(data, i)
            if not classes[point] & ALPHANUMERIC or classes[point] & ALONE:
                continue
            point, _ = decode(data, _before(data, start))
            if not classes[point] & SPACE:
                marks[start:i] = spaced


@kernel
def measure_lines(data: Array, classes: Array, lines: tuple[Array, Array], marks: Array, out: Array) -> None:
    """Fill in a row for each line, its columns named above.

    BEGIN and STOP are the line without the white space at its ends; WORDS stand between white space, LONGEST is the
    most characters of one. WORDS_LEFT are the words without what is marked as a citation; LAST is the last byte then,
    DOTS the full stops that end it, up to 3.
    """
    starts, ends = lines
    for n in range(starts.shape[0]):
        begin = stop = starts[n]
        seen = False
        words = longest = length = left = 0
        within = False
        i = starts[n]
        while i < ends[n]:
            point, width = decode(data, i)
            mark = marks[i]
            blank = classes[point] & SPACE != 0
            if blank:
                length = 0
            else:
                if not seen:
                    begin = i
                    seen = True
                stop = i + width
                words += length == 0
                length += 1
                longest = max(longest, length)
            if mark == CITATION_SPACE or (blank and mark != CITATION):
                within = False
            elif mark != CITATION:
                left += not within
                within = True
            i += width
        last = dots = 0
        i = stop
        while i > begin and dots < 3:
            i -= 1
            if marks[i] == CITATION:
                continue
            byte = 0x20 if marks[i] == CITATION_SPACE else data[i]
            if not last:
                last = byte
            if byte != 0x2E:
                break
            dots += 1
        out[n, BEGIN] = begin
        out[n, STOP] = stop
        out[n, WORDS] = words
        out[n, LONGEST] = longest
        out[n, WORDS_LEFT] = left
        out[n, LAST] = last
        out[n, DOTS] = dots


@kernel
def find_terms(
    data: Array, lines: tuple[Array, Array], marks: Array, automaton: tuple[Array, Array], out: Array
) -> None:
    """Fill in, for each line, a bit for each term that stands in it; what is marked as a citation is passed over.

    ``automaton`` is a table of the next state by state and byte, and the bits of each state.
    """
    starts, ends = lines
    following, bits = automaton
    for n in range(starts.shape[0]):
        state = 0
        found = np.uint32(0)
        for i in range(starts[n], ends[n]):
            mark = marks[i]
            if mark == CITATION or (mark == CITATION_SPACE and i > starts[n] and marks[i - 1] == CITATION_SPACE):
                continue
            byte = np.uint8(0x20) if mark == CITATION_SPACE else data[i]
            state = following[state, byte]
            found |= bits[state]
        out[n] = found


@kernel
def mark_lines(data: Array, offsets: Array, lines: tuple[Array, Array, Array], verdicts: Array, marks: Array) -> None:
    """Mark lines by their verdicts: above 0 the line with its break, below 0 the line without it."""
    counts, starts, ends = lines
    for row in range(offsets.shape[0] - 1):
        for n in range(counts[row], counts[row + 1]):
            following = starts[n + 1] if n + 1 < counts[row + 1] else offsets[row + 1]
            if verdicts[n] > 0:
                marks[starts[n] : following] = verdicts[n]
            elif verdicts[n] < 0:
                marks[starts[n] : ends[n]] = -verdicts[n]


@kernel
def mark_breaks(data: Array, offsets: Array, lines: tuple[Array, Array, Array], verdicts: Array, marks: Array) -> None:
    """Mark the line breaks after lines that stay: none stays after the last one, the others become line feeds."""
    counts, starts, ends = lines
    for row in range(offsets.shape[0] - 1):
        last = counts[row + 1] - 1
        while last >= counts[row] and verdicts[last] > 0:
            last -= 1
        for n in range(counts[row], last + 1):
            if verdicts[n] > 0:
                continue
            following = starts[n + 1] if n + 1 < counts[row + 1] else offsets[row + 1]
            if n == last:
                marks[ends[n] : following] = WHITE
            elif data[following - 1] == 0x0A:
                marks[ends[n] : following - 1] = WHITE
            else:
                marks[ends[n] : following] = FEED + (n & 1)


@kernel
def mark_ends(data: Array, offsets: Array, classes: Array, marks: Array) -> None:
    """Mark the white space that the edited text of each row would start or end with."""
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        while i < stop:
            point, width = decode(data, i)
            if marks[i] == 0 and not classes[point] & SPACE:
                break
            if marks[i] == 0 or FEED <= marks[i] <= FEED_TOO:
                marks[i : i + width] = WHITE
            i += width
        start = i
        i = stop
        while i > start:
            first = _before(data, i)
            point, width = decode(data, first)
            if marks[first] == 0 and not classes[point] & SPACE:
                break
            if marks[first] == 0 or FEED <= marks[first] <= FEED_TOO:
                marks[first:i] = WHITE
            i = first


@kernel
def count_kinds(data: Array, kinds: Array, lines: tuple[Array, Array], out: Array) -> None:
    """Fill in, for each line, its characters, and how many of them have the first, and the second, bit of ``kinds``."""
    starts, ends = lines
    for n in range(starts.shape[0]):
        total = first = second = 0
        i = starts[n]
        while i < ends[n]:
            point, width = decode(data, i)
            total += 1
            first += kinds[point] & 1
            second += kinds[point] >> 1 & 1
            i += width
        out[n, 0] = total
        out[n, 1] = first
        out[n, 2] = second


@kernel
def all_of(data: Array, table: Array, lines: tuple[Array, Array], out: Array) -> None:
    """Fill in whether every character of each line is in the table; an empty line is."""
    starts, ends = lines
    for n in range(starts.shape[0]):
        inside = True
        i = starts[n]
        while i < ends[n] and inside:
            point, width = decode(data, i)
            inside = table[point] != 0
            i += width
        out[n] = inside


@kernel
def hash_lines(data: Array, starts: Array, ends: Array, out: Array) -> None:
    """Fill in a 64-bit hash of each line's bytes."""
    for n in range(starts.shape[0]):
        out[n] = hash_bytes(data, starts[n], ends[n])


@kernel
def end_runs(counts: Array, blank: Array, repeated: Array, out: Array) -> None:
    """Fill in which lines belong to the run of repeated lines that a row starts with, or to that it ends with.

    Blank lines are passed over; those at the inner end of a run do not belong to it.
    """
    for row in range(counts.shape[0] - 1):
        low, high = counts[row], counts[row + 1]
        edge = n = low
        while n < high and (blank[n] or repeated[n]):
            n += 1
            if repeated[n - 1]:
                edge = n
        for k in range(low, edge):
            out[k] = True
        edge = n = high
        while n > low and (blank[n - 1] or repeated[n - 1]):
            n -= 1
            if repeated[n]:
                edge = n
        for k in range(edge, high):
            out[k] = True


@kernel
def mark_margins(lines: tuple[Array, Array], measures: Array, marks: Array) -> None:
    """Mark the white space at both ends of each line."""
    starts, ends = lines
    for n in range(starts.shape[0]):
        marks[starts[n] : measures[n, BEGIN]] = WHITE
        marks[measures[n, STOP] : ends[n]] = WHITE
