"""Which language a text is in, as a fastText model says.

The model's most likely label and its probability, for each text as a whole. A text without a visible character (empty,
white space, control characters) is ``und`` with score 0.0: fastText itself answers ``en`` with 0.12 there, which is
what it has seen most. Line feeds become spaces, which fastText reads alike, since it predicts one line at a time.
fastText's softmax adds 1e-5 before it takes logarithms, so that it gives up to 1.00007; scores are clipped to 1.0.

Labels can be renamed to codes of ISO 639 (``codes.py``), and lines be compared with their text (``lines.py``). Not
here: calibration, and the sum of labels that are renamed alike: a score is that of the model's own label.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.fasttext_inference import Predictions, Predictor, load_predictor
from gristmill.classifiers.language.layers import language_layer
from gristmill.classifiers.language.lines import mixed_ratios
from gristmill.classifiers.models import FoundModel, unchanged
from gristmill.classifiers.settings import LabelScheme, LanguageSettings
from gristmill.columns import TextColumn, text_column
from gristmill.errors import RecipeError

UNDETERMINED: Final = "und"
_VERSION: Final = "1"
_VISIBLE: Final = r"[^\s\pZ\pC]"


def versions(scheme: LabelScheme = "model") -> dict[str, str]:
    """Return the versions of what decides a language; they belong into the stage's hash."""
    asked = {"language": _VERSION, "fasttext-numpy2": version("fasttext-numpy2")}
    if scheme == "model":
        return asked
    from gristmill.classifiers.language import codes  # its tables take half a second to load

    return asked | codes.versions()


@dataclass(frozen=True)
class LanguageIdentifier:
    """A model and how it is asked. It can be sent to other processes; each loads the model when it is first needed."""

    model: FoundModel
    settings: LanguageSettings

    @property
    def labels(self) -> tuple[str, ...]:
        """The languages that the model knows, sorted, as the settings have them labelled."""
        return tuple(sorted(set(self._names)))

    @property
    def layout(self) -> pa.Schema:
        """The columns of what is identified."""
        return language_layer(self.settings.top, self.settings.lines is not None)

    @property
    def _names(self) -> tuple[str, ...]:
        return _names(self.model, self.settings.labels)

    def check(self) -> None:
        """Raise RecipeError for labels that cannot be renamed, and if ``keep`` names what can never be answered."""
        _ = self._names
        for label in self.settings.keep or ():
            unknown = self.unknown(label)
            if unknown is not None:
                raise RecipeError(f"keep: {unknown}")

    def unknown(self, label: str) -> str | None:
        """Return what is wrong with a label that can never be answered: the model has it otherwise, or not at all."""
        known = {*self._names, UNDETERMINED}
        if label in known:
            return None
        scheme = self.settings.labels
        called = "" if scheme == "model" else f" among its {scheme} labels"
        meant = dict(zip(_load(self.model).labels, self._names, strict=True)).get(label) or _meant(label, known)
        hint = f"did you mean {meant!r}?" if meant else f"it has {some(sorted(known))}"
        return f"the model {self.model.path.name} has no language {label!r}{called}; {hint}"

    def identify(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return the most likely languages of each text and their scores: a batch of ``layout``.

        A null text gives nulls. A text without a visible character gives ``und`` and 0.0, and no other language.
        """
        if self.settings.first_characters is not None:
            texts = pc.utf8_slice_codeunits(texts, 0, self.settings.first_characters)
        present = np.asarray(texts.is_valid())
        column = text_column(texts)
        visible = np.flatnonzero(np.asarray(pc.match_substring_regex(texts, _VISIBLE).fill_null(False)))
        asked = _load(self.model).predict(
            column.data, column.offsets[:-1][visible], column.offsets[1:][visible], self.settings.top
        )
        found = _spread(asked, visible, len(present))
        places = range(self.settings.top)
        columns = [answer for place in places for answer in self._language(found, place, present)]
        columns += self._lines(found, column, present)
        return pa.RecordBatch.from_arrays(columns, schema=self.layout)

    def _language(self, found: Predictions, place: int, present: npt.NDArray[np.bool_]) -> list[pa.Array]:
        """Return the label of a place and its score, as columns; of the first place ``und`` where there is none."""
        labels, scores = found.labels[:, place], np.minimum(found.scores[:, place], 1.0).astype(np.float64)
        undetermined = labels < 0
        if place > 0:
            present = present & ~undetermined
        elif self.settings.least_score is not None:
            undetermined |= scores < self.settings.least_score
        names = pa.array([*self._names, UNDETERMINED], pa.string())
        indices = np.where(undetermined, len(names) - 1, labels) if place == 0 else labels
        return [names.take(pa.array(indices, mask=~present)), pa.array(scores, mask=~present)]

    def _lines(self, found: Predictions, texts: TextColumn, present: npt.NDArray[np.bool_]) -> list[pa.Array]:
        """Return what the lines of the texts say, as columns, if it is asked for."""
        if self.settings.lines is None:
            return []
        languages = np.unique(self._names, return_inverse=True)[1].astype(np.int32)
        first = found.labels[:, 0]
        expected = np.where(first >= 0, languages[first], -1).astype(np.int32)
        ratios = mixed_ratios(_load(self.model), texts, expected, languages, self.settings.lines)
        return [pa.array(ratio, mask=~present) for ratio in ratios]


def some(labels: Sequence[str], most: int = 10) -> str:
    """Return the first labels of several, in words.

    >>> some(["de", "en", "fr"], most=2)
    'de, en and 1 more'
    """
    more = f" and {len(labels) - most:,} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


def _meant(label: str, known: Collection[str]) -> str | None:
    """Return the label of the same language, or else the one that is written most alike; None without one."""
    from gristmill.classifiers.language.codes import same_language  # its tables take half a second to load

    same = same_language(label, sorted(known))
    return same or next(iter(difflib.get_close_matches(label, sorted(known), n=1, cutoff=0.5)), None)


def _spread(found: Predictions, rows: npt.NDArray[np.int64], total: int) -> Predictions:
    """Return predictions of some rows as those of all: the others have no label."""
    shape = total, found.labels.shape[1]
    whole = Predictions(np.full(shape, -1, np.int32), np.zeros(shape, np.float32))
    whole.labels[rows], whole.scores[rows] = found
    return whole


@functools.lru_cache(maxsize=16)
def _names(model: FoundModel, scheme: LabelScheme) -> tuple[str, ...]:
    """Return the model's labels in its own order, as a scheme has them. Raises RecipeError if they are no codes."""
    labels = _load(model).labels
    if scheme == "model":
        return labels
    from gristmill.classifiers.language.codes import renamed  # its tables take half a second to load

    return renamed(labels, scheme)


@functools.lru_cache(maxsize=4)
def _load(model: FoundModel) -> Predictor:
    """Return the loaded model, once per process. Raises MissingError, StaleError, CorruptError or UsageError."""
    return load_predictor(unchanged(model))
