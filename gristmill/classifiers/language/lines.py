"""How much of a text is in another language than the text as a whole, by its lines.

A line ends at a line feed. A line is judged if it has enough letters to be, and if the model is sure enough of its
language; equal lines of a batch are asked about once. Shares are of bytes, so that long lines weigh more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.classifiers.fasttext_inference import Predictor
from gristmill.classifiers.language import _kernels
from gristmill.classifiers.settings import LanguageLinesSettings

Places = npt.NDArray[np.int64]
_LINE_FEED = 0x0A


def warm_lines() -> None:
    """Compile the kernels, by looking at one line."""
    data, starts, stops = (
        _read_only(array) for array in (np.zeros(1, np.uint8), np.zeros(1, np.int64), np.ones(1, np.int64))
    )
    _kernels.count_letters(data, starts, stops, character_classes(), np.empty(1, np.int64))
    _kernels.number_spans(data, starts, stops, np.empty(1, np.int64), np.empty(1, np.int64))


class _Lines(NamedTuple):
    """Lines of all texts, in order: which text each is of, and where it starts and stops, its line feed left out."""

    texts: Places
    starts: Places
    stops: Places

    def chosen(self, mask: npt.NDArray[np.bool_]) -> _Lines:
        return _Lines(*(array[mask] for array in self))


def mixed_ratios(
    predictor: Predictor,
    texts: tuple[npt.NDArray[np.uint8], Places],
    expected: npt.NDArray[np.int32],
    languages: npt.NDArray[np.int32],
    settings: LanguageLinesSettings,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of other languages in the judged lines of each text, and the share of the judged in the text.

    ``texts``: their bytes, and where each begins (texts + 1). ``languages``: for each label of the model, a number that
    labels of the same language share; ``expected``: that of each text, -1 if it has none, so that any line differs.
    Where nothing is judged both are 0.0.
    """
    data, offsets = texts
    lines = _lines(data, offsets)
    letters = np.empty(len(lines.starts), np.int64)
    _kernels.count_letters(data, _read_only(lines.starts), _read_only(lines.stops), character_classes(), letters)
    lines = lines.chosen(letters >= settings.least_letters)
    labels, scores = _identified(predictor, data, lines)
    judged = (labels >= 0) & (scores >= settings.least_score)
    lines, found = lines.chosen(judged), languages[labels[judged]]
    sizes, rows = lines.stops - lines.starts, len(offsets) - 1
    in_all = np.bincount(lines.texts, sizes, rows)
    other = found != expected[lines.texts]
    in_others = np.bincount(lines.texts[other], sizes[other], rows)
    return _ratio(in_others, in_all), _ratio(in_all, np.diff(offsets))


def _lines(data: npt.NDArray[np.uint8], offsets: Places) -> _Lines:
    first = int(offsets[0])
    feeds = np.flatnonzero(data[first : offsets[-1]] == _LINE_FEED) + first
    counts = np.diff(np.searchsorted(feeds, offsets)) + 1
    starts, stops = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), np.int64)
    is_first, is_last = np.zeros(len(starts), np.bool_), np.zeros(len(starts), np.bool_)
    ends = np.cumsum(counts)
    is_first[ends - counts] = is_last[ends - 1] = True
    starts[is_first], starts[~is_first] = offsets[:-1], feeds + 1
    stops[is_last], stops[~is_last] = offsets[1:], feeds
    return _Lines(np.repeat(np.arange(len(counts)), counts), starts, stops)


def _identified(
    predictor: Predictor, data: npt.NDArray[np.uint8], lines: _Lines
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the label of each line and its score; of equal lines the first is asked about."""
    numbers, firsts = np.empty(len(lines.starts), np.int64), np.empty(len(lines.starts), np.int64)
    used = _kernels.number_spans(data, _read_only(lines.starts), _read_only(lines.stops), numbers, firsts)
    asked = firsts[:used]
    found = predictor.predict(data, lines.starts[asked], lines.stops[asked])
    return found.labels[numbers, 0], np.minimum(found.scores[numbers, 0], np.float32(1))


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the quotients of whole numbers, 0.0 of nothing."""
    ratios = np.zeros(len(whole), np.float64)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios


def _read_only(array: Any) -> Any:
    array = array.view()
    array.flags.writeable = False
    return array
