"""Older runs, where this run has Bloom filters: what their filters claim to have, and what their keys tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.bloom.filters import Filter, Keys
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.keys import partition_key
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.exchange import partition_of
from gristmill.pipeline.plan import Step
from gristmill.pipeline.stages.dedup.bloom.files import FilterFiles, keys_of_all
from gristmill.pipeline.stages.dedup.older import Older, known_to, open_older


@dataclass(frozen=True)
class Claims:
    """The filters that older runs have for the keys of one partition: by run, and by that run's partitions."""

    names: tuple[str, ...]
    filters: tuple[dict[int, Filter], ...]
    partitions: tuple[int, ...]

    def first(self, keys: Keys) -> npt.NDArray[np.int64]:
        """Return the number of the first run whose filter claims to have each key; -1 where none does."""
        found = np.full(len(keys), -1, np.int64)
        for number, (of_run, partitions) in enumerate(zip(self.filters, self.partitions, strict=True)):
            of = partition_of(pa.array(keys), partitions)
            for partition, known in of_run.items():
                asked = np.flatnonzero((of == partition) & (found < 0))
                found[asked[known.has(keys[asked])]] = number
        return found

    def known(self, members: pa.Table) -> pa.Table:
        """Return DIGEST and ID, `<run>:`, of the members that some run claims to have: a digest at most once."""
        digests = pc.unique(members.column(schema.DIGEST))
        first = self.first(np.asarray(partition_key(digests)))
        ids = pa.array([f"{name}:" for name in self.names], pa.string()).take(pa.array(first, mask=first < 0))
        return pa.table({schema.DIGEST: digests, schema.ID: ids}).filter(pc.is_valid(ids))


def claims(step: Step, settings: BloomSettings, partition: int, partitions: int) -> Claims:
    """Return what older runs claim to have, for one of a step's partitions. Raises as `older.open_older` does."""
    runs = open_older(step)
    filters = []
    for older in runs:
        files = _filters(older, settings)
        own = files.keys.partitions
        covering = range(partition * own // partitions, ((partition + 1) * own - 1) // partitions + 1)
        filters.append({p: files.read(p, 1) if _bloom(older) else files.made(p)[0] for p in covering})
    return Claims(
        tuple(older.name for older in runs),
        tuple(filters),
        tuple(_filters(older, settings).keys.partitions for older in runs),
    )


def verified(step: Step, members: pa.Table) -> pa.Table:
    """Return DIGEST and ID of the older documents that members have a copy of, by the older runs' keys.

    ``members`` are the rows of one partition. The ID is `<run>:<id>`, but `<run>:` of a run that saved 64-bit keys
    alone. The oldest run has the word.
    """
    found = known_to([], members)
    for older in open_older(step):
        of_run = _by_key(older, members) if _is_short(older) else known_to([older], members)
        already = pc.is_in(of_run.column(schema.DIGEST), value_set=found.column(schema.DIGEST).combine_chunks())
        found = pa.concat_tables([found, of_run.filter(pc.invert(already))])
    return found


def _by_key(older: Older, members: pa.Table) -> pa.Table:
    digests = pc.unique(members.column(schema.DIGEST))
    keys = np.asarray(partition_key(digests))
    files = keys_of_all(older.run, older.step, _bloom(older))
    there = np.zeros(len(keys), np.bool_)
    for partition in np.unique(partition_of(pa.array(keys), files.partitions)).tolist():
        for table in files.read(partition, [schema.KEY]):
            there |= np.isin(keys, np.asarray(table.column(schema.KEY)))
    chosen = digests.filter(pa.array(there))
    return pa.table({schema.DIGEST: chosen, schema.ID: pa.array([f"{older.name}:"] * len(chosen), pa.string())})


def _bloom(older: Older) -> BloomSettings | None:
    return DedupSettings.model_validate(dict(older.step.settings)).bloom


def _is_short(older: Older) -> bool:
    own = _bloom(older)
    return own is not None and own.passes == "two"


def _filters(older: Older, settings: BloomSettings) -> FilterFiles:
    """Return an older run's filters; one that has none gets such as these settings ask for."""
    own = _bloom(older)
    made = own or BloomSettings(false_positives=settings.false_positives)
    return FilterFiles(keys_of_all(older.run, older.step, own), made)
