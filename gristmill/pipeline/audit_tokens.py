"""Whether the token shards hold exactly the kept documents' tokens.

What was encoded is compared with what was packed by a sum of hashes, one hash of (id, token count, digest of the
tokens) for each document: the sum does not depend on the order, and takes no memory. Where a sum differs, the shard
is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.errors import GristmillError
from gristmill.pipeline import shards
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.tokenize import INDEX, TOKENS, Tokenization
from gristmill.tokenize.order import order_keys
from gristmill.tokenize.pack import tokens_digests, unpack
from gristmill.tokenize.shards import key_range


@dataclass
class _Sum:
    """Documents, tokens, and the sum of their hashes modulo 2**64."""

    documents: int = 0
    tokens: int = 0
    hashes: int = 0

    def add(self, documents: pa.Table) -> None:
        """Add documents: ID, TOKEN_COUNT, TOKENS_DIGEST."""
        counts = pc.fill_null(documents.column(schema.TOKEN_COUNT), 0).to_numpy().astype(np.uint64)
        digests = pc.fill_null(documents.column(schema.TOKENS_DIGEST), 0).to_numpy().astype(np.uint64)
        ids = np.asarray(order_keys(documents.column(schema.ID).combine_chunks(), 0), np.uint64)
        self.documents += documents.num_rows
        self.tokens += int(counts.sum())
        self.hashes = (self.hashes + int(_mixed(ids, counts, digests).sum(dtype=np.uint64))) % (1 << 64)


def tokens(run: Run) -> Iterator[str | None]:
    """Yield None for each token shard that is right, a sentence for each that is not."""
    for step in run.plan.steps:
        if step.kind == "tokenize":
            work = Tokenization(run, step)
            names = work.token_shards()
            yield None if work.has_tokenizer("tokenizer") else f"{step.folder}/tokenizer.json is missing or altered"
            yield None if work.is_indexed("index") else f"{INDEX} or {TOKENS}/tokenizer.json is missing or altered"
            encoded = _encoded(run, step, names)
            for name, expected in zip(names, encoded, strict=True):
                yield _broken(run, work, name, expected)
            extra = set(run.folder.names(TOKENS, ".parquet")) - {f"{name}.parquet" for name in names}
            yield f"{TOKENS}/ holds files of other settings: {', '.join(sorted(extra))}" if extra else None


def _broken(run: Run, work: Tokenization, name: str, expected: _Sum) -> str | None:
    path = f"{TOKENS}/{name}.parquet"
    try:
        footer = shards.read_footer(run.folder, path)
        shards.check(footer, path, work.packed_digest(name))
        if shards.content_digest(run.folder, path) != footer.content:
            return f"{path} was altered after it was written: its bytes do not match the digest in its footer"
        packed = _packed(run, path)
    except GristmillError as error:
        return str(error)
    if packed == expected:
        return None
    return (
        f"{path} holds {packed.documents} documents and {packed.tokens} tokens, "
        f"not exactly the {expected.documents} kept documents' {expected.tokens} tokens"
    )


def _packed(run: Run, path: str) -> _Sum:
    with run.folder.source(path) as source, shards.reading(path):
        documents = unpack(pq.ParquetFile(source).read(use_threads=False))
    total = _Sum()
    column = documents.column(schema.TOKENS).combine_chunks()
    total.add(
        pa.table(
            {
                schema.ID: documents.column(schema.ID),
                schema.TOKEN_COUNT: pc.list_value_length(column).cast(pa.int64()),
                schema.TOKENS_DIGEST: tokens_digests(column),
            }
        )
    )
    return total


def _encoded(run: Run, step: Step, names: list[str]) -> list[_Sum]:
    """Return, for each token shard, the sum over the kept documents in its range of the global order."""
    sums = [_Sum() for _ in names]
    lows = np.array([key_range(index, len(names))[0] for index in range(len(names))], np.uint64)
    seed = Tokenization(run, step).settings.seed
    for shard in run.plan.shards:
        table = run.read(step, shard).append_column(
            schema.ID, run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
        )
        table = table.filter(run.kept(run.plan.deciders_before(step), shard))
        keys = np.asarray(order_keys(table.column(schema.ID).combine_chunks(), seed), np.uint64)
        of = np.searchsorted(lows, keys, side="right") - 1
        for index in np.unique(of):
            sums[index].add(table.filter(pa.array(of == index)))
    return sums


def _mixed(
    ids: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint64], digests: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    mixed = (ids ^ (digests * np.uint64(0x9E3779B97F4A7C15))) + counts
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))
