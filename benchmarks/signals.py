"""FineWeb's four filters chained: gristmill against datatrove, on the same texts, in one run.

    python benchmarks/signals.py [--text FILE] [--documents 300] [--rounds 5]

FILE is JSONL (a `text` key; .gz and .xz too) or Parquet (a `text` column), such as a shard of a run's documents;
without it, text made up here. One core, CPU seconds, the median of the rounds. Nothing is timed before both have come
to the same verdict on every text, on spaCy's words. gristmill remembers nothing between texts: words that it never met
cost what known ones do.

Then the signals of Gopher and FineWeb alone, and the seconds that a fresh process takes to measure one text: cold, when
its kernels are to be compiled, and warm, when they are kept on disk.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import lzma
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_parts

from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings, WordKind

FAMILIES = ("gopher_repetition", "gopher_quality", "fineweb", "c4")
STEP = f"""
import pyarrow as pa
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings, WordKind
measure(pa.array(["One text."]), SignalsSettings(families={FAMILIES}))
"""
LINES = {
    "terminal_line_ratio": {"min": 0.12},
    "short_line_ratio": {"max": 0.67},
    "dup_nonblank_line_char_ratio": {"max": 0.01},
    "newline_word_ratio": {"max": 0.3},
    "c4_lorem_ipsum_line_count": {"max": 0},
    "c4_curly_brace_line_count": {"max": 0},
    "c4_sentence_count": {"min": 5},
}
RULES = rules_of(FilterSettings(use=("gopher_repetition", "gopher_quality"), lines=LINES))


def main() -> None:
    """Check that the verdicts are equal, time each way in turn, and print a table."""
    options = arguments(__doc__)
    name, texts = read_texts(options.text, options.documents)
    batch = pa.array(texts, pa.large_string())
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    check(texts, batch)
    print(f"{name}: {len(texts)} documents, {megabytes:.2f} MB, {options.rounds} rounds, one core")
    seconds = medians(_ways(texts, batch), options.rounds)
    print(f"{'':38}{'documents/s':>12}{'MB/s':>9}{'×':>8}")
    for way, median in seconds.items():
        factor = max(seconds.values()) / median
        print(f"{way:38}{len(texts) / median:12,.0f}{megabytes / median:9.2f}{factor:8.1f}")
    print_signals_alone(batch, megabytes, options.rounds)
    cold, *warm = start_seconds(1 + options.rounds)
    print(f"a fresh process: cold {cold:.2f} s, warm {statistics.median(warm):.2f} s")


def print_signals_alone(batch: pa.Array, megabytes: float, rounds: int) -> None:
    """Time the signals of Gopher and FineWeb, on each kind of words, without rules and Parquet; print MB/s."""
    kinds: tuple[WordKind, ...] = ("unicode", "whitespace", "spacy")
    settings = {kind: SignalsSettings(families=FAMILIES[:3], words=kind) for kind in kinds}
    ways = {kind: partial(measure, batch, setting) for kind, setting in settings.items()}
    speeds = (f"{kind} {megabytes / median:.0f}" for kind, median in medians(ways, rounds).items())
    print("signals of Gopher and FineWeb, MB/s:", ", ".join(speeds))


def medians(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of each way; they take turns, after one call each that compiles and loads."""
    for run in ways.values():
        run()
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            start = time.process_time()
            run()
            seconds[way].append(time.process_time() - start)
    return {way: statistics.median(times) for way, times in seconds.items()}


def check(texts: list[str], batch: pa.Array) -> None:
    """Raise SystemExit if any text is kept by one and dropped by the other, on spaCy's words."""
    ours = decide(batch, "spacy").column("keep").to_pylist()
    wrong = sum(a != b for a, b in zip(ours, datatrove_keeps(texts), strict=True))
    if wrong:
        raise SystemExit(f"{wrong} of {len(texts)} verdicts differ: nothing is timed")


def decide(batch: pa.Array, words: WordKind) -> pa.RecordBatch:
    """Return gristmill's decisions: all signals measured and written as Parquet, all rules evaluated."""
    measured = measure(batch, SignalsSettings(families=FAMILIES, words=words))
    pq.write_table(pa.Table.from_batches([measured]), io.BytesIO(), compression="zstd")
    return evaluate(RULES, measured, len(batch))


def start_seconds(times: int) -> list[float]:
    """Return the wall seconds of fresh processes that measure one text, where the first finds no compiled kernel."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", STEP], env=os.environ | {"NUMBA_CACHE_DIR": folder}, check=True)
            seconds.append(time.perf_counter() - start)
    return seconds


def datatrove_keeps(texts: list[str]) -> list[bool]:
    """Return datatrove's verdicts: each filter sees what those before it kept; C4's is last, since it edits."""
    filters = (GopherRepetitionFilter(), GopherQualityFilter(), FineWebQualityFilter(), C4QualityFilter())
    split_into_parts.cache_clear()
    documents = [Document(text=text, id=str(i)) for i, text in enumerate(texts)]
    return [all(f.filter(document) is True for f in filters) for document in documents]


def _ways(texts: list[str], batch: pa.Array) -> dict[str, Callable[[], object]]:
    return {
        "gristmill, unicode words": lambda: decide(batch, "unicode"),
        "gristmill, whitespace words": lambda: decide(batch, "whitespace"),
        "gristmill, spacy words": lambda: decide(batch, "spacy"),
        "datatrove": lambda: datatrove_keeps(texts),
    }


def read_texts(file: Path | None, documents: int) -> tuple[str, list[str]]:
    """Return where the texts come from, and so many of them, in an order that is always the same."""
    texts = _made_up(documents) if file is None else [text for text in _read(file) if text]
    random.Random(0).shuffle(texts)
    return (file.name if file else "text made up", texts[:documents])


def _read(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path, columns=["text"])["text"].to_pylist())
    opened = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def _made_up(documents: int) -> list[str]:
    """Return texts of common words, in lines and paragraphs, some of which repeat."""
    chance = random.Random(0)
    words = [*["the", "be", "to", "of", "and", "that", "have", "with"] * 4, *(f"word{i}" for i in range(2_000))]
    texts = []
    for _ in range(documents):
        lines = [" ".join(chance.choices(words, k=chance.randint(3, 30))) + "." for _ in range(chance.randint(5, 60))]
        texts.append("\n".join(lines + chance.choices(lines, k=len(lines) // 8)))
    return texts


def arguments(description: str | None) -> argparse.Namespace:
    """Return the command line: text, documents, rounds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="JSONL or Parquet with texts")
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
