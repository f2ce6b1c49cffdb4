"""The loops that read a fastText model's dictionary, and that take the mean of the rows that a text is made of.

The arithmetic is fastText's, in its order and in 32-bit floats, so that the answers are the same to the last bit
(fastText 0.9.2 as in fasttext-numpy2 0.10.4: ``dictionary.cc``, ``densematrix.cc``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer
from gristmill.jit import inlined, kernel

_FNV_START = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)
_END_HASH = np.uint32(3617362777)  # of "</s>"
_NGRAM_PRIME = np.uint64(116049371)
_LESS = 0x3C  # what fastText puts before a word
_GREATER = 0x3E


@kernel
def read_dictionary(data: Array, at: Integer, entries: Any) -> Integer:
    """Fill in start, length, count and type of each entry of a dictionary; return where it ends, -1 if data end first.

    ``entries`` are four arrays, and ``at`` is where the first entry begins: NUL-terminated bytes, an int64, an int8.
    """
    starts, lengths, counts, types = entries
    for entry in range(starts.shape[0]):
        starts[entry] = at
        while at < data.shape[0] and data[at] != 0:
            at += 1
        if at + 10 > data.shape[0]:
            return -1
        lengths[entry] = at - starts[entry]
        count = np.uint64(0)
        for k in range(8):
            count |= np.uint64(data[at + 1 + k]) << np.uint64(8 * k)
        counts[entry] = np.int64(count)
        types[entry] = data[at + 9]
        at += 10
    return at


@inlined
def _step(value: np.uint32, byte: Integer) -> np.uint32:
    """Return the FNV-1a hash with a byte more, which fastText takes as a signed one."""
    return np.uint32((value ^ np.uint32(np.int32(np.int8(byte)))) * _FNV_PRIME)


@kernel
def fill_slots(data: Array, starts: Array, lengths: Array, slots: Array) -> None:
    """Put each entry of a dictionary into a table of slots, a power of two of them, filled with -1; the first wins."""
    mask = np.uint32(slots.shape[0] - 1)
    for entry in range(starts.shape[0]):
        value = _FNV_START
        for i in range(starts[entry], starts[entry] + lengths[entry]):
            value = _step(value, data[i])
        slot = value & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint32(1)) & mask
        slots[slot] = entry


@inlined
def _same(one: Array, start: Integer, other: Array, begin: Integer, length: Integer) -> bool:
    """Return whether two spans of ``length`` bytes are equal."""
    same = True
    for i in range(length):
        if one[start + i] != other[begin + i]:
            same = False
            break
    return same


@inlined
def _separates(byte: Integer) -> Any:
    """Return whether a byte ends a word: space, tab to carriage return, NUL."""
    return byte <= 0x20 and (byte == 0x20 or 0x09 <= byte <= 0x0D or byte == 0)


@inlined
def _is_end(data: Array, start: Integer, length: Integer) -> Any:
    """Return whether a word is ``</s>``, at which fastText stops reading."""
    return (
        length == 4
        and data[start] == _LESS
        and data[start + 1] == 0x2F
        and data[start + 2] == 0x73
        and data[start + 3] == _GREATER
    )


@kernel
def _twice_as_many(slots: Array, hashes: Array, used: Integer) -> Array:
    """Return a table of twice as many slots with the same words."""
    grown = np.full(2 * slots.shape[0], -1, np.int32)
    mask = np.uint32(grown.shape[0] - 1)
    for word in range(used):
        slot = hashes[word] & mask
        while grown[slot] >= 0:
            slot = (slot + np.uint32(1)) & mask
        grown[slot] = word
    return grown


@kernel
def find_words(data: Array, starts: Array, stops: Array, tokens: Any, words: Any) -> int:
    """Fill in the words of each text, and the different words of all texts; return how many different ones there are.

    ``tokens``: where the tokens of each text begin, then their number (texts + 1), and which word each is. ``words``:
    start, length and hash of each different word. Line feeds separate words, as spaces do; a text ends at ``</s>``.
    """
    counts, ids = tokens
    begins, lengths, hashes = words
    slots = np.full(4096, -1, np.int32)
    used = n = 0
    counts[0] = 0
    for text in range(starts.shape[0]):
        i, stop = starts[text], stops[text]
        while i < stop:
            if _separates(data[i]):
                i += 1
                continue
            begin = i
            value = _FNV_START
            while i < stop and not _separates(data[i]):
                value = _step(value, data[i])
                i += 1
            length = i - begin
            if _is_end(data, begin, length):
                break
            mask = np.uint32(slots.shape[0] - 1)
            slot = value & mask
            word = slots[slot]
            while word >= 0:
                if hashes[word] == value and lengths[word] == length and _same(data, begin, data, begins[word], length):
                    break
                slot = (slot + np.uint32(1)) & mask
                word = slots[slot]
            if word < 0:
                word = used
                slots[slot] = word
                begins[word], lengths[word], hashes[word] = begin, length, value
                used += 1
                if 2 * used > slots.shape[0]:
                    slots = _twice_as_many(slots, hashes, used)
            ids[n] = word
            n += 1
        counts[text + 1] = n
    return used


@inlined
def _entry(data: Array, start: Integer, length: Integer, value: np.uint32, dictionary: Any) -> Integer:
    """Return the dictionary's entry of a word whose hash is ``value``; -1 if it has none."""
    letters, starts, lengths, slots = dictionary
    mask = np.uint32(slots.shape[0] - 1)
    slot = value & mask
    entry = slots[slot]
    while entry >= 0:
        if lengths[entry] == length and _same(data, start, letters, starts[entry], length):
            break
        slot = (slot + np.uint32(1)) & mask
        entry = slots[slot]
    return entry


@inlined
def _row_of(bucket: Integer, present: Array, pruned: Array) -> Integer:
    """Return the place of a bucket's row after those of words; -1 if it was pruned away.

    ``present`` has a bit for each bucket, which fits into a processor's cache as ``pruned`` does not; both are empty if
    no bucket was pruned away.
    """
    row = np.int64(bucket)
    if present.shape[0] > 0:
        is_present = present[row >> 3] >> (row & 7) & 1
        row = np.int64(pruned[row]) if is_present else np.int64(-1)
    return row


@inlined
def _subwords(marked: Array, size: Integer, shape: Any, pruned: Any, rows: Array, n: Integer) -> Integer:
    """Fill in the rows of a word's character n-grams, from ``rows[n]`` on; return where they end.

    ``marked``: the word between its marks. ``shape``: fewest and most characters, number of buckets, first row that
    is no word's.
    """
    least, most, buckets, first = shape
    present, places = pruned
    i = 0
    while i < size:
        value = _FNV_START
        j = i
        after = i
        for characters in range(1, most + 1):
            if j >= size:
                break
            value = _step(value, marked[j])
            j += 1
            while j < size and marked[j] & 0xC0 == 0x80:
                value = _step(value, marked[j])
                j += 1
            if characters == 1:
                after = j
            if characters >= least and not (characters == 1 and (i == 0 or j == size)):
                row = _row_of(value % buckets, present, places)
                if row >= 0:
                    rows[n] = first + row
                    n += 1
        i = after
    return n


@kernel
def rows_of_words(data: Array, words: Any, model: Any, counts: Array, rows: Array) -> None:
    """Fill in the rows of the input matrix that each word is made of: its own, then its character n-grams'.

    ``words`` is as `find_words` fills it in. Those of word *i* are from ``counts[i]`` to ``counts[i + 1]`` in ``rows``.
    A label is passed over by fastText: its hash becomes 0 and its length -1, so that it is in no n-gram of words.
    """
    begins, lengths, hashes = words
    dictionary = model.letters, model.starts, model.lengths, model.slots
    prefix, pruned = model.prefix, (model.present, model.pruned)
    shape = model.least_characters, model.most_characters, np.uint32(model.buckets), model.first_label
    marked = np.empty(lengths.max() + 2 if lengths.shape[0] else 0, np.uint8)
    n = 0
    counts[0] = 0
    for word in range(begins.shape[0]):
        start, length = begins[word], lengths[word]
        entry = _entry(data, start, length, hashes[word], dictionary)
        starts_as_label = length >= prefix.shape[0] and _same(data, start, prefix, 0, prefix.shape[0])
        if entry >= model.first_label or (entry < 0 and starts_as_label):
            lengths[word] = -1
        else:
            if entry >= 0:
                rows[n] = entry
                n += 1
            if model.most_characters > 0:
                marked[0] = _LESS
                for i in range(length):
                    marked[i + 1] = data[start + i]
                marked[length + 1] = _GREATER
                n = _subwords(marked, length + 2, shape, pruned, rows, n)
        counts[word + 1] = n


@kernel
def add_rows(tokens: Any, words: Any, model: Any, sums: Array, totals: Array) -> None:
    """Fill in the mean of the rows of each text, float32[texts, columns], and how many rows it has.

    ``words``: where the rows of each word start, then their number (words + 1), and the rows, as `rows_of_words` fills
    them in. The end of a text has a row too, if the model has one for it. No text may have n-grams of words: see
    `add_word_ngrams`.
    """
    counts, ids = tokens
    begins, found = words
    rows, end = model.rows, model.end
    for text in range(sums.shape[0]):
        total = 0
        for token in range(counts[text], counts[text + 1]):
            word = ids[token]
            for i in range(begins[word], begins[word + 1]):
                row = found[i]
                for j in range(sums.shape[1]):
                    sums[text, j] += rows[row, j]
            total += begins[word + 1] - begins[word]
        if end >= 0:
            for j in range(sums.shape[1]):
                sums[text, j] += rows[end, j]
            total += 1
        totals[text] = total


@kernel
def add_word_ngrams(tokens: Any, words: Any, model: Any, sums: Array, totals: Array) -> None:
    """Add the rows of each text's n-grams of words, its end among them, to the sums and totals of `add_rows`.

    ``words``: lengths, -1 for what is passed over, and hashes.
    """
    counts, ids = tokens
    lengths, hashes = words
    rows, present, pruned = model.rows, model.present, model.pruned
    buckets, first, most = np.uint64(model.buckets), model.first_label, model.word_ngrams
    line = np.empty(np.diff(counts).max() + 1 if sums.shape[0] else 0, np.int64)
    for text in range(sums.shape[0]):
        n = 0
        for token in range(counts[text], counts[text + 1]):
            if lengths[ids[token]] >= 0:
                line[n] = np.int32(hashes[ids[token]])
                n += 1
        line[n] = np.int32(_END_HASH)
        for i in range(n + 1):
            value = np.uint64(line[i])
            for k in range(i + 1, min(i + most, n + 1)):
                value = value * _NGRAM_PRIME + np.uint64(line[k])
                row = _row_of(value % buckets, present, pruned)
                if row >= 0:
                    for j in range(sums.shape[1]):
                        sums[text, j] += rows[first + row, j]
                    totals[text] += 1
