"""Runs whose documents have no text, and whose signatures or fingerprints are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.dedup.signed import SignedShards
from gristmill.pipeline.storage import Folder


def run_of_shards(folder: Path, kind: str, shards: int) -> tuple[Run, DedupSettings]:
    """Return a run with a deduplication of that kind over so many files, and its settings; nothing is written yet."""
    (folder / "warcs").mkdir()
    for number in range(shards):
        (folder / "warcs" / f"{number:05}.warc.gz").write_bytes(str(number).encode())
    recipe = folder / "mill.yaml"
    stages = f"  - extract\n  - dedup: {{{kind}}}\n"
    recipe.write_text(f"name: mill\nsource: {{warc: ['{folder}/warcs/*.warc.gz']}}\nstages:\n{stages}")
    run = Run(Folder(str(folder / "run")), planned(recipe))
    return run, DedupSettings.model_validate(dict(run.plan.step("dedup").settings))


def write_signed(signed: SignedShards, shard, values: pa.Array, nodes: np.ndarray) -> None:
    """Write a shard's documents, and what they are compared by."""
    rows = len(values)
    ids = pa.array([f"{shard.name}/{row:07}" for row in range(rows)])
    _write_documents(signed.run, shard, ids)
    table = {
        schema.ORDER: pa.array(np.zeros(rows, np.uint64)),
        schema.ID: ids,
        schema.SHARD: pa.array([shard.name] * rows),
        schema.ROW: pa.array(range(rows), pa.int64()),
        schema.SCOPE: np.zeros(rows, np.uint64),
        schema.NODE: nodes,
        signed.column: values,
    }
    with signed.run.folder.writing(signed.file(shard)) as sink:
        writer = ShardWriter(sink, signed.columns, signed.digest(shard))
        for batch in pa.table(table).cast(signed.columns).to_batches(max_chunksize=4096):
            writer.write(batch)
        writer.close()


def _write_documents(run, shard, ids: pa.Array) -> None:
    """Write documents that have an id and a text, which nobody reads."""
    columns = [
        ids if name == schema.ID else _default(schema.DOCUMENTS.field(name).type, len(ids), name)
        for name in schema.DOCUMENTS.names
    ]
    with run.folder.writing(run.file(run.plan.text_step, shard)) as sink:
        writer = ShardWriter(sink, schema.DOCUMENTS, run.digest(run.plan.text_step, shard))
        for batch in pa.table(columns, schema=schema.DOCUMENTS).to_batches(max_chunksize=4096):
            writer.write(batch)
        writer.close()


def _default(kind: pa.DataType, rows: int, name: str) -> pa.Array:
    """Return a column of nothing, or of zeros where nothing is not allowed."""
    if schema.DOCUMENTS.field(name).nullable:
        return pa.nulls(rows, kind)
    return pa.array([0] * rows, kind) if pa.types.is_integer(kind) else pa.array([""] * rows, kind)
