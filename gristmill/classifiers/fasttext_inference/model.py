"""A fastText model's file as the arrays that kernels read.

Layout (little-endian, fastText 0.9, ``fasttext.cc``, ``dictionary.cc``, ``quantmatrix.cc``): magic and version; 12
int32 and a float64 of settings; the dictionary; the input matrix; the output matrix, each after a byte that tells
whether it is quantized. Quantized rows are put together once: a row is its norm times its pieces.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.classifiers.fasttext_inference import _kernels
from gristmill.classifiers.fasttext_inference.outputs import _kernels as outputs
from gristmill.errors import CorruptError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

PREFIX: Final = b"__label__"
_WITHOUT_SUBWORDS: Final = 11  # a version of the layout whose classifiers have no character n-grams
_DICTIONARY_AT: Final = 8 + 12 * 4 + 8
_CENTROIDS: Final = 256
_END: Final = b"</s>"
_LOSSES: Final = frozenset(
    (outputs.HIERARCHICAL_SOFTMAX, outputs.NEGATIVE_SAMPLING, outputs.SOFTMAX, outputs.ONE_VERSUS_ALL)
)
_MOST_DECODED: Final = 256 << 20
_MOST_PRUNED_BUCKETS: Final = 1 << 24


class UncoveredError(Exception):
    """The model is of a kind, or of a size, that the kernels do not take."""


class KernelModel(NamedTuple):
    """A model as kernels take it.

    ``letters``: the file's bytes up to the end of the dictionary, whose entry *i* is at ``starts[i]``, ``lengths[i]``
    long; ``slots`` finds an entry by its hash. ``rows``: float32[words + buckets, columns], the input matrix.
    ``outputs`` times ``norms``: the output matrix, a row for each label, or for each inner node of the tree that
    ``left`` and ``right`` are. ``pruned``: the row of each bucket, -1 for one that was pruned away, and ``present`` a
    bit for each that was not; both are empty if none was. ``end`` is the entry of ``</s>``, or -1.
    """

    letters: Bytes
    starts: npt.NDArray[np.int64]
    lengths: Integers
    slots: Integers
    rows: Floats
    outputs: Floats
    norms: Floats
    left: Integers
    right: Integers
    pruned: Integers
    present: Bytes
    prefix: Bytes
    least_characters: int
    most_characters: int
    word_ngrams: int
    buckets: int
    first_label: int
    end: int
    loss: int


class _Dictionary(NamedTuple):
    starts: npt.NDArray[np.int64]
    lengths: Integers
    counts: npt.NDArray[np.int64]
    words: int
    pruned: int
    stops_at: int


def read_model(path: Path) -> tuple[KernelModel, tuple[str, ...]]:
    """Return a model, and its labels without their prefix. The file must be whole: see `check_fasttext_file`.

    Raises UncoveredError for a model that is too large to be put together, or of an unknown loss.
    """
    return model_of(np.memmap(path, np.uint8, "r").view(np.ndarray))


def model_of(data: Bytes) -> tuple[KernelModel, tuple[str, ...]]:
    """Return the model whose file has these bytes, and its labels. Raises as `read_model` does."""
    _, version, *_, word_ngrams, loss, _, buckets, least, most, _ = _numbers(data, 0, "<14i")
    if loss not in _LOSSES:
        raise UncoveredError(f"loss {loss}")
    entries = _dictionary(data)
    pruned, at = _pruned(data, entries, buckets)
    is_quantized = bool(data[at])
    rows, at = _input_matrix(data, at)
    last_rows, norms = _output_matrix(data, at, is_quantized)
    left, right = _tree(entries.counts[entries.words :]) if loss == outputs.HIERARCHICAL_SOFTMAX else _no_tree()
    slots = np.full(1 << int(max(1, 2 * len(entries.starts)) - 1).bit_length(), -1, np.int32)
    _kernels.fill_slots(data, entries.starts, entries.lengths, slots)
    names = _names(data, entries)
    model = KernelModel(
        letters=_read_only(data[: entries.stops_at].copy()),  # so that the rest need not stay mapped
        starts=_read_only(entries.starts),
        lengths=_read_only(entries.lengths),
        slots=_read_only(slots),
        rows=_read_only(rows),
        outputs=_read_only(last_rows),
        norms=_read_only(norms),
        left=_read_only(left),
        right=_read_only(right),
        pruned=_read_only(pruned),
        present=_read_only(np.packbits(pruned >= 0, bitorder="little")),
        prefix=_read_only(np.frombuffer(PREFIX, np.uint8)),
        least_characters=least,
        most_characters=0 if version == _WITHOUT_SUBWORDS else most,
        word_ngrams=word_ngrams,
        buckets=buckets,
        first_label=entries.words,
        end=names.index(_END) if _END in names else -1,
        loss=loss,
    )
    return model, tuple(name.removeprefix(PREFIX).decode("utf-8", "replace") for name in names[entries.words :])


def _names(data: Bytes, entries: _Dictionary) -> list[bytes]:
    """Return the first words of a dictionary up to ``</s>``, nothing for the others, and its labels."""
    names = [b""] * len(entries.starts)
    for entry in [*np.flatnonzero(entries.lengths[: entries.words] == len(_END)), *range(entries.words, len(names))]:
        start = int(entries.starts[entry])
        names[entry] = data[start : start + int(entries.lengths[entry])].tobytes()
    return names


def _dictionary(data: Bytes) -> _Dictionary:
    size, words, _, _, pruned = _numbers(data, _DICTIONARY_AT, "<3i2q")
    starts, lengths = np.empty(size, np.int64), np.empty(size, np.int32)
    counts, types = np.empty(size, np.int64), np.empty(size, np.int8)
    stops_at = _kernels.read_dictionary(data, _DICTIONARY_AT + 28, (starts, lengths, counts, types))
    if stops_at < 0 or types[:words].any() or not types[words:].all():
        raise UncoveredError("words and labels are mixed")
    return _Dictionary(starts, lengths, counts, words, pruned, stops_at)


def _pruned(data: Bytes, entries: _Dictionary, buckets: int) -> tuple[Integers, int]:
    """Return the row of each bucket of a pruned model, -1 for one that has none; and where the input matrix begins."""
    if entries.pruned < 0:
        return np.empty(0, np.int32), entries.stops_at
    if buckets > _MOST_PRUNED_BUCKETS:
        raise UncoveredError(f"{buckets} buckets")
    pairs = data[entries.stops_at : entries.stops_at + 8 * entries.pruned].copy().view("<i4").reshape(-1, 2)
    least, most = pairs.min(initial=0), pairs.max(axis=0, initial=-1)
    if least < 0 or most[0] >= max(buckets, 1) or most[1] >= entries.pruned:
        raise CorruptError("the model is damaged: of its buckets some lead nowhere; fetch it again")
    rows = np.full(max(buckets, 1), -1, np.int32)
    rows[pairs[:, 0]] = pairs[:, 1]
    return rows, entries.stops_at + 8 * entries.pruned


def _input_matrix(data: Bytes, at: int) -> tuple[Floats, int]:
    if not data[at]:
        return _dense(data, at + 1)
    pieces, norms, at = _quantized(data, at + 1)
    return np.multiply(pieces, norms[:, None], dtype=np.float32), at


def _output_matrix(data: Bytes, at: int, may_be_quantized: bool) -> tuple[Floats, Floats]:
    if may_be_quantized and data[at]:
        pieces, norms, _ = _quantized(data, at + 1)
        return pieces, norms
    rows, _ = _dense(data, at + 1)
    return rows, np.ones(len(rows), np.float32)


def _dense(data: Bytes, at: int) -> tuple[Floats, int]:
    """Return a matrix that is not quantized, and where it ends. It is copied: it may lie askew in the file."""
    rows, columns = _numbers(data, at, "<2q")
    stop = at + 16 + 4 * rows * columns
    return data[at + 16 : stop].copy().view(np.float32).reshape(rows, columns), stop


def _quantized(data: Bytes, at: int) -> tuple[Floats, Floats, int]:
    """Return the rows of a quantized matrix without their norms, the norms, and where it ends."""
    with_norms, rows, columns, size = _numbers(data, at, "<b2qi")
    if 4 * rows * columns > _MOST_DECODED:
        raise UncoveredError(f"{rows} quantized rows of {columns} columns")
    at += struct.calcsize("<b2qi")
    codes = data[at : at + size].reshape(rows, -1)
    centroids, at = _centroids(data, at + size)
    pieces = np.concatenate([table[codes[:, number]] for number, table in enumerate(centroids)], axis=1)
    if not with_norms:
        return pieces, np.ones(rows, np.float32), at
    lengths, after = _centroids(data, at + rows)
    return pieces, lengths[0][:, 0][data[at : at + rows]], after


def _centroids(data: Bytes, at: int) -> tuple[Sequence[Floats], int]:
    """Return a product quantizer's centroids, float32[256, its columns] for each piece of a row; and where it ends."""
    columns, pieces, width, last = _numbers(data, at, "<4i")
    stop = at + 16 + 4 * columns * _CENTROIDS
    values = data[at + 16 : stop].copy().view(np.float32)
    whole = values[: (pieces - 1) * _CENTROIDS * width].reshape(pieces - 1, _CENTROIDS, width)
    return [*whole, values[whole.size :].reshape(_CENTROIDS, last)], stop


def _no_tree() -> tuple[Integers, Integers]:
    return np.empty(0, np.int32), np.empty(0, np.int32)


def _tree(counts: npt.NDArray[np.int64]) -> tuple[Integers, Integers]:
    """Return the left and right child of each node of the labels' Huffman tree: leaves first, the root last.

    fastText's (``loss.cc``, ``buildTree``): of a leaf and a node that are equally frequent the node is taken.
    """
    leaves = len(counts)
    weights = [int(count) for count in counts] + [10**15] * (leaves - 1)
    left, right = np.full(2 * leaves - 1, -1, np.int32), np.full(2 * leaves - 1, -1, np.int32)
    leaf, node = leaves - 1, leaves
    for parent in range(leaves, 2 * leaves - 1):
        chosen = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                chosen.append(leaf)
                leaf -= 1
            else:
                chosen.append(node)
                node += 1
        left[parent], right[parent] = chosen
        weights[parent] = weights[chosen[0]] + weights[chosen[1]]
    return left, right


def _read_only(array: Any) -> Any:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _numbers(data: Bytes, at: int, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, data[at : at + struct.calcsize(layout)].tobytes())
