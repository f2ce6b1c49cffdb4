"""From a score to a probability: isotonic regression, which asks only that a higher score is not less likely good.

Scores of a softmax are no probabilities: a model trained to its end says 0.999 of much that is not good. Here the
held-out documents are put into at most 50 bins of equal counts, by score; each bin's share of positives (with half a
positive and half a negative added, so that none is quite 0 or 1) is pooled with its neighbours until the shares rise
(pool adjacent violators; Ayer et al. 1955), and between bins the probability is interpolated. Both classes weigh the
same, however many documents each has.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.classifiers.quality.sidecar import Calibration

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_MOST_BINS: Final = 50
_LEAST_IN_BIN: Final = 20


def calibrated(scores: Scores, positive: Mask) -> Calibration:
    """Return the table that fits scores and classes; one of 0.5 throughout for no score. Equal scores share a bin."""
    if not len(scores):
        return Calibration((0.0, 1.0), (0.5, 0.5))
    order = np.argsort(scores, kind="stable")
    scores, labels = scores[order], positive[order]
    weights = class_weights(labels)
    starts = _bin_starts(scores)
    means = np.add.reduceat(scores, starts) / np.diff(np.append(starts, len(scores)))
    mass = np.add.reduceat(weights, starts)
    shares = rising((np.add.reduceat(weights * labels, starts) + 0.5) / (mass + 1.0), mass)
    return Calibration(tuple(map(float, means)), tuple(map(float, shares)))


def probabilities(table: Calibration, scores: Scores) -> Scores:
    """Return the probability for each score: the nearest of the table's ends outside of it."""
    return np.asarray(np.interp(scores, np.array(table.scores), np.array(table.probabilities)), np.float64)


def rising(values: Scores, weights: Scores) -> Scores:
    """Return the rising values that are nearest to some values, by weighted least squares."""
    level: list[float] = []
    weight: list[float] = []
    size: list[int] = []
    for value, mass in zip(values.tolist(), weights.tolist(), strict=True):
        count = 1
        while level and level[-1] >= value:
            other = weight.pop()
            value = (level.pop() * other + value * mass) / (other + mass)
            mass += other
            count += size.pop()
        level.append(value)
        weight.append(mass)
        size.append(count)
    return np.repeat(np.array(level, np.float64), np.array(size, np.int64))


def class_weights(positive: Mask) -> Scores:
    """Return a weight for each document, so that both classes weigh the same; 1.0 on average. 1.0 for a lone class."""
    positives = int(np.count_nonzero(positive))
    negatives = len(positive) - positives
    if not positives or not negatives:
        return np.ones(len(positive))
    return np.where(positive, len(positive) / 2 / positives, len(positive) / 2 / negatives)


def cross_calibrated(scores: Scores, positive: Mask, folds: npt.NDArray[np.int64]) -> Scores:
    """Return probabilities that no document had a part in: each fold's by the table of the others.

    ``folds``: the fold of each document. Where there is but one, its own table serves.
    """
    found = np.empty(len(scores), np.float64)
    for fold in np.unique(folds).tolist():
        own = folds == fold
        others = ~own if np.any(~own) else own
        found[own] = probabilities(calibrated(scores[others], positive[others]), scores[own])
    return found


def _bin_starts(scores: Scores) -> npt.NDArray[np.int64]:
    """Return where bins of ascending scores start; a bin never parts equal scores."""
    bins = int(min(_MOST_BINS, max(1, len(scores) // _LEAST_IN_BIN)))
    wanted = np.arange(bins) * len(scores) // bins
    return np.unique(np.searchsorted(scores, scores[wanted], side="left"))
