"""substrings: runs of words that stand in several places; the first copy of each stays.

anchors    shard      -> the keys of its windows' anchors, each once
repeated   partition  -> the keys that the corpus has several times, for each shard that has them
snippets   shard      -> the words around these anchors
reduce     partition  -> the words that lie in windows which stand before
shards     shard      -> its layer, from the words that go

See `gristmill.dedup.substrings` for what windows, anchors and snippets are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.keys import partition_key, scope_digests
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.substrings.anchors import Hashes, find_words, versions
from gristmill.dedup.substrings.cuts import byte_cuts
from gristmill.dedup.substrings.repeated_keys import KEYS, REPEATED, Counted, repeated_keys
from gristmill.dedup.substrings.repeats import REPEATS, repeats
from gristmill.dedup.substrings.snippets import SNIPPETS, keys_of, snippets
from gristmill.errors import MissingError
from gristmill.pipeline.exchange import Exchange, KeyFiles, Reduction
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.members import members
from gristmill.pipeline.stages.dedup.spans import CUTS, SpanKind, write_cuts
from gristmill.text import Integers

FACT = schema.column("cut_word_count", pa.int64(), "words cut; null if it was not compared")
REASON = "substrings.repeated"

_CUTS = pa.schema([*CUTS, (schema.REPLACEMENT, pa.string())])
_FINER = 8
"""Text travels with the keys."""


@dataclass(frozen=True)
class Substrings:
    """The work of a step."""

    run: Run
    step: Step
    settings: DedupSettings

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases, in order."""
        anchors = KeyFiles(self.run, self.step, KEYS, name="anchors", finer=_FINER)
        repeated = Reduction(anchors, REPEATED, repeated_keys, folder="repeated")
        exchange = Exchange(
            keys=KeyFiles(self.run, self.step, SNIPPETS, corpus=True, name="snippets", finer=_FINER),
            decided=REPEATS,
            emit=lambda shard, progress: self._snippets(shard, repeated.on(shard), progress),
            reduce=lambda rows: repeats(rows, self._tokens),
            decide=self._write,
        )
        snippets_phase, *last = exchange.phases()
        return (
            anchors.phase(self._anchors),
            repeated.phase("repeated"),
            replace(snippets_phase, needs_all=True),
            *last,
        )

    @property
    def _tokens(self) -> int:
        assert self.settings.substrings is not None
        return self.settings.substrings.tokens

    def _anchors(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the keys of a shard's anchors, each once."""
        counted = Counted()
        for table in members(self.run, self.step, shard, [schema.TEXT], progress):
            counted.add(keys_of(table.column(schema.TEXT).combine_chunks(), self._tokens, self._scopes(table)))
        yield counted.table(shard.name)

    def _snippets(self, shard: Shard, repeated: pa.Table, progress: Progress) -> Iterator[pa.Table]:
        """Yield the snippets of the anchors that are repeated."""
        keys = np.sort(np.asarray(repeated.column(schema.KEY)))
        for table in members(self.run, self.step, shard, [schema.TEXT], progress):
            yield snippets(table, keys, self._tokens, self._scopes(table))

    def _scopes(self, table: pa.Table) -> Hashes | None:
        """Return a number for the scope of each document; None where all are compared."""
        if self.settings.scope == "corpus":
            return None
        return np.asarray(partition_key(scope_digests(table.column(schema.SCOPE).combine_chunks())))

    def _write(self, shard: Shard, repeated: pa.Table) -> None:
        """Write a shard's layer."""
        words = np.zeros(self.run.footer(self.run.plan.text_step, shard).rows, np.int64)
        cuts = pa.concat_tables([_CUTS.empty_table(), *self._cuts(shard, repeated, words)])
        facts = pa.table([pa.array(words)], schema=pa.schema([FACT]))
        write_cuts(self.run, self.step, shard, cuts, facts)

    def _cuts(self, shard: Shard, repeated: pa.Table, gone: Integers) -> Iterable[pa.Table]:
        """Yield what is cut of a shard's texts, a row group at a time; count the words of each row in ``gone``."""
        rows, starts, ends = (np.asarray(repeated.column(n)) for n in (schema.ROW, schema.START, schema.END))
        done = 0
        for table in self.run.texts(self.step, shard, [schema.TEXT]):
            here = slice(*np.searchsorted(rows, [done, done + table.num_rows]))
            some, of = np.unique(rows[here] - done, return_inverse=True)
            words = find_words(table.column(schema.TEXT).combine_chunks().take(pa.array(some)))
            cuts = byte_cuts(words, of, starts[here], ends[here])
            at = some[cuts.rows] + done
            np.add.at(gone, at, cuts.words)
            bases = words.offsets[cuts.rows]
            replacement = pa.array(["", " "]).take(pa.array(cuts.spaced.astype(np.int64)))
            reason = pa.repeat(pa.scalar(REASON), len(at))
            yield pa.table([at, cuts.starts - bases, cuts.ends - bases, reason, replacement], schema=_CUTS)
            done += table.num_rows


def _versions(settings: DedupSettings) -> dict[str, str]:
    """Return the versions of what decides. Raises MissingError where pydivsufsort is not installed."""
    if importlib.util.find_spec("pydivsufsort") is None:
        raise MissingError(
            "`dedup: {substrings: ...}` needs pydivsufsort; install it with: pip install 'gristmill[substrings]'"
        )
    return versions()


KIND = SpanKind(
    versions=_versions,
    phases=lambda run, step, settings: Substrings(run, step, settings).phases(),
    facts=(FACT,),
)
