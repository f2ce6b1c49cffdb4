"""Language identification: accuracy on labelled sentences by length, and speed on whole pages.

    python benchmarks/language.py SENTENCES.jsonl.gz ... [--pages PAGES.parquet]

SENTENCES have `lang` (any ISO 639 code) and `text`; sentences in a language that the model does not know are counted,
not judged. PAGES has a column `text`. The baseline is fastText asked for one text at a time and for every label, as
datatrove's LanguageFilter asks it; its answers are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from babel.core import get_global

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings

LENGTHS = [0, 20, 50, 100, 1 << 30]
LARGE = "ar bg bn cs da de el en es fa fi fr he hi hu it ja ko nl pl pt ro ru sv ta th tr uk vi zh".split()  # noqa: SIM905
ALIASES = {**get_global("language_aliases"), "nb": "no", "nob": "no"}


def sentences(path: Path, known: set[str]) -> tuple[list[str], list[str], int]:
    """Return languages as the model labels them, texts, and how many sentences are in other languages."""
    languages, texts, other = [], [], 0
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            code = row.get("bcp47", row["lang"]).split("-")[0]
            label = code if code in known else ALIASES.get(code, code)
            if label in known:
                languages.append(label)
                texts.append(row["text"])
            else:
                other += 1
    return languages, texts, other


def accuracy(identifier: LanguageIdentifier, path: Path) -> None:
    """Print the share of right answers by length, and the languages most taken for others."""
    languages, texts, other = sentences(path, set(identifier.labels))
    found = identifier.identify(pa.array(texts))["language"].to_pylist()
    right = np.array([f == e for f, e in zip(found, languages, strict=True)])
    lengths = np.array([len(text) for text in texts])
    print(f"\n{path.name}: {len(texts)} sentences in {len(set(languages))} languages ({other} in unknown ones)")
    for low, high in pairwise(LENGTHS):
        chosen = (lengths >= low) & (lengths < high)
        if chosen.any():
            upper = f"-{high - 1}" if high < 1 << 30 else " and more"
            print(f"  {low}{upper} characters: {right[chosen].mean():.1%} of {chosen.sum()}")
    large = np.isin(languages, LARGE) & (lengths >= 50)
    print(f"  50 characters and more in {len(LARGE)} large languages: {right[large].mean():.1%} of {large.sum()}")
    wrong = Counter((e, f) for e, f in zip(languages, found, strict=True) if e != f)
    print(f"  all: {right.mean():.1%}; most taken for another:", end=" ")
    print(", ".join(f"{e} for {f} ({n})" for (e, f), n in wrong.most_common(8)))


def speed(identifier: LanguageIdentifier, path: Path) -> None:
    """Print documents/s against fastText asked one text at a time, whole and on the first 1,000 characters."""
    texts = pq.read_table(path, columns=["text"])["text"].drop_null().combine_chunks()
    texts = texts.filter(pc.match_substring_regex(texts, r"[^\s\pZ\pC]"))
    model = fasttext.load_model(str(identifier.model.path))
    start = time.perf_counter()
    baseline = [
        model.predict(text.replace("\n", " "), k=-1)[0][0].removeprefix("__label__") for text in texts.to_pylist()
    ]
    took = time.perf_counter() - start
    size = pc.sum(pc.binary_length(texts)).as_py()
    print(f"\n{path.name}: {len(texts)} texts, {size / len(texts) / 1e3:.1f} KB on average")
    print(f"  fastText, one at a time: {len(texts) / took:.0f} documents/s")
    for first in (None, 1_000):
        identifier = LanguageIdentifier(identifier.model, LanguageSettings(first_characters=first))
        identifier.identify(texts[:1])
        start = time.perf_counter()
        found = identifier.identify(texts)["language"].to_pylist()
        took = time.perf_counter() - start
        same = np.mean([f == b for f, b in zip(found, baseline, strict=True)])
        part = "whole text" if first is None else f"first {first:,} characters"
        print(f"  gristmill, {part}: {len(texts) / took:.0f} documents/s; {same:.1%} the same labels")


def main() -> None:
    """Run both parts on the files given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", nargs="*", type=Path)
    parser.add_argument("--pages", type=Path)
    arguments = parser.parse_args()
    identifier = LanguageIdentifier(find_model("lid176"), LanguageSettings())
    for path in arguments.sentences:
        accuracy(identifier, path)
    if arguments.pages:
        speed(identifier, arguments.pages)


if __name__ == "__main__":
    main()
