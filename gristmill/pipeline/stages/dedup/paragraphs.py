"""paragraphs: lines, and pages, most of whose n-grams of words stand in what comes before them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.lines import paragraphs
from gristmill.dedup.lines.cuts import cut_spans
from gristmill.dedup.lines.repeats import seen
from gristmill.dedup.lines.settings import ParagraphsSettings
from gristmill.dedup.settings import DedupSettings
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.exchange import Exchange, KeyFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.members import members
from gristmill.pipeline.stages.dedup.pieces import DECIDED as PIECES
from gristmill.pipeline.stages.dedup.pieces import KEYS, batch_of, keys_of
from gristmill.pipeline.stages.dedup.spans import CUTS, SpanKind, write_cuts
from gristmill.text import TextBatch

REASON = "paragraphs.seen"
SEEN_RATIO = "seen_ngram_ratio"

DECIDED = pa.schema([*PIECES, (schema.HITS, pa.int64())])

FACTS = pa.schema(
    [
        schema.column("cut_paragraph_count", pa.int64(), "paragraphs cut; null if it was not compared"),
        schema.column(SEEN_RATIO, pa.float64(), "n-grams seen before / n-grams; 0.0 without any; null if not compared"),
    ]
)

Counts = npt.NDArray[np.int64]


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases of the exchange."""
    own = settings.paragraphs
    assert own is not None

    def emit(shard: Shard, progress: Progress) -> Iterable[pa.Table]:
        for table in members(run, step, shard, [schema.TEXT], progress):
            yield keys_of(table, paragraphs.ngrams_of(batch_of(table), own))

    exchange = Exchange(
        keys=KeyFiles(run, step, KEYS),
        decided=DECIDED,
        emit=emit,
        reduce=seen,
        decide=lambda shard, decided: _decide(run, step, shard, decided, own),
    )
    return exchange.phases()


def _decide(run: Run, step: Step, shard: Shard, decided: pa.Table, own: ParagraphsSettings) -> None:
    """Write a shard's layer: ``decided``, sorted by row, are n-grams seen before, by paragraph."""
    columns = (schema.ROW, schema.PLACE, schema.HITS)
    rows, places, hits = (np.asarray(decided.column(name), np.int64) for name in columns)
    cuts, facts = [CUTS.empty_table()], [FACTS.empty_table()]
    done = 0
    for table in run.texts(step, shard, [schema.TEXT]):
        here = slice(*np.searchsorted(rows, [done, done + table.num_rows]))
        concerned = np.unique(rows[here] - done)
        batch = batch_of(table.take(pa.array(concerned)))
        at = np.searchsorted(concerned, rows[here] - done)
        cut, ratios = _judged(batch, (at, places[here], hits[here]), own)
        lines = paragraphs.lines_of(batch)
        row, start, end = cut_spans(batch, lines, cut)
        reasons = pa.repeat(REASON, len(row))
        cuts.append(pa.table([concerned[row] + done, start, end, reasons], schema=CUTS))
        gone, shares = np.zeros(table.num_rows, np.int64), np.zeros(table.num_rows)
        gone[concerned] = np.diff(np.concatenate([[0], np.cumsum(cut)])[lines.counts])
        shares[concerned] = ratios
        facts.append(pa.table([gone, shares], schema=FACTS))
        done += table.num_rows
    write_cuts(run, step, shard, pa.concat_tables(cuts), pa.concat_tables(facts))


def _judged(
    batch: TextBatch, found: tuple[Counts, Counts, Counts], own: ParagraphsSettings
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return which lines go, and the share of each text's n-grams that was seen.

    ``found``: the row and place of a line, and how many of its n-grams were seen; a line may stand several times.
    """
    row, place, hits = found
    ngrams, counts = paragraphs.ngrams_of(batch, own), batch.lines.counts
    lines = np.repeat(counts[:-1], np.diff(ngrams.counts)) + ngrams.places
    total = np.bincount(lines, minlength=counts[-1])
    of_lines = np.bincount(counts[row] + place, weights=hits, minlength=counts[-1])
    of_texts = np.bincount(row, weights=hits, minlength=batch.rows)
    cut = of_lines / np.maximum(total, 1) > own.most_seen
    return cut, of_texts / np.maximum(np.diff(ngrams.counts), 1)


def _rules(settings: DedupSettings) -> tuple[Rule, ...]:
    assert settings.paragraphs is not None
    return (Rule("dedup.paragraphs", SEEN_RATIO, "max", settings.paragraphs.most_seen),)


KIND = SpanKind(versions=lambda settings: paragraphs.versions(), phases=phases, facts=tuple(FACTS), rules=_rules)
