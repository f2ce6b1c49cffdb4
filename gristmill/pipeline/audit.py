"""The audit: whether the laws of the design hold in a finished run, read from its files alone.

    files       every file is there, computed from what the plan names, and unaltered since
    rows        every layer has its documents' rows, in their order; every record of the WARC has one
    decisions   a row is kept exactly when it has no reason; a text is missing exactly when its fate says why
    flow        rows in = rows kept + rows dropped, at every stage
    edits       spans fit their texts, and the sizes that are left are right
    duplicates  whatever is a duplicate names one that its stage kept, or one of a run that it goes against
    tokens      the token shards hold exactly the kept documents' tokens

Memory is bounded by a shard, and by a batch of duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.crawl.rows import TYPES_WITH_ROWS
from gristmill.errors import GristmillError
from gristmill.filters.edits.spans import misfits
from gristmill.pipeline import audit_tokens, ledger, shards
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import MANIFEST_FILE, Run
from gristmill.pipeline.stages.dedup.older import names_in

_RESTED_ON = ("files", "rows")
_IDS_AT_ONCE = 2_000_000
_NAMED = 5


@dataclass
class Finding:
    """A law: how many things were checked, and what is broken."""

    law: str
    checked: int = 0
    broken: list[str] = field(default_factory=list)


def audit(run: Run) -> list[Finding]:
    """Return one finding for each law. Laws that rest on files are not checked where the files are broken."""
    findings: list[Finding] = []
    for law, check in LAWS.items():
        findings.append(_check(law, run, check))
        if law in _RESTED_ON and findings[-1].broken:
            break
    return findings


Check = Callable[[Run], Iterator[str | None]]


def _check(law: str, run: Run, check: Check) -> Finding:
    """Run a check, which yields None for each thing that is right and a sentence for each that is not."""
    finding = Finding(law)
    try:
        for sentence in check(run):
            finding.checked += 1
            if sentence is not None:
                finding.broken.append(sentence)
    except GristmillError as error:
        finding.broken.append(str(error))
    return finding


def _files(run: Run) -> Iterator[str | None]:
    seals = _seals(run)
    for step in run.plan.steps:
        known = seals.get(step.digest, [])
        for position, shard in enumerate(run.plan.shards):
            yield _broken_file(run, step, shard, known[position] if len(known) == len(run.plan.shards) else None)


def _seals(run: Run) -> dict[str, list[str]]:
    """Return the seals that the manifest tells of each step's files; none if it is of another plan, or not there."""
    if not run.folder.says(MANIFEST_FILE, {"plan": run.plan.digest}):
        return {}
    return {step["digest"]: step["seals"] for step in run.folder.read_json(MANIFEST_FILE)["steps"]}


def _broken_file(run: Run, step: Step, shard: Shard, seal: str | None) -> str | None:
    name = run.file(step, shard)
    try:
        footer = shards.read_footer(run.folder, name)
        shards.check(footer, name, run.digest(step, shard))
        if seal not in (None, footer.seal):
            return f"{name} was altered after it was written: its footer is not the one that the manifest names"
        if shards.content_digest(run.folder, name) != footer.content:
            return f"{name} was altered after it was written: its bytes do not match the digest in its footer"
    except GristmillError as error:
        return str(error)
    return None


def _rows(run: Run) -> Iterator[str | None]:
    for shard in run.plan.shards:
        for step in run.plan.steps:
            try:
                run.footer(step, shard)
                yield None
            except GristmillError as error:
                yield str(error)
        yield from _records(run, shard)


def _records(run: Run, shard: Shard) -> Iterator[str | None]:
    """Check that the ids name the shard's rows, each once, and that no record that asks for a row lacks one."""
    name = run.file(run.plan.text_step, shard)
    footer = run.footer(run.plan.text_step, shard)
    ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
    repeated = len(ids) - pc.count_distinct(ids).as_py()
    yield f"{name}: {repeated} ids are not unique" if repeated else None
    if shards.order_digest(ids.chunks) != footer.order:
        yield f"{name}: the ids are not those that its footer names"
    records = footer.counts["records"]
    expected = sum(records.get(kind, 0) for kind in TYPES_WITH_ROWS)
    yield f"{name} has {footer.rows} rows for {expected} records" if footer.rows != expected else None


def _decisions(run: Run) -> Iterator[str | None]:
    for shard in run.plan.shards:
        for step in run.plan.deciders:
            table = ledger.decisions(run, step, shard)
            yield _broken_rows(_contradictions(table), run.file(step, shard), "keep, reason and reasons disagree")
        documents = run.read(run.plan.text_step, shard, [schema.TEXT_BYTES, schema.FATE])
        wrong = pc.equal(pc.is_null(documents.column(schema.TEXT_BYTES)), pc.is_null(documents.column(schema.FATE)))
        yield _broken_rows(wrong, run.file(run.plan.text_step, shard), "text and fate are both there, or both missing")


def _contradictions(table: pa.Table) -> pa.ChunkedArray:
    """Return one boolean a row: whether keep, reason and reasons contradict each other."""
    reasons = table.column(schema.REASONS).combine_chunks()
    none = pc.equal(pc.list_value_length(reasons), 0)
    has_first = pc.invert(none)
    first = pc.list_element(reasons.filter(has_first), 0)
    named = table.column(schema.REASON).combine_chunks()
    unequal = pc.fill_null(pc.not_equal(named.filter(has_first), first), True)
    wrong_keep = pc.not_equal(table.column(schema.KEEP).combine_chunks(), none)
    wrong_none = pc.and_(none, pc.is_valid(named))
    wrong_first = pc.replace_with_mask(pa.array(np.zeros(len(none), bool)), has_first, unequal)
    return pc.or_(pc.or_(wrong_keep, wrong_none), wrong_first)


def _broken_rows(wrong: pa.Array | pa.ChunkedArray, name: str, what: str) -> str | None:
    rows = np.flatnonzero(np.asarray(wrong))
    if not len(rows):
        return None
    return (
        f"{name}: {what} in {len(rows)} rows (row {', '.join(map(str, rows[:_NAMED]))}{', …' * (len(rows) > _NAMED)})"
    )


def _flow(run: Run) -> Iterator[str | None]:
    """Check each stage's rows in, kept and dropped, against the ledger's, which is made another way."""
    deciders = run.plan.deciders
    charged = {step.stage: 0 for step in deciders}
    kept = total = 0
    for _, table in ledger.shards_with(run, deciders):
        total += table.num_rows
        kept += pc.sum(table.column(schema.KEPT)).as_py() or 0
        for entry in table.column(schema.STAGE).drop_null().value_counts().to_pylist():
            charged[entry["values"]] += entry["counts"]
    alive = total
    for flow in ledger.flows(run, deciders):
        right = flow.documents_in == alive and flow.documents_kept + charged[flow.stage] == flow.documents_in
        counts = f"{flow.documents_in} rows in, {flow.documents_kept} kept, {charged[flow.stage]} dropped"
        yield None if right else f"stage '{flow.stage}': {counts}; {alive} rows were left before it"
        alive = flow.documents_kept
    yield None if alive == kept else f"{kept} documents are kept, but {alive} come out of the last stage"


def _edits(run: Run) -> Iterator[str | None]:
    """Check that each layer's spans are in order and within the text before them, and that its sizes follow."""
    for step in run.plan.edits:
        for shard in run.plan.shards:
            before = run.text_bytes(run.plan.edits_before(step), shard).combine_chunks()
            layer = run.read(step, shard, [schema.EDITS, schema.TEXT_BYTES])
            edits, left = (layer.column(name).combine_chunks() for name in (schema.EDITS, schema.TEXT_BYTES))
            wrong = misfits(before, edits, pc.fill_null(left, 0))
            yield _broken_rows(pa.array(wrong), run.file(step, shard), "edits do not fit the text")


def _duplicates(run: Run) -> Iterator[str | None]:
    for step in run.plan.deciders:
        if step.kind == "dedup":
            older = tuple(f"{name}:" for name in names_in(step))
            for batch in _named_survivors(run, step):
                elsewhere = np.array([name.startswith(older) for name in batch.to_pylist()], np.bool_)
                yield from [None] * int(np.count_nonzero(elsewhere))
                yield from _lost_survivors(run, step, batch.filter(pa.array(~elsewhere)))


def _named_survivors(run: Run, step: Step) -> Iterator[pa.Array]:
    """Yield the distinct ids that a step's duplicates name, a bounded number at a time."""
    pending: list[pa.Array] = []
    waiting = 0
    for shard in run.plan.shards:
        named = run.read(step, shard, [schema.DUPLICATE_OF]).column(schema.DUPLICATE_OF)
        pending.append(pc.unique(pc.drop_null(named)))
        waiting += len(pending[-1])
        if waiting >= _IDS_AT_ONCE:
            yield pc.unique(pa.chunked_array(pending, pa.string()))
            pending, waiting = [], 0
    yield pc.unique(pa.chunked_array(pending, pa.string()))


def _lost_survivors(run: Run, step: Step, named: pa.Array) -> Iterator[str | None]:
    chunks: list[pa.Array] = []
    before = run.plan.deciders_before(step)
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
        there = pc.and_(run.kept((*before, step), shard), pc.is_in(ids, value_set=named))
        chunks += ids.filter(there).chunks
    found = pa.chunked_array(chunks, pa.string()).combine_chunks()
    for identity in named.filter(pc.invert(pc.is_in(named, value_set=found))).to_pylist():
        yield f"{step.folder}: documents are duplicates of '{identity}', which this stage did not keep"
    yield from [None] * len(found)


LAWS: dict[str, Check] = {
    "files": _files,
    "rows": _rows,
    "decisions": _decisions,
    "flow": _flow,
    "edits": _edits,
    "duplicates": _duplicates,
    "tokens": audit_tokens.tokens,
}
