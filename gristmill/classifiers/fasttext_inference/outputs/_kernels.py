"""The loops that find the most probable labels of a text, from the mean of its rows.

The arithmetic is fastText's, in its order and in 32-bit floats, but for the powers of e of a softmax, which it takes in
64 bits (``loss.cc``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer
from gristmill.jit import inlined, kernel

HIERARCHICAL_SOFTMAX = 1  # the numbers that fastText gives its losses
NEGATIVE_SAMPLING = 2
SOFTMAX = 3
ONE_VERSUS_ALL = 4

_SIGMOID_STEPS = 512
_SIGMOID_END = 8
_TINY = 1e-5  # fastText adds it before it takes a logarithm


@inlined
def _log(x: Any) -> Any:
    """Return the logarithm as fastText takes it: of a little more, in 64-bit floats."""
    return np.float32(np.log(np.float64(np.float32(x)) + _TINY))


@inlined
def _dot(outputs: Array, norms: Array, row: Integer, hidden: Array) -> Any:
    """Return the product with a row in 32-bit floats, summed from the first column to the last."""
    total = np.float32(0)
    for j in range(hidden.shape[0]):
        total += outputs[row, j] * hidden[j]
    return np.float32(total * norms[row])


@kernel
def _insert(score: Any, label: Integer, best: Any, used: Integer) -> Integer:
    """Put a label among the best, in falling order of scores; return how many there are."""
    scores, labels = best
    most = scores.shape[0]
    if used == most:
        if score < scores[most - 1]:
            return used
    else:
        used += 1
    place = used - 1
    while place > 0 and scores[place - 1] <= score:
        scores[place] = scores[place - 1]
        labels[place] = labels[place - 1]
        place -= 1
    scores[place] = score
    labels[place] = label
    return used


@kernel
def _best_in_tree(hidden: Array, model: Any, best: Any, stack: Any) -> int:
    """Fill in the best labels by hierarchical softmax: leaves of a tree, left before right; return their number.

    A branch is left out if it is as unlikely as 1e-5, or less likely than what was found.
    """
    nodes, logs = stack
    scores, _ = best
    outputs, norms = model.outputs, model.norms
    leaves = outputs.shape[0]
    nodes[0] = model.left.shape[0] - 1
    logs[0] = 0.0
    depth, used = 1, 0
    while depth > 0:
        depth -= 1
        node, score = nodes[depth], logs[depth]
        if score < _log(np.float32(0)) or (used == scores.shape[0] and score < scores[used - 1]):
            continue
        if node < leaves:
            used = _insert(score, node, best, used)
            continue
        right = _dot(outputs, norms, node - leaves, hidden)
        right = np.float32(1.0 / np.float64(np.float32(1) + np.exp(-right)))
        nodes[depth], logs[depth] = model.right[node], np.float32(score + _log(right))
        nodes[depth + 1] = model.left[node]
        logs[depth + 1] = np.float32(score + _log(np.float32(1.0 - np.float64(right))))
        depth += 2
    return used


@inlined
def _sigmoid(x: Any) -> Any:
    """Return the sigmoid as fastText's table of 513 values has it."""
    if x < -_SIGMOID_END:
        return np.float32(0)
    if x > _SIGMOID_END:
        return np.float32(1)
    step = np.int64(
        (x + np.float32(_SIGMOID_END)) * np.float32(_SIGMOID_STEPS) / np.float32(_SIGMOID_END) / np.float32(2)
    )
    at = np.float32(np.float32(step * 2 * _SIGMOID_END) / np.float32(_SIGMOID_STEPS) - np.float32(_SIGMOID_END))
    return np.float32(1.0 / (1.0 + np.float64(np.exp(-at))))


@kernel
def _best_of_all(hidden: Array, model: Any, best: Any, output: Array) -> int:
    """Fill in the best labels by softmax or by one sigmoid for each label; return their number."""
    outputs, norms = model.outputs, model.norms
    for label in range(output.shape[0]):
        output[label] = _dot(outputs, norms, label, hidden)
    if model.loss == SOFTMAX:
        top = output.max()
        total = np.float32(0)
        for label in range(output.shape[0]):
            output[label] = np.exp(np.float64(np.float32(output[label] - top)))  # fastText takes it in 64 bits
            total += output[label]
        for label in range(output.shape[0]):
            output[label] /= total
    else:
        for label in range(output.shape[0]):
            output[label] = _sigmoid(output[label])
    used = 0
    for label in range(output.shape[0]):
        used = _insert(_log(output[label]), label, best, used)
    return used


@kernel
def best_labels(sums: Array, totals: Array, model: Any, out_labels: Array, out_scores: Array) -> None:
    """Fill in the labels of each text, the most probable first, and their probabilities; -1 and 0.0 where none is left.

    ``sums`` become means. A text without a row has no label.
    """
    leaves = model.outputs.shape[0]
    output = np.empty(leaves, np.float32)
    stack = np.empty(2 * leaves, np.int32), np.empty(2 * leaves, np.float32)
    best = np.empty(out_labels.shape[1], np.float32), np.empty(out_labels.shape[1], np.int32)
    for text in range(sums.shape[0]):
        used = 0
        if totals[text] > 0:
            hidden = sums[text]
            hidden *= np.float32(1.0 / np.float64(totals[text]))
            if model.loss == HIERARCHICAL_SOFTMAX:
                used = _best_in_tree(hidden, model, best, stack)
            else:
                used = _best_of_all(hidden, model, best, output)
        for place in range(out_labels.shape[1]):
            out_labels[text, place] = best[1][place] if place < used else -1
            out_scores[text, place] = np.exp(best[0][place]) if place < used else 0.0
