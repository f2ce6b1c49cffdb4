"""Measures against their twins, and what a calibration must be."""

from __future__ import annotations

import numpy as np
import pytest
import reference_quality
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.classifiers.quality.calibration import (
    calibrated,
    class_weights,
    cross_calibrated,
    probabilities,
    rising,
)
from gristmill.classifiers.quality.evaluation import (
    BINS,
    at_score,
    average_precision,
    calibration_error,
    evaluated,
    histogram,
    roc_auc,
)

ROUND = st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.5, 0.95, 1.0])  # much is equal, and lies on edges
SCORED = st.lists(st.tuples(ROUND | st.floats(0, 1), st.booleans()), max_size=40)
quick = settings(max_examples=60)


def arrays(scored):
    scores = np.array([score for score, _ in scored], np.float64)
    return scores, np.array([label for _, label in scored], np.bool_)


@quick
@given(scored=SCORED)
def test_measures_are_those_of_the_twins(scored):
    scores, positive = arrays(scored)
    plain = [score for score, _ in scored], [label for _, label in scored]
    assert roc_auc(scores, positive) == pytest.approx(reference_quality.roc_auc(*plain))
    assert average_precision(scores, positive) == pytest.approx(reference_quality.average_precision(*plain))
    counts = histogram(scores, positive)
    assert sum(counts.positive) == positive.sum()
    assert sum(counts.negative) == len(scored) - positive.sum()
    for number in range(BINS):
        last = number == BINS - 1
        inside = [label for score, label in scored if int(score * BINS) == number or (last and score == 1.0)]
        assert counts.positive[number] == sum(inside)


@quick
@given(scored=SCORED.filter(lambda scored: len({label for _, label in scored}) == 2))
def test_what_is_measured_hangs_together(scored):
    scores, positive = arrays(scored)
    folds = np.arange(len(scores)) % 3
    found = evaluated(scores, cross_calibrated(scores, positive, folds), positive)
    assert 0 <= found.brier_score <= 1
    assert 0 <= found.calibration_error <= 1
    assert sum(one.share for one in found.reliability) == pytest.approx(1)
    assert [one.recall for one in found.curve] == sorted(one.recall for one in found.curve)
    assert found.curve[-1].recall == found.curve[-1].false_positive_rate == 1.0
    for wanted, one in zip((0.99, 0.95, 0.9, 0.75, 0.5, 0.25), found.thresholds, strict=True):
        assert one.recall >= wanted
        assert one == at_score(scores, positive, one.score)


@quick
@given(values=st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 9)), max_size=12))
def test_rising_values_are_those_of_the_twin(values):
    levels, weights = [value for value, _ in values], [weight for _, weight in values]
    found = rising(np.array(levels), np.array(weights))
    assert found.tolist() == pytest.approx(reference_quality.rising(levels, weights))


@quick
@given(scored=SCORED)
def test_a_higher_score_is_never_less_likely_good(scored):
    scores, positive = arrays(scored)
    table = calibrated(scores, positive)
    found = probabilities(table, np.linspace(0, 1, 21))
    assert list(table.scores) == sorted(table.scores)
    assert (np.diff(found) >= 0).all()
    assert ((found > 0) & (found < 1)).all()


def test_a_probability_is_right_whatever_there_is_more_of():
    rng = np.random.default_rng(1)
    scores = rng.random(40_000)
    positive = rng.random(40_000) < scores**3  # what the score says is wrong, but rises
    folds = np.arange(40_000) % 5
    true = scores**3 / positive.mean() / (scores**3 / positive.mean() + (1 - scores**3) / (1 - positive.mean()))
    assert np.abs(probabilities(calibrated(scores, positive), scores) - true).max() < 0.06
    fitted = cross_calibrated(scores, positive, folds)
    assert calibration_error(fitted, positive) < 0.02 < calibration_error(scores, positive)
    assert class_weights(positive)[positive].sum() == pytest.approx(20_000)


def test_nothing_and_one_class_have_measures():
    nothing, none = np.empty(0), np.empty(0, np.bool_)
    assert (roc_auc(nothing, none), average_precision(nothing, none), calibration_error(nothing, none)) == (0.5, 0, 0)
    assert probabilities(calibrated(nothing, none), np.array([0.3])).tolist() == [0.5]
    assert roc_auc(np.array([0.1, 0.2]), np.array([True, True])) == 0.5
    assert at_score(np.array([0.1]), np.array([True]), 0.5).precision == 1.0
