"""Deciding: a million documents against forty rules, from the layers' columns to written decisions.

    python benchmarks/rules.py [--documents 1000000] [--rules 40] [--rounds 5]

Values are made up: half of the documents are dropped, each by a few rules, as in a real filter. One core, the median of
the rounds. Nothing is timed before a plain loop over the first rows has come to the same decisions.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.filters.rules.evaluate import decide
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.shards import ShardWriter

CHECKED = 2_000


def main() -> None:
    """Check, time deciding alone and with reading and writing, and print both with the peak of memory."""
    options = arguments()
    rules = [
        Rule("bench", f"signal_{i}", "min" if i % 2 else "max", 0.01 if i % 2 else 0.98) for i in range(options.rules)
    ]
    with tempfile.TemporaryDirectory() as name:
        layer, decisions = Path(name, "layer.parquet"), Path(name, "decisions.parquet")
        write_layer(layer, options)
        check(layer, rules)
        alone, whole = [], []
        for _ in range(options.rounds):
            start = time.perf_counter()
            table = pq.read_table(layer, use_threads=False)
            columns = {field: table.column(field) for field in table.column_names}
            del table
            begun = time.perf_counter()
            batches = decide(rules, columns, options.documents)
            kept = sum(batch.column(schema.KEEP).true_count for batch in batches)
            alone.append(time.perf_counter() - begun)
            with decisions.open("wb") as sink:
                writer = ShardWriter(sink, schema.DECISIONS, "benchmark")
                for batch in decide(rules, columns, options.documents):
                    writer.write(batch)
                writer.close()
            whole.append(time.perf_counter() - start - alone[-1])
            del columns
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{options.documents:,} documents × {options.rules} rules, {options.rounds} rounds; {kept:,} kept")
    print(f"deciding                        {statistics.median(alone):6.2f} s")
    print(f"reading, deciding and writing   {statistics.median(whole):6.2f} s")
    print(f"peak memory                     {peak:6.2f} GB")


def write_layer(path: Path, options: argparse.Namespace) -> None:
    """Write a layer of as many signals as rules: values in [0, 1], skewed so that half of the documents are kept."""
    chance = np.random.default_rng(0)
    fields = pa.schema([pa.field(f"signal_{i}", pa.float64()) for i in range(options.rules)])
    with pq.ParquetWriter(path, fields, compression="zstd") as writer:
        for start in range(0, options.documents, 50_000):
            rows = min(50_000, options.documents - start)
            values = [pa.array(chance.random(rows).round(4)) for _ in fields]
            writer.write_table(pa.table(values, schema=fields))


def check(path: Path, rules: list[Rule]) -> None:
    """Raise SystemExit unless the first rows are decided as a plain loop decides them."""
    table = pq.ParquetFile(path).read_row_group(0).slice(0, CHECKED)
    found = pa.Table.from_batches(decide(rules, {n: table.column(n) for n in table.column_names}, table.num_rows))
    for row, decision in zip(table.to_pylist(), found.to_pylist(), strict=True):
        outside = [
            rule.code
            for rule in rules
            if (row[rule.signal] < rule.bound if rule.side == "min" else row[rule.signal] > rule.bound)
        ]
        if decision[schema.REASONS] != outside:
            raise SystemExit("a decision differs: nothing is timed")


def arguments() -> argparse.Namespace:
    """Return the command line: documents, rules, rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
