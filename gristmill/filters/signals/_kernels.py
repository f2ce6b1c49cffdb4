"""The loops that measure segmented text. Called by the signals, which allocate what they fill.

Items (words or spans) of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``out`` has a line per row.
Hash tables are open-addressed and never cleared: a slot is taken when its stamp is the current one. They have at least
twice as many slots as a row can have items, so a search ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import HAS_ALPHA, HAS_TEXT, Array, Integer, decode, hash_bytes
from gristmill.characters import SPACE
from gristmill.jit import inlined, kernel

_PRIME = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)
_HYPHEN = 0x2D
_BULLET = 0x2022
_ELLIPSIS = 0x2026


@kernel
def word_totals(counts: Array, lengths: Array, flags: Array, out: Array) -> None:
    """Fill in, for each row: words with text, the characters of those, words with a letter."""
    for row in range(counts.shape[0] - 1):
        texts = 0
        characters = 0
        letters = 0
        for i in range(counts[row], counts[row + 1]):
            if flags[i] & HAS_TEXT:
                texts += 1
                characters += lengths[i]
            letters += flags[i] & HAS_ALPHA
        out[row, 0] = texts
        out[row, 1] = characters
        out[row, 2] = letters


@kernel
def listed_words(counts: Array, rows: Array, hashes: Array, listed: Array, stamps: Array, out: Array) -> None:
    """Fill in how many different listed words occur in each of some rows, and how often any does.

    ``listed`` is a hash table (0 is a free slot) of a power of two slots, ``stamps`` has one for each; ``out`` has a
    line for each of the rows.
    """
    mask = listed.shape[0] - 1
    for place in range(rows.shape[0]):
        row = rows[place]
        found = 0
        times = 0
        for i in range(counts[row], counts[row + 1]):
            slot = np.int64(hashes[i]) & mask
            while listed[slot] != 0 and listed[slot] != hashes[i]:
                slot = (slot + 1) & mask
            times += listed[slot] != 0
            if listed[slot] != 0 and stamps[slot] != row + 1:
                stamps[slot] = row + 1
                found += 1
        out[place, 0] = found
        out[place, 1] = times


@kernel
def symbols(data: Array, offsets: Array, out: Array) -> None:
    """Fill in, for each row: how often ``#`` occurs, and how often ``...`` (not overlapping) or U+2026."""
    for row in range(offsets.shape[0] - 1):
        text = data[offsets[row] : offsets[row + 1]]
        hashes = 0
        for byte in text:
            hashes += byte == 0x23
        ellipses = 0
        free = 0
        for i in range(text.shape[0] - 2):
            if text[i] == 0x2E and text[i + 1] == 0x2E and text[i + 2] == 0x2E and i >= free:
                ellipses += 1
                free = i + 3
        for i in range(text.shape[0] - 2):
            ellipses += (text[i] == 0xE2) & (text[i + 1] == 0x80) & (text[i + 2] == 0xA6)
        out[row, 0] = hashes
        out[row, 1] = ellipses


@inlined
def _last_place(data: Array, start: Integer, end: Integer, classes: Array) -> Integer:
    """Return where the last character of the span starts that is not white space, or -1."""
    while end > start:
        end -= 1
        while data[end] & 0xC0 == 0x80:
            end -= 1
        point, _ = decode(data, end)
        if not classes[point] & SPACE:
            return end
    return -1


@kernel
def line_marks(data: Array, classes: Array, counts: Array, spans: tuple[Array, Array], out: Array) -> None:
    """Fill in, for each row: lines whose first character is a bullet, lines whose last are an ellipsis.

    White space at a line's ends is passed over. Bullets are ``-`` and U+2022; ellipses ``...`` and U+2026.
    """
    starts, ends = spans
    for row in range(counts.shape[0] - 1):
        bullets = 0
        ellipses = 0
        for line in range(counts[row], counts[row + 1]):
            i = np.int64(starts[line])
            end = np.int64(ends[line])
            while i < end:
                point, width = decode(data, i)
                if not classes[point] & SPACE:
                    bullets += point in (_HYPHEN, _BULLET)
                    break
                i += width
            last = _last_place(data, i, end, classes)
            if last >= 0:
                point, _ = decode(data, last)
                dots = last - 2 >= starts[line] and data[last] == data[last - 1] == data[last - 2] == 0x2E
                ellipses += point == _ELLIPSIS or dots
        out[row, 0] = bullets
        out[row, 1] = ellipses


@inlined
def slot_of(keys: Array, stamps: Array, mask: int, stamp: int, key: np.uint64) -> Integer:
    """Return the slot that holds the key, or the free one where it belongs."""
    slot = np.int64(key >> _HALF) & mask
    while stamps[slot] == stamp and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def mask_for(items: int) -> int:
    """Return a power of two, at least twice the items, less one."""
    mask = 15
    while mask < 2 * items:
        mask = 2 * mask + 1
    return mask


@kernel
def repeated_spans(data: Array, counts: Array, spans: tuple[Array, Array], table: Any, out: Array) -> None:
    """Fill in, for each row: spans that occurred before in the row, and their characters.

    Then the spans that occur more than once, all copies, and their characters.
    """
    starts, ends = spans
    keys, stamps, tally = table
    for row in range(counts.shape[0] - 1):
        repeated = 0
        characters = 0
        firsts = 0
        first_characters = 0
        mask = mask_for(counts[row + 1] - counts[row])
        for span in range(counts[row], counts[row + 1]):
            key = hash_bytes(data, np.int64(starts[span]), np.int64(ends[span]))
            slot = slot_of(keys, stamps, mask, row + 1, key)
            if stamps[slot] != row + 1:
                stamps[slot] = row + 1
                keys[slot] = key
                tally[slot] = 0
                continue
            length = 0
            for i in range(starts[span], ends[span]):
                length += data[i] & 0xC0 != 0x80
            repeated += 1
            characters += length
            if tally[slot] == 0:
                tally[slot] = 1
                firsts += 1
                first_characters += length
        out[row, 0] = repeated
        out[row, 1] = characters
        out[row, 2] = repeated + firsts
        out[row, 3] = characters + first_characters


@kernel
def pairs(hashes: Array, seen: Array, places: Array, grams: Array) -> int:
    """Fill in the 2-grams that may occur more than once, in order; return their number.

    ``seen`` counts 2-grams by some bits of their hash, up to 2: most that occur once need no look into a table.
    """
    mask = mask_for(2 * hashes.shape[0])
    seen[: mask + 1] = 0
    for i in range(hashes.shape[0] - 1):
        slot = np.int64(hashes[i] * _PRIME + hashes[i + 1]) & mask
        seen[slot] = min(seen[slot] + 1, 2)
    n = 0
    for i in range(hashes.shape[0] - 1):
        gram = hashes[i] * _PRIME + hashes[i + 1]
        places[n] = i
        grams[n] = gram
        n += seen[np.int64(gram) & mask] == 2
    return n


@kernel
def longer(hashes: Array, size: int, found: int, places: Array, grams: Array) -> int:
    """Turn the repeated grams of ``size - 1`` words into those of ``size`` that may repeat; return their number.

    A gram can only repeat where both of the shorter grams in it do.
    """
    n = 0
    for i in range(found - 1):
        follows = places[i + 1] == places[i] + 1
        grams[n] = grams[i] * _PRIME + hashes[places[i] + size - 1]
        places[n] = places[i]
        n += follows
    return n


@kernel
def top_ngram(found: int, stamp: int, grams: tuple[Array, Array], slots: Array, table: Any) -> tuple[int, int, int]:
    """Keep the grams that repeat; return their number, the highest count, and the first place of a gram that has it.

    If none repeats, each occurs once, and the row's first gram is the top one: (0, 1, 0).
    """
    places, hashes = grams
    keys, stamps, tally = table
    mask = mask_for(found)
    for i in range(found):
        slot = slot_of(keys, stamps, mask, stamp, hashes[i])
        if stamps[slot] != stamp:
            stamps[slot] = stamp
            keys[slot] = hashes[i]
            tally[slot] = 0
        tally[slot] += 1
        slots[i] = slot
    n = 0
    most = 1
    place = 0
    for i in range(found):
        count = tally[slots[i]]
        if count > most:
            most = count
            place = places[i]
        places[n] = places[i]
        hashes[n] = hashes[i]
        n += count > 1
    return n, most, place


@kernel
def _repeated(size: int, found: int, stamp: int, grams: tuple[Array, Array], lengths: Array, table: Any) -> int:
    """Return the characters in grams that occurred before, going from the left and past each that is counted."""
    places, hashes = grams
    keys, stamps, _ = table
    mask = mask_for(found)
    characters = 0
    free = 0
    for i in range(found):
        if places[i] < free:
            continue
        slot = slot_of(keys, stamps, mask, stamp, hashes[i])
        if stamps[slot] != stamp:
            stamps[slot] = stamp
            keys[slot] = hashes[i]
            continue
        free = places[i] + size
        for k in range(places[i], free):
            characters += lengths[k]
    return characters


@kernel
def ngram_characters(counts: Array, words: tuple[Array, Array], scratch: Any, table: Any, out: Array) -> None:
    """Fill in, for each row: for n = 2, 3, 4 the characters of the top n-gram, for n = 5 to 10 those of repeated ones.

    ``words`` are their hashes and lengths. The top n-gram is the most frequent, the first seen among equals: its
    length, joined by spaces, times its count. ``scratch`` and ``table`` hold what the longest row needs.
    """
    seen, places, grams, slots = scratch
    stamp = 0
    for row in range(counts.shape[0] - 1):
        hashes = words[0][counts[row] : counts[row + 1]]
        lengths = words[1][counts[row] : counts[row + 1]]
        out[row] = 0
        found = 0
        for size in range(2, min(10, hashes.shape[0]) + 1):
            found = pairs(hashes, seen, places, grams) if size == 2 else longer(hashes, size, found, places, grams)
            stamp += 1
            if size <= 4:
                found, most, place = top_ngram(found, stamp, (places, grams), slots, table)
                length = size - 1
                for k in range(place, place + size):
                    length += lengths[k]
                out[row, size - 2] = length * most
                continue
            out[row, size - 2] = _repeated(size, found, stamp, (places, grams), lengths, table)
            if out[row, size - 2] == 0:  # then no longer gram repeats either
                break


@kernel
def median_lengths(counts: Array, lengths: Array, tally: Array, out: Array) -> None:
    """Fill in twice the median of the lengths of each row; a row without items has 0.

    ``tally`` is zeros, one more than the greatest length.
    """
    for row in range(counts.shape[0] - 1):
        items = lengths[counts[row] : counts[row + 1]]
        out[row] = 0
        longest = 0
        for length in items:
            tally[length] += 1
            longest = max(longest, length)
        seen = 0
        for length in range(longest + 1):
            for middle in ((items.shape[0] + 1) // 2, items.shape[0] // 2 + 1):
                if seen < middle <= seen + tally[length]:
                    out[row] += length
            seen += tally[length]
            tally[length] = 0


@kernel
def ngram_occurrences(counts: Array, words: tuple[Array, Array], scratch: Any, table: Any, out: Array) -> None:
    """Fill in, for each row: of the top 2- to 4-gram its count and characters; then three counts for 5 to 10.

    Those are the characters of all n-grams, of all occurrences of those that occur more than once, and of the words
    that lie in one of these. Characters are those of the words, without spaces. Arguments are as in
    ``ngram_characters``, with the place where each word's characters start as a third of ``scratch``'s arrays of words.
    """
    seen, places, grams, slots, before = scratch
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
            found, most_times, place = top_ngram(found, stamp, (places, grams), slots, table)
            if size <= 4:
                out[row, 2 * size - 4] = most_times
                out[row, 2 * size - 3] = before[place + size] - before[place]
                continue
            column = 3 * size - 9
            for i in range(size_of_row - size + 1):
                out[row, column] += before[i + size] - before[i]
            free = 0
            for i in range(found):
                start = np.int64(places[i])
                out[row, column + 1] += before[start + size] - before[start]
                out[row, column + 2] += before[start + size] - before[max(start, free)]
                free = int(start + size)
