"""Training of a quality model: how long documents take until they are trained on, beside plain Python, and fastText.

    python benchmarks/train_quality.py PAGES.jsonl.gz [--documents 20000]

PAGES have `text` and `url`. Copies of them that differ in a word are written until there are enough, half of them good.
The baseline is what a script does: json.loads, one line of each text, a set of texts seen, a shuffle, one file; it
neither normalizes for copies nor looks at hosts. fastText's training of the file is the same for both, and timed apart.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from gristmill.classifiers.quality.selection import Choosing, select
from gristmill.classifiers.quality.training import TrainingSettings, train, write_training_file
from gristmill.pipeline.chosen_texts import Reading, parse_source
from gristmill.pipeline.gathering import Gathering, gather

LABELS = ("negative", "positive")
LETTERS = str.maketrans("0123456789", "abcdefghij")


def write_documents(pages: Path, folder: Path, documents: int) -> int:
    """Write a file for each class; return their bytes."""
    with gzip.open(pages, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for label in LABELS:
        with (folder / f"{label}.jsonl").open("w", encoding="utf-8") as sink:
            for number in range(documents // 2):
                row = rows[number % len(rows)]
                word = str(number).translate(LETTERS)  # numbers alone do not make texts differ
                text = f"{row['text']} {label} {word}"
                sink.write(json.dumps({"text": text, "url": f"http://{label}{number // 7}.example/{number}"}) + "\n")
    return sum((folder / f"{label}.jsonl").stat().st_size for label in LABELS)


def by_script(folder: Path) -> None:
    """Write a training file as a script does."""
    lines, seen = [], set()
    for label in LABELS:
        with (folder / f"{label}.jsonl").open(encoding="utf-8") as file:
            for row in map(json.loads, file):
                text = " ".join(row["text"].strip().splitlines())
                if text not in seen:
                    seen.add(text)
                    lines.append(f"__label__{label} {text}\n")
    random.Random(0).shuffle(lines)
    (folder / "script.txt").write_text("".join(lines), encoding="utf-8")


def by_gristmill(folder: Path) -> int:
    """Write a training file; return how many documents it holds."""
    sources = [(label, parse_source(str(folder / f"{label}.jsonl"))) for label in LABELS]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        gathered = gather(sources, Gathering(Reading(), "lines", 0, Path(scratch)), lambda *_: None)
        selection = select(gathered.rows, Choosing())
        lines = gathered.lines.rows(selection.train)
        write_training_file(folder / "train.txt", lines, gathered.rows.positive[selection.train])
    return len(selection.train)


def seconds(work, times: int = 3) -> float:
    """Return the median time of some work."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main() -> None:
    """Print what each part takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", type=Path)
    parser.add_argument("--documents", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_documents(given.pages, folder, given.documents) / 1e6
        trained = by_gristmill(folder)
        script, own = seconds(lambda: by_script(folder)), seconds(lambda: by_gristmill(folder))
        settings = TrainingSettings(dim=16, buckets=200_000, epochs=1)
        learning = seconds(lambda: train(folder / "train.txt", settings), 1)
    print(f"{given.documents:,} documents, {size:.0f} MB of JSONL; {trained:,} are trained on")
    print(f"script: {script:.2f} s, {size / script:.0f} MB/s")
    print(f"gristmill: {own:.2f} s, {size / own:.0f} MB/s, {np.round(own / script, 2)} of the script's time")
    print(f"fastText, one epoch of bigrams: {learning:.1f} s")


if __name__ == "__main__":
    main()
