"""Runs over documents written by hand, planned from a recipe and carried out in this process, but for `extract`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from gristmill import schema
from gristmill.pipeline.carry_out import phases_of, write_plan
from gristmill.pipeline.manifest import write_manifest
from gristmill.pipeline.phases import as_batch
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.storage import Folder

START = datetime(2024, 4, 21, 6, 24, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Document:
    """A document; ``day`` is when it was fetched, None for a date that cannot be read; no text is a page dropped."""

    id: str
    text: str | None = "a page of words"
    url: str | None = "http://example.org/"
    day: int | None = 0


class NoProgress:
    def update(self, rows, fraction):
        assert 0.0 <= fraction <= 1.0


def make_run(folder, shards, stages, name="mill"):
    """Return a run of ``stages`` (YAML, without extract) over documents by shard; only its documents are written."""
    folder = Path(folder)
    warcs = folder / f"{name}-warcs"
    warcs.mkdir(parents=True)
    for shard in shards:
        (warcs / f"{shard}.warc.gz").write_bytes(shard.encode())
    recipe = folder / f"{name}.yaml"
    recipe.write_text(f"name: {name}\nsource: {{warc: ['{warcs}/*.warc.gz']}}\nstages:\n  - extract\n{stages}", "utf-8")
    run = Run(Folder(str(folder / name)), planned(recipe))
    write_plan(run, recipe.read_text("utf-8"))
    for shard in run.plan.shards:
        _write_documents(run, shard, shards[shard.name])
    return run


def carry_out(run, reverse=False):
    """Do every phase but extraction's; the items in their order or against it."""
    for _, phase in phases_of(run, run.plan.steps[1:]):
        items = list(phase.items())
        for item in reversed(items) if reverse else items:
            if not phase.is_done(item):
                phase.perform(item, NoProgress())
    write_manifest(run)
    return run


def decided(run, stage="dedup"):
    """What a stage decided: (reason, duplicate_of, cluster_size) by id."""
    step, found = run.plan.step(stage), {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        layer = run.read(step, shard).to_pylist()
        for identity, row in zip(ids, layer, strict=True):
            assert row[schema.KEEP] == (row[schema.REASON] is None) == (row[schema.REASONS] == [])
            found[identity] = (row[schema.REASON], row[schema.DUPLICATE_OF], row[schema.CLUSTER_SIZE])
    return found


def _write_documents(run, shard, documents):
    texts = [document.text for document in documents]
    columns = {
        schema.ID: [document.id for document in documents],
        schema.URL: [document.url for document in documents],
        schema.DATE: [None if d.day is None else START + timedelta(days=d.day) for d in documents],
        schema.WARC: [f"{shard.name}.warc.gz"] * len(documents),
        schema.OFFSET: list(range(len(documents))),
        schema.STATUS: [200] * len(documents),
        schema.TEXT: texts,
        schema.TEXT_BYTES: [None if text is None else len(text.encode()) for text in texts],
        schema.FATE: ["extract.empty" if text is None else None for text in texts],
    }
    columns = {name: columns.get(name, [None] * len(documents)) for name in schema.DOCUMENTS.names}
    with run.folder.writing(run.file(run.plan.text_step, shard)) as sink:
        writer = ShardWriter(sink, schema.DOCUMENTS, run.digest(run.plan.text_step, shard))
        writer.write(as_batch(pa.table(columns, schema=schema.DOCUMENTS)))
        writer.counts = {"records": {"response": len(documents)}}
        writer.close()
