"""What n-gram models say of texts: perplexity of each, and of each of its lines.

The perplexity of a text is 10 ** (-log10 p / tokens): the probability is that of all its sentences with their ends, the
tokens are their words and one end for each (Wenzek et al. 2020, 3.3; cc_net's ``perplexity.py``, which rounds it to a
decimal). Sentences without words do not count, since blank lines would make any text look likely. KenLM sums the
log10 of a sentence in 32 bits; sentences are summed here in 64.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.classifiers.models import FoundModel, unchanged
from gristmill.classifiers.models.kenlm_file import MAGIC
from gristmill.classifiers.perplexity.columns import Array
from gristmill.classifiers.perplexity.form import Form, Sentences
from gristmill.classifiers.perplexity.layers import PERPLEXITY_LAYER, PERPLEXITY_LINES_LAYER
from gristmill.errors import CorruptError, MissingError

_VERSION: Final = "1"
_BYTES_AT_ONCE: Final = 1 << 18


def check_installed() -> None:
    """Raise MissingError, which says how to install it, if KenLM is not there."""
    if find_spec("kenlm") is None:
        raise MissingError(
            "a `perplexity` stage needs KenLM; install it with: pip install 'gristmill[kenlm]' (it is compiled, which "
            "takes a C++ compiler, Python's headers and a minute)"
        )


def versions() -> dict[str, str]:
    """Return the versions of what decides a perplexity; they belong into the stage's hash."""
    return {"perplexity": _VERSION, "kenlm": version("kenlm")}


@dataclass(frozen=True)
class Scorer:
    """A model and the form in which it is asked. It can be sent to other processes; each loads the model when needed.

    ``with_lines``: whether each line is told of too.
    """

    model: FoundModel
    form: Form
    with_lines: bool = False

    def check(self) -> None:
        """Raise CorruptError or UsageError if pieces or a binary model cannot be loaded, MissingError for a library.

        An ARPA file would have to be parsed whole; that it begins and ends as one is seen when it is found.
        """
        check_installed()
        self.form.pieces.check()
        with self.model.path.open("rb") as file:
            is_binary = file.read(len(MAGIC)) == MAGIC
        if is_binary:
            _opened(self.model, lazily=True)

    def versions(self) -> dict[str, str]:
        """Return what decides a score beside `versions`: the model's digest, and the form's versions."""
        return {"model": self.model.digest, **self.form.versions()}

    @property
    def layer(self) -> pa.Schema:
        """The columns that it gives."""
        return PERPLEXITY_LINES_LAYER if self.with_lines else PERPLEXITY_LAYER

    def measure(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return the perplexity of each text: null for a null, and for a text that has no word in its form."""
        found = [self._measured(part) for part in _parts(texts)]
        whole = pa.Table.from_batches(found, self.layer).combine_chunks().to_batches()
        return whole[0] if whole else pa.RecordBatch.from_pylist([], self.layer)

    def _measured(self, texts: pa.Array) -> pa.RecordBatch:
        present = texts.fill_null("").to_pylist()
        sentences = self.form.sentences(present)
        logs = self._logs(sentences)
        columns = [_perplexities(sentences, logs, len(texts))]
        if self.with_lines:
            lines = sentences if self.form.normalize != "ccnet" else self.form.lines(present)
            columns += _of_lines(lines, logs if lines is sentences else self._logs(lines), texts.is_null())
        return pa.RecordBatch.from_arrays(columns, schema=self.layer)

    def _logs(self, sentences: Sentences) -> Array:
        """Return log10 of the probability of each sentence with its end; 0.0 for those without words."""
        logs = np.zeros(len(sentences.lines))
        asked = np.flatnonzero(sentences.lengths)
        lines = map(sentences.lines.__getitem__, asked.tolist())
        logs[asked] = np.fromiter(map(_load(self.model).score, lines), np.float64, len(asked))
        return logs


@dataclass(frozen=True)
class ScorerByLanguage:
    """A scorer for each of some languages, by the label that the language stage gives."""

    scorers: tuple[tuple[str, Scorer], ...]

    @property
    def layer(self) -> pa.Schema:
        """The columns that it gives."""
        return self.scorers[0][1].layer

    def measure(self, texts: pa.Array, languages: pa.Array) -> pa.RecordBatch:
        """Return the perplexity of each text by its language's model; null where that language has none."""
        places, found = [], []
        for label, scorer in self.scorers:
            rows = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(languages, label), False)))
            places.append(rows)
            found.append(scorer.measure(texts.take(pa.array(rows))))
        order = np.full(len(texts), -1)
        of = np.concatenate(places)
        order[of] = np.arange(len(of))
        table = pa.Table.from_batches(found, self.layer).take(pa.array(order, mask=order < 0))
        return table.combine_chunks().to_batches()[0] if len(texts) else found[0]


def _parts(texts: pa.Array | pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield parts of a column of so many bytes, or of one text that has more."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    ends = np.cumsum(np.asarray(pc.fill_null(pc.binary_length(whole), 0), np.int64))
    start = 0
    while start < len(whole):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _BYTES_AT_ONCE, side="right")))
        yield whole.slice(start, stop - start)
        start = stop


def _perplexities(sentences: Sentences, logs: Array, texts: int) -> pa.Array:
    """Return the perplexity of each text; sums are made in the sentences' order."""
    tokens = _tokens(sentences)
    total = np.bincount(sentences.texts, weights=tokens, minlength=texts)
    log = np.bincount(sentences.texts, weights=logs, minlength=texts)
    return _power(log, total)


def _tokens(sentences: Sentences) -> Array:
    """Return the words and the end of each sentence; 0 for those without words."""
    return np.where(sentences.lengths > 0, sentences.lengths + 1, 0)


def _power(logs: Array, tokens: Array) -> pa.Array:
    none = tokens == 0
    return pa.array(10.0 ** (-logs / np.where(none, 1, tokens)), pa.float64(), mask=none)


def _of_lines(sentences: Sentences, logs: Array, absent: pa.Array) -> list[pa.Array]:
    """Return the lines' perplexities, the median and the largest of each text; null for a text that is null."""
    each = _power(logs, _tokens(sentences))
    counts = np.bincount(sentences.texts, minlength=len(absent))
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    lists = pa.ListArray.from_arrays(ends, each.cast(pa.float32(), safe=False), mask=absent)
    told = sentences.lengths > 0
    values, of = np.asarray(each.filter(pa.array(told))), sentences.texts[told]
    ordered = values[np.lexsort((values, of))]
    told_counts = np.bincount(of, minlength=len(absent))
    starts = np.cumsum(told_counts) - told_counts
    none = told_counts == 0
    places = (starts + (told_counts - 1) // 2, starts + told_counts - 1)
    return [lists, *(pa.array(ordered, pa.float64()).take(pa.array(place, mask=none)) for place in places)]


@functools.lru_cache(maxsize=64)
def _load(model: FoundModel) -> Any:
    """Return the loaded model, once per process. Raises MissingError, StaleError or CorruptError."""
    unchanged(model)
    return _opened(model)


def _opened(model: FoundModel, *, lazily: bool = False) -> Any:
    import kenlm

    config = kenlm.Config()
    config.load_method = kenlm.LoadMethod.LAZY if lazily else kenlm.LoadMethod.POPULATE_OR_LAZY
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    try:
        return kenlm.Model(str(model.path), config)
    except (OSError, RuntimeError) as error:
        raise _damaged(model, error) from error


def _damaged(model: FoundModel, why: object) -> CorruptError:
    return CorruptError(
        f"{model.path} is not a model of KenLM's (an ARPA file, or its binary format), or is cut short: {why}"
    )
