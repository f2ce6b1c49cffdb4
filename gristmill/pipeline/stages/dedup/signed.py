"""Documents that are compared by something of a fixed width, such as a signature: in files beside a step's layers.

What two kinds have in common: each shard's documents have what they are compared by written once, with a 64-bit hash of
it, the *node*. Later phases read it from there, and so do later runs that go against this one; none reads texts again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel

from gristmill import schema
from gristmill.dedup.components import Nodes
from gristmill.dedup.keys import partition_key, scope_digests
from gristmill.pipeline import shards
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.dedup.members import MEMBER, members
from gristmill.pipeline.stages.dedup.rounds import NODES


class Signatures(NamedTuple):
    """What some texts are compared by: bytes, the node of each, and whether the text is compared at all."""

    values: pa.Array
    nodes: Nodes
    compared: npt.NDArray[np.bool_]


def signed_table(column: str, width: int) -> pa.Schema:
    """Return the table of a shard's documents with so many bytes each; SCOPE is 0 where all are compared."""
    return pa.schema([*MEMBER, (schema.SCOPE, pa.uint64()), (schema.NODE, pa.uint64()), (column, pa.binary(width))])


def joined_table(column: str, width: int) -> pa.Schema:
    """Return the table of documents in components, whose KEY is that of the component."""
    return pa.schema([(schema.KEY, pa.uint64()), *MEMBER, (column, pa.binary(width))])


@dataclass(frozen=True)
class SignedShards(ABC):
    """The signatures of each shard's documents; ``within`` is the scope in which documents are compared.

    ``folder`` holds the files, and is the name of the phase that writes them; ``column`` has the signatures.
    """

    folder: ClassVar[str]
    column: ClassVar[str]

    run: Run
    step: Step
    settings: BaseModel
    within: str = "corpus"

    @property
    @abstractmethod
    def width(self) -> int:
        """Bytes of a signature."""

    @abstractmethod
    def signatures(self, texts: pa.ChunkedArray, scopes: Nodes) -> Signatures:
        """Return what some texts are compared by; nodes of unlike scopes differ."""

    @property
    def columns(self) -> pa.Schema:
        """The table of a shard."""
        return signed_table(self.column, self.width)

    @property
    def joined(self) -> pa.Schema:
        """The table of `members`."""
        return joined_table(self.column, self.width)

    def file(self, shard: Shard) -> str:
        """Return the name of a shard's file."""
        return f"{self.step.folder}/{self.folder}/{shard.name}.parquet"

    def digest(self, shard: Shard) -> str:
        """Return the digest of what it is computed from."""
        inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
        return digest_of(self.folder, self.step.digest, inputs)

    def phase(self) -> Phase:
        """Return the phase that writes them."""
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        return Phase(
            name=self.folder,
            items=lambda: list(by_name),
            is_done=lambda item: shards.is_current(
                self.run.folder, self.file(by_name[item]), self.digest(by_name[item])
            ),
            perform=lambda item, progress: self._write(by_name[item], progress),
        )

    def rows(self, shard: Shard) -> npt.NDArray[np.int64]:
        """Return the rows of a shard's documents that are compared. Raises StaleError, CorruptError, MissingError."""
        found = (table.column(0).to_numpy() for table in self._read(shard, [schema.ROW]))
        return np.concatenate([np.empty(0, np.int64), *found])

    def nodes(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the documents' nodes, with where they are."""
        for table in self._read(shard):
            yield table.select([schema.NODE, schema.SHARD, schema.ROW]).rename_columns(NODES.names)
            progress.update(table.num_rows, 0.5)

    def members(self, shard: Shard, labels: pa.Table, progress: Progress) -> Iterator[pa.Table]:
        """Yield a shard's documents in components: ``labels`` has their rows, in order, with the components' keys."""
        for part in self.labelled(shard, labels):
            yield part
            progress.update(part.num_rows, 0.5)

    def labelled(self, shard: Shard, labels: pa.Table) -> Iterator[pa.Table]:
        """Yield those of a shard's documents that ``labels`` has, as `joined` has them."""
        for part, _ in self.chosen(shard, labels):
            yield part.select(self.joined.names)

    def chosen(self, shard: Shard, labels: pa.Table) -> Iterator[tuple[pa.Table, pa.Array]]:
        """Yield those of a shard's documents that ``labels`` has, with its KEY, and where in it each one is."""
        rows, keys = labels.column(schema.ROW).to_numpy(), labels.column(schema.KEY).to_numpy()
        for table in self._read(shard):
            found = np.asarray(table.column(schema.ROW))
            places = np.searchsorted(rows, found)
            chosen = places < len(rows)
            chosen[chosen] = rows[places[chosen]] == found[chosen]
            at = pa.array(places[chosen])
            part = table.filter(pa.array(chosen))
            yield part.append_column(schema.KEY, pa.array(keys, pa.uint64()).take(at)), at

    def firsts(self, shard: Shard) -> Iterator[pa.Table]:
        """Yield the first of a shard's documents with each node, a bounded number at a time."""
        nodes = [np.asarray(table.column(0)) for table in self._read(shard, [schema.NODE])]
        known = np.concatenate([np.empty(0, np.uint64), *nodes])
        first = np.zeros(len(known), np.bool_)
        first[np.unique(known, return_index=True)[1]] = True
        row = 0
        for table in self._read(shard):
            yield table.filter(pa.array(first[row : row + table.num_rows]))
            row += table.num_rows

    def _write(self, shard: Shard, progress: Progress) -> None:
        with self.run.folder.writing(self.file(shard)) as sink:
            writer = ShardWriter(sink, self.columns, self.digest(shard))
            for table in members(self.run, self.step, shard, [schema.TEXT], progress):
                for batch in self._signed(table).to_batches():
                    writer.write(batch)
            writer.close()

    def _signed(self, table: pa.Table) -> pa.Table:
        """Return the documents that are compared, with their signatures."""
        scopes = self._scopes(table)
        found = self.signatures(table.column(schema.TEXT), scopes)
        columns = {name: table.column(name) for name in MEMBER.names}
        columns |= {schema.SCOPE: scopes, schema.NODE: found.nodes, self.column: found.values}
        return pa.table(columns).filter(pa.array(found.compared)).cast(self.columns).combine_chunks()

    def _scopes(self, table: pa.Table) -> Nodes:
        """Return a number for the scope of each document: those of another are not its candidates."""
        if self.within == "corpus":
            return np.zeros(table.num_rows, np.uint64)
        return np.asarray(partition_key(scope_digests(table.column(schema.SCOPE).combine_chunks())))

    def _read(self, shard: Shard, columns: list[str] | None = None) -> Iterable[pa.Table]:
        names = columns or self.columns.names
        return shards.iterate(self.run.folder, self.file(shard), names, self.digest(shard))
