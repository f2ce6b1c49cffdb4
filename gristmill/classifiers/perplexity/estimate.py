"""Interpolated modified Kneser-Ney: probabilities and back-off weights, from adjusted counts.

Chen and Goodman 1998, 4.1.6, as KenLM's lmplz has it (Heafield et al. 2013): n-grams that begin a sentence keep their
raw counts; words are interpolated with the uniform distribution over the vocabulary without ``<s>``; counts are pruned
after discounts are estimated, and what is pruned goes to the back-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gristmill.classifiers.perplexity import _kernels
from gristmill.classifiers.perplexity.columns import Array, Scratch, chunks
from gristmill.classifiers.perplexity.corpus import BEGIN_ID
from gristmill.classifiers.perplexity.counts import Order

FALLBACK: Final = (0.5, 1.0, 1.5)
"""Discounts of counts of 1, 2 and from 3 on where too little text gives none: lmplz's --discount_fallback."""


@dataclass(frozen=True)
class Discounts:
    """What is taken from counts of 1, 2, and from 3 on; ``estimated`` is false where they are `FALLBACK`."""

    amounts: tuple[float, float, float]
    estimated: bool


@dataclass(frozen=True)
class Estimated:
    """The n-grams of an order with their probabilities; those that stand at most ``pruned`` times are left out.

    ``backoff`` is what each leaves to shorter n-grams when it is a context: 1.0 where nothing follows it; None for
    the longest.
    """

    order: Order
    discounts: Discounts
    probability: Array
    backoff: Array | None
    pruned: int

    def kept(self, part: slice) -> Array:
        """Return which of some n-grams are in the model."""
        raw: Array = self.order.raw[part]
        return raw > self.pruned if self.pruned else np.ones(len(raw), np.bool_)


def discounts_of(counts: Array) -> Discounts:
    """Return the discounts of an order's adjusted counts: Chen and Goodman 1998, equation 26."""
    found = np.zeros(5, np.int64)
    for part in chunks(len(counts)):
        found += np.bincount(np.minimum(counts[part], 5), minlength=6)[:5]
    if not found[1:4].all():
        return Discounts(FALLBACK, estimated=False)
    y = found[1] / (found[1] + 2 * found[2])
    amounts = [float(j - (j + 1) * y * found[j + 1] / found[j]) for j in (1, 2, 3)]
    if not all(0 <= amount <= j for j, amount in enumerate(amounts, 1)):
        return Discounts(FALLBACK, estimated=False)
    return Discounts((amounts[0], amounts[1], amounts[2]), estimated=True)


def estimate(orders: Sequence[Order], prune: Sequence[int], scratch: Scratch) -> list[Estimated]:
    """Return the probabilities of all orders.

    ``prune``: for each order, how often an n-gram may stand in the text and still be left out; 0 for words. So does
    not an n-gram whose words are kept but whose suffix or context is not, if the bounds never fall from order to order.
    """
    discounts = [discounts_of(_countable(order)) for order in orders]
    spread = [
        _spread(order, len(orders[k - 1]) if k else 1, discounts[k], prune[k], scratch)
        for k, order in enumerate(orders)
    ]
    lower = np.array([1 / (len(orders[0]) - 1)])
    found: list[Estimated] = []
    for k, order in enumerate(orders):
        probability = _probabilities(order, spread[k], lower, scratch)
        backoff = spread[k + 1].backoff if k + 1 < len(orders) else None
        found.append(Estimated(order, discounts[k], probability, backoff, prune[k]))
        lower = probability
    return found


@dataclass(frozen=True)
class _Spread:
    """How an order's contexts share out their probability: to those that follow, and to shorter n-grams.

    ``taken``: of each n-gram the part of its count that it does not keep. ``total``: of each context, the counts of
    what follows it; 0 where nothing does. ``backoff``: the part of them that is taken.
    """

    taken: Array
    total: Array
    backoff: Array


def _countable(order: Order) -> Array:
    """Return the counts without that of the sentence's begin, which nothing predicts."""
    if order.n == 1:
        order.count[BEGIN_ID] = 0
    return order.count


def _spread(order: Order, contexts: int, discounts: Discounts, least: int, scratch: Scratch) -> _Spread:
    taken = scratch.column(f"taken-{order.n}", np.float64)
    total = scratch.column(f"total-{order.n}", np.int64).fill(contexts)
    held = scratch.column(f"held-{order.n}", np.float64).fill(contexts)
    by_count = np.array((0.0, *discounts.amounts))
    for part in chunks(len(order)):
        counts, is_pruned = order.count[part], order.raw[part] <= least
        own = np.where(is_pruned & (least > 0), counts, by_count[np.minimum(counts, 3)])
        taken.append(own)
        _kernels.add_by_context(order.context[part], counts, own, (total, held))
    for part in chunks(contexts):
        held[part] = np.divide(held[part], total[part], out=np.ones(len(held[part])), where=total[part] > 0)
    return _Spread(taken.values(), total, held)


def _probabilities(order: Order, spread: _Spread, lower: Array, scratch: Scratch) -> Array:
    column = scratch.column(f"probability-{order.n}", np.float64)
    for part in chunks(len(order)):
        context = order.context[part]
        own = (order.count[part] - spread.taken[part]) / spread.total[context]
        column.append(own + spread.backoff[context] * lower[order.suffix[part]])
    values = column.values()
    if order.n == 1:
        values[BEGIN_ID] = 1.0
    return values
