"""Looking for items of benchmarks in the documents of a shard: its layer, and the table of its hits beside that.

matches  shard      -> how many of its documents have each n-gram and each short text  } only where common ones
common   partition  -> those that more documents of the corpus have than the recipe says } are passed over
shards   shard      -> its layer, and its hits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.contamination import HITS, BenchmarkIndex, Found
from gristmill.dedup.contamination.cuts.pages import cut_pages
from gristmill.dedup.near.mixing import mixed
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.pipeline import shards
from gristmill.pipeline.exchange import KeyFiles, Reduction
from gristmill.pipeline.phases import Phase, as_batch, shard_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter

DOCUMENT_COUNT: Final = "document_count"

MATCHES: Final = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.SHARD, pa.dictionary(pa.int32(), pa.string())),
        (schema.ROW, pa.int64()),
        (DOCUMENT_COUNT, pa.int64()),
    ]
)
"""A match, under ROW, and how many documents of a shard have it."""

COMMON: Final = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64())])
"""A match, under ROW, that is common, and a shard that has it."""


def layout(settings: DecontaminateSettings) -> pa.Schema:
    """Return the columns of the layer."""
    if settings.cutting:
        return pa.schema([*schema.CONTAMINATION_CUTS, *schema.CONTAMINATION_LAYER])
    return schema.CONTAMINATION_LAYER


@dataclass(frozen=True)
class Scanning:
    """The work of a step, once there is an index; ``index`` returns that."""

    run: Run
    step: Step
    settings: DecontaminateSettings
    index: Callable[[], BenchmarkIndex]

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases, in order."""
        most = self.settings.most_documents
        if most is None:
            return (self._shards(lambda shard: np.empty(0, np.int64)),)
        keys = KeyFiles(self.run, self.step, MATCHES, name="matches")
        common = Reduction(keys, COMMON, partial(common_matches, most=most), folder="common")
        last = self._shards(lambda shard: np.asarray(common.on(shard).column(schema.ROW)))
        return keys.phase(self._matches), common.phase("common"), last

    def hits_file(self, shard: Shard) -> str:
        """Return the name of the table of a shard's hits."""
        return f"{self.step.folder}/hits/{shard.name}.parquet"

    def _shards(self, common: Callable[[Shard], np.ndarray]) -> Phase:
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        phase = shard_phase(self.run, self.step, lambda shard, progress: self._write(shard, common(shard), progress))
        return replace(phase, is_done=lambda item: self._is_done(by_name[item]))

    def _is_done(self, shard: Shard) -> bool:
        digest = self.run.digest(self.step, shard)
        return self.run.is_done(self.step, shard) and shards.is_current(self.run.folder, self.hits_file(shard), digest)

    def _matches(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield how many documents of a shard have each match."""
        counts: dict[int, int] = {}
        for table in self._texts(shard, progress):
            found, count = np.unique(self.index().find(table).matches[1], return_counts=True)
            for match, more in zip(found.tolist(), count.tolist(), strict=True):
                counts[match] = counts.get(match, 0) + more
        matches = np.array(sorted(counts), np.int64)
        of = pa.DictionaryArray.from_arrays(np.zeros(len(matches), np.int32), pa.array([shard.name], pa.string()))
        columns = [
            mixed(matches.astype(np.uint64)),
            of,
            matches,
            np.array([counts[match] for match in matches.tolist()], np.int64),
        ]
        yield pa.table(columns, schema=MATCHES)

    def _texts(self, shard: Shard, progress: Progress) -> Iterator[pa.Array]:
        rows, done = self.run.footer(self.run.plan.text_step, shard).rows, 0
        for table in self.run.texts(self.step, shard, [schema.TEXT]):
            yield table.column(schema.TEXT).combine_chunks()
            done += table.num_rows
            progress.update(table.num_rows, done / max(rows, 1))

    def _write(self, shard: Shard, common: np.ndarray, progress: Progress) -> None:
        """Write a shard's layer, and its hits."""
        with self.run.folder.writing(self.hits_file(shard)) as sink:
            hits = ShardWriter(sink, HITS, self.run.digest(self.step, shard))
            layers = self._layers(shard, self.index().common_matches(common), hits, progress)
            write_layer(self.run, self.step, shard, layers, columns=layout(self.settings))
            hits.close()

    def _layers(
        self, shard: Shard, common: np.ndarray, hits: ShardWriter, progress: Progress
    ) -> Iterator[pa.RecordBatch]:
        done = 0
        for texts in self._texts(shard, progress):
            found = self.index().find(texts, self.settings.action_of, common)
            place = found.hits.schema.get_field_index(schema.ROW)
            rows = pc.add(found.hits.column(schema.ROW), done)
            hits.write(as_batch(found.hits.set_column(place, HITS.field(schema.ROW), rows)))
            done += len(texts)
            yield self._with_cuts(texts, found)

    def _with_cuts(self, texts: pa.Array, found: Found) -> pa.RecordBatch:
        """Return the layer of a batch, with what is cut where anything may be."""
        if not self.settings.cutting:
            return found.layer
        wanted = pc.is_in(found.hits.column(schema.BENCHMARK), pa.array(self.settings.cutting, pa.string()))
        cut = found.hits.filter(wanted)
        spans = tuple(cut.column(name).to_numpy() for name in (schema.ROW, schema.START, schema.END))
        cuts = cut_pages(texts, (spans[0], spans[1], spans[2]))
        return pa.RecordBatch.from_arrays([*cuts.columns, *found.layer.columns], schema=layout(self.settings))


def common_matches(rows: pa.Table, most: int) -> pa.Table:
    """Return which shards have the matches of `MATCHES` that more documents have than ``most``: `COMMON`."""
    _, of = np.unique(np.asarray(rows.column(schema.ROW)), return_inverse=True)
    documents = np.bincount(of, np.asarray(rows.column(DOCUMENT_COUNT)))
    chosen = rows.filter(pa.array(documents[of] > most))
    found = pa.table([chosen.column(schema.SHARD).cast(pa.string()), chosen.column(schema.ROW)], schema=COMMON)
    return found.sort_by([(schema.SHARD, "ascending"), (schema.ROW, "ascending")])
