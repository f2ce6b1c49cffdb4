"""spaCy's English words, as ``spacy.blank("en")`` finds them, at the speed of a dictionary.

spaCy looks at what stands between white space on its own: what it makes of such a chunk does not depend on what stands
around it. So each chunk is given to spaCy once, and what it made of it is kept: a text is split at white space, and its
chunks are looked up, by their bytes, so that no page can change what another is made into.

spaCy takes a time that grows with the square of a chunk's length and more. So a chunk of over 1,000 characters is cut
into pieces of 1,000, and each is looked at on its own.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import unicodedata
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill._kernels import CLOSES, ENDS
from gristmill.characters import CODE_POINTS, character_classes
from gristmill.spacy_words import _kernels

Array = npt.NDArray[Any]

LONGEST_CHUNK: Final = 1_000
_AT_ONCE: Final = 20_000  # chunks for which spaCy remembers strings
_MARKS: Final = ".,:;!?)"
_KEPT_CHUNKS: Final = 1_000_000
_KEPT_BYTES: Final = 32_000_000


def is_installed() -> bool:
    """Return whether spaCy is there."""
    return importlib.util.find_spec("spacy") is not None


def version() -> str:
    """Return the version of spaCy. Raises PackageNotFoundError where it is not installed."""
    return importlib.metadata.version("spacy")


@cache
def tokenizer() -> SpacyTokenizer:
    """Return the one tokenizer of this process: what it remembers never shows in what it returns."""
    return SpacyTokenizer()


class SpacyTokenizer:
    """spaCy's tokenizer, and what it made of each chunk so far.

    Chunk *i* is ``text[starts[i]:starts[i + 1]]``; its words are ``firsts[i]`` to ``firsts[i + 1]`` of ``hashes``,
    ``lengths`` and ``flags``. ``slots`` is a hash table of chunk numbers, -1 where free.
    """

    def __init__(self) -> None:
        import spacy
        from spacy.attrs import LENGTH  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from spacy.pipeline import Sentencizer

        self._language: Any = spacy.blank("en")
        split: Any = self._language.tokenizer
        self._special = frozenset(split.rules)
        self._attribute = LENGTH
        self._marks = _sentence_marks(Sentencizer.default_punct_chars)
        self.forget()

    def forget(self) -> None:
        """Forget all chunks; what comes out stays the same."""
        self._chunks = 0
        self._text = np.empty(1 << 16, np.uint8)
        self._starts = np.zeros(1 << 12, np.int64)
        self._slots = np.full(1 << 13, -1, np.int32)
        self._firsts = np.zeros(1, np.int64)
        self._words: tuple[Array, ...] = (np.empty(0, np.uint64), np.empty(0, np.int32), np.empty(0, np.uint8))

    def words(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> tuple[Array, ...]:
        """Return the counts, hashes, lengths and flags of the words of each row, as ``gristmill.words.Words`` has them.

        Text is valid UTF-8.
        """
        rows = np.empty(len(offsets), np.int64)
        spans = np.empty(len(data), np.int32), np.empty(len(data), np.int32), np.empty(len(data), np.uint8)
        total = _kernels.chunks(data, offsets, character_classes(), rows, spans)
        starts, ends, gaps = (array[:total] for array in spans)
        self._make_room(total, int((ends - starts).sum()))
        numbers = np.empty(total, np.int32)
        known, table = self._chunks, (self._text, self._starts, self._slots)
        self._chunks = _kernels.chunk_numbers(data, (starts, ends), known, table, numbers)
        try:
            self._learn(known)
        except BaseException:
            self.forget()  # chunks without words would be taken for known
            raise
        found = self._expanded(rows, numbers, gaps)
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
        """Let spaCy split the chunks that were not met before: those from ``known`` on."""
        starts = self._starts[known : self._chunks + 1]
        texts = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(self._text))
        parts = [self._split(texts[i : i + _AT_ONCE].to_pylist()) for i in range(0, len(texts), _AT_ONCE)]
        if not parts:
            return
        counts = np.concatenate([part[0] for part in parts])
        lengths = np.concatenate([part[1] for part in parts])
        hashes, flags = np.empty(len(lengths), np.uint64), np.empty(len(lengths), np.uint8)
        _kernels.describe_words(
            self._text, int(starts[0]), (character_classes(), self._marks), lengths, (hashes, flags)
        )
        self._firsts = np.concatenate([self._firsts, self._firsts[-1] + np.cumsum(counts)])
        found: tuple[Array, ...] = (hashes, lengths, flags)
        self._words = tuple(np.concatenate([old, new]) for old, new in zip(self._words, found, strict=True))

    def _split(self, chunks: list[str]) -> tuple[Array, Array]:
        """Return how many words each chunk has, and the characters of each word."""
        with self._language.memory_zone():
            found = [self._plain(chunk) or self._asked(chunk) for chunk in chunks]
        lengths = [length for words in found for length in words]
        return np.array([len(words) for words in found], np.int64), np.array(lengths, np.int32)

    def _plain(self, chunk: str) -> tuple[int, ...] | None:
        """Return the lengths of the words of a chunk that no rule of spaCy's English but the plainest applies to.

        It is letters, with one mark after them or none: that saves asking spaCy for most chunks. Else None.
        """
        marked = chunk[-1] in _MARKS
        core = chunk[:-1] if marked else chunk
        if not core.isalpha() or core in self._special or chunk in self._special or len(chunk) > LONGEST_CHUNK:
            return None
        if chunk[-1] == "." and not "a" <= core[-1] <= "z":
            return None
        return (len(core), 1) if marked else (len(core),)

    def _asked(self, chunk: str) -> tuple[int, ...]:
        """Return the lengths of the words of a chunk, as spaCy has them."""
        split = self._language.tokenizer
        return tuple(length for piece in _pieces(chunk) for length in split(piece).to_array(self._attribute).tolist())

    def _expanded(self, rows: Array, numbers: Array, gaps: Array) -> tuple[Array, ...]:
        """Return the words of the chunks, in order."""
        counts = np.empty(len(rows), np.int64)
        size = int((self._firsts[numbers + 1] - self._firsts[numbers]).sum())
        found = np.empty(size, np.uint64), np.empty(size, np.int32), np.empty(size, np.uint8)
        _kernels.expand_chunks(rows, (numbers, gaps), (self._firsts, *self._words), counts, found)
        return counts, *found


def _grown(array: Array, size: int) -> Array:
    """Return the array, or a copy with room for so many items."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


def _pieces(chunk: str) -> list[str]:
    """Return the chunk in pieces that spaCy can take."""
    if len(chunk) <= LONGEST_CHUNK:
        return [chunk]
    return [chunk[i : i + LONGEST_CHUNK] for i in range(0, len(chunk), LONGEST_CHUNK)]


def _sentence_marks(ends: list[str]) -> npt.NDArray[np.uint8]:
    """Return a bit for each code point that is punctuation (``CLOSES``), and that ends a sentence (``ENDS``)."""
    table = np.zeros(CODE_POINTS, np.uint8)
    for start, stop in ((0, 0x32400), (0xE0000, 0xE0200)):
        categories = (unicodedata.category(chr(point)).startswith("P") for point in range(start, stop))
        table[start:stop] = np.fromiter(categories, np.bool_, stop - start) * np.uint8(CLOSES)
    table[[ord(mark) for mark in ends]] |= ENDS
    return table
