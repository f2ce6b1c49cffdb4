"""decontaminate: what documents have of benchmarks, and, unless only reported, its cutting or the documents' end.

index    the benchmarks' n-grams, saved once for all workers; benchmarks.json tells which items cannot be found, and
         the addresses and digests of the files that the items were read from

Then the phases of `gristmill.pipeline.stages.contamination`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gristmill import schema
from gristmill.dedup.benchmarks.saved import benchmark_index, checked_digest
from gristmill.dedup.benchmarks.sources import benchmark_files, benchmarks_digest
from gristmill.dedup.contamination import BenchmarkIndex, versions
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import StaleError
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.contamination import Scanning, layout
from gristmill.pipeline.stages.rules import deciding_step

MOST_CUTS = 10
FEWEST_CHARACTERS = 200


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
        settings=_recorded(settings),
        places=("benchmarks",),
        inputs=planning.text_inputs(),
        versions=versions() | {"benchmarks": checked_digest(settings)},
        columns=tuple(name for name in layout(settings).names if name != schema.EDITS),
        edits=bool(settings.cutting),
        scope="shard" if settings.most_documents is None else "corpus",
    )
    rules = rules_of(settings)
    return [scan, deciding_step(f"{name}.keep", name, rules, (name,))] if rules else [scan]


def _recorded(settings: DecontaminateSettings) -> dict[str, Any]:
    """Return the settings of the step that scans: what becomes of documents is told by benchmark."""
    return settings.model_dump(mode="json", exclude={"action", "actions"}) | {"actions": settings.action_of}


def rules_of(settings: DecontaminateSettings) -> tuple[Rule, ...]:
    """Return the rules that drop documents; none if all benchmarks are only reported.

    >>> settings = DecontaminateSettings.model_validate({"benchmarks": ["gsm8k.jsonl"], "action": "cut"})
    >>> [rule.code for rule in rules_of(settings)]
    ['decontaminate.contamination_cut_count.max', 'decontaminate.characters_left.min']
    """
    actions = set(settings.action_of.values())
    where = (schema.CONTAMINATION_ACTION, ("drop_document",)) if len(actions) > 1 else None
    counts = (schema.CONTAMINATED_NGRAM_COUNT, schema.CONTAMINATED_SHORT_COUNT)
    dropped = tuple(Rule("decontaminate", name, "max", 0, where=where) for name in counts)
    cut = (
        Rule("decontaminate", schema.CONTAMINATION_CUT_COUNT, "max", MOST_CUTS),
        Rule("decontaminate", schema.CHARACTERS_LEFT, "min", FEWEST_CHARACTERS),
    )
    return (*(dropped if "drop_document" in actions else ()), *(cut if "cut" in actions else ()))


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases: the index, then those of scanning."""
    work = Decontamination(run, step)
    indexing = Phase("index", lambda: ["index"], work.is_indexed, work.write_index, by_shard=False)
    settings = DecontaminateSettings.model_validate(dict(step.settings))
    return indexing, *Scanning(run, step, settings, lambda: work.index).phases()


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
