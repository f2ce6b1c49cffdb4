"""What is cut of a text when some of its units go."""

from __future__ import annotations

import numpy as np

from gristmill.dedup.lines.units import Mask, Units
from gristmill.text import Integers, TextBatch

_FEED = 0x0A


def spread(chosen: Integers, span: int, units: int) -> Mask:
    """Return which of so many units lie in a window of ``span`` that starts at a chosen one."""
    changes = np.zeros(units + span + 1, np.int64)
    np.add.at(changes, chosen, 1)
    np.add.at(changes, chosen + span, -1)
    return np.cumsum(changes)[:units] > 0


def cut_spans(batch: TextBatch, units: Units, cut: Mask) -> tuple[Integers, Integers, Integers]:
    """Return row, start and end of what is cut, in order: positions in each text.

    With a run of units goes what separates it from one neighbour: at the end of a text all that follows too, at its
    start all before; within it the separation that is the lesser: of the two, the one without a line feed, or else
    the one before the run, unless nothing separates it from the unit after it.
    """
    rows = np.repeat(np.arange(batch.rows), np.diff(units.counts))
    first, last = _runs(units, cut)
    row = rows[first]
    begin, stop = batch.offsets[row], batch.offsets[row + 1]
    opens, closes = first == units.counts[row], last == units.counts[row + 1] - 1
    before = np.where(opens, begin, np.append(0, units.ends)[first])
    after = np.where(closes, stop, np.append(units.starts, 0)[last + 1])
    start, end = units.starts[first], units.ends[last]
    feeds = np.concatenate([[0], np.cumsum(batch.data == _FEED)])
    parts, joins = feeds[start] > feeds[before], feeds[after] > feeds[end]
    keeps_before = (parts & ~joins) | (after == end)
    start = np.where(opens | closes | ~keeps_before, before, start)
    end = np.where(opens | closes | keeps_before, after, end)
    return row, start - begin, end - begin


def _runs(units: Units, cut: Mask) -> tuple[Integers, Integers]:
    """Return the first and the last unit of each run that goes; no run goes past its row."""
    some = units.counts[1:] > units.counts[:-1]
    opens, closes = cut.copy(), cut.copy()
    opens[1:] &= ~cut[:-1]
    closes[:-1] &= ~cut[1:]
    opens[units.counts[:-1][some]] = cut[units.counts[:-1][some]]
    closes[units.counts[1:][some] - 1] = cut[units.counts[1:][some] - 1]
    return np.flatnonzero(opens), np.flatnonzero(closes)
