"""Bloom filters: false positives against theory, speed against peers in the same run, and what the stage's phases take.

    python benchmarks/bloom.py [--keys 1_000_000 ...] [--documents 1_000_000 ...] [--skip-peers]

Keys are random numbers of 64 bits; those that are asked for are others, so that each that is found is a false positive.
Of the stage, all but its layers is carried out over synthetic digests, one in five documents a copy, in a process for
each way, so that its peak memory is its own. Peers that are not installed are left out (`pip install rbloom`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.bloom.filters import Filter
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.bloom.sizes import rate_of, size_for
from gristmill.dedup.keys import DIGEST_BYTES, partition_key
from gristmill.dedup.survivors import survivors
from gristmill.pipeline import exchange
from gristmill.pipeline.exchange import Exchange, KeyFiles
from gristmill.pipeline.plan import Plan, Shard, Step, with_digest
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import bloom
from gristmill.pipeline.stages.dedup.decisions import DECIDED
from gristmill.pipeline.stages.dedup.members import KEYS
from gristmill.pipeline.storage import Folder

SHARD_ROWS = 50_000
_AT_ONCE = 10_000_000
_PEER_KEYS = 1_000_000
_SLOW_PEER_KEYS = 50_000
_RATE = 0.01


def main() -> None:
    """Print each part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--rates", type=float, nargs="*", default=[1e-2, 1e-3, 1e-6])
    parser.add_argument("--documents", type=int, nargs="*", default=[1_000_000, 4_000_000])
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(stage(arguments.child[0], int(arguments.child[1]))))
        return
    Filter.empty(size_for(1, _RATE)).add(np.zeros(1, np.uint64))
    rates(arguments.keys, arguments.rates)
    if not arguments.skip_peers:
        peers()
    stages(arguments.documents)
    bytes_at_scale()


def rates(counts: list[int], bounds: list[float]) -> None:
    """Print for each number of keys and each rate what a filter does."""
    print("keys         rate   bits/key  hashes  theory    measured  of keys given once, found twice  add ns  ask ns")
    for count in counts:
        for rate in bounds:
            generator = np.random.default_rng(count)
            keys = generator.integers(0, 2**64, count, dtype=np.uint64)
            made = Filter.empty(size_for(count, rate))
            adding = seconds(lambda made=made, keys=keys: made.add(keys)) / count
            twice = sum(made.has_twice(part).sum() for part in np.array_split(keys, -(-count // _AT_ONCE))) / count
            asked = found = 0
            asking = 0.0
            while asked < 2 * _AT_ONCE or found < 200:
                others = generator.integers(0, 2**64, _AT_ONCE, dtype=np.uint64)
                began = time.process_time()
                found += int(made.has(others).sum())
                asking += time.process_time() - began
                asked += _AT_ONCE
            bits = f"{made.size.bits / count:8.2f}  {made.size.hashes:6}"
            theory = rate_of(made.size, count)
            error = 2 * (theory * (1 - theory) / asked) ** 0.5
            print(
                f"{count:11,}  {rate:5.0e}  {bits}  {theory:.3e} {found / asked:.3e} ±{error:.0e}  {twice:12.3e}  "
                f"{1e9 * adding:18.0f}  {1e9 * asking / asked:6.0f}",
                flush=True,
            )


def peers() -> None:
    """Print what peers take for as many keys, and what they err."""
    keys = np.random.default_rng(1).integers(0, 2**63, 2 * _PEER_KEYS, dtype=np.uint64)
    given, others = keys[:_PEER_KEYS], keys[_PEER_KEYS:]
    own = Filter.empty(size_for(_PEER_KEYS, _RATE))
    _told("gristmill", _PEER_KEYS, lambda: own.add(given), lambda: int(own.has(others).sum()))
    if importlib.util.find_spec("rbloom"):
        import rbloom

        peer = rbloom.Bloom(_PEER_KEYS, _RATE)
        numbers, asked = given.tolist(), others.tolist()
        _told("rbloom", _PEER_KEYS, lambda: peer.update(numbers), lambda: sum(number in peer for number in asked))
    datatrove(_SLOW_PEER_KEYS)


def datatrove(count: int) -> None:
    """Print how datatrove's filter errs, whose index is masked, at the size for 1% and at the next power of two."""
    from datatrove.pipeline.dedup.bloom_filter import BloomFilterConfig, SingleBloomFilter

    shingles = np.random.default_rng(2).integers(0, 2**32, (2 * count, 1), dtype=np.uint64)
    right = -(-size_for(count, _RATE).bits // 8)
    for size in (right, 1 << (right - 1).bit_length()):
        made = SingleBloomFilter(tempfile.gettempdir(), BloomFilterConfig(m_bytes=size, k=7, expected_elements=count))

        def add(made: SingleBloomFilter = made) -> None:
            for indexes in made.get_indexes(shingles[:count]):
                made.update_bf(indexes)

        def ask(made: SingleBloomFilter = made) -> int:
            return sum(made.query(indexes) for indexes in made.get_indexes(shingles[count:]))

        different = len(np.unique(made.get_indexes(shingles[:count])))
        _told(f"datatrove, {size:,} bytes", count, add, ask, f"{different:,} of {8 * size:,} bits are ever set")


def _told(name: str, count: int, add: Callable[[], object], ask: Callable[[], int], more: str = "") -> None:
    adding = seconds(add) / count
    began = time.process_time()
    wrong = ask()
    asking = (time.process_time() - began) / count
    print(
        f"{name:28} add {1e9 * adding:7.0f} ns  ask {1e9 * asking:7.0f} ns  errs {wrong / count:.4f}  {more}",
        flush=True,
    )


def stages(counts: list[int]) -> None:
    """Print what the phases take without filters and with them."""
    print("way    documents   keys s  reduce s  peak MB  bytes/document: short, keys, filters (both planes)")
    for count in counts:
        for way in ("exact", "two", "one"):
            command = [sys.executable, __file__, "--child", way, str(count)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            told = json.loads(done.stdout)
            sizes = ", ".join(f"{told['bytes'].get(name, 0) / count:5.1f}" for name in ("short", "keys", "filters"))
            figures = f"{told['keys']:7.1f}  {told['reduce']:8.1f}  {told['peak']:7.0f}"
            print(f"{way:5} {count:11,}  {figures}  {sizes}", flush=True)


def stage(way: str, documents: int) -> dict[str, object]:
    """Carry out a way's phases but its last; return seconds of process time, the peak of memory, bytes of its files."""
    folder = Path(tempfile.mkdtemp())
    try:
        run, step = _run(folder, documents)
        spent = {"keys": 0.0, "reduce": 0.0}
        for phase in _phases(way, run, step, documents)[:-1]:
            began = time.process_time()
            for item in phase.items():
                phase.perform(item, _Silent())
            spent["keys" if phase.by_shard else "reduce"] += time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {**spent, "peak": peak, "bytes": _bytes(folder, step)}
    finally:
        shutil.rmtree(folder)


def bytes_at_scale() -> None:
    """Print the bytes of a shard's keys where there are as many partitions as for 100,000 shards."""
    folder = Path(tempfile.mkdtemp())
    few, exchange.partition_count = exchange.partition_count, lambda *_: 1024
    try:
        run, step = _run(folder, SHARD_ROWS)
        for way in ("exact", "two"):
            first = _phases(way, run, step, SHARD_ROWS)[0]
            first.perform(first.items()[0], _Silent())
        for name, size in _bytes(folder, step).items():
            each = f"{size / SHARD_ROWS:.1f} bytes each"
            print(f"{name} of a shard of {SHARD_ROWS:,} documents, in 1,024 partitions: {each}")
    finally:
        exchange.partition_count = few
        shutil.rmtree(folder)


def _phases(way: str, run: Run, step: Step, documents: int) -> tuple[exchange.Phase, ...]:
    def emit(shard: Shard, progress: object, wanted: np.ndarray | None = None) -> Iterator[pa.Table]:
        table = _keys(int(shard.name[-5:]), documents)
        yield table if wanted is None else table.take(pa.array(wanted))

    if way == "exact":
        return Exchange(KeyFiles(run, step, KEYS), DECIDED, emit, survivors, lambda shard, decided: None).phases()
    return bloom.phases(run, step, BloomSettings(false_positives=_RATE, passes=way), emit)


def _keys(number: int, documents: int) -> pa.Table:
    """Return the keys of a shard; one in five documents has the text of one of the first fifth."""
    generator = np.random.default_rng(number)
    rows = np.arange(SHARD_ROWS)
    texts = rows + number * SHARD_ROWS + documents
    copies = generator.random(SHARD_ROWS) < 0.2
    texts[copies] = generator.integers(0, documents // 5, copies.sum())
    halves = np.random.SeedSequence(7).generate_state(2, np.uint64)
    values = np.stack([_mixed(texts.astype(np.uint64) * np.uint64(2) + h) for h in halves], axis=1)
    digests = pa.Array.from_buffers(pa.binary(DIGEST_BYTES), SHARD_ROWS, [None, pa.py_buffer(values.tobytes())])
    offsets = np.cumsum(generator.integers(5_000, 40_000, SHARD_ROWS))
    name = f"CC-MAIN-20240221072204-20240221102204-{number:05d}"
    columns = {
        schema.KEY: partition_key(digests),
        schema.DIGEST: digests,
        schema.ORDER: generator.integers(0, 10**7, SHARD_ROWS).astype(np.uint64) * np.uint64(1000),
        schema.ID: pa.array([f"{name}/{offset}" for offset in offsets.tolist()]),
        schema.SHARD: pa.array([name] * SHARD_ROWS),
        schema.ROW: rows,
    }
    return pa.table(columns, schema=KEYS)


def _mixed(values: np.ndarray) -> np.ndarray:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))


def _run(folder: Path, documents: int) -> tuple[Run, Step]:
    name = "CC-MAIN-20240221072204-20240221102204-{:05d}"
    shards = [Shard(name.format(n), f"{n}.warc.gz", "0") for n in range(-(-documents // SHARD_ROWS))]
    extract = with_digest(Step("extract", "extract", "extract", {}, decides=True), [])
    step = Step("dedup", "dedup", "dedup", {"exact": "text"}, ("extract",), decides=True, scope="corpus")
    step = with_digest(step, [extract])
    return Run(Folder(str(folder)), Plan("bloom", tuple(shards), (extract, step))), step


def _bytes(folder: Path, step: Step) -> dict[str, int]:
    found = {}
    for inner in sorted((folder / step.folder).iterdir()):
        found[inner.name] = sum(path.stat().st_size for path in inner.iterdir())
    return found


class _Silent:
    def update(self, rows: int, fraction: float) -> None:
        """Tell nobody."""


def seconds(work: Callable[[], object]) -> float:
    """Return the process time that a call takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
