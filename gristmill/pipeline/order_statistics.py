"""Exact order statistics over a run: percentiles and k-th values of columns, in memory that no corpus can outgrow.

A number becomes 64 bits that sort as it does, and these are read from the top in rounds:

    count-1    shard  -> how much weight its documents put on the first 16 bits of their values
    narrow-1   whole  -> the sum over shards; for each place that is wanted, the bits in whose range it lies
    count-2    shard  -> the same of the next bits, only of documents that lie in such a range
    ...

When few documents are left in the ranges, the next round takes all bits at once; rounds after the last have nothing to
do. Weights are integers, so sums are exact, and no result depends on shards, order or workers.

The place at cumulative weight *c* (from 1 on) is the smallest value *v* such that the documents with values up to *v*
weigh at least *c*. The p-th percentile is the place at ceil(p/100 of all weight): the smallest value that at least p%
of the weight does not exceed, which NumPy calls ``inverted_cdf``. NumPy's default interpolates between two values
instead, and so do the cut-offs that CCNet publishes; between close neighbours they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.order import order_keys
from gristmill.errors import UsageError
from gristmill.pipeline import order_counts, shards
from gristmill.pipeline.order_counts import Round
from gristmill.pipeline.phases import Phase, whole_phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter

SHIFTS: Final = (48, 36, 24, 12, 0)
FEW_DOCUMENTS: Final = 1 << 21
_VERSION: Final = "1"
_SIGN: Final = np.uint64(1 << 63)

Weight = Literal["documents", "bytes"]
Wanted = Callable[[int], Sequence[int]]
"""From the weight of all values of a group, which is at least 1, the cumulative weights whose places are wanted."""


def versions() -> dict[str, str]:
    """Return the version of what is computed here; it belongs into the stage's hash."""
    return {"order_statistics": _VERSION}


def at_shares(shares: Sequence[Fraction]) -> Wanted:
    """Return the wish for the places at some shares of all weight, in [0, 1]: percentiles are shares of 100.

    The share 0 is the smallest value, 1 the largest.

    >>> at_shares([Fraction(30, 100), Fraction(1)])(7)
    [3, 7]
    """
    return lambda total: [max(1, -(-total * share.numerator // share.denominator)) for share in shares]


def largest(count: int) -> Wanted:
    """Return the wish for the ``count``-th largest document's value; the weights must be documents.

    Raises UsageError where there are fewer.

    >>> largest(2)(7)
    [6]
    """

    def wanted(total: int) -> list[int]:
        if not 1 <= count <= total:
            raise UsageError(f"the {count}-th largest of {total} values is wanted")
        return [total - count + 1]

    return wanted


@dataclass(frozen=True)
class Ordered:
    """What is put in order: columns of numbers that some of a step's inputs have, each for itself.

    ``by``: a column of texts; documents are put in order within each of its values, null being one. ``weight``: what a
    document weighs: 1, or its bytes of text as the step reads it.
    """

    columns: tuple[str, ...]
    by: str | None = None
    weight: Weight = "documents"


class Place(NamedTuple):
    """A value at a wanted place, the weight of all lesser values, and the weight of the values that equal it."""

    value: float
    below: int
    at: int


class Group(NamedTuple):
    """The weight of all values of a column in a group, and the places in the order in which they were wanted."""

    total: int
    places: tuple[Place, ...]

    @property
    def values(self) -> list[float]:
        """The values at the wanted places."""
        return [place.value for place in self.places]


@dataclass(frozen=True)
class OrderStatistics:
    """Order statistics that a step computes, of the documents that the deciding steps among its inputs keep.

    The step's scope is "corpus", its digest covers ``ordered`` and ``wanted``, its versions have `versions()`. The step
    has an input for each column and, with bytes for weights, the text's (`Planning.inputs_of_kept_texts`). ``folder``
    tells apart several of a step. A document without a value (null, NaN) is not counted, nor one that weighs nothing;
    infinities are values, and -0.0 equals 0.0.
    """

    run: Run
    step: Step
    ordered: Ordered
    wanted: Wanted
    folder: str = "order"
    few: int = field(default_factory=lambda: FEW_DOCUMENTS)
    _known: dict[int, pa.Table] = field(default_factory=dict, compare=False)

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases, two for each round."""
        return tuple(phase for number in range(1, len(SHIFTS) + 1) for phase in self._round(number))

    @cached_property
    def found(self) -> Mapping[tuple[str, str | None], Group]:
        """The places by (column, group), the group None also where ``by`` is; no entry where nothing has a value.

        Raises MissingError before the phases are done.
        """
        last = next(number for number in range(1, len(SHIFTS) + 1) if self._is_last(number))
        groups: dict[tuple[str, str | None], Group] = {}
        for row in self._narrowed(last).to_pylist():
            key = (self.ordered.columns[row[schema.COLUMN]], row[schema.GROUP])
            place = Place(_value_of(row[schema.KEY]), row[schema.BELOW], row[schema.WEIGHT])
            before = groups[key].places if key in groups else ()
            groups[key] = Group(row[schema.TOTAL], (*before, place))
        return groups

    def rows(self, shard: Shard) -> pa.Table:
        """Return the kept documents' KEY, WEIGHT, GROUP and COLUMN, one row for each that has a value in a column."""
        kept = self.run.kept(self.run.plan.deciders_before(self.step), shard).combine_chunks()
        groups = self.column(self.ordered.by, shard) if self.ordered.by else pa.nulls(len(kept), pa.string())
        weights = self._weights(shard, len(kept))
        tables = [order_counts.COUNTS.empty_table()]
        for index, name in enumerate(self.ordered.columns):
            values = self.column(name, shard).cast(pa.float64())
            chosen = pc.and_(pc.and_(kept, pc.fill_null(pc.invert(pc.is_nan(values)), False)), pc.greater(weights, 0))
            rows = [order_keys(values.filter(chosen)), weights.filter(chosen), groups.filter(chosen)]
            tables.append(order_counts.counted(index, *rows))
        return pa.concat_tables(tables)

    def column(self, name: str, shard: Shard) -> pa.Array:
        """Return a column of a shard from the latest of the step's inputs that has it. Raises UsageError."""
        having = [other for other in self.step.inputs if name in self.run.plan.step(other).columns]
        if not having:
            raise UsageError(f"step '{self.step.name}' orders by column '{name}', which none of its inputs has")
        return self.run.read(self.run.plan.step(having[-1]), shard, [name]).column(name).combine_chunks()

    def _weights(self, shard: Shard, rows: int) -> pa.Array:
        if self.ordered.weight == "documents":
            return pa.array(np.ones(rows, np.int64))
        return self.run.text_bytes(self.run.plan.edits_before(self.step), shard).combine_chunks()

    def _round(self, number: int) -> tuple[Phase, Phase]:
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        folder = self.run.folder

        def is_needed() -> bool:
            return number == 1 or not any(self._is_last(earlier) for earlier in range(1, number))

        count = Phase(
            name=f"{self.folder}-count-{number}",
            items=lambda: list(by_name) if is_needed() else [],
            is_done=lambda item: shards.is_current(
                folder, self._count_file(number, by_name[item]), self._count_digest(number, by_name[item])
            ),
            perform=lambda item, progress: self._count(number, by_name[item], progress),
        )
        narrow = whole_phase(
            f"{self.folder}-narrow-{number}",
            items=lambda: ["all"] if is_needed() else [],
            is_done=lambda _: shards.is_current(folder, self._narrow_file(number), self._narrow_digest(number)),
            perform=lambda _, progress: self._narrow(number, progress),
        )
        return count, narrow

    def _count(self, number: int, shard: Shard, progress: Progress) -> None:
        rows = self.rows(shard)
        counted = order_counts.at_round(rows, self._this_round(number))
        self._write(self._count_file(number, shard), self._count_digest(number, shard), counted, {})
        progress.update(self.run.footer(self.run.plan.text_step, shard).rows, 1.0)

    def _narrow(self, number: int, progress: Progress) -> None:
        def counts() -> Iterator[pa.Table]:
            for done, shard in enumerate(self.run.plan.shards, start=1):
                yield self._read(self._count_file(number, shard), self._count_digest(number, shard))
                progress.update(1, done / len(self.run.plan.shards))

        before = self._this_round(number)
        summed = order_counts.summed(counts())
        narrowed = order_counts.narrowed(summed, before, self.wanted)
        left = order_counts.documents_in(narrowed)
        after = 0 if left <= self.few else min(SHIFTS[min(number, len(SHIFTS) - 1)], before.shift)
        facts = {"shift": before.shift, "next": after}
        self._write(self._narrow_file(number), self._narrow_digest(number), narrowed, facts)

    def _this_round(self, number: int) -> Round:
        """Return the round of a number, from 1 on."""
        if number == 1:
            return Round(SHIFTS[0], None, None)
        facts = self._facts(number - 1)
        return Round(facts["next"], facts["shift"], self._narrowed(number - 1))

    def _is_last(self, number: int) -> bool:
        return self._facts(number)["shift"] == 0 or self._narrowed(number).num_rows == 0

    def _facts(self, number: int) -> Mapping[str, int]:
        name = self._narrow_file(number)
        footer = shards.read_footer(self.run.folder, name)
        shards.check(footer, self.run.folder.path(name), self._narrow_digest(number))
        return footer.counts

    def _narrowed(self, number: int) -> pa.Table:
        if number not in self._known:
            self._known[number] = self._read(self._narrow_file(number), self._narrow_digest(number))
        return self._known[number]

    def _read(self, name: str, digest: str) -> pa.Table:
        return shards.read_table(self.run.folder, name, None, digest)

    def _write(self, name: str, digest: str, table: pa.Table, facts: Mapping[str, int]) -> None:
        with self.run.folder.writing(name) as sink:
            writer = ShardWriter(sink, table.schema, digest)
            for batch in table.to_batches(max_chunksize=shards.ROW_GROUP_ROWS):
                writer.write(batch)
            writer.counts = dict(facts)
            writer.close()

    def _count_file(self, number: int, shard: Shard) -> str:
        return f"{self.step.folder}/{self.folder}/count-{number}/{shard.name}.parquet"

    def _narrow_file(self, number: int) -> str:
        return f"{self.step.folder}/{self.folder}/narrow-{number}.parquet"

    def _count_digest(self, number: int, shard: Shard) -> str:
        if number == 1:
            inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
            return digest_of(self.folder, self.step.digest, inputs)
        return digest_of(self.folder, self.run.corpus_digest(self.step), number, shard.name, self.few)

    def _narrow_digest(self, number: int) -> str:
        return digest_of(self.folder, self.run.corpus_digest(self.step), number, self.few)


def _value_of(key: int) -> float:
    """Return the number whose bits sort as ``key``: the inverse of `order_keys`."""
    bits = np.uint64(key)
    turned: npt.NDArray[np.uint64] = np.array([bits ^ _SIGN if bits & _SIGN else ~bits])
    return float(turned.view(np.float64)[0])
