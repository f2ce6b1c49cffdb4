"""Shingles, signatures, bands, components, clusters: against their twins, and against the projects they follow."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import reference_minhash as twin
import spacy
import strategies
import xxhash
from datasketch import MinHash
from datasketch.lsh import _optimal_param
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import simplify_text
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts

from gristmill.dedup.components import Edges, both_ways, labels, large_star, small_star
from gristmill.dedup.minhash.bands import band_keys, candidate_edges, node_keys
from gristmill.dedup.minhash.clusters import SHOWN, clusters, compare
from gristmill.dedup.minhash.curve import Banding, banding_of, drawing, for_threshold, probability
from gristmill.dedup.minhash.digests import _kernels as digests
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.shingles import Shingles, shingles
from gristmill.dedup.minhash.signatures import (
    SCHEMES,
    as_column,
    from_column,
    permutations,
    signatures,
    value_type,
)
from gristmill.dedup.minhash.simplified.words import simplified, simplified_words
from gristmill.text import HAS_TEXT, TextBatch

hostile = settings(deadline=None, max_examples=60)
WORDS = st.sampled_from(["a", "b", "c", "d", "é,", "İ", "—", "3,5", "ΟΔΟΣ.", "Σ", "한글", "can't", "cant", "5km", "꧀᭄"])
TEXTS = st.lists(st.one_of(strategies.texts(), st.lists(WORDS, max_size=12).map(" ".join)), max_size=6)
MINHASH = MinHashSettings(bands=14, rows=8)


def listed(found: Shingles) -> list[list[int]]:
    return [found.hashes[a:b].tolist() for a, b in pairwise(found.counts.tolist())]


@hostile
@given(TEXTS, st.integers(1, 7))
def test_shingles_of_characters_are_those_of_the_twin(texts, n):
    column = pa.array(texts, pa.large_string())
    lowered = pc.utf8_lower(column).to_pylist()
    assert listed(shingles(column, "characters", n)) == [twin.ngrams(twin.letters(text), n) for text in lowered]


@hostile
@given(TEXTS, st.integers(1, 7))
def test_shingles_of_words_are_those_of_the_twin(texts, n):
    column = pa.array(texts, pa.large_string())
    words = TextBatch(pc.utf8_lower(column)).words
    telling = [
        [h for h, f in zip(words.hashes[a:b].tolist(), words.flags[a:b].tolist(), strict=True) if f & HAS_TEXT]
        for a, b in pairwise(words.counts.tolist())
    ]
    assert listed(shingles(column, "words", n)) == [twin.ngrams(found, n) for found in telling]


def test_shingles_ignore_case_space_and_punctuation_and_have_the_order_of_words():
    column = pa.array(["One two THREE", "one, two\n three!", "three two one", "", None, "…"], pa.large_string())
    first, same, other, *none = listed(shingles(column, "words", 2))
    assert first == same
    assert first == [twin.ngrams([twin.fnv(w) for w in pair], 2)[0] for pair in (("one", "two"), ("two", "three"))]
    assert set(first).isdisjoint(other)
    assert none == [[], [], []]


@hostile
@given(st.lists(st.binary(max_size=150), max_size=40), st.sampled_from(["fineweb", "datatrove"]), st.integers(0, 99))
def test_shingles_are_hashed_as_the_libraries_do(pieces, kind, margin):
    cut = margin % (len(pieces) + 1)
    text = np.frombuffer(b" ".join([*pieces, b""]) + b"\0" * margin, np.uint8)
    bounds = np.cumsum([0, *(len(piece) + 1 for piece in pieces)], dtype=np.int64)
    found, rows = np.empty(len(pieces), np.uint64), np.array([0, cut, len(pieces)])
    digest = digests.sha1_ngrams if kind == "fineweb" else digests.xxh64_ngrams
    digest(text, bounds, (rows, rows), 1, found)
    assert found.tolist() == [twin.hashed(piece, kind) for piece in pieces]


def peer(kind):
    """datatrove's own step; its xxhash takes bytes alone since version 4."""
    config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1" if kind == "fineweb" else "xxhash", precision=64))
    step = MinhashDedupSignature("memory://minhash", config)
    if kind == "datatrove":
        step._hash_func = lambda shingle: xxhash.xxh64_intdigest(shingle.encode())
    return step


def check_against_datatrove(texts, kind):
    found = shingles(pa.array(texts, pa.large_string()), kind, 5)
    signed, step = signatures(found, kind, 112, 1), peer(kind)
    for text, mine, signature in zip(texts, listed(found), signed, strict=True):
        theirs = step.get_shingles(text)
        assert mine == theirs.ravel().tolist(), text
        if mine:
            assert signature.reshape(14, 8).tolist() == step.get_signature(theirs)


@settings(deadline=None, max_examples=40)
@given(TEXTS.filter(lambda texts: all(len(word) < 900 for text in texts for word in text.split())))
def test_shingles_and_signatures_are_those_of_datatrove(texts):
    check_against_datatrove(texts, "fineweb")


@pytest.mark.data
@pytest.mark.parametrize("kind", ["fineweb", "datatrove"])
def test_shingles_and_signatures_of_real_texts_are_those_of_datatrove(data, kind):
    texts = [text for text in real_texts(data) if max(map(len, text.split()), default=0) < 1_000]
    check_against_datatrove(random.Random(0).sample(texts, 400), kind)


@hostile
@given(strategies.texts())
def test_a_text_is_simplified_as_datatrove_does(text):
    assert simplified(text) == simplify_text(text).split()


@pytest.mark.parametrize("between", ["3%s4", "aΣ%sx", "Σ%s"])
def test_every_character_is_simplified_as_datatrove_does(between):
    text = " ".join(between % chr(point) for point in range(0x32400) if not 0xD800 <= point < 0xE000)
    data = np.frombuffer(text.encode(), np.uint8)
    found, bounds, counts = simplified_words(data, np.array([0, len(data)]))
    assert counts.tolist() == [0, len(bounds) - 1]
    assert found[: bounds[-1]].tobytes().replace(b" ", b"") == "".join(simplified(text)).encode()


def test_marks_that_change_places_are_in_the_order_that_unicode_has():
    texts = ["ABC 12", "x\U0001d15e\U0001d16e y", "\u302f\u302e \u302e", "\u302e\u0300\u302f", ""]
    found = shingles(pa.array(texts, pa.large_string()), "datatrove", 1)
    split = spacy.blank("en").tokenizer
    words = [[token.text for piece in simplified(text) for token in split(piece)] for text in texts]
    assert listed(found) == [[xxhash.xxh64_intdigest(word.encode()) for word in row] for row in words]


@hostile
@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=6), max_size=5), st.sampled_from(SCHEMES))
def test_signatures_are_those_of_the_twin(rows, scheme):
    counts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    given = Shingles(counts, np.array([h for row in rows for h in row], np.uint64))
    drawn = [tuple(map(int, pair)) for pair in zip(*permutations(scheme, 9, 7), strict=True)]
    found = signatures(given, scheme, 9, 7)
    assert found.dtype == value_type(scheme)
    assert found.tolist() == [twin.signature(row, scheme, drawn) for row in rows]


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "legacy"])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_signatures_are_byte_for_byte_those_of_datasketch(scheme, seed):
    texts = ["the quick brown fox jumps over the lazy dog", "a", "words " * 500, "één twee, drie " * 7]
    found = shingles(pa.array(texts, pa.large_string()), "words", 3)
    signed = signatures(found, scheme, 128, seed)
    for row, mine in zip(listed(found), signed, strict=True):
        peer = MinHash(num_perm=128, seed=seed, scheme=scheme, hashfunc=int)
        peer.update_batch(row if scheme == "affine64" else [h & 0xFFFFFFFF for h in row])
        assert mine.tobytes() == peer.hashvalues.tobytes()


def test_signatures_come_back_from_a_column():
    given = np.arange(24, dtype=np.uint32).reshape(4, 6)
    column = as_column(given, np.array([True, False, True, True]))
    column.validate(full=True)
    assert column.is_null().to_pylist() == [False, True, False, False]
    assert from_column(column, "affine32").tolist() == given.tolist()
    assert from_column(pa.chunked_array([column[:1], column[2:]]), "affine32").tolist() == given[[0, 2, 3]].tolist()
    assert from_column(column[2:], "affine32").tolist() == given[2:].tolist()


def test_equal_bands_have_equal_keys_and_others_do_not():
    chance = np.random.default_rng(0)
    signed = chance.integers(0, 3, (400, 6), dtype=np.uint32)
    keys = band_keys(signed, Banding(3, 2))
    seen: dict[tuple, int] = {}
    for row, mine in zip(signed.reshape(400, 3, 2).tolist(), keys.tolist(), strict=True):
        for band, (values, key) in enumerate(zip(row, mine, strict=True)):
            assert seen.setdefault((band, *values), key) == key
    assert len(set(seen.values())) == len(seen)
    assert len(set(node_keys(signed).tolist())) == len({tuple(row) for row in signed.tolist()})
    scope = np.array([1] * 200 + [2] * 200, np.uint64)
    apart = band_keys(signed, Banding(3, 2), scope)
    assert set(apart[:200].ravel().tolist()).isdisjoint(apart[200:].ravel().tolist())


EDGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda e: e[0] != e[1]), max_size=40)


@hostile
@given(EDGES, st.integers(1, 4))
def test_components_are_those_of_the_twin_whatever_the_partitions(pairs, partitions):
    edges = Edges(*np.array(pairs, np.uint64).reshape(-1, 2).T)
    count, changed = len(pairs), 1
    while changed:
        large = in_parts(large_star, both_ways(edges), partitions)
        small = in_parts(small_star, large, partitions)
        assert len(small.nodes) <= len(set(map(frozenset, pairs))) <= count
        edges, changed = small, large.changed + small.changed
    nodes, label = labels(both_ways(edges))
    assert dict(zip(nodes.tolist(), label.tolist(), strict=True)) == twin.components(pairs)


def in_parts(star, edges, partitions):
    """A star of each partition's nodes, put together."""
    of = edges.nodes % np.uint64(partitions)
    parts = [star(Edges(edges.nodes[of == p], edges.others[of == p])) for p in range(partitions)]
    return Edges(
        np.concatenate([part.nodes for part in parts]),
        np.concatenate([part.others for part in parts]),
        sum(part.changed for part in parts),
    )


@hostile
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=30), st.integers(0, 30))
def test_the_star_of_a_bucket_joins_all_that_are_in_it(pairs, cut):
    keys, nodes = np.array(pairs, np.uint64).reshape(-1, 2).T
    found = candidate_edges([(keys[:cut], nodes[:cut]), (keys[cut:], nodes[cut:])])
    every = [(a, b) for k, a in pairs for j, b in pairs if k == j and a != b]
    assert twin.components(list(zip(found.nodes.tolist(), found.others.tolist(), strict=True))) == twin.components(
        every
    )
    buckets = {k: {node for key, node in pairs if key == k} for k, _ in pairs}
    assert len(found.nodes) == sum(len(members) - 1 for members in buckets.values())


@hostile
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=2, max_size=2), st.sets(st.integers(0, 8))), max_size=20),
    st.floats(0, 1),
    st.booleans(),
)
def test_leaders_are_those_of_the_twin(documents, least, exact):
    sets = [given for _, given in documents]
    buckets = np.array([[bucket, 4 + other] for (bucket, other), _ in documents], np.int64).reshape(-1, 2)
    signed = np.array([[value in given for value in range(8)] for given in sets], np.uint32).reshape(-1, 8)
    bounds = np.concatenate([[0], np.cumsum([len(given) for given in sets])]).astype(np.int64)
    flat = np.array([value for given in sets for value in sorted(given)], np.uint64)

    def similarity(i, j):
        return twin.jaccard(sets[i], sets[j]) if exact else float(np.mean(signed[i] == signed[j]))

    shingled = (flat, bounds) if exact else (flat[:0], bounds[:0])
    leader, found, compared = compare(signed, shingled, buckets, least)
    assert (leader.tolist(), found.tolist(), compared) == twin.led(similarity, buckets.tolist(), least, SHOWN)


def members(texts, settings_, order=None, component=None):
    """A component of texts, in the order in which they survive, as a shard's members have it."""
    found = shingles(pa.array(texts, pa.large_string()), settings_.kind_of_shingles, settings_.ngram)
    signed = signatures(found, settings_.scheme, banding_of(settings_).size, settings_.seed)
    sets = [sorted(set(row)) for row in listed(found)]
    return pa.table(
        {
            "key": pa.array(component or [7] * len(texts), pa.uint64()),
            "order": pa.array(order or range(len(texts)), pa.uint64()),
            "id": [f"d{i:06}" for i in range(len(texts))],
            "shard": ["s"] * len(texts),
            "row": pa.array(range(len(texts)), pa.int64()),
            "signature": as_column(signed, np.ones(len(texts), np.bool_)),
            "shingles": pa.array(sets, pa.list_(pa.uint64())),
        }
    )


def numbered(first, last):
    return " ".join(f"word{i}" for i in range(first, last))


CHAIN = [numbered(10 * i, 10 * i + 100) for i in range(12)]


@pytest.mark.parametrize("verify", [0.6, {"exact": 0.6}])
def test_a_chain_of_unlike_documents_is_split_by_what_is_like_a_survivor(verify):
    settings_ = MinHashSettings(bands=40, rows=2, verify=verify)
    found = clusters(members(CHAIN, settings_), settings_).to_pylist()
    assert {row["component_size"] for row in found} == {12}
    kept = [row["row"] for row in found if row["duplicate_of"] is None]
    assert len(kept) > 1
    for row in found:
        if row["duplicate_of"] is not None:
            survivor = int(row["duplicate_of"][1:])
            assert survivor in kept
            assert survivor < row["row"]
            assert row["similarity"] >= 0.6
        assert row["cluster_size"] == sum(other["duplicate_of"] == f"d{kept_of(row):06}" for other in found) + 1


def kept_of(row):
    return row["row"] if row["duplicate_of"] is None else int(row["duplicate_of"][1:])


def test_without_verification_a_component_is_a_cluster():
    settings_ = MinHashSettings(bands=40, rows=2, verify="none")
    found = clusters(members(CHAIN, settings_, order=[5, *[9] * 11]), settings_).to_pylist()
    assert [row["duplicate_of"] for row in found] == [None, *["d000000"] * 11]
    assert {row["cluster_size"] for row in found} == {12}


@hostile
@given(st.randoms(use_true_random=False), st.sampled_from([0.5, {"exact": 0.5}, "none"]))
def test_neither_order_nor_chunks_change_clusters(shuffler, verify):
    settings_ = MinHashSettings(bands=40, rows=2, verify=verify)
    given = members(CHAIN, settings_, order=[i % 3 for i in range(12)], component=[i // 6 for i in range(12)])
    expected = clusters(given, settings_)
    order = shuffler.sample(range(12), 12)
    cut = shuffler.randrange(13)
    shuffled = pa.concat_tables(
        [given.take(pa.array(order[:cut], pa.int64())), given.take(pa.array(order[cut:], pa.int64()))]
    )
    assert clusters(shuffled, settings_).to_pylist() == expected.to_pylist()


def test_the_work_on_equal_pages_is_linear():
    count = 100_000
    signed = np.ones((count, 16), np.uint32)
    buckets = np.tile(np.arange(4), (count, 1))
    none = np.empty(0, np.uint64), np.empty(0, np.int64)
    leader, similarity, compared = compare(signed, none, buckets, 0.75)
    assert compared == count - 1
    assert not leader.any()
    assert similarity.min() == 1.0
    same = np.zeros(count, np.uint64)
    assert len(candidate_edges([(same, same)]).nodes) == 0


def test_the_work_on_unlike_pages_that_share_a_bucket_is_linear():
    count = 20_000
    signed = np.random.default_rng(0).integers(0, 2**32, (count, 16), dtype=np.uint32)
    buckets = np.stack([np.zeros(count, np.int64), 1 + np.arange(count)], axis=1)
    none = np.empty(0, np.uint64), np.empty(0, np.int64)
    leader, _, compared = compare(signed, none, buckets, 0.75)
    assert compared <= SHOWN * count
    assert leader.tolist() == list(range(count))
    keys, nodes = np.zeros(count, np.uint64), np.arange(count, dtype=np.uint64)
    assert len(candidate_edges([(keys, nodes)]).nodes) == count - 1


def test_a_page_of_ten_megabytes_has_a_signature():
    text = " ".join(f"w{i % 5_000}x{i}" for i in range(900_000))
    assert len(text) > 10_000_000
    found = shingles(pa.array([text, text], pa.large_string()), "words", 5)
    first, second = signatures(found, "affine32", 112, 1)
    assert (first == second).all()
    assert found.counts.tolist() == [0, 899_996, 1_799_992]


def test_the_curve_is_that_of_its_formula():
    assert probability([0, 1], Banding(14, 8)).tolist() == [0, 1]
    assert probability(0.8, Banding(14, 8)) == pytest.approx(1 - (1 - 0.8**8) ** 14)
    assert Banding(14, 8).threshold == pytest.approx(0.719, abs=1e-3)
    lines = list(drawing(Banding(14, 8)))
    assert len(lines) == 21
    assert lines[12].split()[:2] == ["0.800", "0.9235"]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_bands_and_rows_of_a_threshold_are_those_of_datasketch(threshold):
    assert tuple(for_threshold(threshold, 128)) == _optimal_param(threshold, 128, 0.5, 0.5)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"threshold": 0.8, "bands": 3}, "not both"),
        ({"scheme": "fineweb", "shingles": "characters"}, "shingles of words"),
        ({"verify": 1.5}, "at most 1"),
        ({"verify": {"exact": 0}}, "greater than 0"),
        ({"ngrams": 5}, "ngrams"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given_, message):
    with pytest.raises(ValueError, match=message):
        MinHashSettings.model_validate(given_)


def test_settings_say_which_similarity_counts():
    assert MINHASH.least_similarity == 0.75
    assert MinHashSettings(threshold=0.6).least_similarity == 0.6
    assert MinHashSettings(verify="none").least_similarity is None
    assert MinHashSettings.model_validate({"verify": {"exact": 0.9}}).is_exact
    assert banding_of(MinHashSettings()) == Banding(14, 8)
