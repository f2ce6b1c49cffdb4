"""Scoring through the stage against fastText asked directly, on the same texts in one run.

    python benchmarks/quality.py TEXTS.jsonl.gz ... [--rounds 5]

TEXTS have `text`. A classifier with words and bigrams, as DCLM's, is trained on them: even rows against odd ones, so
that its dictionary is large. Then, alternating round by round:

    one by one    ``predict`` for each text, its line ends replaced by spaces in Python, as DCLM asks it
    all at once   ``multilinePredict`` of such lines: the least that can be done with fastText's own binding
    score         `Classifier.score` of Arrow texts, plain and normalized as `lines`
    the stage     the phase of `quality` over a shard's Parquet file: reading, scoring, writing the layer

Scores are compared before anything is timed. Each figure is the median of CPU seconds; ratios are to `one by one`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.classifiers.quality.resolve import classifier_of
from gristmill.classifiers.quality.settings import ClassifierSettings
from gristmill.classifiers.quality.zeroed import zeroed_memory
from gristmill.pipeline.carry_out import phases_of, write_plan
from gristmill.pipeline.phases import as_batch
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.storage import Folder

LABEL = "__label__hq"


class NoProgress:
    """Watches nothing."""

    def update(self, rows, fraction):
        """Show nothing."""


def texts_of(paths: list[Path]) -> list[str]:
    """Return all texts, the empty ones left out."""
    found = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found += [text for row in map(json.loads, file) if (text := row.get("text"))]
    return found


def train(texts: list[str], folder: Path) -> Path:
    """Return a model of words and bigrams, with vectors of 100 numbers."""
    training, model = folder / "training.txt", folder / "quality.bin"
    with training.open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            label = LABEL if number % 2 else "__label__cc"
            file.write(f"{label} {' '.join(text.split())}\n")
    with zeroed_memory():
        trained = fasttext.train_supervised(
            str(training), dim=100, epoch=1, wordNgrams=2, bucket=1_000_000, minCount=2, thread=1, verbose=0
        )
    trained.save_model(str(model))
    return model


def run_of(texts: list[str], model: Path, folder: Path) -> Run:
    """Return a run of one shard with the texts, whose recipe scores them."""
    (folder / "one.warc.gz").write_bytes(b"one")
    recipe = folder / "bench.yaml"
    source = f"name: bench\nsource: {{warc: ['{folder}/one.warc.gz']}}\nstages:\n  - extract\n"
    recipe.write_text(
        f"{source}  - quality: {{fasttext: {{model: '{model}', normalize: lines}}}}\n".replace(
            "{model:", "{hq: {model:"
        ).replace("lines}}", "lines}}}"),
        encoding="utf-8",
    )
    run = Run(Folder(str(folder / "run")), planned(recipe))
    write_plan(run, recipe.read_text(encoding="utf-8"))
    rows = len(texts)
    columns = {
        schema.ID: [f"one/{row}" for row in range(rows)],
        schema.WARC: ["one.warc.gz"] * rows,
        schema.OFFSET: range(rows),
        schema.DATE: [datetime(2024, 4, 21, tzinfo=UTC)] * rows,
        schema.TEXT: texts,
        schema.TEXT_BYTES: [len(text.encode()) for text in texts],
    }
    table = pa.table({n: columns.get(n, [None] * rows) for n in schema.DOCUMENTS.names}, schema=schema.DOCUMENTS)
    with run.folder.writing(run.file(run.plan.text_step, run.plan.shards[0])) as sink:
        writer = ShardWriter(sink, schema.DOCUMENTS, run.digest(run.plan.text_step, run.plan.shards[0]))
        writer.write(as_batch(table))
        writer.close()
    return run


def seconds(work) -> float:
    """Return the CPU seconds that some work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Train, compare, and time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    texts = texts_of(given.texts)
    with tempfile.TemporaryDirectory() as name:
        measure(texts, Path(name), given.rounds)


def measure(texts: list[str], folder: Path, rounds: int) -> None:
    """Print each way's speed."""
    path = train(texts, folder)
    model, column = fasttext.load_model(str(path)), pa.array(texts, pa.large_string())
    ways = {n: classifier_of("hq", ClassifierSettings(model=str(path), normalize=n)) for n in ("plain", "lines")}
    run = run_of(texts, path, folder)
    (_, phase), *_ = phases_of(run, run.plan.steps[1:])

    def one_by_one() -> list[float]:
        found = (model.predict(text.replace("\n", " "), k=2) for text in texts)
        return [float(scores[labels.index(LABEL)]) for labels, scores in found]

    def all_at_once():
        return model.f.multilinePredict([text.replace("\n", " ") + "\n" for text in texts], 2, 0.0, "strict")

    expected = np.clip(np.array(one_by_one()), 0.0, 1.0)
    assert np.array_equal(np.asarray(ways["plain"].score(column)[0]), expected), "scores differ from fastText's"
    phase.perform(run.plan.shards[0].name, NoProgress())
    works = {
        "one by one": one_by_one,
        "all at once": all_at_once,
        "score, plain": lambda: ways["plain"].score(column),
        "score, lines": lambda: ways["lines"].score(column),
        "the stage": lambda: phase.perform(run.plan.shards[0].name, NoProgress()),
    }
    times = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts):,} texts, {size / 1e6:.1f} MB, model of {path.stat().st_size / 1e6:.0f} MB")
    base = statistics.median(times["one by one"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:14} {len(texts) / median:>9,.0f} texts/s {size / median / 1e6:>7.1f} MB/s {median / base:>6.3f}")


if __name__ == "__main__":
    main()
