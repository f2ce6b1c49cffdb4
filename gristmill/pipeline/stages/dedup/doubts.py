"""Why a deduplication may have dropped nothing, or nearly everything. Read from layers and documents' URLs alone."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.older import names_in

_HALF = 0.5


def why_most_are_copies(run: Run, step: Step, dropped: int) -> str:
    """Return why most documents are copies: of an older run, of one document, or each of some other."""
    partners = _partners(run, step)
    for name in names_in(step):
        of_run = sum(count for partner, count in partners.items() if partner.startswith(f"{name}:"))
        if of_run > _HALF * dropped:
            return f"{of_run:,} of them are in run '{name}', which may have read the same files"
    survivor, most = min(partners.items(), key=lambda item: (-item[1], item[0]))
    if most > _HALF * dropped:
        return (
            f"{most:,} of them are copies of one document, {survivor}: a page that a site shows for many addresses, or "
            "texts that an earlier stage has emptied"
        )
    cause = "a file may be named twice in the source, or the crawl have fetched its pages again and again"
    return f"clusters are large, {dropped / len(partners):,.1f} copies for each survivor that has any: {cause}"


def why_none_is_a_copy(run: Run, step: Step) -> str:
    """Return why nothing is a copy: a stage before it has found all, scopes are narrow, or nothing can be equal."""
    settings = DedupSettings.model_validate(dict(step.settings))
    for other in run.plan.deciders_before(step):
        if other.kind == "dedup" and _question(other) == _question(step):
            return f"stage '{other.stage}' before it has the same settings"
    if settings.kind == "url":
        return _why_urls_differ(run, step)
    if settings.scope != "corpus":
        return f"only documents of one {settings.scope} are compared"
    if settings.exact == "text":
        return "each text has something of its own, such as a date or a counter; try exact: normalized_text"
    return "the source may have been deduplicated before"


def _why_urls_differ(run: Run, step: Step) -> str:
    """Return why all URLs differ: the documents have none, or a crawl fetches each once."""
    before = run.plan.deciders_before(step)
    with_url = 0
    for shard in run.plan.shards:
        urls = run.read(run.plan.text_step, shard, [schema.URL]).column(schema.URL)
        with_url += pc.sum(pc.and_(run.kept(before, shard), pc.is_valid(urls))).as_py() or 0
    return "one crawl fetches each URL once" if with_url else "no document has a URL"


def _question(step: Step) -> object:
    return {key: value for key, value in step.settings.items() if key not in step.places}


def _partners(run: Run, step: Step) -> Counter[str]:
    """Return how many documents name each survivor."""
    found: Counter[str] = Counter()
    for shard in run.plan.shards:
        named = run.read(step, shard, [schema.DUPLICATE_OF]).column(schema.DUPLICATE_OF).drop_null()
        for entry in pa.chunked_array(named.chunks, pa.string()).value_counts().to_pylist():
            found[entry["values"]] += entry["counts"]
    return found
