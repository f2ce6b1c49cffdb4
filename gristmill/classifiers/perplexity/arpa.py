"""ARPA files: a model as text, as lmplz writes it and KenLM and SRILM read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.perplexity.columns import Array, chunks
from gristmill.classifiers.perplexity.corpus import Corpus
from gristmill.classifiers.perplexity.estimate import Estimated


def write_arpa(corpus: Corpus, orders: Sequence[Estimated], file: BinaryIO) -> None:
    """Write a model: of each n-gram the log10 of its probability, its words, the log10 of its back-off weight."""
    file.write(b"\\data\\\n")
    for estimated in orders:
        file.write(b"ngram %d=%d\n" % (estimated.order.n, ngram_count(estimated)))
    for estimated in orders:
        file.write(b"\n\\%d-grams:\n" % estimated.order.n)
        for lines in _lines(corpus, estimated):
            file.write(lines)
    file.write(b"\n\\end\\\n")


def ngram_count(estimated: Estimated) -> int:
    """Return how many n-grams of an order are in the model."""
    return sum(int(np.count_nonzero(estimated.kept(part))) for part in chunks(len(estimated.order)))


def _lines(corpus: Corpus, estimated: Estimated) -> Iterator[pa.Buffer]:
    """Yield the lines of many n-grams at once."""
    n = estimated.order.n
    for part in chunks(len(estimated.order)):
        kept = estimated.kept(part)
        if n == 1:
            numbers = [np.arange(part.start, part.stop)[kept]]
        else:
            last = estimated.order.first[part][kept]
            numbers = [corpus.tokens[last - back] for back in range(n - 1, -1, -1)]
        words = [corpus.words.take(pa.array(number)) for number in numbers]
        columns = [_logarithms(estimated.probability[part][kept]), _joined(words, b" ")]
        if estimated.backoff is not None:
            columns.append(_logarithms(estimated.backoff[part][kept]))
        yield _bytes(_joined([_joined(columns, b"\t"), pa.scalar(b"", pa.large_binary())], b"\n"))


def _joined(columns: Sequence[pa.Array | pa.Scalar], separator: bytes) -> pa.LargeBinaryArray:
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.large_binary()))


def _logarithms(values: Array) -> pa.Array:
    """Return log10 of values as text, as short as tells 32-bit numbers apart."""
    return pa.array(np.log10(values).astype(np.float32)).cast(pa.large_string()).cast(pa.large_binary())


def _bytes(array: pa.LargeBinaryArray) -> pa.Buffer:
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, np.int64)
    return data[int(bounds[array.offset]) : int(bounds[array.offset + len(array)])] if len(array) else pa.py_buffer(b"")
