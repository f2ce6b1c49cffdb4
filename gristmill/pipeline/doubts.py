"""Doubts about a stage: it keeps next to nothing, or drops nothing, of many documents; and what is likely to be why.

A filter is in doubt that keeps under 0.1%, a deduplication that drops over 90% of documents, cuts over 90% of bytes, or
joins a thousand documents and more of which not all are alike. Where spans are cut, what is dropped since too little is
left counts as dropped by the deduplication. What is said depends on the layers alone, so it is the same in every run.
Values are read only where there is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.filters.rules.evaluate import applies_to, hits
from gristmill.filters.rules.rule import AnyRule, Rule
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.doubts import giant_component, too_full, why_most_are_copies, why_none_is_a_copy
from gristmill.pipeline.stages.dedup.span_doubts import (
    dropped_after,
    sizes_around,
    why_most_are_dropped,
    why_most_is_cut,
    why_nothing_is_cut,
)
from gristmill.pipeline.stages.rules import rule_columns, step_rules

FEWEST_FOR_LITTLE: Final = 1_000
FEWEST_FOR_NOTHING: Final = 10_001
LITTLE: Final = 0.001
MOST_COPIES: Final = 0.9


@dataclass
class _Seen:
    """What one bound saw of the documents that came in: how many it judges, how many it drops, and their values."""

    bound: Rule
    judged: int = 0
    least: float | None = None
    most: float | None = None

    def add(self, columns: dict[str, pa.Array], rows: int) -> None:
        values = columns[self.bound.signal]
        values = values.filter(pa.array(applies_to(self.bound, columns, rows))).drop_null()
        self.judged += len(values)
        if len(values) and self.bound.side != "in":
            found = pc.min_max(values).as_py()
            self.least = found["min"] if self.least is None else min(self.least, found["min"])
            self.most = found["max"] if self.most is None else max(self.most, found["max"])

    @property
    def reach(self) -> str:
        """The least and the most value, in words."""
        return f"its values go from {self.least:,.6g} to {self.most:,.6g}" if self.least is not None else ""


@dataclass
class _Tally:
    """One rule: how many documents it drops, and what its bounds saw."""

    rule: AnyRule
    hits: int = 0
    bounds: list[_Seen] = field(default_factory=list)


def doubts(run: Run) -> dict[str, str]:
    """Return a sentence for each stage of a run that is in doubt, by its name.

    A stage that is not done is left out. A stage whose recipe says ``warn: false`` is never in doubt.
    """
    found = ((step.stage, doubt(run, step)) for step in run.plan.steps)
    return {stage: sentence for stage, sentence in found if sentence is not None}


def doubt(run: Run, step: Step) -> str | None:
    """Return what is doubtful about a step, or None: it does not decide, is not done, or is as it should be."""
    if step.kind not in ("rules", "dedup", "dedup_spans") or not step.settings.get("warn"):
        return None
    if step.kind == "dedup_spans":
        return _of_spans(run, step)
    deciders = run.plan.deciders[: run.plan.deciders.index(step) + 1]
    if not all(run.is_done(decider, shard) for decider in deciders for shard in run.plan.shards):
        return None
    came = kept = 0
    for shard in run.plan.shards:
        before = run.kept(deciders[:-1], shard)
        came += pc.sum(before).as_py() or 0
        kept += pc.sum(pc.and_(before, run.keep(step, shard))).as_py() or 0
    if step.kind == "dedup":
        return _of_dedup(run, step, came, kept)
    if came >= FEWEST_FOR_LITTLE and kept < LITTLE * came:
        return _sentence(step, f"keeps {kept:,} of {came:,} documents", _why_little(run, step, came))
    if came >= FEWEST_FOR_NOTHING and kept == came:
        return _sentence(step, f"drops none of {came:,} documents", _why_nothing(run, step))
    return None


def _of_dedup(run: Run, step: Step, came: int, kept: int) -> str | None:
    if came >= FEWEST_FOR_LITTLE and came - kept > MOST_COPIES * came:
        why = why_most_are_copies(run, step, came - kept, came)
        return _sentence(step, f"drops {came - kept:,} of {came:,} documents as copies", why)
    if came >= FEWEST_FOR_NOTHING and kept == came:
        return _sentence(step, f"finds no copy among {came:,} documents", why_none_is_a_copy(run, step))
    giant = giant_component(run, step, came)
    return too_full(run, step) if giant is None else _sentence(step, *giant)


def _of_spans(run: Run, step: Step) -> str | None:
    """Return what is doubtful about a deduplication that cuts spans."""
    before = run.plan.deciders_before(step)
    if not all(run.is_done(needed, shard) for needed in (*before, step) for shard in run.plan.shards):
        return None
    documents, came, left = sizes_around(run, step)
    if documents >= FEWEST_FOR_LITTLE and came - left > MOST_COPIES * came:
        what = f"cuts {came - left:,} of {came:,} bytes in {documents:,} documents as copies"
        return _sentence(step, what, why_most_is_cut(run, step))
    if documents >= FEWEST_FOR_NOTHING and came == left:
        return _sentence(step, f"cuts nothing of {documents:,} documents", why_nothing_is_cut(run, step))
    dropped = dropped_after(run, step) if documents >= FEWEST_FOR_LITTLE else None
    if dropped is not None and dropped > MOST_COPIES * documents:
        what = f"drops {dropped:,} of {documents:,} documents after its cuts"
        return _sentence(step, what, why_most_are_dropped(run, step))
    return None


def _sentence(step: Step, what: str, why: str) -> str:
    return f"{step.stage} {what}. Likely cause: {why}. If this is meant, write warn: false into the stage"


def _why_little(run: Run, step: Step, came: int) -> str:
    """Return why next to nothing is kept: the rule that drops the most, and how its bound lies to the values."""
    tallies = _tallies(run, step)
    worst = max(tallies, key=lambda tally: tally.hits)
    said = f"'{worst.rule.code}' drops {worst.hits:,} of them"
    if worst.hits < came * (1 - 10 * LITTLE):
        return f"no rule alone, {len(tallies)} together; the hardest, {said}"
    if not isinstance(worst.rule, Rule) or isinstance(worst.rule.bound, tuple):
        return said
    seen = worst.bounds[0]
    side = {"min": "at least", "max": "at most"}[worst.rule.side]
    return f"{said}: it asks for {side} {worst.rule.bound:,}, and {seen.reach}, so the bound may be in another unit"


def _why_nothing(run: Run, step: Step) -> str:
    """Return why nothing is dropped: nothing is judged, an earlier filter has the rules, or the bounds are wide."""
    tallies = _tallies(run, step)
    seen = [bound for tally in tallies for bound in tally.bounds]
    if not any(bound.judged for bound in seen):
        languages = sorted({text for bound in seen if bound.bound.where for text in bound.bound.where[1]})
        return f"no document is labelled {' or '.join(languages)}" if languages else "no document has a value to judge"
    earlier = [other for other in run.plan.deciders[: run.plan.deciders.index(step)] if other.kind == "rules"]
    for other in earlier:
        if {_question(tally.rule) for tally in tallies} <= {_question(rule) for rule in step_rules(other)}:
            return f"stage '{other.stage}' before it has the same rules"
    ranges = ", ".join(f"{bound.bound.label} {bound.bound.bound:,} ({bound.reach})" for bound in _named(seen))
    return f"every value lies inside its bound: {ranges}"


def _named(seen: Sequence[_Seen], most: int = 3) -> list[_Seen]:
    """Return the first bounds that saw numbers."""
    return [bound for bound in seen if bound.least is not None][:most]


def _question(rule: AnyRule) -> object:
    """Return what a rule asks, whatever its set is called."""
    return (rule.label, tuple((bound.bound, bound.where, bound.unless) for bound in rule.bounds))


def _tallies(run: Run, step: Step) -> list[_Tally]:
    """Return what each rule saw of the documents that came in, over all shards, in the order of the rules."""
    tallies = [_Tally(rule, bounds=[_Seen(bound) for bound in rule.bounds]) for rule in step_rules(step)]
    for columns, rows in _came_in(run, step):
        for tally in tallies:
            tally.hits += int(np.count_nonzero(hits(tally.rule, columns, rows)))
            for bound in tally.bounds:
                bound.add(columns, rows)
    return tallies


def _came_in(run: Run, step: Step) -> Iterator[tuple[dict[str, pa.Array], int]]:
    """Yield the columns of each shard's documents that came into a step, and how many these are."""
    before = run.plan.deciders[: run.plan.deciders.index(step)]
    for shard in run.plan.shards:
        yield _of_shard(run, step, shard, before)


def _of_shard(run: Run, step: Step, shard: Shard, before: tuple[Step, ...]) -> tuple[dict[str, pa.Array], int]:
    came = run.kept(before, shard).combine_chunks()
    columns = {name: column.filter(came) for name, column in rule_columns(run, step, shard).items()}
    return columns, pc.sum(came).as_py() or 0
