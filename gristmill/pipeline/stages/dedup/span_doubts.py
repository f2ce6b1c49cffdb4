"""Why a deduplication that cuts spans may have cut nothing, or nearly everything. Read from layers alone.

Of such a stage a page is dropped by `<stage>.keep`, which is done after it.
"""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run


def sizes_around(run: Run, step: Step) -> tuple[int, int, int]:
    """Return the documents that a step compared, the bytes of their texts as it read them, and those that it left."""
    found = [0, 0, 0]
    for shard in run.plan.shards:
        compared = run.kept(run.plan.deciders_before(step), shard)
        before = run.text_bytes(run.plan.edits_before(step), shard)
        after = run.text_bytes((step,), shard)
        for position, values in enumerate((compared, before.filter(compared), after.filter(compared))):
            found[position] += pc.sum(values).as_py() or 0
    return found[0], found[1], found[2]


def why_most_is_cut(run: Run, step: Step) -> str:
    """Return why most is cut: whole pages are copies of each other, or the pages of sites share all but a little."""
    emptied = documents = 0
    for shard in run.plan.shards:
        compared = run.kept(run.plan.deciders_before(step), shard)
        ratios = run.read(step, shard, [schema.CUT_BYTE_RATIO]).column(schema.CUT_BYTE_RATIO).filter(compared)
        emptied += pc.sum(pc.equal(ratios, 1.0)).as_py() or 0
        documents += len(ratios)
    if 2 * emptied > documents:
        return f"{emptied:,} pages are cut whole, so the source may hold them twice: put dedup: {{exact: text}} first"
    return "most of each page stands elsewhere too; a list or a template may be what the source consists of"


def why_nothing_is_cut(run: Run, step: Step) -> str:
    """Return why nothing is cut: a stage before it has cut all, the scope is narrow, or texts are short or unlike."""
    settings = DedupSettings.model_validate(dict(step.settings))
    for other in run.plan.edits_before(step):
        if other.kind == step.kind and _question(other) == _question(step):
            return f"stage '{other.stage}' before it has the same settings"
    if settings.scope != "corpus":
        return f"only documents of one {settings.scope} are compared"
    return "the source may have been deduplicated before"


def dropped_after(run: Run, step: Step) -> int | None:
    """Return how many of the documents that a step compared its `keep` drops; None where that is not done yet."""
    keep = run.plan.step(f"{step.name}.keep")
    if not all(run.is_done(keep, shard) for shard in run.plan.shards):
        return None
    before = run.plan.deciders_before(step)
    found = 0
    for shard in run.plan.shards:
        dropped = pc.and_(run.kept(before, shard), pc.invert(run.keep(keep, shard)))
        found += pc.sum(dropped).as_py() or 0
    return found


def why_most_are_dropped(run: Run, step: Step) -> str:
    """Return why most pages are dropped: the rule that drops the most of them."""
    keep = run.plan.step(f"{step.name}.keep")
    reasons: Counter[str] = Counter()
    before = run.plan.deciders_before(step)
    for shard in run.plan.shards:
        named = run.read(keep, shard, [schema.REASON]).column(schema.REASON)
        for entry in named.filter(run.kept(before, shard)).drop_null().value_counts().to_pylist():
            reasons[entry["values"]] += entry["counts"]
    reason, count = min(reasons.items(), key=lambda item: (-item[1], item[0]))
    return f"'{reason}' drops {count:,} of them, most of whose text stands in others"


def _question(step: Step) -> object:
    return {key: value for key, value in step.settings.items() if key not in step.places}
