"""What other bounds would keep: one bound of a finished filter, from value to value, all else as it is.

Layers are read, no text. For each document the loosest of the bounds that drops it is found; the rest is counting, so
a hundred bounds cost as much as one. Only documents that came into the rule's stage are counted, and what later stages
would make of them is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.filters.rules.evaluate import hits
from gristmill.filters.rules.serialize import to_json
from gristmill.pipeline.monitor import Watcher
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import rule_columns
from gristmill.report import figures
from gristmill.report.passes import passed
from gristmill.report.swept import Swept

Counts = npt.NDArray[np.int64]
_DIGITS = 3


@dataclass(frozen=True)
class SweptBound:
    """What one bound would do. ``overlap`` maps other rules to the documents that they drop too, the most first.

    ``hits``: documents that the rule drops; ``alone``: those that no other rule of the stage drops.
    """

    bound: float
    is_current: bool
    documents_kept: int
    bytes_kept: int
    hits: int
    alone: int
    alone_bytes: int
    overlap: dict[str, int]


@dataclass(frozen=True)
class Sweep:
    """A rule's stage, the documents that came into it, and what each bound would do, in ascending order."""

    rule: str
    asked: str
    stage: str
    documents_in: int
    bytes_in: int
    bounds: tuple[SweptBound, ...]


def sweep(run: Run, swept: Swept, bounds: Sequence[float], watcher: Watcher) -> Sweep:
    """Return what each bound would do, the rule's own among them."""
    own = swept.rule.bound
    assert not isinstance(own, tuple)
    ascending = sorted({float(bound) for bound in (*bounds, own)})
    sums = _Sums(ascending if swept.rule.side == "min" else ascending[::-1], swept)
    for shard in passed(run.plan.shards, watcher, "sweep"):
        sums.add(*_columns(run, swept.step, shard))
    found = sorted(sums.result(float(own)), key=lambda one: one.bound)
    asked = figures.bound(to_json(swept.rule))
    asked = f"{swept.placed.name} {asked}" if swept.placed.path else asked
    return Sweep(swept.whole.code, asked, swept.step.stage, sums.documents, sums.bytes, tuple(found))


def bounds_between(low: float, high: float, number: int) -> list[float]:
    """Return bounds at equal distances, both ends among them; those between are rounded to 3 digits of the distance.

    Raises UsageError for ends that are no numbers.

    >>> bounds_between(0.5, 0.8, 4), bounds_between(0, 1, 4)
    ([0.5, 0.6, 0.7, 0.8], [0, 0.333, 0.667, 1])
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"--from and --to take finite numbers, got {low} and {high}")
    steps = max(1, number - 1)
    distance = abs(high / steps - low / steps)
    places = max(0, _DIGITS - 1 - math.floor(math.log10(distance))) if 0 < distance < math.inf else 0
    between = (round(low * (1 - i / steps) + high * (i / steps), places) + 0.0 for i in range(1, steps))
    inside = sorted((min(max(bound, min(low, high)), max(low, high)) for bound in between), reverse=low > high)
    return list(dict.fromkeys([low, *inside, high][:number]))


def sweep_table(found: Sweep) -> pa.Table:
    """Return a row for each bound: `schema.SWEEP`."""
    rows = [
        {
            schema.RULE: found.rule,
            schema.STAGE: found.stage,
            schema.BOUND: one.bound,
            schema.IS_CURRENT: one.is_current,
            schema.DOCUMENTS_IN: found.documents_in,
            schema.DOCUMENTS_KEPT: one.documents_kept,
            schema.BYTES_IN: found.bytes_in,
            schema.BYTES_KEPT: one.bytes_kept,
            schema.HITS: one.hits,
            schema.ALONE: one.alone,
            schema.ALONE_BYTES: one.alone_bytes,
            schema.OVERLAP: [{schema.RULE: rule, schema.HITS: n} for rule, n in one.overlap.items()],
        }
        for one in found.bounds
    ]
    return pa.Table.from_pylist(rows, schema.SWEEP)


@dataclass
class _Sums:
    """What is added up over shards. ``loose_first``: the bounds from the one that drops least."""

    loose_first: Sequence[float]
    swept: Swept
    documents: int = 0
    bytes: int = 0
    _kept_by_others: int = 0
    _bytes_kept_by_others: int = 0
    _arrays: dict[str, Counts] = field(default_factory=dict)

    def add(self, columns: dict[str, pa.Array], sizes: Counts) -> None:
        """Count the documents of a shard that came into the stage."""
        rows = len(sizes)
        first = self._first(columns, rows)
        spared = np.ones(rows, np.bool_)
        for name, rules in self.swept.others.items():
            hit = np.logical_or.reduce([hits(rule, columns, rows) for rule in rules])
            spared &= ~hit
            self._count(f"overlap {name}", first[hit])
        self._count("hits", first)
        self._count("alone", first[spared])
        self._count("alone bytes", first[spared], sizes[spared])
        self.documents += rows
        self.bytes += int(sizes.sum())
        self._kept_by_others += int(spared.sum())
        self._bytes_kept_by_others += int(sizes[spared].sum())

    def result(self, own: float) -> list[SweptBound]:
        """Return what each bound would do, the loosest first."""
        totals = {key: np.cumsum(counts) for key, counts in self._arrays.items()}
        return [self._at(i, bound, own, totals) for i, bound in enumerate(self.loose_first)]

    def _at(self, i: int, bound: float, own: float, totals: dict[str, Counts]) -> SweptBound:
        def total(key: str) -> int:
            return int(totals[key][i]) if key in totals else 0

        overlap = {name: total(f"overlap {name}") for name in self.swept.others}
        return SweptBound(
            bound=bound,
            is_current=bound == own,
            documents_kept=self._kept_by_others - total("alone"),
            bytes_kept=self._bytes_kept_by_others - total("alone bytes"),
            hits=total("hits"),
            alone=total("alone"),
            alone_bytes=total("alone bytes"),
            overlap={name: n for name, n in sorted(overlap.items(), key=lambda item: (-item[1], item[0])) if n},
        )

    def _first(self, columns: dict[str, pa.Array], rows: int) -> Counts:
        """Return the number of the loosest bound that drops each row; the number of bounds where none does.

        Where the rule drops with the tightest bound there is but not with the loosest, the value decides.
        """
        rule = self.swept.rule
        values = np.asarray(columns[rule.signal].cast(pa.float64(), safe=False).fill_null(0), np.float64)
        sign = 1.0 if rule.side == "min" else -1.0
        edges = sign * np.array(self.loose_first, np.float64)
        first = np.searchsorted(edges, sign * values, side="right").astype(np.int64)
        loosest, tightest = (hits(whole, columns, rows) for whole in self.swept.ends())
        first[~tightest] = len(edges)
        first[loosest] = 0
        return first

    def _count(self, key: str, first: Counts, weights: Counts | None = None) -> None:
        counts = np.zeros(len(self.loose_first) + 1, np.int64)
        np.add.at(counts, first, 1 if weights is None else weights)
        self._arrays[key] = self._arrays.get(key, np.zeros_like(counts)) + counts


def _columns(run: Run, step: Step, shard: Shard) -> tuple[dict[str, pa.Array], Counts]:
    """Return the columns of the documents that came into a step, and the bytes of their texts."""
    before = run.plan.deciders[: run.plan.deciders.index(step)]
    came = run.kept(before, shard).combine_chunks()
    columns = {name: column.filter(came) for name, column in rule_columns(run, step, shard).items()}
    sizes = run.read(run.plan.text_step, shard, [schema.TEXT_BYTES]).column(schema.TEXT_BYTES).combine_chunks()
    return columns, np.asarray(pc.fill_null(sizes.filter(came), 0), np.int64)
