"""The largest clusters of duplicates: which document survived, which ones it stands for, and how these differ.

Memory is bounded by a shard and by what is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, islice, zip_longest
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.spans import STEP_KIND

MEMBERS_SHOWN: Final = 10
LINES_COMPARED: Final = 500
LINES_SHOWN: Final = 20
LINE_LENGTH: Final = 200
BEFORE_DIFFERENCE: Final = 40


@dataclass(frozen=True)
class Member:
    """A document of a cluster; ``facts`` are what the layer says of it beyond who survives."""

    id: str
    url: str | None = None
    facts: tuple[tuple[str, Any], ...] = ()
    diff: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Cluster:
    """A cluster: its documents in this run, and at most `MEMBERS_SHOWN` of those that were dropped, by id.

    Where an older run has the survivor, its id is `<run>:<id>` and nothing else is known of it here.
    """

    size: int
    survivor: Member
    members: tuple[Member, ...]

    @property
    def dropped(self) -> int:
        """How many documents of this run were dropped for the survivor."""
        return self.size - (":" not in self.survivor.id)


def clusters(run: Run, top: int, *, diff: bool = False) -> dict[str, list[Cluster]]:
    """Return the largest clusters of each dedup stage that is done, by stage, the largest first, then by id.

    ``diff``: whether texts are read, and each member's compared with the survivor's. Raises UsageError if no dedup
    stage is done.
    """
    steps = [step for step in run.plan.steps if step.kind == "dedup"]
    done = [step for step in steps if all(run.is_done(step, shard) for shard in run.plan.shards)]
    if not done:
        what = f"has not finished '{steps[0].stage}' yet" if steps else _why_none(run)
        raise UsageError(f"run '{run.plan.name}' {what}")
    return {step.stage: _of_step(run, step, top, diff) for step in done}


def _why_none(run: Run) -> str:
    cuts = [step.stage for step in run.plan.steps if step.kind == STEP_KIND]
    if not cuts:
        return "has no `dedup` stage"
    return (
        f"has no clusters: its stage '{cuts[0]}' cuts what is repeated out of texts; `gristmill explain --text` shows "
        "what it cut of a document"
    )


def _of_step(run: Run, step: Step, top: int, diff: bool) -> list[Cluster]:
    largest = _largest(run, step, top)
    survivors, members = _found(run, step, dict(largest))
    if diff:
        named = {member.id for of_one in members.values() for member in of_one} | survivors.keys()
        texts = _texts(run, step, named)
        for name, of_one in members.items():
            members[name] = [replace(member, diff=_compared(texts, name, member.id)) for member in of_one]
    return [Cluster(size, survivors.get(name, Member(name)), tuple(members[name])) for name, size in largest]


def _largest(run: Run, step: Step, top: int) -> list[tuple[str, int]]:
    """Return the survivors of the largest clusters with the sizes of these.

    `<run>:` names none: of several clusters it is not known which documents they are copies of.
    """
    found: dict[str, int] = {}
    for shard in run.plan.shards:
        table = run.read(step, shard, [schema.DUPLICATE_OF, schema.CLUSTER_SIZE])
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
        named, size = table.column(schema.DUPLICATE_OF), table.column(schema.CLUSTER_SIZE)
        survives = pc.and_(pc.is_null(named), pc.fill_null(pc.greater(size, 1), False))
        elsewhere = pc.fill_null(pc.match_substring_regex(named, ":."), False)
        found |= dict(zip(named.filter(elsewhere).to_pylist(), size.filter(elsewhere).to_pylist(), strict=True))
        found |= dict(zip(ids.filter(survives).to_pylist(), size.filter(survives).to_pylist(), strict=True))
        found = dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:top])
    return list(found.items())


def _found(run: Run, step: Step, sizes: Mapping[str, int]) -> tuple[dict[str, Member], dict[str, list[Member]]]:
    """Return the survivors of some clusters, and the first members of each by id."""
    names = pa.array(list(sizes), pa.string())
    survivors: dict[str, Member] = {}
    members: dict[str, list[Member]] = {name: [] for name in sizes}
    for shard in run.plan.shards:
        for partner, member in _rows(run, step, shard, names):
            if partner is None:
                survivors[member.id] = member
            else:
                members[partner].append(member)
        for name, of_one in members.items():
            members[name] = sorted(of_one, key=lambda member: member.id)[:MEMBERS_SHOWN]
    return survivors, members


def _rows(run: Run, step: Step, shard: Shard, names: pa.Array) -> Iterator[tuple[str | None, Member]]:
    """Yield the documents of a shard that are among the survivors, or name one of them."""
    layer = run.read(step, shard)
    documents = run.read(run.plan.text_step, shard, [schema.ID, schema.URL])
    named = layer.column(schema.DUPLICATE_OF)
    survives = pc.and_(pc.is_in(documents.column(schema.ID), value_set=names), pc.is_null(named))
    wanted = pc.or_(survives, pc.is_in(named, value_set=names))
    facts = [name for name in layer.schema.names if name not in schema.DUPLICATES.names]
    rows = zip(layer.filter(wanted).to_pylist(), documents.filter(wanted).to_pylist(), strict=True)
    for decided, document in rows:
        told = tuple((name, decided[name]) for name in facts if decided[name] is not None)
        yield decided[schema.DUPLICATE_OF], Member(document[schema.ID], document[schema.URL], told)


def _texts(run: Run, step: Step, ids: Iterable[str]) -> dict[str, str]:
    """Return the texts of some documents, as the step read them."""
    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, str] = {}
    for shard in run.plan.shards:
        for table in run.texts(step, shard, [schema.ID, schema.TEXT]):
            here = table.filter(pc.is_in(table.column(schema.ID), value_set=wanted))
            pairs = zip(here.column(schema.ID).to_pylist(), here.column(schema.TEXT).to_pylist(), strict=True)
            found |= {identity: text or "" for identity, text in pairs}
    return found


def _compared(texts: Mapping[str, str], survivor: str, member: str) -> tuple[str, ...] | None:
    """Return a short unified diff from the survivor's text; None where that text is not in this run.

    Long lines are cut, and begin shortly before the first character in which they differ.
    """
    if survivor not in texts:
        return None
    before, after = (_lines(texts[name]) for name in (survivor, member))
    lines = islice(difflib.unified_diff(before, after, lineterm="", n=1), 2, None)
    found = list(islice(lines, LINES_SHOWN + 1))
    shown = [_cut(line) for line in _from_where_they_differ(found[:LINES_SHOWN])]
    return (*shown, "…") if len(found) > LINES_SHOWN else tuple(shown)


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}…"


def _from_where_they_differ(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a diff; of a long one that stands for another, what both begin with is left out."""
    runs = [(sign, list(run)) for sign, run in groupby(lines, lambda line: line[:1])]
    for number, (sign, run) in enumerate(runs):
        other = {"-": number + 1, "+": number - 1}.get(sign, -1)
        replaces = 0 <= other < len(runs) and {sign, runs[other][0]} == {"-", "+"}
        for line, counterpart in zip_longest(run, runs[other][1][: len(run)] if replaces else (), fillvalue=""):
            same = _common(line[1:], counterpart[1:]) - BEFORE_DIFFERENCE
            yield f"{sign}…{line[1 + same :]}" if same > 0 and len(line) > LINE_LENGTH else line


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _lines(text: str) -> list[str]:
    return text.splitlines()[:LINES_COMPARED]
