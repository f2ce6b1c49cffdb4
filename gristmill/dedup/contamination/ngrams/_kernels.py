"""Kernels of tables of n-grams that answer exactly.

*Normalised* text is words of UTF-8, each followed by one space. So an n-gram is a run of bytes that ends in a space,
and two n-grams are equal exactly when their bytes are. A table finds candidates by a 64-bit hash and then compares
bytes: no collision of hashes is ever taken for a match.

The words of all items stand in one row, and are numbered; so are the texts that they make.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill._kernels import Integer, decode, mix
from gristmill.characters import ALPHA
from gristmill.dedup.contamination.words._kernels import SPACE, Alphabet
from gristmill.jit import inlined, kernel

Array = npt.NDArray[Any]

_WORD_STEP = np.uint64(0x9E3779B97F4A7C15)
GRAM_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)
_IN_WORD = np.uint64(63)
_WORD_BITS = np.uint64(6)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Slots(NamedTuple):
    """A table of n-grams, by hash.

    ``size``: int64[1], how many words each has. ``hashes``: uint64[slots]. ``words``: int32[slots], the number of the
    word with which the n-gram of a slot starts first; -1 if the slot is empty, as at least one is. ``filter``: uint64[a
    power of two], a bit for each hash, so that most n-grams that are not there cost one look.
    """

    size: Array
    hashes: Array
    words: Array
    filter: Array


class Items(NamedTuple):
    """The words of items.

    ``text``: uint8[bytes], the normalised texts. ``starts``: int64[words + 1], where each word starts. ``owners``:
    int32[words], the text that each is of. ``bounds``: int64[texts + 1], the first word of each. ``later``:
    int32[words], the next word with which the same n-gram starts, -1 if there is none.
    """

    text: Array
    starts: Array
    owners: Array
    bounds: Array
    later: Array


@inlined
def word_hash(text: Array, at: int) -> tuple[np.uint64, int]:
    """Return the hash of the word that starts at ``at``, and where its space is."""
    value = _ZERO
    while text[at] != SPACE:
        value = (value ^ np.uint64(text[at])) * _WORD_STEP
        at += 1
    return mix(value), at


@kernel
def power_of(ngram: int) -> np.uint64:
    """Return the factor that the oldest of n + 1 words has in a rolling hash."""
    power = _ONE
    for _ in range(ngram):
        power *= GRAM_STEP
    return power


@kernel
def _is_telling(text: Array, at: int, classes: Array) -> bool:
    """Return whether the word that starts at ``at`` has two letters."""
    letters = 0
    while text[at] != SPACE and letters < 2:
        code, width = decode(text, at)
        letters += (classes[code] & ALPHA) != 0
        at += width
    return letters == 2


@kernel
def _has_three(values: Array) -> bool:
    """Return whether there are three distinct values, zeros apart."""
    first, second = _ZERO, _ZERO
    for value in values:
        if value in (first, second, _ZERO):
            continue
        if first == _ZERO:
            first = value
        elif second == _ZERO:
            second = value
        else:
            return True
    return False


@kernel
def _equal(known: Array, place: Integer, ngram: Array) -> Any:
    size = ngram.shape[0]
    if place + size > known.shape[0]:
        return False
    i = 0
    while i < size and known[place + i] == ngram[i]:
        i += 1
    return i == size


@inlined
def slot_of(slots: Slots, items: Items, key: np.uint64, ngram: Array) -> np.int64:
    """Return the slot of an n-gram, as bytes, or the empty one where it would go."""
    count = slots.words.shape[0]
    slot = np.int64(((key >> _HALF) * np.uint64(count)) >> _HALF)
    while slots.words[slot] >= 0:
        if slots.hashes[slot] == key and _equal(items.text, items.starts[slots.words[slot]], ngram):
            break
        slot += 1
        if slot == count:
            slot = np.int64(0)
    return slot


@kernel
def telling_words(items: Items, alphabet: Alphabet, telling: Array) -> None:
    """Fill in the hash of each word that has two letters, else 0. ``telling``: uint64[words]."""
    for word in range(telling.shape[0]):
        at = items.starts[word]
        telling[word] = word_hash(items.text, at)[0] if _is_telling(items.text, at, alphabet.classes) else _ZERO


@inlined
def _place(slots: Slots, items: Items, word: int) -> tuple[np.uint64, np.int64]:
    """Return the hash and the slot of the n-gram that starts with a word of the items."""
    rolling = _ZERO
    for i in range(word, word + slots.size[0]):
        rolling = rolling * GRAM_STEP + word_hash(items.text, items.starts[i])[0]
    key = mix(rolling)
    return key, slot_of(slots, items, key, items.text[items.starts[word] : items.starts[word + slots.size[0]]])


@inlined
def _take(slots: Slots, slot: np.int64, key: np.uint64, word: int, mask: np.uint64) -> None:
    """Put an n-gram into a slot, if it is empty."""
    if slots.words[slot] < 0:
        slots.words[slot] = word
        slots.hashes[slot] = key
        bit = key & mask
        slots.filter[bit >> _WORD_BITS] |= _ONE << (bit & _IN_WORD)


@kernel
def fill(slots: Slots, items: Items, telling: Array, lengths: tuple[Array, Array], firsts: Array) -> int:
    """Put n-grams of items into a table; return how many unlike ones there are.

    Only n-grams with three distinct words of two letters are put in. ``lengths``: two of int64[texts]. Text i is looked
    at up to so many words of the first; the second receives how many n-grams of it are put in. ``firsts``:
    int32[words], receives, for each word with which one starts, the word with which it does first.
    """
    ngram = slots.size[0]
    mask = np.uint64(slots.filter.shape[0] * 64 - 1)
    longest, eligible = lengths
    unlike = 0
    for text in range(longest.shape[0]):
        begin = items.bounds[text]
        eligible[text] = 0
        for word in range(begin, begin + longest[text] - ngram + 1):
            if not _has_three(telling[word : word + ngram]):
                continue
            eligible[text] += 1
            key, slot = _place(slots, items, word)
            unlike += slots.words[slot] < 0
            _take(slots, slot, key, word, mask)
            firsts[word] = slots.words[slot]
    return unlike


@kernel
def fill_starts(slots: Slots, items: Items, chosen: Array, firsts: Array) -> None:
    """Put the first words of the chosen texts (bool[texts]) into a table; ``firsts`` as for `fill`."""
    mask = np.uint64(slots.filter.shape[0] * 64 - 1)
    for text in range(chosen.shape[0]):
        if chosen[text]:
            word = items.bounds[text]
            key, slot = _place(slots, items, word)
            _take(slots, slot, key, word, mask)
            firsts[word] = slots.words[slot]


@kernel
def chain(firsts: Array, heads: Array, later: Array) -> None:
    """Fill in the next word with the same first one, -1 if there is none; ``firsts`` has -1 for words that have none.

    All: int32[words]; ``heads`` is worked in.
    """
    heads[:] = -1
    for word in range(firsts.shape[0] - 1, -1, -1):
        later[word] = -1
        first = firsts[word]
        if first >= 0:
            later[word] = heads[first]
            heads[first] = word


@inlined
def may_have(slots: Slots, mask: np.uint64, key: np.uint64) -> Any:
    """Return whether the bit of an n-gram's hash is set; ``mask`` is the number of bits less one."""
    bit = key & mask
    return slots.filter[bit >> _WORD_BITS] & (_ONE << (bit & _IN_WORD)) != _ZERO
