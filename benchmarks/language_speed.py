"""Language identification against datatrove's LanguageFilter and fastText itself, on the same texts in one run.

    python benchmarks/language_speed.py TEXTS ... [--times 5]

TEXTS are Parquet files with a column `text`, or `.jsonl.gz` and `.jsonl.xz` with `text`. All are asked in turn, so many
times, and the median is taken of the processor time of each. Labels are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import LanguageFilter

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import FoundModel, find_model
from gristmill.classifiers.settings import LanguageSettings

SETTINGS = {
    "gristmill, whole texts": LanguageSettings(),
    "gristmill, first 1,000 characters": LanguageSettings(first_characters=1_000),
    "gristmill, whole texts, 3 labels": LanguageSettings(top=3),
    "gristmill, whole texts and lines": LanguageSettings(lines=True),
}


def texts_of(path: Path) -> list[str]:
    """Return the texts of a file."""
    if path.suffix == ".parquet":
        return [text for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text]
    opened = lzma.open if path.suffix == ".xz" else gzip.open
    with opened(path, "rt", encoding="utf-8") as file:
        return [text for text in (json.loads(line)["text"] for line in file) if text]


def datatrove(model: FoundModel, texts: list[str]) -> list[str]:
    """Return the labels that datatrove's filter gives, with this model's file in place of the one it fetches."""
    LanguageFilter._requires_dependencies = []  # it knows fastText by the name of another package only
    asked = LanguageFilter(label_only=True)
    asked.model._model = fasttext.load_model(str(model.path))
    documents = [Document(text=text, id="0") for text in texts]
    start = time.process_time()
    for document in documents:
        asked.filter(document)
    datatrove.took = time.process_time() - start
    return [document.metadata["language"] for document in documents]


def raw(model: FoundModel, texts: list[str]) -> list[str]:
    """Return the labels that fastText gives for a batch of lines."""
    loaded = fasttext.load_model(str(model.path))
    start = time.process_time()
    labels, _ = loaded.predict([text.replace("\n", " ") for text in texts])
    raw.took = time.process_time() - start
    return [label[0].removeprefix("__label__") for label in labels]


def gristmill(settings: LanguageSettings, model: FoundModel, column: pa.Array) -> tuple[list[str], float]:
    """Return labels, and what they took."""
    identifier = LanguageIdentifier(model, settings)
    identifier.identify(column[:1])
    start = time.process_time()
    found = identifier.identify(column)
    took = time.process_time() - start
    return found["language"].to_pylist(), took


def measure(texts: list[str], times: int) -> None:
    """Print documents/s of each, how many times datatrove's that is, and the share of the same labels."""
    model, column = find_model("lid176"), pa.array(texts, pa.large_string())
    expected, took = datatrove(model, texts), {name: [] for name in ("datatrove", "fastText", *SETTINGS)}
    same = {"datatrove": 1.0}
    for _ in range(times):
        datatrove(model, texts)
        took["datatrove"].append(datatrove.took)
        labels = raw(model, texts)
        took["fastText"].append(raw.took)
        same["fastText"] = np.mean([a == b for a, b in zip(labels, expected, strict=True)])
        for name, settings in SETTINGS.items():
            labels, seconds = gristmill(settings, model, column)
            took[name].append(seconds)
            same[name] = np.mean([a == b for a, b in zip(labels, expected, strict=True)])
    base = statistics.median(took["datatrove"])
    for name, seconds in took.items():
        middle = statistics.median(seconds)
        print(f"| {name} | {len(texts) / middle:,.0f} | {base / middle:.1f}× | {same[name]:.1%} |")


def main() -> None:
    """Measure on each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    visible: Callable[[str], bool] = pc.match_substring_regex
    for path in arguments.texts:
        column = pa.array(texts_of(path), pa.large_string())
        texts = column.filter(visible(column, r"[^\s\pZ\pC]")).to_pylist()
        size = sum(len(text.encode()) for text in texts)
        print(f"\n{path.name}: {len(texts):,} texts of {size / len(texts) / 1e3:.1f} KB on average")
        print("| | documents/s | | same labels |\n|---|---|---|---|")
        measure(texts, arguments.times)


if __name__ == "__main__":
    main()
