"""Importance resampling against plain Python, and order statistics against NumPy's sort, in one run.

    python benchmarks/importance.py [--data FOLDER] [--values 2_000_000]

Features: MB/s of gristmill's kernels and of the published features written in Python (words by NLTK's pattern,
SHA-256), on the same web pages; how far the log weights of both agree, and what each draws: KL from the target over the
published features, as the method's authors measure it. Order: 19 cuts of scores in 3 languages, by bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.importance.weights import features_of, gumbel_noise, log_ratios, weigh
from gristmill.dedup.order import order_keys
from gristmill.pipeline.order_counts import Round, at_round, counted, documents_in, narrowed, summed
from gristmill.pipeline.order_statistics import SHIFTS, at_shares

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from reference_importance import published_features

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
TAKE = 300
SHARD_ROWS = 50_000
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--values", type=int, default=2_000_000)
    arguments = parser.parse_args()
    compare_features(*texts(arguments.data / "text"))
    compare_order(arguments.values)


def texts(folder: Path) -> tuple[list[str], list[str]]:
    """Return the target, paragraphs of an encyclopedia, and web pages."""
    target = [row["text"] for row in rows(folder / "wikipedia_paragraphs_12lang.jsonl.gz") if row["lang"] == "en"]
    names = ("noisy_web_fullpage", "dclm_human_majority_data")
    return target, [row["text"] for name in names for row in rows(folder / f"{name}.jsonl.gz")]


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a packed JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the median seconds of process time, after one call that is not counted."""
    work()
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def compare_features(target: list[str], pages: list[str]) -> None:
    """Print the speed of counting and weighing, and how far the weights and draws agree."""
    settings = ImportanceSettings(target=("-",), take=TAKE, min_words=0)
    raw, wanted = (pa.array(rows, pa.large_string()) for rows in (pages, target))
    size = sum(len(page.encode()) for page in pages) / 1e6
    ratios = log_ratios(features_of(wanted, settings), features_of(raw, settings), settings)
    counting, weighing = seconds(lambda: features_of(raw, settings)), seconds(lambda: weigh(raw, ratios, settings))
    few = pages[::7]
    share = sum(len(page.encode()) for page in few) / 1e6
    plain = seconds(lambda: [published_features(page) for page in few], 3)
    print(f"{len(pages):,} web pages, {size:.1f} MB")
    print(
        f"count {size / counting:6.1f} MB/s  weigh {size / weighing:6.1f} MB/s  plain Python {share / plain:6.2f} MB/s"
    )
    print(f"weighing is {plain / share * size / weighing:.0f} times as fast as plain Python's features alone")
    agree(target, pages, np.asarray(weigh(raw, ratios, settings).column(0)))


def agree(target: list[str], pages: list[str], mine: Floats) -> None:
    """Print the correlation of log weights with the published ones, and what each draws."""
    of_pages = [np.bincount(published_features(page), minlength=10_000) for page in pages]
    of_target = np.sum([np.bincount(published_features(text), minlength=10_000) for text in target], axis=0)
    total = np.sum(of_pages, axis=0)
    ratios = np.log(of_target / of_target.sum() + 1e-8) - np.log(total / total.sum() + 1e-8)
    lengths = np.array([counts.sum() for counts in of_pages])
    published = np.array([float(counts @ ratios) for counts in of_pages])
    for name, one, other in (("as they are", mine, published), ("per n-gram", mine / lengths, published / lengths)):
        print(f"log weights {name}: rank correlation with the published {correlation(one, other):.4f}")
    noise = gumbel_noise(np.random.default_rng(0).integers(0, 2**64, len(pages), np.uint64, endpoint=False))
    draws = {
        "gristmill": mine + noise, "published": published + noise, "random": noise,
        "gristmill, scale_to: 200": 200 * mine / lengths + noise,
        "published, scaled alike": 200 * published / lengths + noise,
    }  # fmt: skip
    for name, keys in draws.items():
        chosen = np.argsort(-keys)[:TAKE]
        found = np.sum([of_pages[i] for i in chosen], axis=0)
        print(
            f"{name:26} {TAKE} pages, {found.sum():8,} n-grams, KL from the target {divergence(of_target, found):.3f}"
        )


def correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation."""
    ranks = (np.argsort(np.argsort(values)).astype(np.float64) for values in (one, other))
    return float(np.corrcoef(*ranks)[0, 1])


def divergence(target: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Return KL(target || other) of smoothed shares, in nats."""
    p, q = (counts / counts.sum() + 1e-8 for counts in (target, other))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))


def compare_order(count: int) -> None:
    """Print the seconds of all rounds over shards, and of one sort of everything."""
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=count), rng.integers(1, 20_000, count)
    languages = pa.array(np.array(["en", "de", "fr"])[rng.integers(0, 3, count)])
    places = at_shares([Fraction(n, 20) for n in range(1, 20)])
    documents = counted(0, order_keys(pa.array(values)), pa.array(weights), languages)

    def rounds() -> pa.Table:
        shards = [documents.slice(start, SHARD_ROWS) for start in range(0, count, SHARD_ROWS)]
        at = Round(SHIFTS[0], None, None)
        while True:
            found = narrowed(summed(at_round(shard, at) for shard in shards), at, places)
            if at.shift == 0:
                return found
            few = documents_in(found) <= count // 10
            at = Round(0 if few else max(0, at.shift - 12), at.shift, found)

    def sort() -> list[Floats]:
        found = []
        for language in ("en", "de", "fr"):
            mine = np.asarray(languages) == language
            order = np.argsort(values[mine], kind="stable")
            cumulative = np.cumsum(weights[mine][order])
            found.append(values[mine][order][np.searchsorted(cumulative, places(int(cumulative[-1])))])
        return found

    in_rounds, sorting = seconds(rounds, 3), seconds(sort, 3)
    print(f"19 cuts of {count:,} scores in 3 languages: {in_rounds:.2f} s in rounds, {sorting:.2f} s by one sort")


if __name__ == "__main__":
    main()
