"""Recall and precision of minhash against exact Jaccard similarities, on made-up texts with planted copies."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import reference_minhash as twin
from corpora import Document, carry_out, make_run
from test_minhash_stage import changed_to, pairs_above, sets_of, shares_a_band, similarities, spread

from gristmill.dedup.minhash.curve import Banding, probability

BINS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01)


def planted(count, seed):
    """Texts of 100 to 200 made-up words, then a copy of each at a similarity of 0.6 to 1."""
    chance = random.Random(seed)
    originals = [" ".join(f"w{chance.randrange(5_000)}" for _ in range(chance.randint(100, 200))) for _ in range(count)]
    return originals + [changed_to(text, chance.uniform(0.6, 1.0), chance) for text in originals]


def test_recall_is_that_of_the_curve_within_two_points_in_each_bin():
    count = 3_000
    texts = planted(count, 0)
    sets = sets_of(texts)
    pairs = [(i, i + count) for i in range(count)]
    truth = np.array([twin.jaccard(sets[i], sets[j]) for i, j in pairs])
    recall = np.mean([shares_a_band(texts, pairs, seed) for seed in range(1, 11)], axis=0)
    expected = probability(truth, Banding(14, 8))
    for low, high in pairwise(BINS):
        chosen = (truth >= low) & (truth < high)
        assert chosen.sum() > 200
        assert abs(recall[chosen].mean() - expected[chosen].mean()) <= 0.02, low


def test_all_that_exact_verification_drops_is_as_like_as_it_says(tmp_path):
    texts = planted(200, 1)
    sets = sets_of(texts)
    stage = "  - dedup: {minhash: {ngram: 5, bands: 14, rows: 8, verify: {exact: 0.75}}}\n"
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    dropped = similarities(carry_out(make_run(tmp_path, spread(documents, "ab", 0), stage)))
    like = pairs_above(sets, 0.75)
    found = {
        tuple(sorted((int(identity[2:]), int(survivor[2:])))): value for identity, (survivor, value) in dropped.items()
    }
    assert len(found) > 0.8 * len(like)
    assert {pair: like.get(pair) for pair in found} == found


def test_pages_that_share_a_template_are_told_apart_and_no_unlike_page_has_a_copy(tmp_path):
    chance = random.Random(2)
    template = [f"t{i}" for i in range(150)]
    pages = [" ".join([*template, *(f"u{chance.randrange(10**6)}" for _ in range(50))]) for _ in range(150)]
    apart = [" ".join(f"v{chance.randrange(10**6)}" for _ in range(60)) for _ in range(50)]
    shards = spread([Document(f"d/{i}", text) for i, text in enumerate(pages + apart)], "abc", 0)
    stage = "  - dedup: {minhash: {ngram: 5, bands: 40, rows: 2, verify: {exact: %s}}}\n"
    strict = carry_out(make_run(tmp_path, shards, stage % 0.75, "strict"))
    assert similarities(strict) == {}
    assert component_sizes(strict) == {150: 150, None: 50}
    loose = carry_out(make_run(tmp_path, shards, stage % 0.5, "loose"))
    sets = sets_of(pages)
    found = similarities(loose)
    assert len(found) == 149
    for identity, (survivor, similarity) in found.items():
        assert similarity == twin.jaccard(sets[int(identity[2:])], sets[int(survivor[2:])]) >= 0.5


def component_sizes(run):
    """How many documents are in a component of each size."""
    step = run.plan.step("dedup")
    return Counter(size for shard in run.plan.shards for size in run.read(step, shard)["component_size"].to_pylist())
