"""What a run did, in numbers: the content of report/stats.json.

Nothing in it depends on the clock, the machine or the workers. Memory is bounded by a shard: what is added up over
shards is sums, histograms of a fixed size, and summaries of names of a bounded size (see `tally`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gristmill import __version__
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.run import RECIPE_FILE, Run
from gristmill.report import found_bounds
from gristmill.report.aggregates import Contamination, Duplicates, Languages, Reasons
from gristmill.report.distributions import Signals
from gristmill.report.edit_sums import Edits
from gristmill.report.funnel import funnel, tokens_index
from gristmill.report.origins import Crawl
from gristmill.report.view import Finished, ShardView

FORMAT = 1


def collect(run: Run) -> dict[str, Any]:
    """Return what stats.json holds. Of an unfinished run, only what is done for every shard is counted."""
    rows = funnel(run)
    stats = _header(run) | {
        "complete": all(row.role != "unfinished" for row in rows),
        "funnel": [asdict(row) | {"dropped": row.dropped} for row in rows],
        "tokens": tokens_index(run),
        "warnings": doubts(run),
    }
    finished = Finished.of(run)
    stats |= {
        "perplexity_buckets": found_bounds.buckets_of_perplexities(run, finished),
        "importance": found_bounds.importance(run, finished),
    }
    return stats | _added_up(run, finished)


def _header(run: Run) -> dict[str, Any]:
    names = [shard.name for shard in run.plan.shards]
    return {
        "format": FORMAT,
        "gristmill": __version__,
        "name": run.plan.name,
        "plan": run.plan.digest,
        "shards": {"count": len(names), "first": min(names, default=None), "last": max(names, default=None)},
        "steps": [
            {
                "step": step.name,
                "stage": step.stage,
                "kind": step.kind,
                "decides": step.decides,
                "digest": step.digest,
                "settings": dict(step.settings),
                "versions": dict(step.versions or {}),
            }
            for step in run.plan.steps
        ],
        "recipe": _recipe(run),
    }


def _recipe(run: Run) -> str | None:
    if not run.folder.exists(RECIPE_FILE):
        return None
    return run.folder.read_bytes(RECIPE_FILE).decode("utf-8", errors="replace")


def _added_up(run: Run, finished: Finished) -> dict[str, Any]:
    """Return what one pass over the shards adds up."""
    crawl = Crawl()
    parts: dict[str, Any] = {
        "reasons": Reasons(run, finished.deciders),
        "languages": Languages(finished),
        "signals": Signals(finished),
        "edits": Edits(finished.edits),
        "duplicates": Duplicates(tuple(step for step in finished.deciders if step.kind == "dedup")),
        "contamination": Contamination(finished.of_kind("contamination")),
    }
    for shard in run.plan.shards if finished.deciders else ():
        view = ShardView(run, shard, finished)
        for part in (crawl, *parts.values()):
            part.add(view)
    return crawl.result() | {name: part.result() for name, part in parts.items()}
