"""decontaminate: n-grams that a document shares with a benchmark, and, unless only reported, the documents' end.

index    the benchmarks' n-grams, saved once for all workers; benchmarks.json tells which items cannot be found, and
         the addresses and digests of the files that the items were read from
shards   shard -> how much of each document is in a benchmark
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from gristmill import schema
from gristmill.dedup.benchmarks.saved import benchmark_index, checked_digest
from gristmill.dedup.benchmarks.sources import benchmark_files, benchmarks_digest
from gristmill.dedup.contamination import BenchmarkIndex, versions
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import StaleError
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import deciding_step

RULE = Rule("decontaminate", schema.CONTAMINATED_NGRAM_COUNT, "max", 0)


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that scans, and the one that drops unless the action is to report.

    Raises MissingError and UsageError for benchmarks that are not there or not what they should be.
    """
    settings = stage.settings
    assert isinstance(settings, DecontaminateSettings)
    name = planning.name_for("decontaminate")
    scan = Step(
        name=name,
        stage=name,
        kind="contamination",
        settings=settings.model_dump(mode="json", exclude={"action"}),
        places=("benchmarks",),
        inputs=planning.text_inputs(),
        versions=versions() | {"benchmarks": checked_digest(settings)},
        columns=tuple(schema.CONTAMINATION_LAYER.names),
    )
    if settings.action == "report":
        return [scan]
    return [scan, deciding_step(f"{name}.keep", name, (RULE,), (name,))]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the two phases."""
    work = Decontamination(run, step)
    indexing = Phase("index", lambda: ["index"], work.is_indexed, work.write_index, by_shard=False)
    return indexing, shard_phase(run, step, annotate(run, step, schema.CONTAMINATION_LAYER, work.scan))


@dataclass(frozen=True)
class Decontamination:
    """The work of one decontaminate step."""

    run: Run
    step: Step

    @cached_property
    def index(self) -> BenchmarkIndex:
        """The saved index, loaded once. Raises MissingError before it is made."""
        with self.run.folder.filesystem.open(self.run.folder.path(self._index), "rb") as file:
            return BenchmarkIndex.load(file)

    def scan(self, texts: pa.Array) -> pa.RecordBatch:
        """Return the contamination of a batch of texts."""
        return self.index.scan(texts)

    def is_indexed(self, _: str) -> bool:
        """Return whether the index is there as it was written."""
        folder = self.run.folder
        if not folder.exists(self._index):
            return False
        return folder.says(self._facts, {"sha256": hashlib.sha256(folder.read_bytes(self._index)).hexdigest()})

    def write_index(self, _: str, progress: Progress) -> None:
        """Write the index, then benchmarks.json: how many items each benchmark has, and how many cannot be found."""
        settings = DecontaminateSettings.model_validate(dict(self.step.settings))
        self._check_unchanged(settings)
        index = benchmark_index(settings)
        with self.run.folder.writing(self._index) as sink:
            index.save(sink)
        short = Counter(index.short_items.column(schema.BENCHMARK).to_pylist())
        items = Counter(index.items.column(schema.BENCHMARK).to_pylist())
        facts = {name: {"items": count, "items_too_short_to_find": short[name]} for name, count in items.items()}
        written = hashlib.sha256(self.run.folder.read_bytes(self._index)).hexdigest()
        files = list(benchmark_files(settings.benchmarks))
        said = {"sha256": written, "ngrams": index.ngram_count, "benchmarks": facts, "files": files}
        self.run.folder.write_json(self._facts, said)
        progress.update(0, 1.0)

    def _check_unchanged(self, settings: DecontaminateSettings) -> None:
        """Raise StaleError if the benchmarks are not what the run was planned with."""
        if benchmarks_digest(settings.benchmarks) != (self.step.versions or {}).get("benchmarks"):
            raise StaleError(
                f"{self.step.name}: a file of {', '.join(each.name for each in settings.benchmarks)} has changed since "
                "the run was planned; run it again"
            )

    @property
    def _index(self) -> str:
        return f"{self.step.folder}/index/index.parquet"

    @property
    def _facts(self) -> str:
        return f"{self.step.folder}/index/benchmarks.json"
