"""Log weights: the n-grams of the target and of what earlier stages kept, then each document's sum.

target     the target's n-grams
raw        shard  -> the n-grams of its kept documents
ratios     whole  -> the log of each bucket's share in the target over that in the run; importance.json tells of both
shards     shard  -> the log weight of each of its documents
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.importance.weights import (
    Features,
    Ratios,
    divergence,
    features_of,
    layout,
    log_ratios,
    no_features,
    weigh,
)
from gristmill.errors import UsageError
from gristmill.pipeline import shards
from gristmill.pipeline.phases import Phase, annotate, shard_phase, whole_phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.training_texts import training_texts

KIND = "importance"
_COUNTS = pa.schema([(schema.DOCUMENT_COUNT, pa.int64())])
_RATIOS = pa.schema([(schema.IMPORTANCE_LOG_WEIGHT, pa.float64())])


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the four phases."""
    work = Weights(run, step)
    by_name = {shard.name: shard for shard in run.plan.shards}
    target = Phase(
        "target",
        lambda: ["target"],
        lambda _: work.is_current("target", step.digest),
        lambda _, progress: work.count_target(progress),
        by_shard=False,
    )
    raw = Phase(
        "raw",
        lambda: list(by_name),
        lambda item: work.is_current(f"raw/{item}", work.raw_digest(by_name[item])),
        lambda item, progress: work.count_raw(by_name[item], progress),
    )
    ratios = whole_phase(
        "ratios",
        lambda: ["ratios"],
        lambda _: work.is_current("ratios", run.corpus_digest(step)),
        lambda _, progress: work.write_ratios(progress),
    )
    return target, raw, ratios, shard_phase(run, step, annotate(run, step, layout(work.settings), work.weigh))


@dataclass(frozen=True)
class Weights:
    """The work of one step that weighs."""

    run: Run
    step: Step

    @cached_property
    def settings(self) -> ImportanceSettings:
        """The step's settings; what is drawn stands in those of others."""
        return ImportanceSettings.model_validate(dict(self.step.settings))

    @cached_property
    def ratios(self) -> Ratios:
        """The log ratio of each bucket, read once. Raises MissingError before it is made."""
        table = shards.read_table(self.run.folder, self._file("ratios"), None, self.run.corpus_digest(self.step))
        return np.asarray(table.column(0))

    def weigh(self, texts: pa.Array) -> pa.RecordBatch:
        """Return the log weights of a batch of texts."""
        return weigh(texts, self.ratios, self.settings)

    def count_target(self, progress: Progress) -> None:
        """Write the target's n-grams. Raises UsageError for a target without any."""
        settings = self.settings
        texts = training_texts(settings.target, settings.text_column)
        found = reduce(Features.__add__, (features_of(batch, settings) for batch in texts), no_features(settings))
        if not found.total:
            raise UsageError(f"the target has no words: {', '.join(settings.target)}")
        self._write("target", self.step.digest, found)
        progress.update(found.texts, 1.0)

    def count_raw(self, shard: Shard, progress: Progress) -> None:
        """Write the n-grams of a shard's kept documents."""
        kept = self.run.kept(self.run.plan.deciders_before(self.step), shard).combine_chunks()

        def batches() -> Iterable[Features]:
            row = 0
            for table in self.run.texts(self.step, shard, [schema.TEXT]):
                texts = table.column(schema.TEXT).combine_chunks().filter(kept.slice(row, table.num_rows))
                row += table.num_rows
                yield features_of(texts, self.settings)
                progress.update(table.num_rows, row / len(kept))

        found = reduce(Features.__add__, batches(), no_features(self.settings))
        self._write(f"raw/{shard.name}", self.raw_digest(shard), found)

    def write_ratios(self, progress: Progress) -> None:
        """Write the log ratios, and importance.json. Raises UsageError where the run has no words."""
        raw = no_features(self.settings)
        for done, shard in enumerate(self.run.plan.shards, start=1):
            raw += self._read(f"raw/{shard.name}", self.raw_digest(shard))
            progress.update(1, done / len(self.run.plan.shards))
        target = self._read("target", self.step.digest)
        if not raw.total:
            raise UsageError(
                f"the stages before '{self.step.stage}' kept no text with words, so nothing can be weighed"
            )
        self._write_facts(target, raw)
        ratios = pa.table([log_ratios(target, raw, self.settings)], schema=_RATIOS)
        self._write_table("ratios", self.run.corpus_digest(self.step), ratios, 0)

    def raw_digest(self, shard: Shard) -> str:
        """Return the digest of what a shard's n-grams are counted from."""
        inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
        return digest_of("raw", self.step.digest, inputs)

    def is_current(self, name: str, digest: str) -> bool:
        """Return whether one of the step's own files is there and current."""
        return shards.is_current(self.run.folder, self._file(name), digest)

    def _write_facts(self, target: Features, raw: Features) -> None:
        facts = {
            "target": {"texts": target.texts, "ngrams": target.total},
            "run": {"texts": raw.texts, "ngrams": raw.total},
            "divergence": divergence(target, raw, self.settings.smoothing),
        }
        self.run.folder.write_json(f"{self.step.folder}/importance.json", facts)

    def _read(self, name: str, digest: str) -> Features:
        table = shards.read_table(self.run.folder, self._file(name), None, digest)
        texts = shards.read_footer(self.run.folder, self._file(name)).counts["texts"]
        return Features(np.asarray(table.column(0)), int(texts))

    def _write(self, name: str, digest: str, found: Features) -> None:
        self._write_table(name, digest, pa.table([found.counts], schema=_COUNTS), found.texts)

    def _write_table(self, name: str, digest: str, table: pa.Table, texts: int) -> None:
        with self.run.folder.writing(self._file(name)) as sink:
            writer = ShardWriter(sink, table.schema, digest)
            writer.write_group(table)
            writer.counts = {"texts": texts}
            writer.close()

    def _file(self, name: str) -> str:
        return f"{self.step.folder}/ngrams/{name}.parquet"
