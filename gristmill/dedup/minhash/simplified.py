"""Words as FineWeb's MinHash sees them: a text simplified, then split by spaCy's blank English pipeline.

Simplified is lower-cased, numbers made "0", punctuation made white space, marks taken off (NFD without Mn). No step of
that, nor spaCy, looks past white space. So each chunk between white space is done once, and what it gave is kept: a
text is split at white space and its chunks are looked up.

Follows datatrove 0.10, ``simplify_text`` and ``SpaCyTokenizer``, byte for byte but in two cases: a chunk of over 1,000
characters is shown to spaCy in pieces of 1,000, and a text with "is_alpha" in it is as any other.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import character_classes
from gristmill.dedup.minhash.chunks import _kernels

Array = npt.NDArray[Any]

LONGEST_PIECE: Final = 1_000
_KEPT_CHUNKS: Final = 1_000_000
_KEPT_BYTES: Final = 32_000_000

# datatrove 0.10, utils/text.py, PUNCTUATION: 129 characters, as hexadecimal ranges
_PUNCTUATION: Final = """0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba
3001-3002 3008-300d 3010-3011 ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e"""
_NUMBERS: Final = re.compile(r"\d+(?:[.,،٫⎖⎗⎘]\d+)?")


def simplified(text: str) -> list[str]:
    """Return what stands between white space in a simplified text.

    >>> simplified("It's 3,50 in Café")
    ['it', 's', '0', 'in', 'cafe']
    """
    text = _NUMBERS.sub("0", text.lower()).translate(_spaces())
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return bare.split()


@cache
def _spaces() -> dict[int, str]:
    """Return a translation of punctuation into spaces."""
    points: dict[int, str] = {}
    for part in _PUNCTUATION.split():
        first, _, last = part.partition("-")
        points |= dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), " ")
    return points


class SimplifiedWords:
    """The words of each chunk met so far.

    Chunk *i* is ``text[starts[i]:starts[i + 1]]``; its words are ``firsts[i]`` to ``firsts[i + 1]`` of ``tokens``,
    which number the words in ``pool``, each from ``bounds[w]`` to ``bounds[w + 1]``. ``slots`` is a hash table of chunk
    numbers, -1 where free.
    """

    def __init__(self) -> None:
        import spacy

        self._language: Any = spacy.blank("en")
        split: Any = self._language.tokenizer
        self._special = frozenset(split.rules)
        self.forget()

    def forget(self) -> None:
        """Forget all chunks; what comes out stays the same."""
        self._chunks = 0
        self._text = np.empty(1 << 16, np.uint8)
        self._starts = np.zeros(1 << 12, np.int64)
        self._slots = np.full(1 << 13, -1, np.int32)
        self._firsts = np.zeros(1, np.int64)
        self._tokens = np.empty(0, np.int64)
        self._pool = np.empty(0, np.uint8)
        self._bounds = np.zeros(1, np.int64)
        self._numbers: dict[str, int] = {}

    def words(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> tuple[Array, Array, Array, Array]:
        """Return the words of all rows, joined by spaces, where each starts and ends, and the counts of each row."""
        rows = np.empty(len(offsets), np.int64)
        spans = np.empty(len(data), np.int32), np.empty(len(data), np.int32), np.empty(len(data), np.uint8)
        total = _kernels.chunks(data, offsets, character_classes(), rows, spans)
        starts, ends = spans[0][:total], spans[1][:total]
        self._make_room(total, int((ends - starts).sum()))
        numbers = np.empty(total, np.int32)
        known, table = self._chunks, (self._text, self._starts, self._slots)
        self._chunks = _kernels.chunk_numbers(data, (starts, ends), known, table, numbers)
        try:
            self._learn(known)
        except BaseException:
            self.forget()  # chunks without words would be taken for known
            raise
        found = self._joined(rows, numbers)
        if self._chunks > _KEPT_CHUNKS or self._starts[self._chunks] > _KEPT_BYTES:
            self.forget()
        return found

    def _make_room(self, chunks: int, size: int) -> None:
        """Let the table hold so many more chunks of so many bytes."""
        self._text = _grown(self._text, int(self._starts[self._chunks]) + size)
        self._starts = _grown(self._starts, self._chunks + chunks + 1)
        if len(self._slots) < 2 * (self._chunks + chunks):
            self._slots = np.full(1 << (2 * (self._chunks + chunks)).bit_length(), -1, np.int32)
            _kernels.fill_slots(self._text, self._starts, self._chunks, self._slots)

    def _learn(self, known: int) -> None:
        """Find the words of the chunks that were not met before: those from ``known`` on."""
        starts = self._starts[known : self._chunks + 1]
        chunks = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(self._text))
        before = len(self._numbers)
        with self._language.memory_zone():
            found = [self._words_of(chunk) for chunk in chunks.to_pylist()]
        if not found:
            return
        tokens = [self._numbers.setdefault(word, len(self._numbers)) for words in found for word in words]
        ends = np.cumsum([len(words) for words in found], dtype=np.int64)
        self._firsts = np.concatenate([self._firsts, self._firsts[-1] + ends])
        self._tokens = np.concatenate([self._tokens, np.array(tokens, np.int64)])
        new = [word.encode() for word in list(self._numbers)[before:]]
        self._pool = np.concatenate([self._pool, np.frombuffer(b"".join(new), np.uint8)])
        sizes = np.cumsum([len(word) for word in new], dtype=np.int64)
        self._bounds = np.concatenate([self._bounds, self._bounds[-1] + sizes])

    def _words_of(self, chunk: str) -> list[str]:
        """Return the words of a chunk."""
        return [word for piece in simplified(chunk) for word in self._split_piece(piece)]

    def _split_piece(self, piece: str) -> list[str]:
        """Return spaCy's words of what has no white space; letters that no special case names are one word."""
        if piece.isalpha() and piece not in self._special and len(piece) <= LONGEST_PIECE:
            return [piece]
        parts = (piece[i : i + LONGEST_PIECE] for i in range(0, len(piece), LONGEST_PIECE))
        return [token.text for part in parts for token in self._language.tokenizer(part)]

    def _joined(self, rows: Array, numbers: Array) -> tuple[Array, Array, Array, Array]:
        counts = np.empty(len(rows), np.int64)
        size = int((self._firsts[numbers + 1] - self._firsts[numbers]).sum())
        tokens = np.empty(size, np.int64)
        _kernels.expand(rows, numbers, (self._firsts, self._tokens), counts, tokens)
        text = np.empty(int((self._bounds[tokens + 1] - self._bounds[tokens]).sum()) + size, np.uint8)
        starts, ends = np.empty(size, np.int64), np.empty(size, np.int64)
        _kernels.joined(tokens, (self._pool, self._bounds), text, (starts, ends))
        return text, starts, ends, counts


@cache
def simplified_words() -> SimplifiedWords:
    """Return the one table of this process: what it remembers never shows in what it returns."""
    return SimplifiedWords()


def _grown(array: Array, size: int) -> Array:
    """Return the array, or a copy with room for so many items."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
