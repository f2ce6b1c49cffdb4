"""Recall of MinHash-LSH against the S-curve, and precision with exact verification, on real texts with planted copies.

    python benchmarks/recall.py [--data FOLDER] [--texts 3000] [--draws 20]

Each of the texts has a copy of which one stretch of words is replaced, at a similarity of 0.6 to 1. The similarity of
every pair of documents is computed from their sets of shingles. Recall of a bin is the share of its pairs that share a
band, over that many draws of permutations; precision is the share of dropped documents that are as like their survivor
as the bound says.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from gristmill.dedup.minhash.curve import Banding, probability

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from corpora import Document, carry_out, make_run  # noqa: E402
from test_minhash_recall import BINS  # noqa: E402
from test_minhash_stage import (  # noqa: E402
    changed_to,
    pairs_above,
    sampled_texts,
    sets_of,
    shares_a_band,
    similarities,
    spread,
)

STAGE = "  - dedup: {minhash: {ngram: 5, bands: 14, rows: 8, verify: {exact: 0.75}}}\n"


def main() -> None:
    """Print recall by bin, then precision."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--texts", type=int, default=3_000)
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    chance = random.Random(1)
    originals = sampled_texts(arguments.data, arguments.texts)
    texts = originals + [changed_to(text, chance.uniform(0.6, 1.0), chance) for text in originals]
    like = pairs_above(sets_of(texts), 0.6)
    print_recall(texts, like, arguments.draws)
    print_precision(texts, like)


def print_recall(texts: list[str], like: dict[tuple[int, int], float], draws: int) -> None:
    """Print each bin's pairs, what the curve says, and what was found."""
    pairs = list(like)
    truth = np.array(list(like.values()))
    recall = np.mean([shares_a_band(texts, pairs, seed) for seed in range(1, draws + 1)], axis=0)
    expected = probability(truth, Banding(14, 8))
    print(f"{len(texts):,} documents, {len(pairs):,} pairs of a similarity of 0.6 or more, {draws} draws")
    print("similarity    pairs   curve  recall  points apart")
    for low, high in pairwise(BINS):
        chosen = (truth >= low) & (truth < high)
        said, found = 100 * expected[chosen].mean(), 100 * recall[chosen].mean()
        print(f"{low:.2f} - {min(high, 1):.2f} {chosen.sum():8,} {said:7.1f} {found:7.1f} {found - said:13.2f}")


def print_precision(texts: list[str], like: dict[tuple[int, int], float]) -> None:
    """Print how many dropped documents are as like their survivor as the bound and their own figure say."""
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        dropped = similarities(carry_out(make_run(Path(folder), spread(documents, "abcd", 0), STAGE)))
    right = 0
    for identity, (survivor, similarity) in dropped.items():
        pair = sorted((int(identity[2:]), int(survivor[2:])))
        right += like.get((pair[0], pair[1])) == similarity >= 0.75
    print(f"{len(dropped):,} dropped, {right:,} rightly: precision {right / len(dropped):.4f}")


if __name__ == "__main__":
    main()
