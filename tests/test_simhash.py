"""Fingerprints, and all pairs of them that are near: against their twins, and against another implementation."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import reference_minhash
import reference_simhash as twin
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from simhash import Simhash

from gristmill.dedup.minhash.shingles import Shingles, shingles
from gristmill.dedup.simhash import _kernels
from gristmill.dedup.simhash.blocks import block_keys, near_edges, node_keys
from gristmill.dedup.simhash.curve import chance_pairs, drawing, probability
from gristmill.dedup.simhash.fingerprints import as_column, fingerprints, from_column
from gristmill.dedup.simhash.settings import SimHashSettings

hostile = settings(deadline=None, max_examples=60)
BITS = st.sampled_from([64, 128])
HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=6)


def numbers(prints):
    """Fingerprints as whole numbers."""
    return [sum(word << 64 * i for i, word in enumerate(row)) for row in prints.tolist()]


def array(values, bits):
    """Whole numbers as fingerprints."""
    words = [[value >> 64 * i & 2**64 - 1 for i in range(bits // 64)] for value in values]
    return np.array(words, np.uint64).reshape(-1, bits // 64)


def repeated(row):
    return st.lists(st.sampled_from(row), max_size=700) if row else st.just([])


@hostile
@given(st.lists(HASHES.flatmap(repeated), max_size=4), BITS)
def test_fingerprints_are_those_of_the_twin(rows, bits):
    counts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    given_ = Shingles(counts, np.array([h for row in rows for h in row], np.uint64))
    assert numbers(fingerprints(given_, bits)) == [twin.fingerprint(row, bits) for row in rows]


@hostile
@given(strategies.text_columns(), BITS, st.sampled_from(["words", "characters"]), st.integers(1, 4))
def test_fingerprints_of_hostile_texts_are_those_of_the_twin(rows_and_column, bits, kind, n):
    _, column = rows_and_column
    found = shingles(column, kind, n)
    listed = [found.hashes[a:b].tolist() for a, b in pairwise(found.counts.tolist())]
    assert numbers(fingerprints(found, bits)) == [twin.fingerprint(row, bits) for row in listed]


def test_a_shingle_in_half_of_all_is_not_the_majority_and_no_shingle_gives_zero():
    given_ = Shingles(np.array([0, 0, 2, 5]), np.array([1, 2, 7, 1, 4], np.uint64))
    assert fingerprints(given_, 64).tolist() == [[0], [0], [5]]


def check_against_the_package(texts, bits):
    column = pa.array(texts, pa.large_string())
    found = shingles(column, "words", 3)
    mine = numbers(fingerprints(found, bits))
    for (a, b), value in zip(pairwise(found.counts.tolist()), mine, strict=True):
        features = [str(h) for h in found.hashes[a:b].tolist()]  # repeated: its weights overflow above 255

        def hashed(feature: bytes) -> int:
            h = 0 if feature == b"test" else int(feature)
            return h | reference_minhash.mix((h + twin.STEP) % 2**64) << 64

        assert Simhash(features, f=bits, hashfunc=hashed).value == value


@pytest.mark.parametrize("bits", [64, 128])
def test_fingerprints_are_those_of_the_package_given_the_hashes(bits):
    check_against_the_package(["the quick brown fox jumps", "a b a b a b a b", "one two " * 600], bits)


@pytest.mark.data
def test_fingerprints_of_real_texts_are_those_of_the_package(data):
    texts = [text for text in real_texts(data) if len(text) > 1_000]
    check_against_the_package(random.Random(0).sample(texts, 150), 64)


def test_fingerprints_come_back_from_a_column():
    given_ = np.arange(8, dtype=np.uint64).reshape(4, 2)
    column = as_column(given_)
    column.validate(full=True)
    assert from_column(column).tolist() == given_.tolist()
    assert from_column(pa.chunked_array([column[:1], column[2:]])).tolist() == given_[[0, 2, 3]].tolist()
    assert from_column(column[:0]).shape == (0, 2)


def clouds(chance, bits, count):
    """Fingerprints around a few centres, some of them equal, some of them chains, some that share all but some bits."""
    found = [0, 2**bits - 1, 0]
    while len(found) < count:
        value = chance.choice([chance.getrandbits(bits), chance.choice(found), chance.getrandbits(7) << 40])
        for _ in range(chance.choice([0, 1, 1, 2, 5])):
            value ^= 1 << chance.randrange(bits)
        found.append(value)
    return found


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), BITS, st.integers(0, 8), st.integers(3, 150))
def test_all_that_is_near_is_joined_and_nothing_else(seed, bits, k, count):
    values = clouds(random.Random(seed), bits, count)
    prints = array(values, bits)
    assert joined(prints, k) == twin.components(list(dict.fromkeys(values)), k)


def joined(prints, k):
    """The first of the distinct fingerprints that edges lead to from each, in the order in which they first come."""
    keys, nodes = block_keys(prints, k), node_keys(prints)
    edges = near_edges(keys.ravel(), np.repeat(nodes, k + 1), np.repeat(prints, k + 1, axis=0), k)
    order = list(dict.fromkeys(nodes.tolist()))
    place = {node: i for i, node in enumerate(order)}
    pairs = [(place[a], place[b]) for a, b in zip(edges.nodes.tolist(), edges.others.tolist(), strict=True)]
    found = reference_minhash.components(pairs)
    return [found.get(i, i) for i in range(len(order))]


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32), BITS, st.integers(0, 6))
def test_a_bucket_that_is_parted_gives_what_comparing_all_pairs_does(seed, bits, k):
    """Over 64 rows for each block a bucket is parted."""
    values = list(dict.fromkeys(clouds(random.Random(seed), bits, 110 * (k + 1))))
    assert len(values) > 64 * (k + 1)
    least = np.empty(len(values), np.int64)
    compared = _kernels.near_sets(array(values, bits), np.array([0, len(values)]), k, least)
    assert least.tolist() == twin.components(values, k)
    assert compared <= (k + 1) * len(values) * (len(values) - 1) / 2


def test_buckets_are_apart():
    prints = array([5, 5, 7, 4], 64)
    least = np.empty(4, np.int64)
    _kernels.near_sets(prints, np.array([0, 1, 1, 3, 4]), 1, least)
    assert least.tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize("shape", ["cube", "random", "template", "one block"])
def test_crowded_buckets_are_not_compared_pair_by_pair(shape):
    """20,000 fingerprints that share a block: 200 million pairs, of which a small share is looked at."""
    chance = np.random.default_rng(1)
    count = 20_000
    values = {
        "cube": np.arange(count, dtype=np.uint64),
        "random": chance.integers(0, 2**48, count, dtype=np.uint64),
        "template": np.bitwise_or.reduce(
            (chance.random((count, 48)) < 0.1).astype(np.uint64) << np.arange(48, dtype=np.uint64), axis=1
        ),
        "one block": np.uint64(7) + (chance.integers(0, 2**15, count, dtype=np.uint64) << np.uint64(30)),
    }[shape]
    values = np.unique(values)
    least = np.empty(len(values), np.int64)
    compared = _kernels.near_sets(values[:, None], np.array([0, len(values)]), 3, least)
    assert compared < 0.1 * len(values) * (len(values) - 1) / 2
    if shape in ("cube", "one block"):
        assert not least.any()


def test_blocks_share_out_all_bits_and_scopes_have_keys_of_their_own():
    prints = array([0, *(1 << bit for bit in range(128))], 128)
    keys = block_keys(prints, 4)
    assert keys.shape == (129, 5)
    assert ((keys[1:] != keys[0]).sum(axis=1) == 1).all()
    assert np.bincount((keys[1:] != keys[0]).argmax(axis=1)).tolist() == [26, 26, 25, 26, 25]
    apart = block_keys(prints, 4, np.arange(129, dtype=np.uint64))
    assert len(np.unique(apart)) == 129 * 5
    assert len(np.unique(node_keys(prints))) == 129


@hostile
@given(st.integers(0, 2**32), BITS, st.integers(0, 8), st.integers(0, 40))
def test_leaders_are_those_of_the_twin(seed, bits, k, count):
    values = clouds(random.Random(seed), bits, count) if count else []
    prints = array(values, bits)
    buckets = np.unique(block_keys(prints, k), return_inverse=True)[1].reshape(len(values), k + 1).astype(np.int64)
    leader, distance = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    _kernels.leaders(prints, buckets, (k, 1_000, np.zeros(len(values), np.bool_)), (leader, distance))
    assert (leader.tolist(), distance.tolist()) == twin.led(values, k)


def test_a_bucket_shows_its_first_leaders_alone():
    prints = array([0, 0xF0, 0xFF00, 0xFF01], 64)
    leader, distance = np.empty(4, np.int64), np.empty(4, np.int64)
    for shown, expected in ((2, [0, 1, 2, 3]), (3, [0, 1, 2, 2])):
        _kernels.leaders(prints, np.zeros((4, 1), np.int64), (3, shown, np.zeros(4, np.bool_)), (leader, distance))
        assert leader.tolist() == expected


def test_the_curve_is_that_of_drawn_vectors():
    """Two vectors at an angle, and random planes: how often at most 3 of 64 have them on different sides."""
    chance = np.random.default_rng(0)
    for cosine in (0.99, 0.97, 0.9):
        planes = chance.standard_normal((20_000, 64, 2))
        one, other = planes[..., 0] > 0, planes @ np.array([cosine, np.sqrt(1 - cosine**2)]) > 0
        assert ((one != other).sum(axis=1) <= 3).mean() == pytest.approx(probability(cosine, 64, 3), abs=0.01)
    assert probability(1.0, 64, 0) == 1.0
    assert probability(0.0, 64, 64) == pytest.approx(1.0)
    assert chance_pairs(2, 64, 64) == 1.0
    lines = list(drawing(64, 3))
    assert lines[0].split()[:2] == ["1.000", "1.0000"]
    assert len(lines) == 15


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"distance": 9}, "at most 8 of 64 bits"),
        ({"distance": 17, "bits": 128}, "at most 16 of 128 bits"),
        ({"bits": 32}, "64 or 128"),
        ({"min_ngrams": 0}, "greater than or equal to 1"),
        ({"ngrams": 3}, "ngrams"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given_, message):
    with pytest.raises(ValueError, match=message):
        SimHashSettings.model_validate(given_)
    assert SimHashSettings(distance=16, bits=128).distance == 16
