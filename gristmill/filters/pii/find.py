"""All kinds of personal data together: where spans of two kinds overlap, the kind that stands first is taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.filters.pii.addresses import Pairs, emails, ips
from gristmill.filters.pii.numbers import cards, ibans, phones
from gristmill.text import Integers, TextBatch

Spans = tuple[Integers, Integers, Integers]

# In the order of precedence.
_FINDERS: Final[Mapping[str, Callable[[TextBatch], Pairs]]] = MappingProxyType(
    {"email": emails, "ip": ips, "iban": ibans, "card": cards, "phone": phones}
)
KINDS: Final = tuple(_FINDERS)


def found(batch: TextBatch, kinds: Collection[str] = KINDS) -> Spans:
    """Return what is found of the chosen kinds, in order and without overlap: starts, ends, positions in ``KINDS``."""
    taken: Spans = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    for number, (kind, find) in enumerate(_FINDERS.items()):
        if kind in kinds:
            starts, ends = find(batch)
            free = _are_free(starts, ends, taken)
            more = starts[free], ends[free], np.full(np.count_nonzero(free), number)
            taken = _sorted(tuple(np.concatenate(both) for both in zip(taken, more, strict=True)))
    return taken


def _are_free(starts: Integers, ends: Integers, taken: Spans) -> npt.NDArray[np.bool_]:
    """Return which spans overlap none of those that are taken."""
    before = np.searchsorted(taken[0], ends) - 1  # the last taken span that starts before the end
    reach = np.concatenate([taken[1], [0]])[before]
    free: npt.NDArray[np.bool_] = reach <= starts
    return free


def _sorted(spans: tuple[Integers, ...]) -> Spans:
    order = np.argsort(spans[0], kind="stable")
    starts, ends, kinds = (column[order] for column in spans)
    return starts, ends, kinds


def counts_per_row(batch: TextBatch, spans: Spans) -> Integers:
    """Return how many spans of each kind lie in each row: int64[rows, kinds]."""
    starts, _, kinds = spans
    rows = np.searchsorted(batch.offsets, starts, side="right") - 1
    counts = np.bincount(rows * len(KINDS) + kinds, minlength=batch.rows * len(KINDS))
    return counts.astype(np.int64).reshape(batch.rows, len(KINDS))
