"""SimHash: fingerprints against the package `simhash` in one run, pairs of synthetic ones, recall by similarity.

    python benchmarks/fingerprints.py [--data FOLDER] [--documents 1_000_000 ...] [--skip-speed] [--skip-recall]
        [--skip-distances]

Each run over synthetic fingerprints is a process of its own, so that its peak memory is its own: it writes fingerprints
as the phase of that name does, and carries out the other phases one item after another. One in five documents is a copy
of another, with up to four bits changed. Seconds are of process time.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from minhash import DATA, SHARD_ROWS, Quiet, rate, texts

from gristmill import schema
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.simhash import _kernels
from gristmill.dedup.simhash.blocks import block_keys, near_edges, node_keys
from gristmill.dedup.simhash.curve import probability
from gristmill.dedup.simhash.fingerprints import as_column, fingerprints

BOUNDS = ((64, 3), (64, 6), (128, 6), (128, 10), (128, 16))
DISTANCES = ((64, 3), (64, 6), (64, 8), (128, 10), (128, 16))
JACCARD = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 1.01)


def main() -> None:
    """Print all parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--documents", type=int, nargs="*", default=[1_000_000, 2_000_000, 5_000_000])
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--skip-recall", action="store_true")
    parser.add_argument("--skip-distances", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(paired(arguments.one)))
        return
    if not arguments.skip_speed:
        compare_fingerprints(texts(arguments.data))
        crowd()
    if not arguments.skip_recall:
        print_recall(texts(arguments.data))
        print_unlike(arguments.data / "text")
    if not arguments.skip_distances:
        print_distances()
    print("\ndocuments   seconds   microseconds/document   peak MB   disk MB   dropped")
    for count in arguments.documents:
        child = [sys.executable, __file__, "--one", str(count)]
        done = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        each = 1e6 * done["seconds"] / count
        took = f"{count:9,} {done['seconds']:9.1f} {each:23.2f}"
        print(f"{took} {done['peak_mb']:9,} {done['disk_mb']:9,} {done['dropped']:9,}", flush=True)
        for phase, seconds in done["phases"].items():
            print(f"    {phase:12} {seconds:8.1f} s")


def compare_fingerprints(found: list[str]) -> None:
    """Print megabytes of text a second, on one core, and how often that of the package."""
    from simhash import Simhash

    column, size = pa.array(found, pa.large_string()), sum(len(text.encode()) for text in found) / 1e6
    few = found[:40]
    few_size = sum(len(text.encode()) for text in few) / 1e6
    words = [[" ".join(words[i : i + 3]) for i in range(len(words) - 2)] for words in (text.split() for text in few)]
    peers = {
        "simhash, its own shingles": rate(lambda: [Simhash(text) for text in few], 1) * few_size,
        "simhash, word 3-grams made before": rate(lambda: [Simhash(row) for row in words], 1) * few_size,
    }
    for name, speed in peers.items():
        print(f"{name:36} {speed:9.2f} MB/s")
    hashed = shingles(column, "words", 3)
    for bits in (64, 128):
        whole = rate(lambda b=bits: fingerprints(shingles(column, "words", 3), b), 1) * size
        alone = rate(lambda b=bits: fingerprints(hashed, b), 1) * size
        ratio = whole / max(peers.values())
        print(f"gristmill, {bits} bits, from the text     {whole:9.1f} MB/s, {ratio:.0f} x the faster of these")
        print(f"gristmill, {bits} bits, given the shingles {alone:8.1f} MB/s")


def crowd() -> None:
    """Print how many pairs are compared in a bucket of 100,000, and for how long."""
    chance, count = np.random.default_rng(1), 100_000
    biased = [(chance.random((count, 48)) < share).astype(np.uint64) for share in (0.05, 0.1, 0.2)]
    shapes = {
        "evenly spread": chance.integers(0, 2**48, count, dtype=np.uint64),
        "consecutive": np.arange(count, dtype=np.uint64),
        **{
            f"{share:.0%} of bits differ": (bits << np.arange(48, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
            for share, bits in zip((0.05, 0.1, 0.2), biased, strict=True)
        },
    }
    print("\n100,000 fingerprints that share a block of 16 bits, distance 3; all pairs are 5,000,000,000")
    for name, values in shapes.items():
        distinct = np.unique(values)[:, None]
        least = np.empty(len(distinct), np.int64)
        began = time.process_time()
        compared = _kernels.near_sets(distinct, np.array([0, len(distinct)]), 3, least)
        spent = time.process_time() - began
        print(f"    {name:22} {len(distinct):8,} distinct, {compared:13,} compared, {spent:6.2f} s")


def print_distances() -> None:
    """Print how long the pairs of evenly spread fingerprints take, by their number and the bound."""
    chance = np.random.default_rng(0)
    print("\nfingerprints   " + "   ".join(f"{distance:2} of {bits:3}" for bits, distance in DISTANCES))
    for count in (250_000, 500_000, 1_000_000):
        spent = []
        for bits, distance in DISTANCES:
            prints = chance.integers(0, 2**64, (count, bits // 64), dtype=np.uint64)
            began = time.process_time()
            keys, nodes, times = block_keys(prints, distance), node_keys(prints), distance + 1
            near_edges(keys.ravel(), np.repeat(nodes, times), np.repeat(prints, times, axis=0), distance)
            spent.append(f"{time.process_time() - began:7.1f} s")
        print(f"{count:12,}   " + "   ".join(spent), flush=True)


def print_recall(found: list[str]) -> None:
    """Print, by Jaccard similarity of word 3-grams, how often a text and its copy are within each bound."""
    chance = random.Random(1)
    shares = [share / 100 for share in (0, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 10, 14)]
    originals = found * max(1, 6_000 // len(found))
    copies = [changed(text, chance.choice(shares), chance) for text in originals]
    hashed = shingles(pa.array([*originals, *copies], pa.large_string()), "words", 3)
    sets = [frozenset(hashed.hashes[a:b].tolist()) for a, b in pairwise(hashed.counts.tolist())]
    pairs = zip(sets[: len(originals)], sets[len(originals) :], strict=True)
    jaccard = np.array([len(one & other) / len(one | other) for one, other in pairs])
    prints = fingerprints(hashed, 128)
    different = np.bitwise_count(prints[: len(originals)] ^ prints[len(originals) :])
    print("\nJaccard        pairs  " + "  ".join(f"{distance:2} of {bits:3} (told)" for bits, distance in BOUNDS))
    for low, high in pairwise(JACCARD):
        chosen = (jaccard >= low) & (jaccard < high)
        shown = []
        for bits, distance in BOUNDS:
            share = (different[chosen, : bits // 64].sum(axis=1) <= distance).mean()
            told = np.mean([probability(2 * j / (1 + j), bits, distance) for j in jaccard[chosen]])
            shown.append(f"{share:9.3f} ({told:.3f})")
        print(f"{low:.2f} to {min(high, 1):.2f} {chosen.sum():6}  " + "  ".join(shown), flush=True)


def print_unlike(folder: Path) -> None:
    """Print how near pieces of 30,000 words of English books, speeches and articles are to each other."""
    names = ["us_presidential_speeches", "wikitext2_raw_test", "standardebooks_origin_of_species_en"]
    files = [*sorted(folder.glob("gutenberg/*_en.txt.gz")), *(folder / f"{name}.txt.gz" for name in names)]
    pieces = []
    for file in (file for file in files if file.exists()):
        words = gzip.decompress(file.read_bytes()).decode("utf-8", "replace").split()
        pieces += [" ".join(words[i : i + 30_000]) for i in range(0, len(words) - 29_999, 30_000)]
    if not pieces:
        return
    print(f"\n{len(pieces)} pieces of books: pairs within so many of 64 bits")
    for n in (1, 2, 3, 5):
        prints = fingerprints(shingles(pa.array(pieces, pa.large_string()), "words", n), 64)[:, 0]
        away = np.bitwise_count(prints[:, None] ^ prints[None, :])[np.triu_indices(len(prints), 1)]
        near = ", ".join(f"{np.count_nonzero(away <= most)} within {most}" for most in (3, 6, 10))
        print(f"    {n} words in a shingle: {near}, of {len(away)}; {away.mean():.1f} bits on average")


def changed(text: str, share: float, chance: random.Random) -> str:
    """Return a text in which that share of the words, spread over it, are others."""
    return " ".join(f"zq{chance.randrange(10**9)}" if chance.random() < share else word for word in text.split())


def paired(count: int) -> dict[str, object]:
    """Return what it took to find the copies among that many fingerprints."""
    from gristmill.pipeline.carry_out import phases_of

    folder = Path(tempfile.mkdtemp(prefix="simhash-"))
    try:
        run = write_fingerprints(folder, count)
        spent: dict[str, float] = {}
        began = time.process_time()
        for _, phase in phases_of(run, run.plan.steps[1:]):
            started = time.process_time()
            for item in phase.items():
                if not phase.is_done(item):
                    phase.perform(item, Quiet())
            name = phase.name.partition("-")[0]
            spent[name] = spent.get(name, 0.0) + time.process_time() - started
        seconds = time.process_time() - began
        step = run.plan.step("dedup")
        layers = (run.read(step, shard, [schema.KEEP]).column(0) for shard in run.plan.shards)
        dropped = sum(len(layer) - layer.to_numpy(zero_copy_only=False).sum() for layer in layers)
        disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    finally:
        shutil.rmtree(folder)
    return {
        "seconds": seconds,
        "peak_mb": peak_mb(),
        "disk_mb": disk >> 20,
        "dropped": int(dropped),
        "phases": {name: round(value, 1) for name, value in spent.items() if value >= 0.05},
    }


def peak_mb() -> int:
    """Return the most memory that this process has had; that of its parent before it was started does not count."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def write_fingerprints(folder: Path, count: int):
    """Return a run whose documents have no text, and whose fingerprints are there."""
    from synthetic_runs import run_of_shards, write_signed

    from gristmill.pipeline.stages.dedup.simhash.fingerprinted import Fingerprinted

    run, settings = run_of_shards(folder, "simhash: {distance: 3}", -(-count // SHARD_ROWS))
    found = Fingerprinted(run, run.plan.step("dedup"), settings.simhash)
    for number, shard in enumerate(run.plan.shards):
        values = synthetic(number, min(SHARD_ROWS, count - number * SHARD_ROWS), count)
        write_signed(found, shard, as_column(values), node_keys(values, np.zeros(len(values), np.uint64)))
    return run


def synthetic(number: int, rows: int, count: int) -> np.ndarray:
    """Return fingerprints of which one in five is that of some document of the corpus, with up to four bits changed."""
    chance = np.random.default_rng((1, number))
    index = np.arange(number * SHARD_ROWS, number * SHARD_ROWS + rows, dtype=np.uint64)
    copies = chance.random(rows) < 0.2
    index[copies] = chance.integers(0, count, copies.sum())
    values = (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    for _ in range(4):
        flips = copies & (chance.random(rows) < 0.5)
        values[flips] ^= np.uint64(1) << chance.integers(0, 64, flips.sum(), dtype=np.uint64)
    return values[:, None]


if __name__ == "__main__":
    main()
