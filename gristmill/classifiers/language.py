"""Which language a text is in, as a fastText model says.

The model's most likely label and its probability, for each text as a whole. A text without a visible character (empty,
white space, control characters) is ``und`` with score 0.0: fastText itself answers ``en`` with 0.12 there, which is
what it has seen most. Line feeds become spaces, which fastText reads alike, since it predicts one line at a time.
fastText's softmax adds 1e-5 before it takes logarithms, so that it gives up to 1.00007; scores are clipped to 1.0.

Not here: several labels of one text, calibration, and the mapping of labels to other codes.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import fasttext
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.fasttext_file import check_fasttext_file
from gristmill.classifiers.models import FoundModel, digest_of
from gristmill.classifiers.settings import LanguageSettings
from gristmill.errors import MissingError, RecipeError, StaleError
from gristmill.schema import LANGUAGE_LAYER

UNDETERMINED: Final = "und"
_VERSION: Final = "1"
_PREFIX: Final = "__label__"
_VISIBLE: Final = r"[^\s\pZ\pC]"
_ROWS_AT_ONCE: Final = 512


def versions() -> dict[str, str]:
    """Return the versions of what decides a language; they belong into the stage's hash."""
    return {"language": _VERSION, "fasttext-numpy2": version("fasttext-numpy2")}


@dataclass(frozen=True)
class LanguageIdentifier:
    """A model and how it is asked. It can be sent to other processes; each loads the model when it is first needed."""

    model: FoundModel
    settings: LanguageSettings

    @property
    def labels(self) -> tuple[str, ...]:
        """The languages that the model knows, sorted, as it labels them."""
        return tuple(sorted(label.removeprefix(_PREFIX) for label in _load(self.model).get_labels()))

    def check(self) -> None:
        """Raise RecipeError if ``keep`` names a language that the model can never answer."""
        known = {*self.labels, UNDETERMINED}
        for label in self.settings.keep or ():
            if label not in known:
                close = difflib.get_close_matches(label, sorted(known), n=1, cutoff=0.4)
                hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known))}"
                raise RecipeError(f"keep: the model {self.model.path.name} has no language {label!r}; {hint}")

    def identify(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return the most likely language of each text and its score: a batch of ``LANGUAGE_LAYER``.

        A null text gives nulls. A text without a visible character gives ``und`` and 0.0.
        """
        labels = np.full(len(texts), UNDETERMINED, object)
        scores = np.zeros(len(texts), np.float64)
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            lines = self._lines(texts[rows])
            self._predict(lines, labels[rows], scores[rows])
        absent = np.asarray(texts.is_null())
        columns = [pa.array(labels, pa.string(), mask=absent), pa.array(scores, pa.float64(), mask=absent)]
        return pa.RecordBatch.from_arrays(columns, schema=LANGUAGE_LAYER)

    def _lines(self, texts: pa.Array) -> pa.Array:
        """Return the texts as fastText takes them: one line each, of so many characters."""
        if self.settings.first_characters is not None:
            texts = pc.utf8_slice_codeunits(texts, 0, self.settings.first_characters)
        return pc.replace_substring(texts, "\n", " ")

    def _predict(self, lines: pa.Array, labels: npt.NDArray[Any], scores: npt.NDArray[np.float64]) -> None:
        """Fill in labels and scores of the lines that have a visible character."""
        visible = np.asarray(pc.match_substring_regex(lines, _VISIBLE).fill_null(False))
        asked = [line + b"\n" for line in lines.filter(pa.array(visible)).cast(pa.large_binary()).to_pylist()]
        found, probabilities = _load(self.model).f.multilinePredict(asked, 1, 0.0, "replace")
        labels[visible] = [label[0].removeprefix(_PREFIX) if label else UNDETERMINED for label in found]
        scores[visible] = [min(float(p[0]), 1.0) if len(p) else 0.0 for p in probabilities]


@functools.lru_cache(maxsize=4)
def _load(model: FoundModel) -> Any:
    """Return the loaded model, once per process. Raises MissingError, StaleError, CorruptError or UsageError."""
    if not model.path.is_file():
        raise MissingError(f"model {model.path} is no longer there")
    if digest_of(model.path) != model.digest:
        raise StaleError(f"model {model.path} is not the file it was when the plan was made: plan the run again")
    check_fasttext_file(model.path)
    return fasttext.load_model(str(model.path))
