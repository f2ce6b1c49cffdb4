"""Scores of fastText classifiers: the probability that a model gives a label, for each text as a whole.

Several labels can be added up, each with its weight, as the expected grade of a model whose labels are grades.

The score is float64, from 0.0 to 1.0 for a label that counts once: fastText adds 1e-5 to each probability before it
takes logarithms, so that it answers up to 1.00007. A null text has no score. A text without a visible character (empty,
white space, control characters) has 0.0: fastText itself would answer how common the label was in training.

A text is normalized as `normal` does it, or ``plain``: line feeds become spaces, which fastText reads alike, and the
answer is exactly that of its ``predict``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.fasttext_inference import Predictor, load_predictor
from gristmill.classifiers.models import FoundModel, unchanged
from gristmill.classifiers.quality import normal
from gristmill.classifiers.quality.sidecar import Calibration
from gristmill.columns import text_column

PLAIN: Final = "plain"
_VERSION: Final = "1"
_VISIBLE: Final = r"[^\s\pZ\pC]"
_ROWS_AT_ONCE: Final = 512
_ANSWERS_AT_ONCE: Final = 1 << 16

Floats = npt.NDArray[np.float64]
Weights = tuple[tuple[str, float], ...]


def versions() -> dict[str, str]:
    """Return the versions of what decides a score; they belong into the step's hash."""
    return {"quality": _VERSION, "normal": normal.VERSION, "fasttext-numpy2": version("fasttext-numpy2")}


@dataclass(frozen=True)
class Classifier:
    """A model and how it is asked. It can be sent to other processes; each loads the model when it is first needed.

    ``labels``: as the model has them, with their prefix, each with the number that its probability is multiplied by;
    for most classifiers it is one label and 1. ``form``: ``plain`` or a name of `normal.FORMS`; ``buckets``,
    ``complement``: see `presets`; ``calibration``: turns a score into a probability, where the model brings a table.
    """

    name: str
    model: FoundModel
    labels: Weights
    form: str = PLAIN
    first_characters: int | None = None
    buckets: tuple[float, ...] | None = None
    complement: bool = False
    calibration: Calibration | None = None

    @property
    def score_column(self) -> str:
        """The name of the score's column."""
        return f"{self.name}{schema.OF_SCORE}"

    @property
    def layout(self) -> pa.Schema:
        """The columns that it gives: the score, then the probability and the bucket where it has them."""
        name, without = self.name, "null if there is no text"
        fields = [schema.column(self.score_column, pa.float64(), f"{name}: {self._asked_for}; {without}")]
        if self.calibration is not None:
            meaning = f"{name}: the score calibrated on held-out hosts; {without}"
            fields.append(schema.column(f"{name}{schema.OF_PROBABILITY}", pa.float64(), meaning))
        if self.buckets is not None:
            bounds = ", ".join(f"{bound:g}" for bound in self.buckets)
            meaning = f"{name}: how many of the bounds {bounds} the score reaches; {without}"
            fields.append(schema.column(f"{name}{schema.OF_BUCKET}", pa.int64(), meaning))
        return pa.schema(fields)

    @property
    def _asked_for(self) -> str:
        one = len(self.labels) == 1
        return f"the model's probability of {self.labels[0][0]}" if one else "weighted sum of the model's probabilities"

    def score(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return what the model says of each text: a batch of ``layout``. A null text gives nulls."""
        texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        rows = max(1, min(_ROWS_AT_ONCE, _ANSWERS_AT_ONCE // len(_load(self.model).labels))) if len(texts) else 1
        parts = [self._scores(texts[start : start + rows]) for start in range(0, len(texts), rows)]
        scores = np.concatenate([np.zeros(0, np.float64), *parts])
        columns: list[Floats | npt.NDArray[np.int64]] = [scores]
        if self.calibration is not None:
            columns.append(np.interp(scores, self.calibration.scores, self.calibration.probabilities))
        if self.buckets is not None:
            reached = np.searchsorted(self.buckets, scores, side="right")
            columns.append(np.where(np.isnan(scores), 0, reached).astype(np.int64))
        absent = np.asarray(texts.is_null())
        arrays = [pa.array(column, mask=absent) for column in columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.layout)

    def _scores(self, texts: pa.Array) -> Floats:
        """Return the score of each of some texts; 0.0 where there is nothing to read."""
        lines = self._lines(texts)
        visible = np.asarray(pc.match_substring_regex(lines, _VISIBLE))
        scores = np.zeros(len(lines), np.float64)
        if visible.any():
            read = lines if visible.all() else lines.filter(pa.array(visible))
            scores[visible] = self._asked(read)
        return scores

    def _lines(self, texts: pa.Array) -> pa.Array:
        """Return the texts as lines, of so many characters; a null is empty."""
        texts = pc.fill_null(texts, "").cast(pa.large_string())
        if self.first_characters is not None:
            texts = pc.utf8_slice_codeunits(texts, 0, self.first_characters)
        return pc.replace_substring(texts, "\n", " ") if self.form == PLAIN else normal.training_lines(texts, self.form)

    def _asked(self, lines: pa.LargeStringArray) -> Floats:
        """Return the score of each line from what the model answers; 0.0 where it answers nothing."""
        predictor = _load(self.model)
        data, offsets = text_column(lines)
        found = predictor.predict(data, offsets[:-1], offsets[1:], 1 if self.complement else len(predictor.labels))
        weight = {label.removeprefix(normal.LABEL_PREFIX): number for label, number in self.labels}
        numbers = np.array([weight.get(label, 0.0) for label in predictor.labels])
        weights, probabilities = numbers[found.labels], found.scores.astype(np.float64)
        if self.complement:  # one answer a line, of one label or the other
            probabilities = np.where(weights == 0.0, 1.0 - probabilities, probabilities)
            weights = np.ones_like(weights)
        values = np.where(found.labels >= 0, weights * probabilities, 0.0)
        rows = np.repeat(np.arange(len(lines)), values.shape[1])
        scores = np.bincount(rows, values.ravel(), len(lines))
        return np.clip(scores, min(0.0, *weight.values()), max(0.0, *weight.values()))


@functools.lru_cache(maxsize=4)
def _load(model: FoundModel) -> Predictor:
    """Return the loaded model, once per process. Raises MissingError, StaleError, CorruptError or UsageError."""
    return load_predictor(unchanged(model))
