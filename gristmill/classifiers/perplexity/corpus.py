"""Sentences as numbers: every word has one, and stays in no memory but once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.perplexity import _kernels
from gristmill.classifiers.perplexity.columns import Array, Scratch, chunks

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
SPECIAL: Final = (UNKNOWN, BEGIN, END)
BEGIN_ID, END_ID = 1, 2

SPACES: Final = np.zeros(256, np.uint8)
SPACES[[0x00, 0x09, 0x0A, 0x0D, 0x20]] = 1


class Corpus(NamedTuple):
    """Sentences one behind the other, each from `BEGIN` to `END`.

    ``tokens``: uint32, positions in ``words``, which holds `SPECIAL`, then the words in the order of their bytes.
    """

    tokens: Array
    words: pa.LargeBinaryArray
    sentences: int


def read_corpus(blocks: Iterable[bytes], scratch: Scratch) -> Corpus:
    """Return the sentences of blocks of UTF-8: one on each line; no line goes on in the next block.

    Words are what NUL, tab, LF, CR and space part, as for KenLM. A word that is written like one of `SPECIAL` is left
    out. A line without words is a sentence without words.
    """
    met = scratch.column("met", np.uint32)
    ids: dict[bytes, int] = {}
    sentences = 0
    for block in blocks:
        found, lines = _words(np.frombuffer(block, np.uint8))
        sentences += len(lines)
        met.append(_sentences(_numbered(found, ids), lines))
    words, numbers = _ordered(ids)
    tokens = scratch.column("tokens", np.uint32)
    for part in chunks(len(met)):
        tokens.append(numbers[met.values()[part]])
    return Corpus(tokens.values(), words, sentences)


def _words(data: npt.NDArray[np.uint8]) -> tuple[pa.LargeBinaryArray, Array]:
    """Return the words of a block, and how many there are up to the end of each line."""
    most = len(data) // 2 + 1
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    lines = np.empty(int(np.count_nonzero(data == 0x0A)) + 1, np.int64)
    words, count = _kernels.words(data, SPACES, (starts, ends, lines))
    starts, ends = starts[:words], ends[:words]
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    out = np.empty(offsets[-1], np.uint8)
    _kernels.gather(data, starts, ends, out)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(out)]
    return pa.Array.from_buffers(pa.large_binary(), words, buffers), lines[:count]


def _numbered(words: pa.LargeBinaryArray, ids: dict[bytes, int]) -> Array:
    """Return the number of each word, from 3 on as they are met; those of `SPECIAL` have 0."""
    encoded = words.dictionary_encode()
    special = {name.encode() for name in SPECIAL}
    known = [0 if word in special else ids.setdefault(word, len(ids) + 3) for word in encoded.dictionary.to_pylist()]
    return np.asarray(known, np.uint32)[np.asarray(encoded.indices)] if len(words) else np.empty(0, np.uint32)


def _sentences(words: Array, lines: Array) -> Array:
    """Return the words of lines with the begin and the end of each around them."""
    place = np.arange(len(words)) + 2 * np.searchsorted(lines, np.arange(len(words)), side="right") + 1
    out = np.empty(len(words) + 2 * len(lines), np.uint32)
    out[place] = words
    stops = lines + 2 * np.arange(1, len(lines) + 1)
    out[stops - 1] = END_ID
    out[np.concatenate([[0], stops[:-1]])[: len(lines)]] = BEGIN_ID
    known: Array = out[out != 0]
    return known


def _ordered(ids: dict[bytes, int]) -> tuple[pa.LargeBinaryArray, Array]:
    """Return `SPECIAL` and the words in the order of their bytes, and what each number becomes."""
    met = pa.array(ids, pa.large_binary())
    order = np.asarray(pc.sort_indices(met))
    numbers = np.empty(len(met) + 3, np.uint32)
    numbers[:3] = range(3)
    numbers[3:][order] = np.arange(3, len(met) + 3)
    names = pa.array([name.encode() for name in SPECIAL], pa.large_binary())
    return pa.concat_arrays([names, met.take(pa.array(order))]), numbers
