"""The filters of a step's keys, one for each partition: made in a stream, saved as Parquet.

A file has a column for each plane of bits, as 64-bit words: `seen`, which is all that later runs need, and `again`. Its
footer counts `bits`, `hashes` and the `keys` that are in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.bloom.filters import Filter
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.bloom.sizes import Size, rate_of, size_for
from gristmill.pipeline import shards
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.phases import Phase, whole_phase
from gristmill.pipeline.plan import Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.dedup.members import KEYS

FOLDER = "filters"
_PLANES = (schema.SEEN, schema.AGAIN)
_COLUMNS = pa.schema([(name, pa.uint64()) for name in _PLANES])
_WORDS_AT_ONCE = 1 << 20

SHORT = pa.schema([(schema.KEY, pa.uint64()), (schema.ROW, pa.int64())])
"""What goes out of a document in the first of two passes: its key, and where it is in its shard."""


def keys_of_all(run: Run, step: Step, settings: BloomSettings | None) -> KeyFiles:
    """Return the key files that have all of a step's documents; they are of `KEYS`, but of `SHORT` in two passes."""
    if settings is not None and settings.passes == "two":
        return KeyFiles(run, step, SHORT, name="short")
    return KeyFiles(run, step, KEYS)


@dataclass(frozen=True)
class FilterFiles:
    """The filters of keys, with the settings that they are made by."""

    keys: KeyFiles
    settings: BloomSettings

    def phase(self) -> Phase:
        """Return the phase that makes and saves them."""
        folder = self.keys.run.folder
        return whole_phase(
            FOLDER,
            items=lambda: [f"{p:05d}" for p in range(self.keys.partitions)],
            is_done=lambda item: shards.is_current(folder, self._file(int(item)), self._digest(int(item))),
            perform=lambda item, progress: self._save(int(item), progress),
        )

    def made(self, partition: int) -> tuple[Filter, int]:
        """Return a partition's filter made from its keys, a shard's at a time, and how many keys these are."""
        count, capacity = self.keys.count(partition), self.settings.capacity
        share = count if capacity == "auto" else -(-capacity // self.keys.partitions)
        made = Filter.empty(size_for(share, self.settings.false_positives))
        for table in self.keys.read(partition, [schema.KEY]):
            made.add(np.asarray(table.column(schema.KEY)))
        return made, count

    def read(self, partition: int, planes: int) -> Filter:
        """Return a partition's saved filter, with one plane or two. Raises StaleError, CorruptError, MissingError."""
        folder, name, digest = self.keys.run.folder, self._file(partition), self._digest(partition)
        footer = shards.read_footer(folder, name)
        size = Size(int(footer.counts["bits"]), int(footer.counts["hashes"]))
        words = np.empty((footer.rows, planes), np.uint64)
        row = 0
        for table in shards.iterate(folder, name, list(_PLANES[:planes]), digest):
            for plane in range(planes):
                words[row : row + table.num_rows, plane] = np.asarray(table.column(plane))
            row += table.num_rows
        return Filter(size, words)

    def fullness(self) -> tuple[int, float] | None:
        """Return how many keys the filters hold, and their real rate of false positives; None if one is not there.

        The rate is that of a key that no filter has, whose partition is as likely as any other.
        """
        folder, keys, rate = self.keys.run.folder, 0, 0.0
        for partition in range(self.keys.partitions):
            name = self._file(partition)
            if not shards.is_current(folder, name, self._digest(partition)):
                return None
            counts = shards.read_footer(folder, name).counts
            keys += counts["keys"]
            rate += rate_of(Size(counts["bits"], counts["hashes"]), counts["keys"]) / self.keys.partitions
        return keys, rate

    def _save(self, partition: int, progress: Progress) -> None:
        made, count = self.made(partition)
        with self.keys.run.folder.writing(self._file(partition)) as sink:
            writer = ShardWriter(sink, _COLUMNS, self._digest(partition), repeats=False)
            for start in range(0, len(made.words), _WORDS_AT_ONCE):
                part = made.words[start : start + _WORDS_AT_ONCE]
                planes = [np.ascontiguousarray(part[:, plane]) for plane in range(len(_PLANES))]
                writer.write_group(pa.table(planes, schema=_COLUMNS))
            writer.counts = {"bits": made.size.bits, "hashes": made.size.hashes, "keys": count}
            writer.close()
        progress.update(count, 1.0)

    def _file(self, partition: int) -> str:
        return f"{self.keys.step.folder}/{FOLDER}/{partition:05d}.parquet"

    def _digest(self, partition: int) -> str:
        return digest_of(FOLDER, self.keys.run.corpus_digest(self.keys.step), partition, self.keys.partitions)
