"""Gopher's two families of rules: gristmill against datatrove's two filters, on the same texts, in one run.

    python benchmarks/signals.py [--text FILE] [--documents 300] [--rounds 5]

FILE is JSONL (a `text` key; .gz and .xz too) or Parquet (a `text` column), such as a shard of a run's documents;
without it, text made up here. One core, CPU seconds, the median of the rounds. Nothing is timed before both have come
to the same verdict on every text, on the same words.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import importlib.util
import json
import lzma
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import gopher_quality_filter, gopher_repetition_filter
from datatrove.utils.text import split_into_parts

from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings

RULES = rules_of(FilterSettings(use=("gopher_repetition", "gopher_quality")))


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
    """Raise SystemExit if any text is kept by one and dropped by the other, on words split at white space."""
    ours = decide(batch, "whitespace").column("keep").to_pylist()
    with given_words(str.split):
        theirs = datatrove_keeps(texts)
    wrong = sum(a != b for a, b in zip(ours, theirs, strict=True))
    if wrong:
        raise SystemExit(f"{wrong} of {len(texts)} verdicts differ: nothing is timed")


def decide(batch: pa.Array, words: str) -> pa.RecordBatch:
    """Return gristmill's decisions: all signals measured, all rules evaluated."""
    return evaluate(RULES, measure(batch, SignalsSettings(words=words)), len(batch))


def datatrove_keeps(texts: list[str]) -> list[bool]:
    """Return datatrove's verdicts: repetition first, and quality for what that kept, as in a pipeline."""
    filters = (gopher_repetition_filter.GopherRepetitionFilter(), gopher_quality_filter.GopherQualityFilter())
    split_into_parts.cache_clear()
    documents = [Document(text=text, id=str(i)) for i, text in enumerate(texts)]
    return [all(f.filter(document) is True for f in filters) for document in documents]


@contextmanager
def given_words(split: Callable[[str], list[str]]) -> Iterator[None]:
    """Have datatrove's filters split words otherwise; each text is split once, as its own cache has it."""
    cached = functools.lru_cache(5)(lambda text, language="en": split(text))
    with (
        mock.patch.object(gopher_quality_filter, "split_into_words", cached),
        mock.patch.object(gopher_repetition_filter, "split_into_words", cached),
    ):
        yield


def _ways(texts: list[str], batch: pa.Array) -> dict[str, Callable[[], object]]:
    def with_split() -> None:
        with given_words(str.split):
            datatrove_keeps(texts)

    ways: dict[str, Callable[[], object]] = {
        "gristmill, unicode words": lambda: decide(batch, "unicode"),
        "gristmill, whitespace words": lambda: decide(batch, "whitespace"),
        "datatrove, words by str.split": with_split,
    }
    if importlib.util.find_spec("spacy"):
        ways["datatrove, its own words (spaCy)"] = lambda: datatrove_keeps(texts)
    return ways


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
