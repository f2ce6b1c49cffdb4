"""The funnel: what came into each stage of a run, and what it kept. Reads decisions and sizes, never text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from gristmill.pipeline.ledger import Flow, finished_deciders, flows
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.report import figures
from gristmill.report.stage_names import name_on_terminal, stages_of

RECORDS = "records"
TOKENS_INDEX = "tokens/index.json"

Role = Literal["records", "decides", "measures", "tokens", "unfinished"]


@dataclass(frozen=True)
class FunnelRow:
    """One line of the funnel; documents and bytes are None where they are not known.

    ``role``: "records" (all records of the WARCs, of which some become documents), "decides", "measures" (keeps all),
    "tokens" (what is kept becomes tokens), or "unfinished" (``shards_done`` says how far it is). ``does`` tells apart
    stages of one kind.
    """

    stage: str
    role: Role
    documents_in: int | None = None
    documents_kept: int | None = None
    bytes_in: int | None = None
    bytes_kept: int | None = None
    tokens: int | None = None
    shards_done: int = 0
    shards: int = 0
    does: str = ""

    @property
    def dropped(self) -> int | None:
        """Documents that came in and did not stay."""
        if self.documents_in is None or self.documents_kept is None:
            return None
        return self.documents_in - self.documents_kept


def funnel(run: Run) -> list[FunnelRow]:
    """Return a row for the records, then one for each stage of the recipe in order.

    From the first stage on that is not done for every shard, rows say only how far they are.
    """
    does = stages_of(run.plan)
    return [replace(row, does=does.get(row.stage, "")) for row in _rows(run)]


def _rows(run: Run) -> list[FunnelRow]:
    deciders = finished_deciders(run)
    if not deciders:
        return [_unfinished(run, stage) for stage in run.plan.stages()]
    flow_of = {flow.stage: flow for flow in flows(run, deciders)}
    rows = [_records(run)]
    left: FunnelRow | None = rows[0]
    for stage in run.plan.stages():
        row = _row(run, stage, flow_of.get(stage), left)
        rows.append(row)
        if row.role == "decides":
            left = row
        elif row.role == "unfinished" and _decides(run, stage):
            left = None
    return rows


def tokens_index(run: Run) -> dict[str, Any] | None:
    """Return tokens/index.json, or None if it is not there or speaks of other tokens than the plan's."""
    for step in run.plan.steps:
        if step.kind == "tokenize" and run.folder.exists(TOKENS_INDEX):
            index = run.folder.read_json(TOKENS_INDEX)
            if isinstance(index, dict) and index.get("computed_from") == run.corpus_digest(step):
                return index
    return None


def token_count(run: Run) -> int | None:
    """Return the tokens of the run's token shards; None if it has none."""
    index = tokens_index(run)
    return None if index is None else int(index["tokens"])


def shards_done(run: Run, stage: str) -> int:
    """Return for how many shards every step of a stage is done."""
    steps = [step for step in run.plan.steps if step.stage == stage]
    return sum(all(run.is_done(step, shard) for step in steps) for shard in run.plan.shards)


def render_funnel(rows: Sequence[FunnelRow]) -> Table:
    """Return the funnel as a table: counts, the share each stage kept, and what is left of all documents."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage", no_wrap=True)
    for header in ("in", "kept", "dropped", "kept %", "of all", "text"):
        table.add_column(header, justify="right", no_wrap=True)
    documents = next((row.documents_kept for row in rows if row.role == "records"), None)
    for row in rows:
        table.add_row(*_cells(row, documents), style=None if row.role in ("decides", "tokens") else "dim")
    return table


def _cells(row: FunnelRow, documents: int | None) -> list[Text]:
    name = name_on_terminal(row.stage, row.does)
    if row.role == "unfinished":
        return [name, Text("not done"), Text(f"{row.shards_done} of {row.shards} shards")]
    if row.role == "measures":
        return [name, Text(figures.count(row.documents_in)), Text("measures only")]
    if row.role == "tokens":
        return [name, Text(figures.count(row.documents_in)), Text(f"{figures.count(row.tokens)} tokens", style="bold")]
    if row.role == "records":
        kept = Text(f"{figures.count(row.documents_kept)} rows")
        return [Text("records in WARC"), Text(figures.count(row.documents_in)), kept]
    return [
        name,
        Text(figures.count(row.documents_in)),
        Text(figures.count(row.documents_kept), style="bold"),
        Text(figures.count(row.dropped)),
        Text(figures.share(row.documents_kept, row.documents_in)),
        Text(figures.share(row.documents_kept, documents)),
        Text(figures.size(row.bytes_kept)),
    ]


def _records(run: Run) -> FunnelRow:
    """Return the row of all records; those that are no responses have no document."""
    footers = [run.footer(run.plan.text_step, shard) for shard in run.plan.shards]
    records = sum(sum(footer.counts.get("records", {}).values()) for footer in footers)
    rows = sum(footer.rows for footer in footers)
    return FunnelRow(RECORDS, "records", records or rows, rows, shards_done=len(footers), shards=len(footers))


def _row(run: Run, stage: str, flow: Flow | None, left: FunnelRow | None) -> FunnelRow:
    """Return the row of a stage; ``left`` is the last row that decided, None if a stage before this is not done."""
    shards = len(run.plan.shards)
    if flow is not None:
        numbers = (flow.documents_in, flow.documents_kept, flow.bytes_in, flow.bytes_kept)
        return FunnelRow(stage, "decides", *numbers, shards_done=shards, shards=shards)
    row = _unfinished(run, stage)
    if left is None or row.shards_done < shards or _decides(run, stage):
        return row
    row = replace(
        row,
        role="measures",
        documents_in=left.documents_kept,
        documents_kept=left.documents_kept,
        bytes_in=left.bytes_kept,
        bytes_kept=left.bytes_kept,
    )
    if not any(step.kind == "tokenize" for step in _steps(run, stage)):
        return row
    tokens = token_count(run)
    return _unfinished(run, stage) if tokens is None else replace(row, role="tokens", tokens=tokens)


def _unfinished(run: Run, stage: str) -> FunnelRow:
    return FunnelRow(stage, "unfinished", shards_done=shards_done(run, stage), shards=len(run.plan.shards))


def _decides(run: Run, stage: str) -> bool:
    return any(step.decides for step in _steps(run, stage))


def _steps(run: Run, stage: str) -> list[Step]:
    return [step for step in run.plan.steps if step.stage == stage]
