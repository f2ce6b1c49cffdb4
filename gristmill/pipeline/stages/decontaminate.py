"""decontaminate: n-grams that a document shares with a benchmark, and, unless only reported, the documents' end.

index    the benchmarks' n-grams, saved once for all workers; benchmarks.json tells which items cannot be found
shards   shard -> how much of each document is in a benchmark
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from gristmill import schema
from gristmill.dedup.benchmarks import read_items
from gristmill.dedup.contamination import BenchmarkIndex, versions
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import MissingError
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step, digest_of
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import deciding_step
from gristmill.pipeline.storage import located

RULE = Rule("decontaminate", schema.CONTAMINATED_NGRAM_COUNT, "max", 0)


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that scans, and the one that drops unless the action is to report.

    Raises MissingError and UsageError for benchmarks that are not there or not what they should be.
    """
    settings = stage.settings
    assert isinstance(settings, DecontaminateSettings)
    name = planning.name_for("decontaminate")
    benchmarks = _files_digest(settings)
    read_items(settings.benchmarks)
    scan = Step(
        name=name,
        stage=name,
        kind="contamination",
        settings=settings.model_dump(mode="json", exclude={"action"}),
        places=("benchmarks",),
        inputs=planning.text_inputs(),
        versions=versions() | {"benchmarks": benchmarks},
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
        index = BenchmarkIndex.build(DecontaminateSettings.model_validate(dict(self.step.settings)))
        with self.run.folder.writing(self._index) as sink:
            index.save(sink)
        short = Counter(index.short_items.column(schema.BENCHMARK).to_pylist())
        items = Counter(index.items.column(schema.BENCHMARK).to_pylist())
        facts = {name: {"items": count, "items_too_short_to_find": short[name]} for name, count in items.items()}
        written = hashlib.sha256(self.run.folder.read_bytes(self._index)).hexdigest()
        self.run.folder.write_json(self._facts, {"sha256": written, "ngrams": index.ngram_count, "benchmarks": facts})
        progress.update(0, 1.0)

    @property
    def _index(self) -> str:
        return f"{self.step.folder}/index/index.parquet"

    @property
    def _facts(self) -> str:
        return f"{self.step.folder}/index/benchmarks.json"


def _files_digest(settings: DecontaminateSettings) -> str:
    """Return a digest of the benchmarks' names, fields and bytes, wherever they lie. Raises MissingError."""
    parts = []
    for benchmark in settings.benchmarks:
        filesystem, path = located(benchmark.path)
        try:
            content = hashlib.sha256(filesystem.cat_file(path)).hexdigest()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise MissingError(f"benchmark '{benchmark.name}': there is no file {benchmark.path}") from error
        parts.append([benchmark.name, benchmark.fields, content])
    return digest_of(parts)
