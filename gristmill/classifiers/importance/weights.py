"""Importance weights of texts by hashed n-grams.

Xie et al. 2023 (DSIR, arXiv:2302.03169, section 3): the words and pairs of words of a text are hashed into 10,000
buckets; the log weight of a text is the sum over its n-grams of the log of the bucket's share in the target over its
share in the raw texts. As in the authors' data-selection 1.0.3, a share is of all n-grams, 1e-8 is added to each, and
text is lower-cased. Other than there, words are those of gristmill's ``unicode`` segmentation and not of NLTK's
``wordpunct_tokenize`` (which takes ``...`` and ``!?`` for a word each, parts ``don't`` and has Thai or Chinese as one
word between blanks), the hash is not SHA-256, and all raw texts are counted, not the first 1e9 n-grams.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.importance import _kernels
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.text import TextBatch, words_versions

Counts = npt.NDArray[np.int64]
Ratios = npt.NDArray[np.float64]

_VERSION: Final = "1"


def layout(settings: ImportanceSettings) -> pa.Schema:
    """Return the layer of log weights."""
    meaning = "log of how much likelier the text is in the target than in the run"
    if settings.scale_to:
        meaning += f", as if it had {settings.scale_to} n-grams"
    return pa.schema(
        [
            schema.column(settings.log_weight, pa.float64(), f"{meaning}; 0.0 without words; null without text"),
            schema.column(settings.word_count, pa.int64(), "words of the text; null without text"),
        ]
    )


def key_layout(settings: ImportanceSettings) -> pa.Schema:
    """Return the layer of keys."""
    meaning = "what documents are drawn by, the largest first: log weight and noise; null with too few words"
    return pa.schema([schema.column(settings.key, pa.float64(), meaning)])


def versions() -> dict[str, str]:
    """Return the versions of what is computed here; they belong into the stage's hash."""
    return {"importance": _VERSION} | words_versions("unicode")


class Features(NamedTuple):
    """N-grams of texts: how many are in each bucket, and of how many texts."""

    counts: Counts
    texts: int

    @property
    def total(self) -> int:
        """The number of n-grams."""
        return int(self.counts.sum())

    def __add__(self, other: tuple[object, ...]) -> Features:
        """Return the features of both."""
        assert isinstance(other, Features)
        return Features(self.counts + other.counts, self.texts + other.texts)


def no_features(settings: ImportanceSettings) -> Features:
    """Return the features of no text."""
    return Features(np.zeros(settings.buckets, np.int64), 0)


def features_of(texts: pa.Array, settings: ImportanceSettings) -> Features:
    """Return the features of texts; a null has none, and is not counted."""
    words = TextBatch(pc.utf8_lower(texts)).words
    counts = np.zeros(settings.buckets, np.int64)
    _kernels.count_ngrams(words.counts, words.hashes, settings.ngrams, counts)
    return Features(counts, len(texts) - texts.null_count)


def log_ratios(target: Features, raw: Features, settings: ImportanceSettings) -> Ratios:
    """Return for each bucket the log of its share in the target over its share in the raw texts.

    Each share has the smoothing added. Raises ValueError where there is no n-gram at all.
    """
    if not target.total or not raw.total:
        raise ValueError("there are no n-grams to compare")

    def logs(of: Features) -> list[float]:
        total = of.total
        return [math.log(count / total + settings.smoothing) for count in of.counts.tolist()]

    found: Ratios = np.array(logs(target)) - np.array(logs(raw))
    return found


def divergence(target: Features, other: Features, smoothing: float) -> float:
    """Return the Kullback-Leibler divergence KL(target || other) of the buckets' smoothed shares, in nats."""
    p, q = (of.counts / of.total + smoothing for of in (target, other))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))


def weigh(texts: pa.Array, ratios: Ratios, settings: ImportanceSettings) -> pa.RecordBatch:
    """Return the layer of texts (see `layout`)."""
    words = TextBatch(pc.utf8_lower(texts)).words
    sums = np.empty(len(texts), np.float64)
    _kernels.sum_ngrams(words.counts, words.hashes, settings.ngrams, ratios, sums)
    number = np.diff(words.counts)
    if settings.scale_to:
        sums *= settings.scale_to / np.maximum(1, ngram_counts(number, settings.ngrams))
    missing = np.asarray(texts.is_null())
    columns = [pa.array(sums, mask=missing), pa.array(number, mask=missing)]
    return pa.RecordBatch.from_arrays(columns, schema=layout(settings))


def ngram_counts(words: Counts, longest: int) -> Counts:
    """Return how many n-grams of 1 to ``longest`` words texts of so many words have.

    >>> ngram_counts(np.array([0, 1, 5]), 2).tolist()
    [0, 1, 9]
    """
    found = np.zeros_like(words)
    for n in range(longest):
        found += np.maximum(0, words - n)
    return found


def gumbel_noise(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Return a standard Gumbel variate for each hash.

    The documents of the k largest sums of log weight and noise are k draws without replacement in proportion to the
    weights (Kool et al. 2019, arXiv:1903.06059).
    """
    found = np.empty(len(hashes), np.float64)
    _kernels.gumbel(hashes, found)
    return found
