"""The documents that are compared: those that every earlier stage kept, with what orders them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from gristmill import schema
from gristmill.crawl.access.commoncrawl import crawl_of
from gristmill.dedup.keys import DIGEST_BYTES
from gristmill.dedup.order import order_keys
from gristmill.dedup.settings import DedupSettings, SurvivorSettings
from gristmill.dedup.urls import host_of
from gristmill.errors import UsageError
from gristmill.pipeline.plan import Plan, Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run

MEMBER = pa.schema(
    [
        (schema.ORDER, pa.uint64()),
        (schema.ID, pa.string()),
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
    ]
)
"""What travels of each document in any kind's exchange: the first by (order, id) of a cluster survives."""

KEYS = pa.schema([(schema.KEY, pa.uint64()), (schema.DIGEST, pa.binary(DIGEST_BYTES)), *MEMBER])
"""What travels where documents are copies exactly when their digests are equal."""

_DOCUMENT_COLUMNS = {"oldest": schema.DATE, "newest": schema.DATE, "longest": schema.TEXT_BYTES}


def members(run: Run, step: Step, shard: Shard, columns: list[str], progress: Progress) -> Iterator[pa.Table]:
    """Yield the documents of a shard that every earlier stage kept, one bounded row group at a time.

    Each table has the columns of `MEMBER`, SCOPE (a text; null for all where the scope is the corpus), then
    ``columns``, which are columns of the documents. TEXT and TEXT_BYTES are those of the text that the step reads.
    """
    settings = DedupSettings.model_validate(dict(step.settings))
    kept = run.kept(run.plan.deciders_before(step), shard)
    order, scope = _order(settings.policy), _scope(settings)
    measured = {name: _measured(run, step, shard, name) for name in (order.layer, scope.layer) if name}
    read = [name for name in (schema.ID, order.document, scope.document, *columns) if name]
    row = 0
    for table in run.texts(step, shard, list(dict.fromkeys(read))):
        here = slice(row, row + table.num_rows)
        known = {name: table.column(name) for name in table.column_names} | {
            name: values[here] for name, values in measured.items()
        }
        member = {
            schema.ORDER: order_of(settings.policy, known[order.name]),
            schema.ID: known[schema.ID],
            schema.SHARD: pa.repeat(pa.scalar(shard.name), table.num_rows),
            schema.ROW: pa.array(range(here.start, here.stop), pa.int64()),
            schema.SCOPE: _scopes(known, scope, table.num_rows) if settings.scope != "crawl" else _crawl(shard, table),
        }
        yield pa.table(member | {name: known[name] for name in columns}).filter(kept[here])
        row = here.stop
        progress.update(table.num_rows, row / len(kept))


@dataclass(frozen=True)
class _Column:
    """A column that is read: of the documents, of a layer, or none."""

    document: str | None = None
    layer: str | None = None

    @property
    def name(self) -> str:
        return self.document or self.layer or ""


def _order(policy: SurvivorSettings) -> _Column:
    return _Column(layer=policy.column) if policy.by is None else _Column(document=_DOCUMENT_COLUMNS[policy.by])


def _scope(settings: DedupSettings) -> _Column:
    if settings.scope == "host":
        return _Column(document=schema.URL)
    return _Column() if settings.scope in ("corpus", "crawl") else _Column(layer=settings.scope)


def check_crawls(plan: Plan) -> None:
    """Raise UsageError if copies are looked for within crawls, and the address of a file names none."""
    scopes = [step.stage for step in plan.steps if step.settings.get("scope") == "crawl"]
    nameless = [shard.source for shard in plan.shards if crawl_of_shard(shard) is None] if scopes else []
    if nameless:
        raise UsageError(
            f"'{scopes[0]}' has `scope: crawl`, and the addresses of {len(nameless):,} of {len(plan.shards):,} files "
            f"name no crawl, such as {nameless[0]}: a folder above them must be called like CC-MAIN-2024-51"
        )


def crawl_of_shard(shard: Shard) -> str | None:
    """Return the crawl that a shard's address tells, or its name, as that of an index's records does."""
    return crawl_of(shard.source) or crawl_of(shard.name)


def _crawl(shard: Shard, table: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(crawl_of_shard(shard), pa.string()), table.num_rows)


def _scopes(known: Mapping[str, pa.ChunkedArray], scope: _Column, rows: int) -> pa.Array:
    """Return the scope of each document, null in the whole corpus."""
    if not scope.name:
        return pa.nulls(rows, pa.string())
    values = known[scope.name].combine_chunks()
    if scope.document is None:
        return values.cast(pa.string())
    return pa.array([None if url is None else host_of(url) for url in values.to_pylist()], pa.string())


def order_of(policy: SurvivorSettings, values: pa.ChunkedArray) -> pa.Array:
    """Return the order of documents with these values of what a policy looks at."""
    return order_keys(values, largest_first=policy.highest is not None or policy.by in ("newest", "longest"))


def provider(run: Run, step: Step, column: str) -> Step:
    """Return the latest of a step's inputs whose layer has a column; the planning has seen to it that one does."""
    return next(other for other in reversed(run.plan.steps) if other.name in step.inputs and column in other.columns)


def _measured(run: Run, step: Step, shard: Shard, column: str) -> pa.ChunkedArray:
    return run.read(provider(run, step, column), shard, [column]).column(column)
