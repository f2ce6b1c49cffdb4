"""One component that holds everything: what it takes to split 100,000 documents that are alike, or a chain of them.

    python benchmarks/minhash_giants.py [--documents 100_000]

Signatures are made up: ``near`` have 107 of 112 values in common with one page, ``chain`` differ in one value from the
next document, so that those 28 places apart are alike at 0.75 and those 112 apart have nothing in common. Each is a
process of its own; seconds are of process time, from the bands' keys to the layers. What survives is known beforehand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

import minhash
import numpy as np


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--one", choices=("near", "chain"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    count = arguments.documents
    if arguments.one:
        made = {"near": near, "chain": chain}[arguments.one]
        minhash.synthetic = lambda number, rows, _: made(number * minhash.SHARD_ROWS, rows)
        print(json.dumps(minhash.cluster(count)))
        return
    expected = {"near": count - 1, "chain": count - -(-count // 29)}
    for shape, dropped in expected.items():
        child = [sys.executable, __file__, "--one", shape, "--documents", str(count)]
        done = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(f"{shape:6} {count:9,} documents {done['seconds']:7.1f} s {done['peak_mb']:6,} MB peak")
        print(f"       {done['dropped']:9,} dropped, {dropped:,} expected; {done['phases']}", flush=True)


def near(start: int, rows: int) -> np.ndarray:
    """Return signatures like that of document 0, but for five values, which no other document has."""
    chance = np.random.default_rng((2, start))
    values = np.zeros((rows, 112), np.uint32)
    own = np.argsort(chance.random((rows, 112), np.float32), axis=1)[:, :5]
    np.put_along_axis(values, own, np.arange(start, start + rows, dtype=np.uint32)[:, None], axis=1)
    return values


def chain(start: int, rows: int) -> np.ndarray:
    """Return signatures of which each differs from the next in one value."""
    return ((np.arange(start, start + rows)[:, None] + np.arange(112)[::-1]) // 112).astype(np.uint32)


if __name__ == "__main__":
    main()
