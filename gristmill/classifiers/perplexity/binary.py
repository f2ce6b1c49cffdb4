"""KenLM's binary files: a model as hash tables that are mapped, so that it is loaded at once.

Format 5, "probing", as KenLM's build_binary makes it of the ARPA file, byte for byte (Heafield 2011, 3.1; ``lm/
binary_format.cc``, ``lm/search_hashed.cc``, ``lm/vocab.cc``): a header, a table of the words' hashes, the words'
weights, a table for each longer order, the words. A probability's sign tells whether a longer n-gram ends in this one;
a back-off of 0 has the sign of whether one begins with it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.classifiers.perplexity import _kernels
from gristmill.classifiers.perplexity.arpa import ngram_count
from gristmill.classifiers.perplexity.columns import Array, chunks
from gristmill.classifiers.perplexity.corpus import Corpus
from gristmill.classifiers.perplexity.estimate import Estimated

_MAGIC: Final = b"mmap lm http://kheafield.com/code format version 5\n"
_MULTIPLIER: Final = np.float32(1.5)
_FIXED: Final = "<B3xfi?3xI"
_SIGN: Final = np.uint32(1 << 31)


def write_binary(corpus: Corpus, orders: Sequence[Estimated], path: Path) -> None:
    """Write a model of at least two orders to a new file of the local disk."""
    sizes = [ngram_count(estimated) for estimated in orders]
    layout = _Layout(sizes)
    file = np.memmap(path, np.uint32, "w+", shape=(layout.bytes // 4,))
    file[: layout.header // 4] = np.frombuffer(_header(sizes, layout.header), np.uint32)
    _write_vocabulary(corpus.words, layout.vocabulary(file))
    for k, estimated in enumerate(orders):
        longer = orders[k + 1] if k + 1 < len(orders) else None
        _write_order(corpus, estimated, longer, layout.table(file, k))
    file.flush()
    with path.open("ab") as end:
        end.write(b"".join(word + b"\0" for word in corpus.words.to_pylist()))


class _Layout:
    """Where the parts of a file lie, in bytes."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.header = _aligned(88 + 20 + 8 * len(sizes))
        words = [3, 2, *(4 for _ in sizes[1:-1]), 3]  # of 32 bits, of an entry of each part
        self.shapes = [(_buckets(sizes[0]), 3), (sizes[0] + 1, 2)]
        self.shapes += [(_buckets(size), width) for size, width in zip(sizes[1:], words[2:], strict=True)]
        self.starts = [self.header + 8]
        for rows, width in self.shapes:
            self.starts.append(self.starts[-1] + 4 * rows * width)
        self.bytes = self.starts[-1]

    def vocabulary(self, file: Array) -> tuple[Array, Array]:
        """Return the vocabulary's own header, and its table."""
        return file[self.header // 4 : self.header // 4 + 2], self._part(file, 0)

    def table(self, file: Array, k: int) -> Array:
        """Return the part of an order."""
        return self._part(file, k + 1)

    def _part(self, file: Array, number: int) -> Array:
        return file[self.starts[number] // 4 : self.starts[number + 1] // 4].reshape(self.shapes[number])


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


def _buckets(entries: int) -> int:
    return max(entries + 1, int(_MULTIPLIER * np.float32(entries)))


def _header(sizes: Sequence[int], length: int) -> bytes:
    """Return the header: test values, then the order, how full tables are, kind, whether words follow, the counts."""
    tests = struct.pack("<56s3f3IQ", _MAGIC, 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
    fixed = struct.pack(_FIXED, len(sizes), float(_MULTIPLIER), 0, True, 0)
    return (tests + fixed + struct.pack(f"<{len(sizes)}Q", *sizes)).ljust(length, b"\0")


def _write_vocabulary(words: pa.LargeBinaryArray, parts: tuple[Array, Array]) -> None:
    header, table = parts
    header[:] = 0, len(words)
    hashes = np.empty(len(words), np.uint64)
    _, offsets, data = words.buffers()
    _kernels.murmur(np.frombuffer(data, np.uint8), np.frombuffer(offsets, np.int64)[: len(words) + 1], hashes)
    numbers = np.arange(1, len(words), dtype=np.uint32)
    _kernels.insert(hashes[1:], numbers[:, None], table)


def _write_order(corpus: Corpus, estimated: Estimated, longer: Estimated | None, table: Array) -> None:
    """Write an order's weights: words by their number, longer n-grams by their hash."""
    length = len(estimated.order)
    ends, begins = np.zeros(length, np.bool_), np.zeros(length, np.bool_)
    if longer is not None:
        for part in chunks(len(longer.order)):
            kept = longer.kept(part)
            ends[longer.order.suffix[part][kept]] = True
            begins[longer.order.context[part][kept]] = True
    for part in chunks(length):
        kept = estimated.kept(part)
        values = _weights(estimated, part, ends[part], begins[part])[kept]
        if estimated.order.n == 1:
            table[part] = values
        else:
            _kernels.insert(_keys(corpus, estimated, part)[kept], values, table)


def _weights(estimated: Estimated, part: slice, ends: Array, begins: Array) -> Array:
    probability = _logarithms(estimated.probability[part])
    if estimated.order.n > 1:
        probability |= _SIGN
    probability[ends] &= ~_SIGN
    if estimated.backoff is None:
        return probability[:, None]
    backoff = _logarithms(estimated.backoff[part])
    backoff[(backoff & ~_SIGN == 0) & ~begins] |= _SIGN
    return np.stack([probability, backoff], axis=1)


def _logarithms(values: Array) -> Array:
    return np.asarray(np.log10(values).astype(np.float32).view(np.uint32))


def _keys(corpus: Corpus, estimated: Estimated, part: slice) -> Array:
    """Return the hash of each n-gram: of its words from the last to the first."""
    last = estimated.order.first[part]
    keys = corpus.tokens[last].astype(np.uint64)
    for back in range(1, estimated.order.n):
        word = corpus.tokens[last - back].astype(np.uint64) + np.uint64(1)
        keys = (keys * np.uint64(8978948897894561157)) ^ (word * np.uint64(17894857484156487943))
    return keys
