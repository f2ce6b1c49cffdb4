"""Why a deduplication that cuts spans may have cut nothing, or nearly everything. Read from layers alone."""

from __future__ import annotations

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


def why_nothing_is_cut(step: Step) -> str:
    """Return why nothing is cut: the scope is narrow, or the texts were made unlike before."""
    settings = DedupSettings.model_validate(dict(step.settings))
    if settings.scope != "corpus":
        return f"only documents of one {settings.scope} are compared"
    return "the source may have been deduplicated before"
