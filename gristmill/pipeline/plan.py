"""A recipe resolved: which shards, which steps, and a digest for each of what it computes.

A stage of the recipe becomes one or two steps: one that annotates, and, where the stage has bounds of its own
(`keep`), one that decides. Splitting them keeps the costly half valid when only a bound changes.

A step's digest covers its kind, its settings, the versions of what it computes, its models' digests and its inputs'
digests. A file's digest adds what is its own: the source's fingerprint, or, after an exchange, the whole corpus.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from gristmill import __version__
from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.errors import CorruptError, UsageError

DOCUMENTS = "documents"
EDIT = "edit"


@dataclass(frozen=True)
class Shard:
    """One source WARC: its name in the run, where it lies, and a fingerprint of its bytes.

    Where a crawl's index was asked, it is a list of ranges instead: the row group ``group`` of the run's file
    ``ranges``, whose paths start from ``source``.
    """

    name: str
    source: str
    fingerprint: str
    ranges: str | None = None
    group: int = 0


@dataclass(frozen=True)
class Step:
    """One pass of the plan.

    ``stage`` is the recipe's stage that it belongs to; ``places`` are the settings that change no result: where
    something lies, whose digest is among the ``versions``, or whether a warning is wanted; ``scope`` is "corpus" where
    a row's result can depend on other shards; ``columns`` are what its layer offers to rules; ``decides`` is true if
    its layer keeps and drops, ``edits`` if it cuts spans of the text that later steps read.
    """

    name: str
    stage: str
    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    columns: tuple[str, ...] = ()
    decides: bool = False
    edits: bool = False
    scope: Literal["shard", "corpus"] = "shard"
    places: tuple[str, ...] = ()
    digest: str = ""

    @property
    def folder(self) -> str:
        """Name of the folder that holds its files."""
        return DOCUMENTS if self.kind == "extract" else f"{self.name}-{self.digest[:8]}"


@dataclass(frozen=True)
class Plan:
    """What a run will do: immutable, and equal for equal recipes, sources and versions, however it is carried out.

    ``access`` and ``downloads``, the folder where files are kept, say how sources are read; ``note`` says what was
    read of an index. No digest covers them.
    """

    name: str
    shards: tuple[Shard, ...]
    steps: tuple[Step, ...]
    access: AccessSettings = DEFAULT_ACCESS
    downloads: str | None = None
    note: str = ""

    def step(self, name: str) -> Step:
        """Return the step of that name. Raises UsageError naming those there are."""
        for step in self.steps:
            if step.name == name:
                return step
        raise UsageError(f"the plan has no step '{name}'; it has: {', '.join(s.name for s in self.steps)}")

    def stages(self) -> list[str]:
        """Return the stages' names, in order."""
        return list(dict.fromkeys(step.stage for step in self.steps))

    def shard(self, name: str) -> Shard:
        """Return the shard of that name. Raises UsageError."""
        for shard in self.shards:
            if shard.name == name:
                return shard
        raise UsageError(f"the plan has no shard '{name}'; it has {len(self.shards)}, from '{self.shards[0].name}' on")

    @property
    def text_step(self) -> Step:
        """The step whose files hold the documents' text."""
        return self.steps[0]

    @property
    def deciders(self) -> tuple[Step, ...]:
        """The steps that keep and drop, in order, extraction first."""
        return tuple(step for step in self.steps if step.decides)

    @property
    def edits(self) -> tuple[Step, ...]:
        """The editing steps, in order."""
        return tuple(step for step in self.steps if step.edits)

    def edits_before(self, step: Step) -> tuple[Step, ...]:
        """Return the editing steps among a step's inputs, in order: the text that it reads is theirs."""
        return tuple(other for other in self.edits if other.name in step.inputs)

    def before_stage(self, steps: Sequence[Step], stage: str) -> tuple[Step, ...]:
        """Return those of some steps that belong to the stages before a stage."""
        before = self.stages()[: self.stages().index(stage)]
        return tuple(step for step in steps if step.stage in before)

    def through_stage(self, steps: Sequence[Step], stage: str) -> tuple[Step, ...]:
        """Return those of some steps that belong to a stage or to the stages before it."""
        return (*self.before_stage(steps, stage), *(step for step in steps if step.stage == stage))

    def deciders_before(self, step: Step) -> tuple[Step, ...]:
        """Return the deciding steps among a step's inputs."""
        return tuple(other for other in self.deciders if other.name in step.inputs)

    @property
    def digest(self) -> str:
        """Digest of the shards and of every step, wherever the sources lie."""
        shards = [(shard.name, shard.fingerprint) for shard in self.shards]
        return digest_of(shards, [step.digest for step in self.steps])


def digest_of(*values: Any) -> str:
    """Return 32 hex digits of JSON values.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def with_digest(step: Step, before: Sequence[Step]) -> Step:
    """Return the step with the digest of all that determines what it computes."""
    digests = {other.name: other.digest for other in before}
    inputs = [digests[name] for name in step.inputs]
    settings = {key: value for key, value in step.settings.items() if key not in step.places}
    return replace(step, digest=digest_of(step.kind, settings, dict(step.versions or {}), inputs))


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values; `plan_from_json` takes them back."""
    return {
        "gristmill": __version__,
        "name": plan.name,
        "digest": plan.digest,
        "access": plan.access.model_dump(mode="json"),
        "downloads": plan.downloads,
        "note": plan.note,
        "shards": [asdict(shard) for shard in plan.shards],
        "steps": [asdict(step) | {"folder": step.folder} for step in plan.steps],
    }


def plan_from_json(value: Mapping[str, Any], path: str) -> Plan:
    """Return the plan in a plan.json. Raises CorruptError if it is none."""
    try:
        steps = (
            Step(
                **{k: v for k, v in step.items() if k not in ("folder", "inputs", "columns", "places")},
                places=tuple(step["places"]),
                inputs=tuple(step["inputs"]),
                columns=tuple(step["columns"]),
            )
            for step in value["steps"]
        )
        shards = (Shard(**shard) for shard in value["shards"])
        access = AccessSettings.model_validate(value["access"])
        return Plan(value["name"], tuple(shards), tuple(steps), access, value["downloads"], value["note"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptError(
            f"{path} is not a plan of this version of gristmill: {error}; run the recipe again"
        ) from error
