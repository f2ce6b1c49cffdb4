"""The loops over DCLM's words. Called by gristmill.filters.dclm.words, which allocates what they fill.

Hash tables and the arrays of n-grams are as in gristmill.filters.signals._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, decode
from gristmill.characters import ALPHANUMERIC
from gristmill.filters.signals._kernels import longer, mask_for, pairs, slot_of, top_ngram
from gristmill.jit import kernel


@kernel
def plain_word_counts(data: Array, offsets: Array, classes: Array, cuts: tuple[Array, int], out: Array) -> None:
    """Fill in the words of each row that begin with a letter, digit or other number.

    Words stand between spaces, NULs and the five other white space characters of ASCII. ``cuts`` are a mark for each
    byte, which is passed over unless the mark is 0, and the mark of bytes in whose place a space is to stand.
    """
    marks, space = cuts
    for row in range(offsets.shape[0] - 1):
        words = 0
        inside = False
        i = offsets[row]
        while i < offsets[row + 1]:
            point, width = decode(data, i)
            if marks[i] == 0 or marks[i] == space:
                if marks[i] != 0 or point == 0 or point == 0x20 or 0x09 <= point <= 0x0D:
                    inside = False
                else:
                    words += not inside and classes[point] & ALPHANUMERIC != 0
                    inside = True
            i += width
        out[row] = words


@kernel
def covered_ngrams(counts: Array, words: tuple[Array, Array], scratch: Any, table: Any, out: Array) -> None:
    """Fill in, for each row: characters of the top n-gram for n = 2 to 4, of covered words for n = 5 to 10.

    The first are 0 if no n-gram occurs twice; else the highest count, times the characters of the longest n-gram that
    has it. The others are the characters of the words that lie in an n-gram that occurs twice. Characters are those of
    the words, without spaces. ``words`` are their hashes and lengths; ``scratch`` is as in ``ngram_occurrences``.
    """
    seen, places, grams, slots, before = scratch
    keys, stamps, tally = table
    stamp = 0
    for row in range(counts.shape[0] - 1):
        hashes = words[0][counts[row] : counts[row + 1]]
        lengths = words[1][counts[row] : counts[row + 1]]
        size_of_row = hashes.shape[0]
        before[0] = 0
        for i in range(size_of_row):
            before[i + 1] = before[i] + lengths[i]
        out[row] = 0
        found = 0
        for size in range(2, min(10, size_of_row) + 1):
            found = pairs(hashes, seen, places, grams) if size == 2 else longer(hashes, size, found, places, grams)
            stamp += 1
            mask = mask_for(found)
            found, most, _ = top_ngram(found, stamp, (places, grams), slots, table)
            longest = 0
            free = 0
            for i in range(found):
                start = np.int64(places[i])
                if size > 4:
                    out[row, size - 2] += before[start + size] - before[max(start, free)]
                    free = int(start + size)
                elif tally[slot_of(keys, stamps, mask, stamp, grams[i])] == most:
                    longest = max(longest, before[start + size] - before[start])
            if size <= 4:
                out[row, size - 2] = longest * most
