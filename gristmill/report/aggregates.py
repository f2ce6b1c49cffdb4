"""What the report adds up over shards. Each class is told of one shard after the other, and keeps only sums."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.minhash.sizes import ComponentSizes
from gristmill.filters.rules.serialize import to_json
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.report.found_bounds import decider_rules
from gristmill.report.view import Finished, ShardView

_CLUSTERS_NAMED = 10
_CLUSTER_SIZES = (2, 3, 4, 5, 10, 100, 1000)


class Reasons:
    """For each deciding step: how many documents each reason is charged with, hits in all, and alone would drop.

    Only documents that came into the stage are counted. A reason is charged with a document where it is the first; it
    alone would drop those that no other rule of the stage drops.
    """

    def __init__(self, run: Run, steps: tuple[Step, ...]) -> None:
        self._run = run
        self._steps = steps
        self._counts: dict[str, dict[str, Counter[str]]] = {
            step.name: {kind: Counter() for kind in ("first", "hits", "alone")} for step in steps
        }

    def add(self, view: ShardView) -> None:
        """Count a shard."""
        for step in self._steps:
            table = view.decisions[step.name].filter(view.left_before(step.stage))
            reasons = table.column(schema.REASONS).combine_chunks()
            only = pc.equal(pc.list_value_length(reasons), 1)
            counts = self._counts[step.name]
            counts["first"].update(_counted(table.column(schema.REASON)))
            counts["hits"].update(_counted(pc.list_flatten(reasons)))
            counts["alone"].update(_counted(pc.list_flatten(reasons.filter(only))))

    def result(self) -> list[dict[str, Any]]:
        """Return the stages with their reasons: rules in their order, other reasons those charged most first."""
        return [{"stage": step.stage, "reasons": self._of(step)} for step in self._steps]

    def _of(self, step: Step) -> list[dict[str, Any]]:
        counts = self._counts[step.name]
        rules: dict[str, list[dict[str, Any]]] = {}
        for rule in decider_rules(self._run, step):
            rules.setdefault(rule.code, []).append(to_json(rule))
        others = sorted(counts["hits"].keys() - rules.keys(), key=lambda code: (-counts["first"][code], code))
        return [
            {"reason": code, "bounds": rules.get(code, [])} | {kind: of[code] for kind, of in counts.items()}
            for code in (*rules, *others)
        ]


class Languages:
    """Documents, text bytes and tokens by language, all of them and those that were kept."""

    def __init__(self, finished: Finished) -> None:
        self._language = _last(finished.of_kind("language"))
        self._tokens = _last(finished.of_kind("tokenize"))
        self._sums: dict[str, npt.NDArray[np.int64]] = {}

    def add(self, view: ShardView) -> None:
        """Count a shard."""
        if self._language is None:
            return
        kept = view.kept.cast(pa.int64())
        sizes = view.text_bytes
        tokens = view.column(self._tokens, schema.TOKEN_COUNT) if self._tokens else pa.nulls(len(sizes), pa.int64())
        ones = pa.array(np.ones(len(sizes), np.int64))
        values = [ones, kept, sizes, pc.multiply(sizes, kept), pc.fill_null(tokens, 0)]
        names = [f"sum{index}" for index in range(len(values))]
        table = pa.table([view.column(self._language, schema.LANGUAGE), *values], [schema.LANGUAGE, *names])
        grouped = table.group_by(schema.LANGUAGE).aggregate([(name, "sum") for name in names])
        for row in grouped.to_pylist():
            if row[schema.LANGUAGE] is not None:
                new = np.array([row[f"{name}_sum"] for name in names], np.int64)
                self._sums[row[schema.LANGUAGE]] = self._sums.get(row[schema.LANGUAGE], 0) + new

    def result(self) -> list[dict[str, Any]]:
        """Return one record for each language, most kept documents first."""
        names = ("documents", "documents_kept", "text_bytes", "text_bytes_kept", "tokens")
        order = sorted(self._sums.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))
        records = [{"language": label} | dict(zip(names, sums.tolist(), strict=True)) for label, sums in order]
        for record in records:
            if self._tokens is None:
                record["tokens"] = None
        return records


class Duplicates:
    """For each dedup stage: duplicates, clusters by size, and the largest clusters."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        self._compared: Counter[str] = Counter()
        self._sizes: dict[str, Counter[int]] = {step.name: Counter() for step in steps}
        self._largest: dict[str, list[tuple[int, str, str | None]]] = {step.name: [] for step in steps}
        self._components: dict[str, ComponentSizes] = {step.name: ComponentSizes() for step in steps}
        self._apart: Counter[str] = Counter()

    def add(self, view: ShardView) -> None:
        """Count a shard: each cluster at its survivor."""
        for step in self._steps:
            table = view.decisions[step.name]
            size = table.column(schema.CLUSTER_SIZE)
            self._compared[step.name] += len(size) - size.null_count
            survives = pc.and_(pc.greater(size, 1), pc.is_null(table.column(schema.DUPLICATE_OF)))
            survives = pc.fill_null(survives, False)
            sizes = size.filter(survives).to_pylist()
            if schema.COMPONENT_SIZE in table.column_names:
                components = table.column(schema.COMPONENT_SIZE)
                self._components[step.name].add(components, table.column(schema.DUPLICATE_OF))
                apart = pc.less(size, components)
                self._apart[step.name] += (
                    pc.sum(pc.and_(apart, pc.is_null(table.column(schema.DUPLICATE_OF)))).as_py() or 0
                )
            self._sizes[step.name].update(map(_size_class, sizes))
            named = view.documents.select([schema.ID, schema.URL]).filter(survives).to_pydict()
            found = zip((-s for s in sizes), named[schema.ID], named[schema.URL], strict=True)
            self._largest[step.name] = sorted([*self._largest[step.name], *found])[:_CLUSTERS_NAMED]

    def result(self) -> list[dict[str, Any]]:
        """Return one record for each dedup stage."""
        return [
            {
                "stage": step.stage,
                "compared": self._compared[step.name],
                "clusters": self._sizes[step.name].total(),
                "survivors_told_apart": self._apart[step.name],
                "clusters_by_least_size": {str(size): self._sizes[step.name][size] for size in _CLUSTER_SIZES},
                **_components(self._components[step.name]),
                "largest": [
                    {"size": -size, "survivor": identity, "url": url}
                    for size, identity, url in self._largest[step.name]
                ],
            }
            for step in self._steps
        ]


class Contamination:
    """For each stage that scans for benchmarks: contaminated documents and distinct items found, by benchmark."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        self._documents: dict[str, Counter[str]] = {step.stage: Counter() for step in steps}
        self._items: dict[str, dict[str, set[str]]] = {step.stage: {} for step in steps}

    def add(self, view: ShardView) -> None:
        """Count a shard: documents that came into the stage."""
        for step in self._steps:
            came = view.left_before(step.stage)
            benchmarks = view.column(step, schema.BENCHMARK).filter(came)
            items = view.column(step, schema.BENCHMARK_ITEM).filter(came)
            self._documents[step.stage].update(_counted(benchmarks))
            for benchmark, item in zip(benchmarks.to_pylist(), items.to_pylist(), strict=True):
                if benchmark is not None:
                    self._items[step.stage].setdefault(benchmark, set()).add(item)

    def result(self) -> list[dict[str, Any]]:
        """Return one record for each benchmark that was found, most documents first."""
        return [
            {
                "stage": stage,
                "benchmark": benchmark,
                "documents": count,
                "items": len(self._items[stage][benchmark]),
            }
            for stage, documents in self._documents.items()
            for benchmark, count in sorted(documents.items(), key=lambda item: (-item[1], item[0]))
        ]


def _counted(values: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in values.drop_null().value_counts().to_pylist()}


def _size_class(size: int) -> int:
    return max(least for least in _CLUSTER_SIZES if least <= size)


def _components(sizes: ComponentSizes) -> dict[str, Any]:
    """Return the components of near-duplicates by size, as clusters are, and the largest; nothing if there is none."""
    of_two = [found for found in sizes if found.size > 1]
    if not of_two:
        return {}
    counts: Counter[int] = Counter()
    for found in of_two:
        counts[_size_class(found.size)] += found.components
    return {
        "components_by_least_size": {str(size): counts[size] for size in _CLUSTER_SIZES},
        "largest_component": of_two[0]._asdict(),
    }


def _last(steps: tuple[Step, ...]) -> Step | None:
    return steps[-1] if steps else None
