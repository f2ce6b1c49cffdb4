"""lines: lines, or sentences in a row, that stand in several places; the first copy stays, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.lines import units
from gristmill.dedup.lines.cuts import cut_spans, spread
from gristmill.dedup.lines.repeats import repeats
from gristmill.dedup.lines.settings import LinesSettings
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.exchange import Exchange, KeyFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.members import members
from gristmill.pipeline.stages.dedup.pieces import (
    DECIDED,
    KEYS,
    batch_of,
    documents_in,
    keys_of,
    rows_of,
    write_keys,
)
from gristmill.pipeline.stages.dedup.spans import CUTS, SpanKind, write_cuts

REASON = "lines.repeated"

FACTS = pa.schema(
    [
        schema.column("cut_unit_count", pa.int64(), "lines, or sentences, cut; null if it was not compared"),
        schema.column("kept_unit_count", pa.int64(), "those left, blank ones apart; null if it was not compared"),
    ]
)


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases of the exchange."""
    own = settings.lines
    assert own is not None
    keys = KeyFiles(run, step, KEYS)

    def emit(shard: Shard, progress: Progress) -> Iterator[tuple[int, pa.Table]]:
        for table in members(run, step, shard, [schema.TEXT], progress):
            found = units.units_of(batch_of(table, own.words), own)
            yield table.num_rows, keys_of(table, units.windows(found, own.meant.span))

    exchange = Exchange(
        keys=keys,
        decided=DECIDED,
        emit=lambda shard, progress: (table for _, table in emit(shard, progress)),
        reduce=lambda rows: repeats(rows, own.meant, documents_in(keys) if own.meant.bucket_documents else 0),
        decide=lambda shard, decided: _decide(run, step, shard, decided, own),
    )
    first, *others = exchange.phases()
    by_name = {shard.name: shard for shard in run.plan.shards}
    counted = replace(
        first, perform=lambda item, progress: write_keys(keys, by_name[item], emit(by_name[item], progress))
    )
    return (counted, *others)


def _decide(run: Run, step: Step, shard: Shard, decided: pa.Table, own: LinesSettings) -> None:
    """Write a shard's layer: ``decided``, sorted by row, are the first units of the windows that go."""
    rows, places = (np.asarray(decided.column(name), np.int64) for name in (schema.ROW, schema.PLACE))
    cuts, facts = [CUTS.empty_table()], [FACTS.empty_table()]
    done = 0
    for table in run.texts(step, shard, [schema.TEXT]):
        batch = batch_of(table, own.words)
        here = slice(*np.searchsorted(rows, [done, done + batch.rows]))
        found = units.units_of(batch, own)
        cut = spread(found.counts[rows[here] - done] + places[here], own.meant.span, len(found.keys))
        row, start, end = cut_spans(batch, found, cut)
        cuts.append(pa.table([row + done, start, end, pa.repeat(REASON, len(row))], schema=CUTS))
        gone = np.diff(np.concatenate([[0], np.cumsum(cut)])[found.counts])
        facts.append(pa.table([gone, np.diff(found.counts) - gone], schema=FACTS))
        done += batch.rows
    assert done == rows_of(run, shard)
    write_cuts(run, step, shard, pa.concat_tables(cuts), pa.concat_tables(facts))


def _versions(settings: DedupSettings) -> dict[str, str]:
    assert settings.lines is not None
    return units.versions(settings.lines)


KIND = SpanKind(versions=_versions, phases=phases, facts=tuple(FACTS))
