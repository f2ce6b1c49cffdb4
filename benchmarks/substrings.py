"""Exact substrings: how fast and in what memory, on real crawls and on what is hard.

    python benchmarks/substrings.py [--data FOLDER] [--pages 100_000]

Each corpus is a process of its own, so that its peak memory is its own (Python, Arrow and the kernels have 250 MB of
it); its phases are carried out one item after another. Seconds are of process time. The plain way is one suffix array
over all words of the same texts, with its common prefixes, by pydivsufsort.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from corpora import Document, NoProgress, make_run

from gristmill import schema
from gristmill.dedup.substrings.anchors import find_words
from gristmill.pipeline import warm
from gristmill.pipeline.carry_out import phases_of, write_plan
from gristmill.pipeline.run import Run, open_run
from gristmill.pipeline.session import planned
from gristmill.pipeline.storage import Folder

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
STAGE = "  - dedup: {substrings: {tokens: 50}}\n"
FOX = "The quick brown fox jumps over the lazy dog, and runs away. "


def main() -> None:
    """Print a line for each corpus, and its phases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments)
        return
    if arguments.one:
        made = plain(arguments.folder) if arguments.one == "plain" else deduplicated(arguments)
        print(json.dumps(made))
        return
    with tempfile.TemporaryDirectory(prefix="substrings-") as folder:
        names = [*HARD, *(f"{count} shards" for count in SHARDS)]
        warcs = sorted((arguments.data / "warc").glob("*.warc.gz"))
        if warcs:
            recipe = f"name: real\nsource: {{warc: ['{arguments.data}/warc/*.warc.gz']}}\nstages:\n"
            recipe += "  - extract: {extractor: resiliparse}\n" + STAGE
            (Path(folder) / "real.yaml").write_text(recipe, "utf-8")
            extract(Path(folder))
            names = ["real", "plain", *names]
        print("corpus          text MB   seconds    MB/s   peak MB   disk MB   cut MB")
        for name in names:
            child = [sys.executable, __file__, "--folder", folder, "--pages", str(arguments.pages)]
            if name not in ("real", "plain"):
                subprocess.run([*child, "--make", name], check=True)
            done = subprocess.run([*child, "--one", name], check=True, capture_output=True, text=True).stdout
            report(name, json.loads(done))


def report(name: str, done: dict) -> None:
    """Print what a corpus took."""
    speed = done["mb"] / done["seconds"]
    took = f"{name:14} {done['mb']:8.1f} {done['seconds']:9.1f} {speed:7.1f} {done['peak_mb']:9,.0f}"
    print(f"{took} {done['disk_mb']:9.1f} {done['cut_mb']:8.1f}", flush=True)
    for phase, seconds in done["phases"].items():
        print(f"    {phase:12} {seconds:8.1f} s")


def identical(count: int) -> Iterator[str]:
    """Yield the same page over and over."""
    chance = random.Random(0)
    page = " ".join(str(chance.randrange(10_000)) for _ in range(600))
    for _ in range(count):
        yield page


def template(count: int) -> Iterator[str]:
    """Yield pages that share 40 words at their top, which is too few, and 60 at their end; the rest is their own."""
    chance = random.Random(0)
    top, end = (" ".join(f"{name}{k}" for k in range(size)) for name, size in (("t", 40), ("e", 60)))
    for _ in range(count):
        yield " ".join([top, *(str(chance.randrange(10**6)) for _ in range(200)), end])


def one_line(_: int) -> Iterator[str]:
    """Yield a page of 10 MB that has the same line over and over, and one of the same word."""
    yield f"{FOX}\n" * (10_000_000 // len(FOX))
    yield "a " * 5_000_000


SHARDS = (8, 48)
HARD = {"identical": identical, "template": template, "one line": one_line}


def extract(folder: Path) -> None:
    """Extract the texts of the real crawls."""
    run = open_real(folder)
    carry_out(run, run.plan.steps[:1])


def open_real(folder: Path) -> Run:
    """Return the run over real crawls."""
    recipe = folder / "real.yaml"
    run = Run(Folder(str(folder / "real")), planned(recipe))
    write_plan(run, recipe.read_text("utf-8"))
    return run


def make(arguments: argparse.Namespace) -> None:
    """Write the documents of a corpus that is made up."""
    name = arguments.make
    shards: dict[str, list[Document]] = {}
    if name in HARD:
        for number, text in enumerate(HARD[name](arguments.pages)):
            shards.setdefault("abcdefgh"[number % 8], []).append(Document(f"d/{number:07d}", text))
    else:
        for shard in range(int(name.split()[0])):
            shards[f"{shard:03d}"] = [Document(f"{shard:03d}/{row}", text) for row, text in enumerate(pages(shard))]
    make_run(Path(arguments.folder) / name, shards, STAGE)


def pages(shard: int) -> Iterator[str]:
    """Yield 400 pages of 5 KB of the same 20,000 words; a fifth of each is out of one of 2,000 texts that many have."""
    chance, common = random.Random(f"page {shard}"), random.Random("common")
    words = [f"w{number}" for number in range(20_000)]
    shared = [common.choices(words, k=160) for _ in range(2_000)]
    for _ in range(400):
        own = chance.choices(words, k=640)
        at = chance.randrange(640)
        yield " ".join([*own[:at], *chance.choice(shared), *own[at:]])


def deduplicated(arguments: argparse.Namespace) -> dict:
    """Return what a corpus takes."""
    folder = Path(arguments.folder)
    run = open_real(folder) if arguments.one == "real" else open_run(str(folder / arguments.one / "mill"))
    warm.warm_up(run.plan.steps)
    phases = carry_out(run, run.plan.steps[1:])
    step = run.plan.step("dedup")
    before = sum(sizes(run, run.plan.text_step))
    disk = sum(path.stat().st_size for path in (Path(run.folder.address) / step.folder).rglob("*.parquet"))
    return measured(phases, before, disk, before - sum(sizes(run, step)))


def sizes(run: Run, step: object) -> Iterator[int]:
    """Yield the bytes of text in each shard, after a step."""
    for shard in run.plan.shards:
        values = run.read(step, shard, [schema.TEXT_BYTES]).column(0)
        yield int(np.asarray(values.fill_null(0)).sum())


def carry_out(run: Run, steps: object) -> dict[str, float]:
    """Do the phases of steps; return the seconds of each."""
    took: dict[str, float] = {}
    for _, phase in phases_of(run, steps):
        began = time.process_time()
        for item in phase.items():
            if not phase.is_done(item):
                phase.perform(item, NoProgress())
        took[phase.name] = took.get(phase.name, 0.0) + time.process_time() - began
    return took


def plain(folder: str) -> dict:
    """Return what one suffix array over all words of the real texts takes, with the common prefixes."""
    from pydivsufsort import divsufsort, kasai

    run = open_real(Path(folder))
    tables = [run.read(run.plan.text_step, shard, [schema.TEXT]) for shard in run.plan.shards]
    texts = pa.concat_tables(tables).column(0).cast(pa.large_string()).combine_chunks()
    before = sum(sizes(run, run.plan.text_step))
    words = find_words(texts)
    joined = np.frombuffer(
        b"".join(words.data[a:b].tobytes() + b"\xff" for a, b in zip(words.starts, words.ends, strict=True)), np.uint8
    ).copy()
    began = time.process_time()
    suffixes = divsufsort(joined)
    middle = time.process_time()
    kasai(joined, suffixes)
    return measured({"suffixes": middle - began, "prefixes": time.process_time() - middle}, before, 0, 0)


def measured(phases: dict[str, float], size: int, disk: int, cut: int) -> dict:
    """Return figures as JSON has them."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"mb": size / 1e6, "disk_mb": disk / 1e6, "cut_mb": cut / 1e6, "peak_mb": peak}
    return {"seconds": sum(phases.values()), "phases": phases, **figures}


if __name__ == "__main__":
    main()
