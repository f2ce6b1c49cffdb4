"""Kinds of deduplication that cut spans out of the texts: how they are planned, and the layer that they write.

Such a stage is two steps, as an edit is: one that finds the spans over the whole corpus, and ``<stage>.keep``, which
drops the pages of which too little is left. Later steps read what the first leaves of the texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.filters.edits.spans import EDITS_TYPE
from gristmill.filters.rules.kept import Measured, rules_with
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase, as_batch, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ROW_GROUP_ROWS

STEP_KIND = "dedup_spans"

CUTS = pa.schema(
    [(schema.ROW, pa.int64()), (schema.START, pa.int64()), (schema.END, pa.int64()), (schema.REASON, pa.string())]
)
"""What is cut of a shard's texts, in any order: bytes of the text as the step reads it. There may be a column
REPLACEMENT, of what stands in the place of a span; spans that become one have that of the first."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SpanKind:
    """One kind.

    ``versions`` returns the versions of what decides; ``phases`` the work of a step, whose last phase calls
    `write_cuts` for each shard. ``facts`` are the columns of its layer beyond `schema.CUTS_LAYER`. ``rules`` are those
    that a page must pass beside the one that drops a page of which nothing is left.
    """

    versions: Callable[[DedupSettings], dict[str, str]]
    phases: Callable[[Run, Step, DedupSettings], tuple[Phase, ...]]
    facts: tuple[pa.Field, ...] = ()
    rules: Callable[[DedupSettings], tuple[Rule, ...]] = lambda settings: ()

    @property
    def layer(self) -> pa.Schema:
        """The columns of its layer."""
        return pa.schema([*schema.CUTS_LAYER, *self.facts])

    def decides_by(self, settings: DedupSettings) -> tuple[Rule, ...]:
        """Return the rules of a page. Raises ValueError for a bound on what is not measured."""
        preset = f"dedup.{settings.kind}"
        own = (Rule(preset, schema.TEXT_BYTES, "min", 1), *self.rules(settings))
        return rules_with(own, settings.keep, Measured(settings.kind, preset, tuple(self.layer.names[1:])))


def write_cuts(run: Run, step: Step, shard: Shard, cuts: pa.Table, facts: pa.Table) -> None:
    """Write a shard's layer: the spans cut, what is left, and what was measured.

    ``cuts`` has the columns of `CUTS`; spans lie on character boundaries of documents that every earlier stage kept.
    Those that overlap, or touch and have one reason, become one, with the reason of the first. ``facts`` has a column
    for each field that the kind has beyond `schema.CUTS_LAYER`, and a row for each of the shard's; they are null where
    a document was not compared. Raises ValueError for a span outside its text.
    """
    texts = [*run.plan.edits_before(step)][-1:] or [run.plan.text_step]
    before = run.read(texts[0], shard, [schema.TEXT_BYTES]).column(schema.TEXT_BYTES).combine_chunks()
    sizes = np.asarray(pc.fill_null(before, 0), np.int64)
    compared = run.kept(run.plan.deciders_before(step), shard).combine_chunks()
    cuts = _merged(cuts, int(sizes.max(initial=0)))
    rows, starts, ends = (cuts.column(name).to_numpy() for name in (schema.ROW, schema.START, schema.END))
    if ((starts < 0) | (ends > sizes[rows]) | ~np.asarray(compared)[rows]).any():
        raise ValueError(f"step '{step.name}' cuts outside the texts of shard '{shard.name}'")
    counts = np.bincount(rows, minlength=len(sizes))
    gone = np.bincount(rows, weights=ends - starts, minlength=len(sizes)).astype(np.int64)
    added = np.asarray(pc.binary_length(cuts.column(schema.REPLACEMENT)), np.int64)
    left = sizes - gone + np.bincount(rows, weights=added, minlength=len(sizes)).astype(np.int64)
    columns = [
        _edits(counts, cuts, before),
        pc.if_else(pc.is_valid(before), pa.array(left), pa.scalar(None, pa.int64())),
        pa.array(counts, mask=~np.asarray(compared)),
        pa.array(gone / np.maximum(sizes, 1), mask=~np.asarray(compared)),
        *(pc.if_else(compared, column.combine_chunks(), None) for column in facts.columns),
    ]
    layer = pa.schema([*schema.CUTS_LAYER, *facts.schema])
    batch = as_batch(pa.table(columns, schema=layer))
    parts = (batch.slice(start, ROW_GROUP_ROWS) for start in range(0, batch.num_rows, ROW_GROUP_ROWS))
    write_layer(run, step, shard, parts, columns=layer)


def _merged(cuts: pa.Table, longest: int) -> pa.Table:
    """Return what is cut, with its REPLACEMENT, in order, without overlap; ``longest`` is the longest text."""
    if schema.REPLACEMENT not in cuts.column_names:
        cuts = cuts.append_column(schema.REPLACEMENT, pa.repeat(pa.scalar(""), cuts.num_rows))
    cuts = cuts.sort_by([(name, "ascending") for name in (schema.ROW, schema.START, schema.END)])
    rows, starts, ends = (cuts.column(name).to_numpy() for name in (schema.ROW, schema.START, schema.END))
    codes = cuts.column(schema.REASON).combine_chunks().dictionary_encode().indices.to_numpy()
    base = rows * (longest + 1)
    reached = np.maximum.accumulate(base + ends)
    opens = np.ones(len(rows), np.bool_)
    opens[1:] = (base + starts)[1:] >= reached[:-1] + (codes[1:] == codes[:-1])
    first = np.flatnonzero(opens)
    last = np.append(first, len(rows))[1:] - 1
    at = cuts.column_names.index(schema.END)
    return cuts.take(pa.array(first)).set_column(at, schema.END, pa.array((reached - base)[last]))


def _edits(counts: Integers, cuts: pa.Table, before: pa.Array) -> pa.ListArray:
    """Return the column of spans; null where there is no text."""
    names = (schema.START, schema.END, schema.REPLACEMENT, schema.REASON)
    columns = [cuts.column(name).combine_chunks() for name in names]
    values = pa.StructArray.from_arrays(columns, fields=list(EDITS_TYPE.value_type))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    mask = pc.is_null(before) if before.null_count else None
    return pa.ListArray.from_arrays(offsets, values, type=EDITS_TYPE, mask=mask)
