"""MinHash-LSH: signatures against datatrove's and datasketch's in one run, then clusters of synthetic signatures.

    python benchmarks/minhash.py [--data FOLDER] [--documents 1_000_000 ...] [--skip-peers]

Each cluster run is a process of its own, so that its peak memory is its own: it writes signatures as the `signatures`
phase does, and carries out the other phases one item after another. One in five documents is a copy of another. Seconds
are of process time.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.minhash.bands import node_keys
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.minhash.signatures import SCHEMES, signatures

SHARD_ROWS = 50_000
CLUSTERING = ("bands", "nodes", "edges", "large", "small", "rest", "labels")
"""The phases that do what datatrove's bucket and cluster stages do, from signatures on; those after them verify."""
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--documents", type=int, nargs="*", default=[1_000_000, 2_000_000, 5_000_000])
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        print(json.dumps(cluster_with_datatrove(arguments.peer)))
        return
    if arguments.one:
        print(json.dumps(cluster(arguments.one)))
        return
    if not arguments.skip_peers:
        compare_signatures(texts(arguments.data))
        compare_clusters([200_000, 400_000, 1_000_000])
    print("\ndocuments   seconds   microseconds/document   peak MB   disk MB   dropped")
    for count in arguments.documents:
        done = child("--one", count)
        each = 1e6 * done["seconds"] / count
        took = f"{count:9,} {done['seconds']:9.1f} {each:23.2f}"
        print(f"{took} {done['peak_mb']:9,} {done['disk_mb']:9,} {done['dropped']:9,}", flush=True)
        for phase, (seconds, megabytes) in done["phases"].items():
            print(f"    {phase:12} {seconds:8.1f} s {megabytes:6,} MB more")


def texts(folder: Path) -> list[str]:
    """Return real texts of 3.5 to 7 KB, or made-up ones where there are none."""
    if folder.is_dir():
        sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
        from real_texts import real_texts

        return [text for text in real_texts(folder) if 3_500 < len(text) < 7_000]
    chance = random.Random(0)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(20_000)]
    return [" ".join(chance.choices(words, k=850)) for _ in range(300)]


def compare_signatures(found: list[str]) -> None:
    """Print documents a second, and how often that of datatrove's step with the same hash, on one core."""
    import xxhash
    from datasketch import MinHash
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig

    column = pa.array(found, pa.large_string())
    few = found[:100]
    speeds = {}
    for name, hash_fc in (("fineweb", "sha1"), ("datatrove", "xxhash")):
        step = MinhashDedupSignature("memory://x", MinhashConfig(hash_config=HashConfig(precision=64, hash_fc=hash_fc)))
        if name == "datatrove":
            step._hash_func = lambda shingle: xxhash.xxh64_intdigest(shingle.encode())  # xxhash 4 takes bytes alone
        speeds[name] = rate(lambda step=step: [step.get_signature(step.get_shingles(text)) for text in few], len(few))
        print(f"datatrove 14 x 8, {hash_fc:6}             {speeds[name]:9,.0f} documents/s")
    hashed = [h[:850].tolist() for h in np.array_split(shingles(column, "words", 5).hashes & 0xFFFFFFFF, len(found))]
    speed = rate(lambda: [MinHash(112, hashfunc=int).update_batch(row) for row in hashed], len(hashed))
    print(f"datasketch affine32, hashes given    {speed:9,.0f} documents/s")
    for scheme in SCHEMES:
        kind = scheme if scheme in speeds else "words"
        speed = rate(lambda k=kind, s=scheme: signatures(shingles(column, k, 5), s, 112, 1), len(found))
        ratio = speed / speeds.get(scheme, speeds["fineweb"])
        print(f"gristmill {scheme:9} ({kind:9})      {speed:9,.0f} documents/s, {ratio:6.1f} x datatrove")


def compare_clusters(counts: list[int]) -> None:
    """Print what datatrove's bucket and cluster stages take for the same signatures, and what ours do.

    Memory is the peak of the stages less what the process had before them; the last column is what each document more
    adds to it, from the count before on.
    """
    print("\ndocuments  program                                    seconds   MB more   bytes/document more")
    before: dict[str, float] = {}
    for count in counts:
        peer, ours = child("--peer", count), child("--one", count)
        found = sum(ours["phases"][name][0] for name in CLUSTERING if name in ours["phases"])
        for name, seconds, kb in (
            ("datatrove buckets and cluster", peer["seconds"], peer["kb"]),
            ("gristmill bands to labels", found, ours["kb_of_clusters"]),
            ("gristmill bands to layers, verified", ours["seconds"], ours["kb"]),
        ):
            slope = (
                f"{1024 * (kb - before[name]) / (count - counts[counts.index(count) - 1]):10.0f}"
                if name in before
                else ""
            )
            print(f"{count:9,}  {name:40} {seconds:9.1f} {kb >> 10:9,} {slope}", flush=True)
            before[name] = kb
        print(f"{'':10} {peer['seconds'] / found:.1f} x, verified {peer['seconds'] / ours['seconds']:.1f} x datatrove")


def child(option: str, count: int) -> dict[str, Any]:
    """Return what a process of its own found."""
    command = [sys.executable, __file__, option, str(count)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def cluster_with_datatrove(count: int) -> dict[str, float]:
    """Return what datatrove's bucket and cluster stages take, from its own files of signatures."""
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster

    config = MinhashConfig()
    folder = Path(tempfile.mkdtemp(prefix="datatrove-"))
    try:
        for number in range(-(-count // SHARD_ROWS)):
            rows = min(SHARD_ROWS, count - number * SHARD_ROWS)
            values = synthetic(number, rows, count).astype("<u8")
            for band in range(14):
                table = np.empty(rows, [*((f"h{k}", "<u8") for k in range(8)), ("row", "<u4")])
                for k in range(8):
                    table[f"h{k}"] = values[:, 8 * band + k]
                table["row"] = np.arange(rows)
                table.sort(order=table.dtype.names)
                (folder / "signatures" / f"bucket_{band:03d}").mkdir(parents=True, exist_ok=True)
                table.tofile(folder / "signatures" / f"bucket_{band:03d}" / f"{number:05d}.minhash.sig")
        base = forget_peak()
        began = time.process_time()
        for rank in range(14):
            MinhashDedupBuckets(
                str(folder / "signatures"), str(folder / "pairs"), config=config, lines_to_buffer=1000
            ).run(None, rank, 14)
        MinhashDedupCluster(str(folder / "pairs"), str(folder / "clusters"), config, lines_to_buffer=1000).run(
            None, 0, 1
        )
        seconds = time.process_time() - began
        peak = memory("VmHWM")
    finally:
        shutil.rmtree(folder)
    return {"seconds": seconds, "peak_mb": peak >> 10, "kb": peak - base}


def forget_peak() -> int:
    """Let the kernel forget the most memory that this process has had; return what it has now, in KiB (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(name: str) -> int:
    """Return a line of this process's status, in KiB: VmRSS is what it has, VmHWM the most that it has had."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


def rate(work: Callable[[], object], count: int) -> float:
    """Return items a second of process time: the median of five, after one that is not counted."""
    work()
    spent = []
    for _ in range(5):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return count / statistics.median(spent)


class Quiet:
    """Progress that nobody watches."""

    def update(self, rows: int, fraction: float) -> None:
        """Do nothing."""


def cluster(count: int) -> dict[str, object]:
    """Return what it took to cluster that many documents from their signatures on."""
    from gristmill.pipeline.carry_out import phases_of

    folder = Path(tempfile.mkdtemp(prefix="minhash-"))
    try:
        run = write_signatures(folder, count)
        base = forget_peak()
        spent: dict[str, float] = {}
        held: dict[str, int] = {}
        began = time.process_time()
        for _, phase in phases_of(run, run.plan.steps[1:]):
            started = time.process_time()
            forget_peak()
            for item in phase.items():
                if not phase.is_done(item):
                    phase.perform(item, Quiet())
            name = phase.name.partition("-")[0]
            spent[name] = spent.get(name, 0.0) + time.process_time() - started
            held[name] = max(held.get(name, 0), memory("VmHWM") - base)
        seconds = time.process_time() - began
        peak = base + max(held.values())
        step = run.plan.step("dedup")
        layers = (run.read(step, shard, [schema.KEEP]).column(0) for shard in run.plan.shards)
        dropped = sum(len(layer) - layer.to_numpy(zero_copy_only=False).sum() for layer in layers)
        disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    finally:
        shutil.rmtree(folder)
    return {
        "seconds": seconds,
        "peak_mb": peak >> 10,
        "kb": peak - base,
        "kb_of_clusters": max(held[name] for name in CLUSTERING if name in held),
        "disk_mb": disk >> 20,
        "dropped": int(dropped),
        "phases": {name: (round(value, 1), held[name] >> 10) for name, value in spent.items() if value >= 0.05},
    }


def write_signatures(folder: Path, count: int):
    """Return a run whose documents have no text, and whose signatures are there."""
    from synthetic_runs import run_of_shards, write_signed

    from gristmill.pipeline.stages.dedup.minhash.signed import Signed

    run, settings = run_of_shards(folder, "minhash: {bands: 14, rows: 8, verify: 0.75}", -(-count // SHARD_ROWS))
    signed = Signed(run, run.plan.step("dedup"), settings.minhash)
    for number, shard in enumerate(run.plan.shards):
        values = synthetic(number, min(SHARD_ROWS, count - number * SHARD_ROWS), count)
        column = pa.Array.from_buffers(pa.binary(signed.width), len(values), [None, pa.py_buffer(values)])
        write_signed(signed, shard, column, node_keys(values))
    return run


def synthetic(number: int, rows: int, count: int) -> np.ndarray:
    """Return signatures of which one in five is that of some document of the corpus, with a tenth of it changed."""
    chance = np.random.default_rng((1, number))
    index = np.arange(number * SHARD_ROWS, number * SHARD_ROWS + rows, dtype=np.uint64)
    copies = chance.random(rows) < 0.2
    index[copies] = chance.integers(0, count, copies.sum())
    column = np.arange(112, dtype=np.uint64)
    values = index[:, None] * np.uint64(0x9E3779B97F4A7C15) + column * np.uint64(0xC2B2AE3D27D4EB4F)
    values = (values ^ (values >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    found = (values >> np.uint64(32)).astype(np.uint32)
    changed = copies[:, None] & (chance.random(found.shape, np.float32) < 0.1)
    found[changed] = chance.integers(0, 2**32, changed.sum(), dtype=np.uint32)
    return found


if __name__ == "__main__":
    main()
