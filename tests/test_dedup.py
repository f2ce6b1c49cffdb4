"""Digests, partition keys and survivors."""

from __future__ import annotations

import datetime
import math
import random
from itertools import pairwise

import pyarrow as pa
import pytest
import reference_dedup
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.dedup.keys import DIGEST_BYTES, partition_key, text_digests, versions
from gristmill.dedup.order import LAST, order_keys
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.survivors import survivors

hostile = settings(deadline=None, max_examples=100)
TEXTS = st.lists(st.none() | st.text(max_size=30) | st.sampled_from(["", "\0", "a\r\nb", "𝒳", "é", "é"]), max_size=12)


@hostile
@given(TEXTS, st.sampled_from([pa.string(), pa.large_string()]))
def test_digests_are_those_of_the_texts(texts, kind):
    found = text_digests(pa.array(texts, kind))
    found.validate(full=True)
    assert found.type == pa.binary(DIGEST_BYTES)
    assert found.to_pylist() == [reference_dedup.text_digest(text) for text in texts]


@hostile
@given(TEXTS, st.integers(0, 12), st.integers(0, 12))
def test_digests_of_slices_and_chunks_are_slices_and_chunks_of_digests(texts, start, length):
    whole = pa.array(texts, pa.string())
    expected = text_digests(whole).to_pylist()
    assert text_digests(whole.slice(start, length)).to_pylist() == expected[start : start + length]
    chunked = pa.chunked_array([whole[:start], whole[start:]], pa.string())
    assert text_digests(chunked).to_pylist() == expected


def test_a_digest_is_what_any_other_tool_computes():
    assert text_digests(pa.array(["abc"]))[0].as_py().hex() == "cf4ab791c62b8d2b2109c90275287816"


@hostile
@given(TEXTS, st.integers(0, 12))
def test_partition_keys_are_the_first_eight_bytes(texts, start):
    digests = text_digests(pa.array(texts, pa.string()))[start:]
    keys = partition_key(digests)
    assert keys.type == pa.uint64()
    assert keys.to_pylist() == [d if d is None else int.from_bytes(d[:8], "big") for d in digests.to_pylist()]
    assert partition_key(pa.chunked_array([digests[:2], digests[2:]])).to_pylist() == keys.to_pylist()


def members(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            [
                ("digest", pa.binary(DIGEST_BYTES)),
                ("order", pa.uint64()),
                ("id", pa.string()),
                ("shard", pa.string()),
                ("row", pa.int64()),
            ]
        ),
    )


def listed(table: pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


DIGESTS = [bytes([i]) * DIGEST_BYTES for i in range(4)]
ORDERS = [0, 7, 2**63, int(LAST)]


@st.composite
def rows_of_members(draw):
    places = draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), unique=True, max_size=15))
    chosen = st.tuples(st.sampled_from([None, *DIGESTS]), st.sampled_from(ORDERS))
    names = draw(st.permutations(range(len(places))))
    drawn = [draw(chosen) for _ in places]
    return [
        {"digest": digest, "order": order, "id": f"é{name}", "shard": shard, "row": row}
        for (shard, row), (digest, order), name in zip(places, drawn, names, strict=True)
    ]


@hostile
@given(rows_of_members())
def test_survivors_are_those_of_the_twin(rows):
    assert listed(survivors(members(rows))) == reference_dedup.survivors(rows)


@hostile
@given(rows_of_members(), st.randoms(use_true_random=False), st.integers(0, 15))
def test_neither_order_nor_chunks_change_survivors(rows, shuffler, cut):
    expected = survivors(members(rows))
    shuffler.shuffle(rows)
    found = survivors(pa.concat_tables([members(rows[:cut]), members(rows[cut:])]))
    assert found.combine_chunks().equals(expected.combine_chunks())


@hostile
@given(rows_of_members())
def test_each_cluster_has_one_survivor_that_all_others_name(rows):
    result = listed(survivors(members(rows)))
    digest_of = {(row["shard"], row["row"]): row["digest"] for row in rows}
    id_of = {(row["shard"], row["row"]): row["id"] for row in rows}
    survivor = {digest_of[f[:2]]: id_of[f[:2]] for f in result if f[2] is None}
    assert len(survivor) == sum(f[2] is None for f in result)
    assert all(f[2] in (None, survivor[digest_of[f[:2]]]) for f in result)


def test_the_first_survives_and_a_page_without_a_value_comes_last():
    rows = [
        {"digest": DIGESTS[0], "order": int(LAST), "id": "a", "shard": "s", "row": 0},
        {"digest": DIGESTS[0], "order": 2, "id": "b", "shard": "s", "row": 1},
        {"digest": DIGESTS[0], "order": 1, "id": "d", "shard": "s", "row": 2},
        {"digest": DIGESTS[0], "order": 1, "id": "c", "shard": "s", "row": 3},
        {"digest": DIGESTS[1], "order": 1, "id": "e", "shard": "s", "row": 4},
    ]
    assert listed(survivors(members(rows))) == [("s", 0, "c", 4), ("s", 1, "c", 4), ("s", 2, "c", 4), ("s", 3, None, 4)]


@hostile
@given(rows_of_members(), st.sets(st.sampled_from(DIGESTS)))
def test_an_older_document_survives_all_members(rows, known):
    older = {digest: f"old:{digest[0]}" for digest in known}
    ids = pa.array(list(older.values()), pa.string())
    table = pa.table({"digest": pa.array(list(older), pa.binary(DIGEST_BYTES)), "id": ids})
    assert listed(survivors(members(rows), table)) == reference_dedup.survivors(rows, older)


def test_no_members_give_no_survivors():
    empty = survivors(members([]))
    assert empty.num_rows == 0
    assert empty.column_names == ["shard", "row", "duplicate_of", "cluster_size"]


def test_a_hundred_thousand_equal_pages_are_one_cluster():
    rows = [{"digest": DIGESTS[0], "order": 0, "id": f"{i:06}", "shard": "s", "row": i} for i in range(100_000)]
    random.Random(0).shuffle(rows)
    result = survivors(members(rows))
    assert result["duplicate_of"].null_count == 1
    assert set(result["duplicate_of"].to_pylist()) == {None, "000000"}
    assert set(result["cluster_size"].to_pylist()) == {100_000}


LESS_THAN_64_BITS = 2**62
VALUES = {
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.int64(): st.integers(-LESS_THAN_64_BITS, LESS_THAN_64_BITS),
    pa.int8(): st.integers(-128, 127),
    pa.uint32(): st.integers(0, 2**32 - 1),
    pa.uint64(): st.integers(0, LESS_THAN_64_BITS),
    pa.bool_(): st.booleans(),
}


@hostile
@given(st.data(), st.sampled_from(list(VALUES)), st.booleans())
def test_orders_sort_as_the_values_do(data, kind, largest_first):
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=12))
    found = order_keys(pa.array(values, kind), largest_first=largest_first)
    assert found.type == pa.uint64()
    keys = found.to_pylist()
    expected = [reference_dedup.order(value, largest_first=largest_first) for value in values]
    for (one, key), (other, next_key) in pairwise(sorted(zip(expected, keys, strict=True))):
        assert (key < next_key) == (one < other)
        assert key <= next_key
    assert all((key == LAST) == (order[0] == 1) for key, order in zip(keys, expected, strict=True))


def test_orders_at_the_ends_of_their_range():
    ends = pa.array([-(2**63), 2**63 - 1, None], pa.int64())
    assert order_keys(ends).to_pylist() == [0, 2**64 - 2, 2**64 - 1]
    assert order_keys(ends, largest_first=True).to_pylist() == [2**64 - 2, 0, 2**64 - 1]
    unsigned = order_keys(pa.array([0, 1, 2**64 - 1], pa.uint64())).to_pylist()
    assert unsigned == sorted(set(unsigned))
    assert unsigned[2] < LAST
    floats = order_keys(pa.array([-math.inf, -1.5, -0.0, 0.0, math.inf, math.nan])).to_pylist()
    assert floats == sorted(floats)
    assert floats[2] == floats[3]
    dates = [datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (1969, 1970, 2024)]
    found = order_keys(pa.chunked_array([[None], dates], pa.timestamp("ms", tz="UTC"))).to_pylist()
    assert found[0] == LAST
    assert found[1:] == sorted(found[1:])
    assert order_keys(pa.array([], pa.int64())).to_pylist() == []


def test_settings_name_what_is_compared_and_what_survives():
    settings = DedupSettings(exact="text")
    assert (settings.kind, settings.policy.by, settings.policy.column) == ("exact", "oldest", None)
    best = DedupSettings.model_validate({"exact": "text", "survivor": {"highest": "quality_score"}})
    assert (best.policy.by, best.policy.column) == (None, "quality_score")
    for policy in ("oldest", "newest", "longest"):
        short = DedupSettings.model_validate({"exact": "text", "survivor": policy})
        assert DedupSettings.model_validate(short.model_dump(mode="json", exclude_none=True)) == short
        assert short.policy.by == policy
    assert versions()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"exact": "url"}, "'text'"),
        ({}, "one kind of deduplication"),
        ({"exact": "text", "survivor": "best"}, "'oldest', 'newest' or 'longest'"),
        ({"exact": "text", "survivor": {"highest": "a", "lowest": "b"}}, "one of oldest"),
        ({"exact": "text", "survivor": {}}, "one of oldest"),
    ],
)
def test_settings_that_contradict_themselves_are_mistakes(given, message):
    with pytest.raises(ValidationError, match=message):
        DedupSettings.model_validate(given)
