"""The draw: documents with the largest keys are kept, exactly as many as are wanted.

order      the least key that is kept, exact over all shards (see `order_statistics`)
draw       whole  -> draw.json: that key; of documents that share it, those that are kept, the least hash of id first
shards     shard  -> its decisions

Only documents that earlier stages kept are drawn. What an earlier stage dropped is held against the same key.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.errors import UsageError
from gristmill.filters.rules.evaluate import decide
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.order_statistics import Ordered, OrderStatistics, Place, largest
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.tokenize.order import keyed_hashes

KIND = "importance_draw"


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases of the order, the draw's, then each shard's decisions."""
    work = Draw(run, step)
    drawn = whole_phase("draw", lambda: ["draw"], work.is_drawn, work.draw)
    return (*work.order.phases(), drawn, shard_phase(run, step, work.decide))


def draw_rules(run: Run, step: Step, shard: Shard) -> tuple[Rule, ...]:
    """Return the rules that a finished draw held each document against."""
    return _rules(_settings(run, step), run.footer(step, shard).counts["least_key"])


def draw_columns(run: Run, step: Step, shard: Shard) -> dict[str, pa.ChunkedArray]:
    """Return the columns that these rules read, by name."""
    settings = _settings(run, step)
    sources = [run.plan.step(name) for name in step.inputs]
    having = {
        column: next(of for of in sources if column in of.columns) for column in (settings.word_count, settings.key)
    }
    return {column: run.read(of, shard, [column]).column(column) for column, of in having.items()}


def _settings(run: Run, step: Step) -> ImportanceSettings:
    """Return the step's settings, and those of the step that made the keys; the target is no part of them."""
    of_keys = run.plan.step(step.inputs[-1]).settings
    return ImportanceSettings.model_validate({"target": "-", **of_keys, **step.settings})


def _rules(settings: ImportanceSettings, least_key: float) -> tuple[Rule, ...]:
    short = (Rule("importance", settings.word_count, "min", settings.min_words),) if settings.min_words else ()
    return (*short, Rule("importance", settings.key, "min", least_key))


@dataclass(frozen=True)
class Draw:
    """The work of one step that draws."""

    run: Run
    step: Step

    @cached_property
    def settings(self) -> ImportanceSettings:
        """The settings of the step and of its keys."""
        return _settings(self.run, self.step)

    @cached_property
    def order(self) -> OrderStatistics:
        """The order statistics: the key of the last document that is drawn."""

        def wanted(documents: int) -> Sequence[int]:
            return largest(self._size(documents))(documents)

        return OrderStatistics(self.run, self.step, Ordered((self.settings.key,)), wanted)

    @cached_property
    def drawn(self) -> dict[str, Any]:
        """What draw.json says. Raises MissingError before it is written."""
        facts: dict[str, Any] = self.run.folder.read_json(self._file)
        return facts

    def is_drawn(self, _: str) -> bool:
        """Return whether draw.json is there and current."""
        return self.run.folder.says(self._file, {"digest": self.run.corpus_digest(self.step)})

    def draw(self, _: str, progress: Progress) -> None:
        """Write draw.json. Raises UsageError where there are fewer documents than are wanted."""
        found = self.order.found.get((self.settings.key, None))
        documents = found.total if found is not None else 0
        size = self._size(documents)
        assert found is not None
        place = found.places[0]
        facts = {
            "digest": self.run.corpus_digest(self.step),
            "documents": documents,
            "taken": size,
            "least_key": place.value,
            "of_equal_keys": self._chosen(place, size - (documents - place.below - place.at)),
        }
        self.run.folder.write_json(self._file, facts)
        progress.update(0, 1.0)

    def decide(self, shard: Shard, progress: Progress) -> None:
        """Write a shard's decisions."""
        least = self.drawn["least_key"]
        columns = {name: column.combine_chunks() for name, column in draw_columns(self.run, self.step, shard).items()}
        rows = len(columns[self.settings.key])
        columns[self.settings.key] = self._below_if_left(columns[self.settings.key], shard)
        decisions = decide(_rules(self.settings, least), columns, rows)
        write_layer(self.run, self.step, shard, decisions, columns=schema.DECISIONS, counts={"least_key": least})
        progress.update(rows, 1.0)

    def _size(self, documents: int) -> int:
        """Return how many of these are drawn. Raises UsageError if that is none, or more than there are."""
        size = self.settings.size(documents)
        if 1 <= size <= documents:
            return size
        asked = f"take: {size}" if self.settings.take is not None else f"fraction: {self.settings.fraction}"
        least = self.settings.min_words
        words = f" and have at least {least} words" if least else ""
        way = "take fewer" if self.settings.take is not None else "take a larger fraction"
        raise UsageError(
            f"{asked} asks for {size:,} documents of the {documents:,} that the stages before '{self.step.stage}' kept"
            f"{words}; {way}{', or lower min_words' if least else ''}"
        )

    def _chosen(self, place: Place, wanted: int) -> list[str] | None:
        """Return the ids of the documents that are taken of those with the least key; None if all of them are."""
        if wanted == place.at:
            return None
        tied = (pair for shard in self.run.plan.shards for pair in self._tied(shard, place.value))
        return sorted(identity for _, identity in heapq.nsmallest(wanted, tied))

    def _tied(self, shard: Shard, key: float) -> Iterator[tuple[int, str]]:
        """Yield hash and id of the kept documents of a shard that have a key."""
        kept = self.run.kept(self.run.plan.deciders_before(self.step), shard).combine_chunks()
        keys = self.order.column(self.settings.key, shard)
        ids = self.run.read(self.run.plan.text_step, shard, [schema.ID]).column(schema.ID).combine_chunks()
        same = ids.filter(pc.and_(kept, pc.fill_null(pc.equal(keys, key), False)))
        yield from zip(keyed_hashes(same, self.settings.seed, "importance tie").tolist(), same.to_pylist(), strict=True)

    def _below_if_left(self, keys: pa.Array, shard: Shard) -> pa.Array:
        """Return the keys, those that equal the least one just below it if others were taken instead."""
        chosen = self.drawn["of_equal_keys"]
        if chosen is None:
            return keys
        least = self.drawn["least_key"]
        ids = self.run.read(self.run.plan.text_step, shard, [schema.ID]).column(schema.ID).combine_chunks()
        left = pc.and_(pc.equal(keys, least), pc.invert(pc.is_in(ids, pa.array(chosen, pa.string()))))
        return pc.if_else(pc.fill_null(left, False), pa.scalar(float(np.nextafter(least, -np.inf))), keys)

    @property
    def _file(self) -> str:
        return f"{self.step.folder}/draw.json"
