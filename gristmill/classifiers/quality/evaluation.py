"""How well scores tell positives from negatives, in NumPy. Scores are in [0, 1], more for positives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.classifiers.quality.calibration import class_weights

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BINS: Final = 20
_CURVE_POINTS: Final = 101
_RELIABILITY_BINS: Final = 10
KEPT_SHARES: Final = (0.99, 0.95, 0.9, 0.75, 0.5, 0.25)


@dataclass(frozen=True)
class Threshold:
    """What keeping scores of at least ``score`` does.

    ``recall`` and ``false_positive_rate``: shares of the positives and of the negatives that are kept; ``precision``:
    share of positives in what is kept, 1.0 if nothing is.
    """

    score: float
    recall: float
    false_positive_rate: float
    precision: float


@dataclass(frozen=True)
class Reliability:
    """A tenth of [0, 1]: the share of documents whose probability lies there, its mean, and the share of positives."""

    share: float
    mean_probability: float
    positive_share: float


@dataclass(frozen=True)
class Histogram:
    """Documents of each class in `BINS` equal parts of [0, 1]; a score on an edge belongs to the part above."""

    positive: tuple[int, ...]
    negative: tuple[int, ...]


@dataclass(frozen=True)
class Evaluation:
    """What was measured. ``brier_score`` and ``calibration_error`` are those of the calibrated probability.

    There, and in ``accuracy`` and ``reliability``, both classes weigh the same; precision is that of the documents as
    they are.
    """

    positives: int
    negatives: int
    roc_auc: float
    average_precision: float
    accuracy: float
    brier_score: float
    calibration_error: float
    raw_calibration_error: float
    curve: tuple[Threshold, ...]
    thresholds: tuple[Threshold, ...]
    reliability: tuple[Reliability, ...]
    histogram: Histogram


def evaluated(scores: Scores, probability: Scores, positive: Mask) -> Evaluation:
    """Return how well scores and calibrated probabilities do; both classes must be there.

    ``accuracy`` is that of calling a score of at least 0.5 positive.
    """
    weights = class_weights(positive) / max(1, len(positive))
    return Evaluation(
        positives=int(np.count_nonzero(positive)),
        negatives=int(np.count_nonzero(~positive)),
        roc_auc=roc_auc(scores, positive),
        average_precision=average_precision(scores, positive),
        accuracy=float(np.sum(weights * ((scores >= 0.5) == positive))),
        brier_score=float(np.sum(weights * (probability - positive) ** 2)),
        calibration_error=calibration_error(probability, positive),
        raw_calibration_error=calibration_error(scores, positive),
        curve=_curve(scores, positive),
        thresholds=_thresholds(scores, positive),
        reliability=_reliability(probability, positive),
        histogram=histogram(scores, positive),
    )


def roc_auc(scores: Scores, positive: Mask) -> float:
    """Return the probability that a positive scores more than a negative, a tie counting half (Mann and Whitney 1947).

    0.5 where a class is missing.
    """
    positives = int(np.count_nonzero(positive))
    pairs = positives * (len(scores) - positives)
    if not pairs:
        return 0.5
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - counts + 1 + ends) / 2.0
    return float((ranks[places[positive]].sum() - positives * (positives + 1) / 2.0) / pairs)


def average_precision(scores: Scores, positive: Mask) -> float:
    """Return the area under precision and recall as steps: the sum of precision times what recall gains.

    Documents of one score come in together. 0.0 if there is no positive.
    """
    kept, right, _ = _cumulated(scores, positive)
    total = right[-1] if len(right) else 0
    if not total:
        return 0.0
    gains = np.diff(np.concatenate([[0], right])) / total
    return float(np.sum(gains * right / kept))


def calibration_error(probability: Scores, positive: Mask) -> float:
    """Return the mean distance of probability and share of positives over tenths of [0, 1], weighted by their shares.

    The expected calibration error of Naeini et al. 2015, of one class. 0.0 for no document.
    """
    tenths = _reliability(probability, positive)
    return sum(abs(one.mean_probability - one.positive_share) * one.share for one in tenths)


def histogram(scores: Scores, positive: Mask) -> Histogram:
    """Return how scores are spread in each class."""
    part = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    counts = (np.bincount(part[mask], minlength=BINS).tolist() for mask in (positive, ~positive))
    return Histogram(*map(tuple, counts))


def at_score(scores: Scores, positive: Mask, score: float) -> Threshold:
    """Return what a bound does: a score on the bound is kept."""
    kept = scores >= score
    right, wrong = int(np.count_nonzero(kept & positive)), int(np.count_nonzero(kept & ~positive))
    positives = int(np.count_nonzero(positive))
    return Threshold(
        score=float(score),
        recall=right / max(1, positives),
        false_positive_rate=wrong / max(1, len(scores) - positives),
        precision=right / (right + wrong) if right + wrong else 1.0,
    )


def _thresholds(scores: Scores, positive: Mask) -> tuple[Threshold, ...]:
    """Return the highest bounds that keep at least such shares of the positives."""
    descending = np.sort(scores[positive])[::-1]
    if not len(descending):
        return ()
    wanted = (descending[int(np.ceil(share * len(descending))) - 1] for share in KEPT_SHARES)
    return tuple(at_score(scores, positive, float(score)) for score in wanted)


def _curve(scores: Scores, positive: Mask) -> tuple[Threshold, ...]:
    """Return precision and recall at up to `_CURVE_POINTS` scores, from the highest on."""
    kept, right, values = _cumulated(scores, positive)
    chosen = np.unique(np.linspace(0, len(values) - 1, min(_CURVE_POINTS, len(values))).round().astype(np.int64))
    positives = max(1, int(np.count_nonzero(positive)))
    negatives = max(1, len(scores) - int(np.count_nonzero(positive)))
    return tuple(
        Threshold(
            float(values[i]), right[i] / positives, float(kept[i] - right[i]) / negatives, float(right[i] / kept[i])
        )
        for i in chosen.tolist()
    )


def _cumulated(scores: Scores, positive: Mask) -> tuple[Scores, Scores, Scores]:
    """Return, for each score from the highest on, documents and positives of at least that score, and the scores."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.empty(0, np.int64)
    right = np.cumsum(positive[order], dtype=np.float64)
    return (last + 1).astype(np.float64), right[last], ordered[last]


def _reliability(probability: Scores, positive: Mask) -> tuple[Reliability, ...]:
    part = np.minimum((probability * _RELIABILITY_BINS).astype(np.int64), _RELIABILITY_BINS - 1)
    weights = class_weights(positive) / max(1, len(positive))
    mass, mean, share = (
        np.bincount(part, weights * values, _RELIABILITY_BINS) for values in (np.ones(len(part)), probability, positive)
    )
    filled = np.flatnonzero(mass).tolist()
    return tuple(Reliability(float(mass[i]), float(mean[i] / mass[i]), float(share[i] / mass[i])) for i in filled)
