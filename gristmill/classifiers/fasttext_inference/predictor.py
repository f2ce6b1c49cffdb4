"""Asking a fastText model about many texts at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import fasttext
import numpy as np
import numpy.typing as npt

from gristmill.classifiers.fasttext_file import check_fasttext_file
from gristmill.classifiers.fasttext_inference import _kernels
from gristmill.classifiers.fasttext_inference.model import PREFIX, KernelModel, UncoveredError, model_of, read_model
from gristmill.classifiers.fasttext_inference.outputs import _kernels as outputs
from gristmill.errors import CorruptError

Places = npt.NDArray[np.int64]

_ROWS_AT_ONCE: Final = 512
_BYTES_AT_ONCE: Final = 4 << 20
_TEXTS_AT_ONCE: Final = 1 << 14


class Predictions(NamedTuple):
    """The labels of each text, the most probable first.

    ``labels``: int32[texts, k], places in the model's labels, -1 where there is none. ``scores``: float32[texts, k],
    probabilities as fastText gives them (up to 1.00007), 0.0 where there is no label.
    """

    labels: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]


class Predictor(Protocol):
    """A loaded model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels without their prefix, in the model's order."""

    def predict(self, data: npt.NDArray[np.uint8], starts: Places, stops: Places, k: int = 1) -> Predictions:
        """Return the labels of texts: valid UTF-8 that lies from ``starts`` to ``stops`` in ``data``.

        Line feeds are read as spaces. A text in which the model knows nothing has no label, and others have fewer than
        ``k`` where the model has, or where its tree leaves out what is less probable than 1e-5.
        """


def load_predictor(path: Path) -> Predictor:
    """Return a model. Raises CorruptError for a file that is no whole model, and UsageError if it has no labels.

    Models that the kernels do not take (larger than 256 MB when their quantized rows are put together) are asked by
    fastText itself.
    """
    check_fasttext_file(path)
    try:
        return KernelPredictor(*read_model(path))
    except UncoveredError:
        return FastTextPredictor(path)


@dataclass(frozen=True, eq=False)
class KernelPredictor:
    """A model that kernels ask. It holds no state: several threads may ask it at the same time."""

    model: KernelModel
    labels: tuple[str, ...]

    def predict(self, data: npt.NDArray[np.uint8], starts: Places, stops: Places, k: int = 1) -> Predictions:
        """Return the labels of texts, as `Predictor` says. Raises CorruptError if the model's values are no numbers."""
        shape = len(starts), min(k, len(self.labels))
        found = Predictions(np.empty(shape, np.int32), np.empty(shape, np.float32))
        data = _read_only(data)
        for part in _parts(stops - starts):
            self._predict(data, starts[part], stops[part], Predictions(found.labels[part], found.scores[part]))
        if np.isnan(found.scores).any():
            raise CorruptError(
                "the model holds values that are not numbers, and cannot answer: train or fetch it again"
            )
        return _padded(found, k)

    def _predict(self, data: npt.NDArray[np.uint8], starts: Places, stops: Places, found: Predictions) -> None:
        """Fill in the predictions of texts: their words, the rows of the different words, the means, the labels."""
        model = self.model
        most = int(((stops - starts + 1) // 2).sum())
        tokens = np.empty(len(starts) + 1, np.int64), np.empty(most, np.int32)
        begins, lengths, hashes = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.uint32)
        used = _kernels.find_words(data, _read_only(starts), _read_only(stops), tokens, (begins, lengths, hashes))
        words = begins[:used], lengths[:used], hashes[:used]
        counts = np.empty(used + 1, np.int64)
        grams = max(0, model.most_characters - max(model.least_characters, 1) + 1)
        rows = np.empty(int((grams * (words[1] + 2) + 1).sum()), np.int32)
        _kernels.rows_of_words(data, words, model, counts, rows)
        sums, totals = np.zeros((len(starts), model.rows.shape[1]), np.float32), np.empty(len(starts), np.int64)
        _kernels.add_rows(tokens, (counts, rows), model, sums, totals)
        if model.word_ngrams > 1:
            _kernels.add_word_ngrams(tokens, words[1:], model, sums, totals)
        outputs.best_labels(sums, totals, model, *found)


def warm_predictor() -> None:
    """Compile the kernels, by asking the smallest of models about two words."""
    settings = struct.pack("<14id", 793712314, 12, 1, 0, 0, 0, 0, 2, outputs.SOFTMAX, 3, 1, 1, 1, 0, 0.0)
    dictionary = struct.pack("<3i2q", 2, 1, 1, 1, -1) + b"</s>\0" + bytes(9) + b"__label__a\0" + bytes(8) + b"\1"
    matrices = b"\0" + struct.pack("<2q2f", 2, 1, 0, 0) + b"\0" + struct.pack("<2qf", 1, 1, 0)
    model, labels = model_of(np.frombuffer(settings + dictionary + matrices, np.uint8))
    text = np.frombuffer(b"two words", np.uint8)
    for loss in (outputs.SOFTMAX, outputs.HIERARCHICAL_SOFTMAX):
        leaf = _read_only(np.full(1, -1, np.int32))
        asked = model._replace(loss=loss, left=leaf, right=leaf)
        KernelPredictor(asked, labels).predict(text, np.zeros(1, np.int64), np.full(1, len(text), np.int64))


def _parts(sizes: Places) -> Iterator[slice]:
    """Yield slices of texts of these sizes in bytes that are read together: several small ones, or one large one."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _BYTES_AT_ONCE, side="right")))
        last = min(last, first + _TEXTS_AT_ONCE)
        yield slice(first, last)
        first = last


class FastTextPredictor:
    """A model that fastText asks, a copy of each text at a time."""

    def __init__(self, path: Path) -> None:
        """Load the model at a path, which must be whole."""
        self._model: Any = fasttext.load_model(str(path))
        names = self._model.get_labels()
        self._places = {name: place for place, name in enumerate(names)}
        self.labels = tuple(name.removeprefix(PREFIX.decode()) for name in names)

    def predict(self, data: npt.NDArray[np.uint8], starts: Places, stops: Places, k: int = 1) -> Predictions:
        """Return the labels of texts, as `Predictor` says."""
        found = Predictions(np.full((len(starts), k), -1, np.int32), np.zeros((len(starts), k), np.float32))
        for first in range(0, len(starts), _ROWS_AT_ONCE):
            spans = zip(starts[first : first + _ROWS_AT_ONCE], stops[first : first + _ROWS_AT_ONCE], strict=True)
            lines = [data[start:stop].tobytes().replace(b"\n", b" ") + b"\n" for start, stop in spans]
            answers = self._model.f.multilinePredict(lines, k, 0.0, "replace")
            for row, (labels, scores) in enumerate(zip(*answers, strict=True), first):
                found.labels[row, : len(labels)] = [self._places[label] for label in labels]
                found.scores[row, : len(labels)] = scores
        return found


def _padded(found: Predictions, k: int) -> Predictions:
    """Return predictions with a place for each of ``k`` labels, where the model has fewer."""
    rows, has = found.labels.shape
    if has == k:
        return found
    padded = Predictions(np.full((rows, k), -1, np.int32), np.zeros((rows, k), np.float32))
    padded.labels[:, :has], padded.scores[:, :has] = found
    return padded


def _read_only(array: Any) -> Any:
    array = array.view()
    array.flags.writeable = False
    return array
