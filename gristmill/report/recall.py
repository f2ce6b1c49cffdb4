"""Hosts whose pages are good by a classifier's score: the next round's positives, as DeepSeekMath finds them.

Shao et al. 2024, arXiv:2402.03300, section 2.1: a classifier scores all pages, and a domain is taken over of which more
than 10% of the pages were collected; its other pages are positives that the classifier did not know.

A page counts if every stage kept it, but for bounds on the very score that is asked for: else the share would be that
among pages which were chosen by it. Hosts are counted by shard and put together partition by partition in a scratch
folder, so memory is bounded by a shard, a partition, and the hosts that are found with their samples.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.filters.rules.evaluate import evaluate
from gristmill.pipeline import ledger
from gristmill.pipeline.batch_files import SUFFIX, BatchFile
from gristmill.pipeline.exchange import SplitFile, partition_count
from gristmill.pipeline.monitor import Watcher
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import rule_columns, step_rules
from gristmill.pipeline.storage import Folder
from gristmill.report.passes import passed
from gristmill.report.recall_hosts import hosts_of
from gristmill.report.recall_scores import Scores
from gristmill.tokenize.order import keyed_hashes, order_keys

By = Literal["host", "domain"]

EXCERPT: Final = 240
"""Characters of a sample's text that are shown."""
_HOST, _PAGES, _POSITIVE, _SCORE = "host", "pages", "positive", "score"
_COUNTS = pa.schema(
    [(schema.KEY, pa.uint64()), (_HOST, pa.string()), (_PAGES, pa.int64()), (_POSITIVE, pa.int64())],
)
_PAGE = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (_HOST, pa.string()),
        (schema.ID, pa.string()),
        (schema.URL, pa.string()),
        (_SCORE, pa.float64()),
        (schema.ROW, pa.int64()),
    ]
)


@dataclass(frozen=True)
class Asked:
    """Which hosts: more than the share ``over`` of their pages score ``threshold`` or more, of ``least_pages`` or more.

    ``all_documents``: whether dropped documents count too; ``samples``: how many positive pages of each are shown.
    """

    over: float
    threshold: float
    least_pages: int = 10
    samples: int = 3
    by: By = "host"
    all_documents: bool = False


@dataclass(frozen=True)
class Sample:
    """A positive page of a host; ``excerpt`` is how its text begins, on one line."""

    id: str
    url: str
    score: float
    excerpt: str


@dataclass(frozen=True)
class Host:
    """A host that was found, its pages that counted, and those of them that are positive."""

    name: str
    pages: int
    positive: int
    samples: tuple[Sample, ...] = ()

    @property
    def share(self) -> float:
        """Positive pages / pages."""
        return self.positive / self.pages


@dataclass(frozen=True)
class Recall:
    """What was found. ``score``: the column, or the model; ``best``: the host of the highest share, found or not.

    ``pages`` counted, of ``hosts``; ``without_host`` are those whose address tells none, which are in neither.
    """

    run: str
    score: str
    asked: Asked
    pages: int
    positive: int
    hosts: int
    without_host: int
    best: Host | None
    found: tuple[Host, ...]


def recall(run: Run, scores: Scores, asked: Asked, watcher: Watcher) -> Recall:
    """Return the hosts of a run that are over the bound: of the highest share first, then of the most pages, by name.

    Raises MissingError and StaleError where the run is not finished.
    """
    with tempfile.TemporaryDirectory(prefix="gristmill-recall-") as folder:
        counting = _Counting(run, scores, asked, Folder(folder))
        for shard in passed(run.plan.shards, watcher, "score"):
            counting.add(shard)
        found, best = counting.found()
        sampled = _Samples(counting, {host.name for host in found})
        for shard in passed(run.plan.shards if found and asked.samples else (), watcher, "samples"):
            sampled.add(shard)
        of_host = sampled.by_host()
        return Recall(
            run=run.folder.url,
            score=scores.name,
            asked=asked,
            pages=counting.pages,
            positive=counting.positive,
            hosts=counting.hosts,
            without_host=counting.without_host,
            best=best,
            found=tuple(Host(h.name, h.pages, h.positive, of_host.get(h.name, ())) for h in found),
        )


class _Counting:
    """Pages by host, written shard by shard, read partition by partition."""

    def __init__(self, run: Run, scores: Scores, asked: Asked, scratch: Folder) -> None:
        self.run, self.scores, self.asked, self.scratch = run, scores, asked, scratch
        self.pages = self.positive = self.hosts = self.without_host = 0
        self.partitions = partition_count(len(run.plan.shards))

    def add(self, shard: Shard) -> None:
        """Count the pages of a shard, and write down those that are positive."""
        table = self._pages(shard)
        counted = pc.and_(table.column("counts"), pc.is_valid(table.column(_SCORE)))
        pages = table.filter(counted)
        self.without_host += pc.sum(pc.equal(pages.column(_HOST), "")).as_py() or 0
        pages = pages.filter(pc.not_equal(pages.column(_HOST), ""))
        positive = pc.greater_equal(pages.column(_SCORE), self.asked.threshold)
        self.pages += pages.num_rows
        self.positive += pc.sum(positive).as_py() or 0
        counts = pages.append_column(_POSITIVE, positive.cast(pa.int64()))
        self._write(self._counts_of(shard), _by_host(counts, [([], "count_all"), (_POSITIVE, "sum")]))
        if self.asked.samples:
            kept = pages.filter(positive).combine_chunks()
            kept = kept.append_column(schema.KEY, order_keys(kept.column(schema.ID).combine_chunks(), 0))
            self._write(self._pages_of(shard), kept)

    def found(self) -> tuple[list[Host], Host | None]:
        """Return the hosts over the bound, in order, and the one of the highest share."""
        found: list[Host] = []
        best: Host | None = None
        for partition in range(self.partitions):
            parts = [table for shard in self.run.plan.shards for table in self._counts_of(shard).read(partition)]
            counts = pa.concat_tables([_COUNTS.empty_table(), *parts])
            sums = _by_host(counts, [(_PAGES, "sum"), (_POSITIVE, "sum")])
            self.hosts += sums.num_rows
            sums = sums.filter(pc.greater_equal(sums.column(_PAGES), self.asked.least_pages))
            share = np.asarray(sums.column(_POSITIVE)) / np.asarray(sums.column(_PAGES))
            chosen = sums.filter(pa.array(share > self.asked.over))
            found += map(_host, chosen.to_pylist())
            if len(share):
                row = _host(sums.slice(int(np.argmax(share)), 1).to_pylist()[0])
                best = row if best is None else min(best, row, key=_rank)
        return sorted(found, key=_rank), best

    def positive_pages(self, shard: Shard) -> pa.Table:
        """Return the positive pages of a shard."""
        parts = [table for p in range(self.partitions) for table in self._pages_of(shard).read(p)]
        return pa.concat_tables([_PAGE.empty_table(), *parts])

    def _pages(self, shard: Shard) -> pa.Table:
        """Return id, url, host, score and row of each document of a shard, and whether it counts."""
        counts = population(self.run, shard, self.scores, all_documents=self.asked.all_documents)
        documents = self.run.read(self.run.plan.text_step, shard, [schema.ID, schema.URL])
        hosts = hosts_of(documents.column(schema.URL).combine_chunks(), domains=self.asked.by == "domain")
        rows = pa.array(range(documents.num_rows), pa.int64())
        columns = {_HOST: hosts, _SCORE: self.scores.of(shard, counts), schema.ROW: rows, "counts": counts}
        for name, column in columns.items():
            documents = documents.append_column(name, column)
        return documents

    def _write(self, file: SplitFile, table: pa.Table) -> None:
        """Write a table split by the hash of the host, or, for pages, by that of their order."""
        if schema.KEY not in table.column_names:
            keys = pa.array(keyed_hashes(table.column(_HOST).combine_chunks(), 0, "hosts"), pa.uint64())
            table = table.append_column(schema.KEY, keys)
        file.write([table.select(file.columns.names).cast(file.columns)])

    def _counts_of(self, shard: Shard) -> SplitFile:
        return self._file(f"counts/{shard.name}", _COUNTS)

    def _pages_of(self, shard: Shard) -> SplitFile:
        return self._file(f"pages/{shard.name}", _PAGE)

    def _file(self, name: str, columns: pa.Schema) -> SplitFile:
        return SplitFile(BatchFile(self.scratch, f"{name}{SUFFIX}", ""), columns, self.partitions)


class _Samples:
    """The positive pages that are shown: those of the least hashes of their ids."""

    def __init__(self, counting: _Counting, names: set[str]) -> None:
        self._counting = counting
        self._names = pa.array(sorted(names), pa.string())
        self._chosen: dict[str, list[dict[str, Any]]] = {}

    def add(self, shard: Shard) -> None:
        """Keep those of a shard that are among the first of their host so far."""
        most, table = self._counting.asked.samples, self._counting.positive_pages(shard)
        table = table.filter(pc.is_in(table.column(_HOST), self._names))
        table = table.sort_by([(_HOST, "ascending"), (schema.KEY, "ascending"), (schema.ID, "ascending")])
        hosts = table.column(_HOST).combine_chunks().dictionary_encode().indices
        numbers = np.asarray(hosts, np.int64)
        place = np.arange(len(numbers)) - np.searchsorted(numbers, numbers)  # sorted, so numbers ascend
        for page in table.filter(pa.array(place < most)).to_pylist():
            page[schema.SHARD] = shard.name
            kept = [*self._chosen.get(page[_HOST], []), page]
            self._chosen[page[_HOST]] = sorted(kept, key=lambda p: (p[schema.KEY], p[schema.ID]))[:most]

    def by_host(self) -> dict[str, tuple[Sample, ...]]:
        """Return the samples of each host with how their texts begin."""
        wanted: dict[str, set[int]] = {}
        for page in (page for pages in self._chosen.values() for page in pages):
            wanted.setdefault(page[schema.SHARD], set()).add(page[schema.ROW])
        run = self._counting.run
        begins = {name: dict(_excerpts(run, run.plan.shard(name), rows)) for name, rows in wanted.items()}
        return {
            host: tuple(
                Sample(p[schema.ID], p[schema.URL], p[_SCORE], begins[p[schema.SHARD]][p[schema.ROW]]) for p in pages
            )
            for host, pages in self._chosen.items()
        }


def population(run: Run, shard: Shard, scores: Scores, *, all_documents: bool) -> pa.Array:
    """Return which documents of a shard count: those with a text, that all kept but for bounds on the score itself."""
    counts = pc.is_null(run.read(run.plan.text_step, shard, [schema.FATE]).column(schema.FATE)).combine_chunks()
    for step in () if all_documents else ledger.finished_deciders(run)[1:]:
        counts = pc.and_(counts, _kept(run, step, shard, scores.columns))
    return counts


def _kept(run: Run, step: Step, shard: Shard, without: Sequence[str]) -> pa.Array:
    """Return what a deciding step keeps, without its rules on some columns."""
    rules = step_rules(step) if step.kind == "rules" else ()
    others = [rule for rule in rules if not set(rule.columns) & set(without)]
    if len(others) == len(rules):
        return run.keep(step, shard).combine_chunks()
    rows = run.footer(run.plan.text_step, shard).rows
    return evaluate(others, rule_columns(run, step, shard), rows).column(schema.KEEP)


def _by_host(table: pa.Table, sums: Sequence[tuple[Any, str]]) -> pa.Table:
    """Return one row for each host: its pages, and those that are positive."""
    grouped = table.group_by(_HOST, use_threads=False).aggregate(list(sums))
    names = {"count_all": _PAGES, f"{_PAGES}_sum": _PAGES, f"{_POSITIVE}_sum": _POSITIVE}
    return grouped.rename_columns([names.get(name, name) for name in grouped.column_names])


def _host(row: dict[str, Any]) -> Host:
    return Host(row[_HOST], row[_PAGES], row[_POSITIVE])


def _rank(host: Host) -> tuple[float, int, str]:
    return (-host.share, -host.pages, host.name)


def _excerpts(run: Run, shard: Shard, rows: set[int]) -> Iterator[tuple[int, str]]:
    """Yield how the texts of some rows begin, as the run's last edit left them; white space is one space."""
    edits = tuple(step.name for step in ledger.finished_edits(run))
    reader = Step(name="reader", stage="reader", kind="reader", settings={}, inputs=edits)
    first = 0
    for table in run.texts(reader, shard, [schema.TEXT]):
        inside = sorted(row for row in rows if first <= row < first + table.num_rows)
        for row in inside:
            text = table.column(schema.TEXT)[row - first].as_py()
            yield row, " ".join(text[: 4 * EXCERPT].split())[:EXCERPT]
        first += table.num_rows
