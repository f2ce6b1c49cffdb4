"""Rows that go from partition to partition: written by each, split by key among all, read by each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from gristmill.pipeline.batch_files import SUFFIX, BatchFile
from gristmill.pipeline.exchange import SplitFile, partition_count
from gristmill.pipeline.phases import Phase, whole_phase
from gristmill.pipeline.plan import Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run

Made = tuple[Iterable[pa.Table], Mapping[str, int]]


@dataclass(frozen=True)
class PartFiles:
    """Files of a step that its partitions write for each other; ``columns`` has KEY, ``folder`` tells them apart."""

    run: Run
    step: Step
    columns: pa.Schema
    folder: str

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return partition_count(len(self.run.plan.shards))

    @property
    def items(self) -> list[str]:
        """The partitions' names."""
        return [f"{p:05d}" for p in range(self.partitions)]

    def phase(self, make: Callable[[int], Made], items: Callable[[], Sequence[str]] | None = None) -> Phase:
        """Return the phase, of the folder's name, that writes the rows and counts that ``make`` returns of each item.

        ``items`` are the partitions, unless others are given; each has a number for its name.
        """

        def perform(item: str, progress: Progress) -> None:
            tables, counts = make(int(item))
            self._file(item).write(tables, counts)
            progress.update(0, 1.0)

        return whole_phase(
            self.folder,
            items=items or (lambda: self.items),
            is_done=lambda item: self._file(item).is_current(),
            perform=perform,
        )

    def partition(self, partition: int, items: Sequence[str] | None = None) -> pa.Table:
        """Return all rows of one partition. Raises StaleError, CorruptError, MissingError."""
        found = [self.columns.empty_table()]
        for item in self.items if items is None else items:
            found += self._file(item).read(partition)
        return pa.concat_tables(found)

    def count(self, name: str) -> int:
        """Return the sum of what all items counted under a name. Raises StaleError, CorruptError, MissingError."""
        return sum(self._file(item).counts()[name] for item in self.items)

    def _file(self, item: str) -> SplitFile:
        digest = digest_of(self.folder, self.run.corpus_digest(self.step), item, self.partitions)
        name = f"{self.step.folder}/{self.folder}/{item}{SUFFIX}"
        return SplitFile(BatchFile(self.run.folder, name, digest), self.columns, self.partitions)
