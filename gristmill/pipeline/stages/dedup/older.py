"""Finished runs that a deduplication goes against: found when it is planned, read by their saved keys.

No text of theirs is read. Their documents count as older than all of the run, those of the run named first as older
than those of the next; a run that itself went against others brings these along, before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.bloom.settings import NEEDED, passes_of
from gristmill.dedup.minhash.curve import signed_as
from gristmill.dedup.settings import DedupSettings
from gristmill.errors import UsageError
from gristmill.pipeline.exchange import KeyFiles, partition_of
from gristmill.pipeline.plan import Plan, Step, digest_of
from gristmill.pipeline.run import Run, open_run
from gristmill.pipeline.stages.dedup import decisions
from gristmill.pipeline.storage import Folder

VERSION = "against"

_ASKED = {"survivor", "against", "warn", "bloom", "keep"}
"""Settings that change no key."""

_SIGNED = {
    "minhash": ("signatures", "bands", "nodes", "layers"),
    "simhash": ("fingerprints", "blocks", "nodes", "layers"),
}
"""What is read of an older run's step, of the kinds whose copies are not equal."""


@dataclass(frozen=True)
class Older:
    """An older run, and the step of it whose keys are compared."""

    run: Run
    step: Step

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.plan.name

    def keys(self, columns: pa.Schema) -> KeyFiles:
        """Return its key files, which have these columns."""
        return KeyFiles(self.run, self.step, columns)


def older_runs(settings: DedupSettings, versions: dict[str, str]) -> list[Older]:
    """Return the runs that settings go against, the oldest first, each once.

    Raises UsageError for a run that has no such keys, or keys of other settings or versions, and where two unlike runs
    have one name, so that `<run>:<id>` would name two documents. Raises MissingError, CorruptError.
    """
    found: dict[str, Older] = {}
    for address in settings.against:
        for older in _with_its_own(open_run(address), settings, versions):
            known = found.setdefault(older.name, older)
            if known.run.folder.address != older.run.folder.address:
                raise UsageError(
                    f"'against' has two runs called '{older.name}', in {known.run.folder.url} and "
                    f"{older.run.folder.url}; a duplicate could not say which it duplicates"
                )
    return list(found.values())


def digests_of(runs: list[Older], columns: pa.Schema) -> dict[str, str]:
    """Return for each run a digest of what its key files are computed from; they belong into the stage's hash."""
    return {
        f"{VERSION}.{number}.{older.name}": digest_of(
            [older.keys(columns).digest(shard) for shard in older.run.plan.shards]
        )
        for number, older in enumerate(runs)
    }


def names_in(step: Step) -> list[str]:
    """Return the names of the runs that a step goes against, the oldest first."""
    return [key.split(".", 2)[2] for key in step.versions or {} if key.startswith(f"{VERSION}.")]


def known_to(runs: list[Older], members: pa.Table) -> pa.Table:
    """Return DIGEST and ID of the older documents that members have a copy of: a digest at most once.

    ``members`` are the rows of one partition. The ID is `<run>:<id>`. The oldest run has the word; of its documents
    the one that survived there. Raises StaleError, CorruptError, MissingError.
    """
    found = pa.table({schema.DIGEST: pa.array([], members.schema.field(schema.DIGEST).type), schema.ID: _NO_IDS})
    if not members.num_rows:
        return found
    wanted = np.sort(np.asarray(members.column(schema.KEY)))
    for older in runs:
        best = _first_of_each(
            pa.concat_tables([members.schema.empty_table(), *rows_with_keys(older.keys(members.schema), wanted)])
        )
        ids = pc.binary_join_element_wise(older.name, best.column(schema.ID), ":")
        new = pa.table({schema.DIGEST: best.column(schema.DIGEST), schema.ID: ids})
        already = pc.is_in(new.column(schema.DIGEST), value_set=found.column(schema.DIGEST).combine_chunks())
        found = pa.concat_tables([found, new.filter(pc.invert(already))])
    return found


_NO_IDS = pa.array([], pa.string())


def _with_its_own(run: Run, settings: DedupSettings, versions: dict[str, str]) -> Iterator[Older]:
    """Yield the runs that a run itself went against, then it."""
    step = _step_of(run, settings, versions)
    inner = DedupSettings.model_validate(dict(step.settings))
    yield from older_runs(inner.model_copy(update={"bloom": settings.bloom}), versions)
    older = Older(run, step)
    _check_saved(older, _SIGNED.get(settings.kind) or NEEDED[_passes(settings, step)])
    yield older


def _step_of(run: Run, settings: DedupSettings, versions: dict[str, str]) -> Step:
    """Return the last step of a run whose keys are made as these settings make them. Raises UsageError."""
    asked = _asked(settings)
    steps = [step for step in run.plan.steps if step.kind == "dedup"]
    same = [step for step in steps if _asked(DedupSettings.model_validate(dict(step.settings))) == asked]
    if not same:
        raise UsageError(
            f"'against': run '{run.plan.name}' in {run.folder.url} has no "
            f"{_SIGNED.get(settings.kind, ('keys',))[0]} of {_said(asked)}: {_what_it_has(steps, settings)}"
        )
    passes = _passes(settings, same[-1])
    if passes not in NEEDED:
        raise UsageError(
            f"'against': stage '{same[-1].stage}' of run '{run.plan.name}' in {run.folder.url} has "
            + ("the keys of candidates alone" if passes[1] == "two" else "no filters")
            + f"; it is compared by a stage with `bloom: {{passes: two}}`{_OR[passes[1]]}"
        )
    theirs, versions = _of_keys(same[-1].versions), _of_keys(versions)
    if "none" in passes:  # then no saved filter is read
        theirs, versions = ({k: v for k, v in given.items() if k != "bloom"} for given in (theirs, versions))
    if theirs != versions:
        raise UsageError(
            f"'against': the keys of run '{run.plan.name}' in {run.folder.url} are of other versions: {theirs}, here "
            f"{versions}; run its recipe again with this version of gristmill"
        )
    return same[-1]


_OR = {"two": " or `one`", "none": ", or by one without `bloom`"}


def _passes(settings: DedupSettings, older: Step) -> tuple[str, str]:
    """Return the passes of a stage, and of the older run's that it goes against."""
    return passes_of(settings.bloom), passes_of(DedupSettings.model_validate(dict(older.settings)).bloom)


def _asked(settings: DedupSettings) -> dict[str, object]:
    """Return the settings that keys, or signatures, are made by."""
    if settings.minhash is not None:
        return {**signed_as(settings.minhash), "scope": settings.scope}
    if settings.simhash is not None:
        return {**settings.simhash.model_dump(mode="json"), "scope": settings.scope}
    return settings.model_dump(mode="json", exclude_none=True, exclude=_ASKED)


def _what_it_has(steps: list[Step], settings: DedupSettings) -> str:
    """Return what differs in a run's stages of the same kind, or else what other dedup stages it has."""
    asked = _asked(settings)
    theirs = [(step.stage, DedupSettings.model_validate(dict(step.settings))) for step in steps]
    differing = [
        f"its stage '{stage}' has "
        + ", ".join(f"{k} {_said(v)}, here {_said(asked[k])}" for k, v in _asked(other).items() if v != asked[k])
        for stage, other in theirs
        if other.kind == settings.kind
    ]
    others = ", ".join(f"'{stage}' ({other.kind})" for stage, other in theirs)
    return "; ".join(differing) or f"it has no `{settings.kind}` stage{f', but {others}' if others else ''}"


def _said(value: object) -> str:
    """Return a setting as a recipe has it.

    >>> _said({"cut_www": False, "cut_parameters": ["ref"]})
    '{cut_www: false, cut_parameters: [ref]}'
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_said(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_said, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_saved(older: Older, wanted: tuple[str, ...]) -> None:
    """Raise UsageError unless every file of what is wanted of a run's step is there."""
    partitions = [f"{p:05d}" for p in range(KeyFiles(older.run, older.step, pa.schema([])).partitions)]
    shards = [shard.name for shard in older.run.plan.shards]
    for what in wanted:
        items, names = ("partitions", partitions) if what == "filters" else ("shards", shards)
        folder = older.step.folder if what == "layers" else f"{older.step.folder}/{what}"
        there = {PurePath(file).stem for file in older.run.folder.names(folder)}
        missing = [name for name in names if name not in there]
        if missing:
            raise UsageError(
                f"'against': run '{older.name}' in {older.run.folder.url} lacks the "
                f"{'keys' if what == 'short' else what} of {len(missing)} of its {len(names)} {items}, such as "
                f"{missing[0]}; finish it first, and keep {older.step.folder}/"
            )


def rows_with_keys(files: KeyFiles, wanted: npt.NDArray[np.uint64]) -> Iterator[pa.Table]:
    """Yield the rows of key files whose key is one of the sorted wanted ones, of which there is one, shard by shard."""
    low, high = (partition_of(wanted[[0, -1]], files.partitions)).tolist()
    for partition in range(low, high + 1):
        for table in files.read(partition):
            keys = np.asarray(table.column(schema.KEY))
            at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
            yield table.filter(pa.array(wanted[at] == keys))


def _first_of_each(rows: pa.Table) -> pa.Table:
    """Return the first row of each digest by (order, id)."""
    ordered = rows.sort_by([(name, "ascending") for name in (schema.DIGEST, schema.ORDER, schema.ID)])
    digests = ordered.column(schema.DIGEST).combine_chunks()
    first = np.ones(len(digests), np.bool_)
    first[1:] = np.asarray(pc.not_equal(digests[1:], digests[:-1]))
    return ordered.filter(pa.array(first))


def open_older(step: Step) -> list[Older]:
    """Return the runs that a planned step goes against, the oldest first. Raises as `older_runs` does."""
    settings = DedupSettings.model_validate(dict(step.settings))
    return older_runs(settings, _of_keys(step.versions)) if settings.against else []


def _of_keys(versions: Mapping[str, str] | None) -> dict[str, str]:
    """Return those of a step's versions that its keys depend on."""
    given = {key: value for key, value in (versions or {}).items() if key not in decisions.versions()}
    return {key: value for key, value in given.items() if not key.startswith(f"{VERSION}.")}


def refuse_itself(plan: Plan, folder: Folder) -> None:
    """Raise UsageError if a plan goes against the run in the folder that it would be carried out in."""
    for step in plan.steps:
        if step.kind == "dedup" and folder.address in [older.run.folder.address for older in open_older(step)]:
            raise UsageError(f"run '{plan.name}' goes against itself: {folder.url} is among its older runs")


def absolute(settings: DedupSettings) -> DedupSettings:
    """Return settings whose runs are named by where they lie, so that any process can open them."""
    found = tuple(open_run(name).folder.address for name in settings.against)
    return settings.model_copy(update={"against": found})
